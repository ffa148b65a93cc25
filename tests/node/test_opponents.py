"""Byzantine nodes of each kind: they act, are counted, and the others withstand them."""

from collections import Counter
from typing import Any

import pytest

from simnet.events import (
    BlockCommitted,
    DoubleSignFound,
    FaultInjected,
    MessageDelivered,
    MessagePublished,
    MessageValidated,
    MisconductFound,
    OpponentActed,
    PeerBanned,
    PeerConnected,
    PeerScored,
    ProofVerified,
    Proposed,
)
from simnet.node.finality import Finality
from simnet.scenario.opponents import OPPONENTS
from tests.mocks import Bench, scenario, summarised

WINDOW = {"start_ms": 500, "duration_ms": 6000}
"""From traffic zero; the runs go on for some slots after it."""
PARTS_ONLY = {"slot_ms": 1000, "lanes_per_wallet": 16, "block_proofs": ["identity", "state", "pruning", "uptime"]}
RING = {"type": "ring", "k": 4}


def bench(kind: str, *, bad: tuple[int, ...] = (1, 4), nodes: int = 7, slots: int = 10, rate: float = 4.0, **more: Any) -> Bench:
    sections = {"chain": PARTS_ONLY} | more.pop("sections", {})
    fault = {"kind": kind, "nodes": list(bad), **WINDOW, **more}
    return Bench(scenario(nodes, slots=slots, rate=rate, faults={"nodes": [fault]}, **sections))


def figures(summary: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = summary["simnet"]["node_faults"][kind]
    return found


def answers(b: Bench, what: str) -> set[tuple[str, str]]:
    """Verdicts and reasons that honest nodes gave on what opponents sent."""
    messages = {e.message for e in b.of(OpponentActed) if e.what == what}
    return {(e.verdict, e.reason) for e in b.of(MessageValidated) if e.message in messages}


def acted(b: Bench) -> set[str]:
    return {e.what for e in b.of(OpponentActed)}


def unharmed(b: Bench, summary: dict[str, Any], *, height: int = 8, bad: tuple[int, ...] = (1, 4)) -> None:
    """Everybody has the same long chain, proven; nobody honest is accused, scored to nothing or cut off."""
    honest = [n for n in b.nodes if n.id not in bad]
    assert {n.chain.height for n in honest} == {summary["finality"]["height_max"]}
    assert summary["finality"]["height_max"] >= height
    assert all(c.proof is not None for n in honest for c in n.chain.committed)
    assert {e.validator for e in b.of(DoubleSignFound)} <= set(bad)
    assert summary["simnet"]["peers"]["honest_bans"] == 0
    ends = [e for e in b.of(FaultInjected) if e.kind.endswith("_end")]
    assert len(ends) == len(bad), "the window ended"
    last = max((e.at for e in b.of(OpponentActed)), default=0)
    assert last <= ends[0].at, "and nothing came after it"


def test_forged_votes_are_refused_or_harmless() -> None:
    b = bench("forged_votes")
    summary = summarised(b)
    unharmed(b, summary)
    assert acted(b) == {
        "impersonated",
        "bad_signature",
        "stale",
        "future",
        "foreign_height",
        "bad_tag",
        "early",
        "bad_roots",
        "bad_vrf",
        "bad_keys",
    }
    for what in ("impersonated", "bad_signature"):
        assert answers(b, what) == {("reject", "SignatureInvalid")}
    assert ("drop", "slot") in answers(b, "early") <= {("drop", "slot"), ("ignore", "already_proven")}
    told = figures(summary, "forged_votes")
    assert told["nodes"] == [1, 4] and sum(told["acted"].values()) == len(b.of(OpponentActed)) >= 50
    refused = [e.message for e in b.of(OpponentActed) if e.what in ("impersonated", "bad_signature")]
    false_ones = [e.message for e in b.of(OpponentActed) if e.what in ("bad_roots", "bad_vrf")]
    assert answers(b, "bad_roots") == answers(b, "bad_vrf") == {("reject", "registration")}
    assert ("reject", "keys") in answers(b, "bad_keys") <= {("reject", "keys"), ("ignore", "already_proven"), ("drop", "slot")}
    assert told["rejected"].pop("keys") >= 6
    assert told["rejected"] == {"SignatureInvalid": 6 * len(refused), "registration": 6 * len(false_ones)}
    authors = {e.message: e.node for e in b.of(OpponentActed)}
    assert all(e.peer == authors[e.message] for e in b.of(MessageDelivered) if e.message in refused), "nobody passes them on"


def test_forged_proofs_prove_nothing() -> None:
    b = bench("forged_proofs", per_second=8.0)
    summary = summarised(b)
    unharmed(b, summary)
    assert acted(b) == {"spoiled", "other_statement", "other_block", "other_key", "oversize"}
    forged = {e.subject for e in b.of(OpponentActed) if e.what != "other_block"}
    assert forged and not [e for e in b.of(ProofVerified) if e.proof in forged and e.accepted]
    told = figures(summary, "forged_proofs")
    assert told["accepted"] == {} and sum(told["rejected"].values()) > 100
    kinds = {m.kind for m in b.of(MessageDelivered) if m.message in {e.message for e in b.of(OpponentActed)}}
    assert kinds == {"transaction", "consensus_proof", "block_proof"}
    cost = summary["simnet"]["peers"]["verifiers"]["refused"]["forged_proofs"]
    assert 0 < cost["load"] < cost["share"] < 1
    assert 50 < summary["simnet"]["peers"]["points"]["invalid_proof"] <= sum(told["rejected"].values())


def test_invalid_blocks_are_not_committed() -> None:
    b = bench("invalid_blocks", bad=(1, 4, 6), nodes=10, slots=30, start_ms=1500, duration_ms=26000)
    summary = summarised(b)
    unharmed(b, summary, height=15, bad=(1, 4, 6))
    assert acted(b) == {"state_root", "double_spend", "unknown_transfers", "wrong_parent", "bad_time"}
    told = figures(summary, "invalid_blocks")
    assert told["committed"] == 0
    blocks = {e.subject for e in b.of(OpponentActed)}
    assert len(blocks) == sum(told["acted"].values()) and not blocks & {e.block for e in b.of(BlockCommitted)}
    slots = {e.slot for e in b.of(Proposed) if e.node in (1, 4, 6) and 2 <= e.slot < 27}
    assert not slots, "they go out in place of honest ones"


def test_of_two_spends_of_one_state_one_is_committed_at_most() -> None:
    b = bench("double_spend", duration_ms=4000)
    summary = summarised(b)
    unharmed(b, summary)
    told = figures(summary, "double_spend")
    assert told["pairs"] == told["acted"]["first"] == told["acted"]["second"] >= 6
    assert told["both_admitted"] >= 4, "halves of the network hold different ones"
    assert told["one_committed"] >= 4 and told["both_committed"] == 0


def test_altered_copies_do_not_displace_the_genuine_ones() -> None:
    sections = {"topology": RING, "gossip": {"peer_score_max": 10**6}}  # Else the two were soon cut off.
    b = bench("poison", per_second=20.0, slots=12, sections=sections)
    summary = summarised(b)
    unharmed(b, summary)
    # There is no Groth16 here to negate.
    assert acted(b) == {"altered_field", "altered_body", "misshapen", "bad_signature", "other_proof", "replayed"}
    assert answers(b, "misshapen") == {("reject", "malformed")} and not b.of(MisconductFound) and not b.of(DoubleSignFound)
    assert {verdict for verdict, _ in answers(b, "altered_body")} == {"reject"}
    missigned = {e.message for e in b.of(OpponentActed) if e.what == "bad_signature"}
    kinds = {e.kind for e in b.of(MessageDelivered) if e.message in missigned}
    assert kinds >= {"transaction", "vote", "proposal", "tag_set", "key_disclosure", "consensus_proof", "block_proof", "join", "heartbeat"}
    refused = answers(b, "bad_signature")
    assert ("reject", "SignatureInvalid") in refused and "accept" not in {verdict for verdict, _ in refused}
    assert answers(b, "altered_field") == {("reject", why) for why in ("SignatureInvalid", "registered", "backend")}
    transfers = {e.message for e in b.of(MessageDelivered) if e.kind == "transaction"}
    spoiled = {e.message for e in b.of(OpponentActed) if e.what in ("altered_field", "other_proof")} & transfers
    assert spoiled and not [e for e in b.of(MessageValidated) if e.message in spoiled and e.verdict == "accept"]
    honest = {e.message for e in b.of(MessagePublished) if e.spam is None and e.kind == "transaction"}
    ids = dict.fromkeys(honest, 0)
    for e in b.of(MessageValidated):
        if e.message in ids and e.verdict == "accept":
            ids[e.message] += 1
    assert sum(n >= 5 for n in ids.values()) > 0.8 * len(ids)


def test_a_flood_ends_in_bans_and_leaves_the_rest_in_peace() -> None:
    b = bench("flood", kbps=4000, duration_ms=3000)
    summary = summarised(b)
    honest = {0, 2, 3, 5, 6}
    assert {(e.node, e.peer) for e in b.of(PeerBanned)} >= {(n, p) for n in honest for p in (1, 4)}
    assert {b.nodes[n].chain.height for n in honest} == {summary["finality"]["height_max"]}
    told = figures(summary, "flood")
    assert told["bytes"] > 10_000 and told["acted"]["forged_votes"] > 10
    assert summary["simnet"]["peers"]["banned"] == [1, 4] and summary["simnet"]["peers"]["honest_bans"] == 0
    assert summary["simnet"]["faults"]["links_down"]["ban"] >= 20, "both ends of ten links"


def test_an_honest_network_takes_no_points() -> None:
    b = Bench(scenario(7, slots=8, rate=6.0, chain=PARTS_ONLY))
    summary = summarised(b)
    peers = summary["simnet"]["peers"]
    assert not b.of(PeerBanned) and not b.of(OpponentActed) and not b.of(PeerScored)
    assert peers["points"] == {} and peers["throttled"] == 0 and peers["verifiers"]["refused"] == {}


@pytest.mark.parametrize("kind", OPPONENTS)
def test_a_run_repeats(kind: str) -> None:
    def run() -> list[str]:
        links = {"default": {"delay_ms": 20, "jitter_ms": 15, "loss": 0.02}}
        b = bench(kind, duration_ms=4500, slots=6, sections={"links": links})
        b.run()
        assert b.of(OpponentActed)
        return [repr(e) for e in b.events]

    assert run() == run()


def test_halves_that_are_told_different_things_agree_below_a_third() -> None:
    b = bench("split", slots=12, duration_ms=8000)
    summary = summarised(b)
    unharmed(b, summary, height=9)
    assert acted(b) == {"proposal", "prevote"}, "the others decide before the second vote"
    rivals = {e.subject for e in b.of(OpponentActed) if e.what == "proposal"}
    assert len(rivals) >= 2, "there were two blocks"
    assert {e.validator for e in b.of(DoubleSignFound)} == {1, 4} and summary["finality"]["conflicting_heights"] == 0
    told = figures(summary, "split")
    assert told["double_signs"] == len({(e.validator, e.height, e.slot) for e in b.of(DoubleSignFound)}) > 0


def test_above_a_third_the_halves_fork_and_the_evidence_names_the_culprits() -> None:
    b = bench("split", bad=(1, 4, 6), sections={"expect": {"broken": ["agreement"], "accused": [1, 4, 6]}})
    result = b.run()
    assert result.violations[0].invariant == "agreement" and result.as_expected and result.complete
    assert result.expectation is not None and result.expectation["why_not"] == ""
    culprits = {e.validator for e in b.of(DoubleSignFound) if e.node not in (1, 4, 6)}
    assert culprits == {1, 4, 6}


@pytest.mark.parametrize(
    ("bad", "expect", "why"),
    [
        ((1, 4), {"broken": ["agreement"], "accused": [1, 4]}, "nothing broke, though agreement was to"),
        ((1, 4, 6), {"broken": ["agreement"], "accused": [1, 4, 5]}, "the evidence names nodes [1, 4, 6], not [1, 4, 5]"),
        ((1, 4, 6), {"broken": ["finality"], "accused": [1, 4, 6]}, "agreement broke first"),
    ],
)
def test_a_run_that_does_not_break_as_it_is_to_has_failed(bad: tuple[int, ...], expect: dict[str, Any], why: str) -> None:
    result = bench("split", bad=bad, sections={"expect": expect}).run()
    assert not result.as_expected and result.expectation is not None and result.expectation["why_not"] == why


def test_forgotten_locks_break_nothing_below_a_third() -> None:
    """The network is cut in two for a while, so that neither side has a quorum and locks matter."""
    split = {"start_ms": 2700, "duration_ms": 3000, "group_a": "STWO", "group_b": "PLONKY3"}
    fault = {"kind": "amnesia", "nodes": [1, 4], "start_ms": 500, "duration_ms": 8000}
    regions = {"assignments": ["STWO"] * 4 + ["PLONKY3"] * 3}
    b = Bench(scenario(7, slots=14, rate=4.0, faults={"nodes": [fault], "partition": split}, regions=regions, chain=PARTS_ONLY))
    summary = summarised(b)
    assert summary["finality"]["conflicting_heights"] == 0 and summary["checks"]["agreement"]["held"]
    assert acted(b) >= {"fresh_proposal", "prevote", "precommit_without_quorum"}
    assert {(e.what, e.validator) for e in b.of(MisconductFound)} == {("amnesia", 4)}, "the one whose lock a new block met"
    assert {e.validator for e in b.of(DoubleSignFound)} <= {1, 4}
    honest = [n for n in b.nodes if n.id not in (1, 4)]
    assert len({n.chain.head for n in honest}) == 1 and honest[0].chain.height >= 6


def test_who_catches_up_is_not_deceived() -> None:
    away = {"kind": "crash", "node": 2, "start_ms": 1500, "duration_ms": 3000}
    fault = {"kind": "lying_sync", "nodes": [1, 4], **WINDOW, "duration_ms": 8000}
    lossy = {"default": {"delay_ms": 10, "jitter_ms": 0, "loss": 0.1}}
    b = Bench(scenario(7, slots=12, rate=3.0, faults={"nodes": [fault, away]}, chain=PARTS_ONLY, links=lossy))
    summary = summarised(b)
    assert acted(b) >= {"status", "votes", "blocks", "certificates", "withheld"}
    honest = [n for n in b.nodes if n.id not in (1, 4)]
    assert len({n.chain.head for n in honest}) == 1 and summary["finality"]["height_max"] >= 9
    assert any(e.caught_up for e in b.of(BlockCommitted) if e.node == 2)
    causes = {(e.peer, e.cause) for e in b.of(PeerScored)}
    assert {(1, "invalid_vote"), (4, "invalid_vote"), (1, "invalid_block")} <= causes
    assert not {peer for peer, cause in causes if cause.startswith("invalid")} - {1, 4}


def test_false_evidence_convicts_nobody_but_who_accuses_itself() -> None:
    b = bench("false_evidence", per_slot=10, slots=12, duration_ms=9000, sections={"gossip": {"peer_score_max": 10**6}})
    summary = summarised(b)
    unharmed(b, summary, height=10)
    assert acted(b) == {"double_sign", "broken_lock", "genuine_proof", "valid_block", "own_proof", "testimony", "junk"}
    assert not b.of(DoubleSignFound) and {(e.validator, e.what) for e in b.of(MisconductFound)} <= {(1, "false_proof"), (4, "false_proof")}
    assert {e.validator for e in b.of(MisconductFound)} == {1, 4}
    for what in ("double_sign", "broken_lock", "genuine_proof", "valid_block"):
        assert {verdict for verdict, _ in answers(b, what)} <= {"reject", "drop"}, what
    reasons = {what: {reason for _, reason in answers(b, what)} for what in acted(b)}
    assert reasons["double_sign"] == {"SignatureInvalid", "unrelated"} and reasons["broken_lock"] == {"SignatureInvalid", "lock_kept"}
    assert "proof_holds" in reasons["genuine_proof"] and reasons["valid_block"] == {"block_holds"}
    assert {"known", "in_hand"} <= reasons["own_proof"]
    told = {(e.peer, e.cause) for e in b.of(PeerScored)}
    assert told >= {(1, "invalid_evidence"), (4, "invalid_evidence")} and {peer for peer, _ in told} == {1, 4}


def test_old_votes_sent_again_take_nobodys_place() -> None:
    """A flood of replays: every one is a validly signed message, and the genuine ones all the same get their turn."""
    b = bench("flood", of=["poison"], kbps=3000, duration_ms=4000, sections={"gossip": {"peer_score_max": 10**6}})
    b.run()
    replays = {e.message for e in b.of(OpponentActed)}
    votes = {e.message for e in b.of(MessagePublished) if e.kind == "vote" and e.spam is None}
    lost = [e for e in b.of(MessageValidated) if e.message in votes and e.verdict != "accept"]
    assert len(replays) > 500 and not lost
    passed_on = [e for e in b.of(MessageValidated) if e.message in replays and e.verdict == "accept"]
    delivered = [e for e in b.of(MessageValidated) if e.message in replays]
    assert len(passed_on) < 0.1 * len(delivered), "known content goes no further"


def test_the_verifiers_time_for_one_neighbours_forgeries_is_bounded() -> None:
    """Twenty milliseconds at once, and a hundredth of the time; nobody is ever banned here."""
    limits = {"refused_burst_ms": 20, "refused_share_max": 0.01}
    sections = {"gossip": {"peer_score_max": 10**6}, "provers": limits}
    b = bench("forged_proofs", per_second=100.0, of=["transfer"], duration_ms=6000, sections=sections)
    summary = summarised(b)
    spent: Counter[tuple[int, int]] = Counter()
    for e in b.of(ProofVerified):
        if not e.accepted and e.node not in (1, 4):
            spent[e.node, e.peer] += e.cost
    worst = max(e.cost for e in b.of(ProofVerified))
    assert {peer for _, peer in spent} == {1, 4}
    # Dropped messages are offered again, also after the window.
    assert max(spent.values()) <= 20e6 + 0.01 * b.events[-1].at + worst
    assert summary["simnet"]["peers"]["throttled"] > 100 and summary["simnet"]["limits_hit"]["peer_throttled"] > 100
    assert figures(summary, "forged_proofs")["dropped"]["peer_throttled"] > 100
    free = bench("forged_proofs", per_second=100.0, of=["transfer"], duration_ms=6000, sections={"gossip": {"peer_score_max": 10**6}})
    free.run()
    assert sum(e.cost for e in free.of(ProofVerified) if not e.accepted) > 3 * sum(spent.values())


def test_a_banned_neighbour_comes_back_with_a_clean_slate() -> None:
    gossip = {"peer_score_max": 5.0, "peer_ban_ms": 3000}
    b = bench("forged_votes", what=["bad_signature"], per_slot=20, duration_ms=1500, slots=12, sections={"gossip": gossip})
    summary = summarised(b)
    unharmed(b, summary, height=10)
    bans = b.of(PeerBanned)
    assert {(e.node, e.peer) for e in bans} >= {(n, p) for n in (0, 2, 3, 5, 6) for p in (1, 4)}
    back = [e for e in b.of(PeerConnected) if e.at > 0]
    assert {(e.node, e.peer) for e in back} >= {(e.node, e.peer) for e in bans}
    assert all(e.until - e.at == 3_000_000_000 for e in bans)
    assert b.nodes[1].chain.head == b.nodes[0].chain.head, "a node that was banned catches up"


def test_copies_of_true_words_keep_nobody_from_being_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs take longer than a slot, so that keys of several blocks are told at once; one of four says all again, many times."""
    withheld = Finality._disclose
    monkeypatch.setattr(Finality, "_disclose", lambda self, effect: None if self._node == 3 else withheld(self, effect))
    sections = {
        "chain": {"slot_ms": 500, "lanes_per_wallet": 16, "block_proofs": []},
        "consensus": {"proof_takeover_slots": 4},
        "provers": {"cpu_factor": 36.0},
    }
    b = bench("poison", bad=(3,), nodes=4, slots=40, rate=0.5, what=["repeated"], per_second=160.0, duration_ms=18_000, sections=sections)
    result = b.run()
    assert result.complete and result.checks["proven"]["held"], result.violations
    sent = [e for e in b.of(OpponentActed) if e.what == "repeated"]
    assert len(sent) > 500
    assert "replay" in {reason for verdict, reason in answers(b, "repeated")} <= {"", "replay", "already_proven"}


def test_tags_of_keys_that_are_registered_afterwards_prove_nothing() -> None:
    """One of four keeps its keys back until an epoch has begun, tags, registers and discloses; it withholds its own proofs meanwhile."""
    sections = {"chain": {**PARTS_ONLY, "block_proofs": []}, "consensus": {"key_horizon_epochs": 1}}
    b = bench(
        "forged_votes", bad=(1,), nodes=4, slots=48, rate=0.3, what=["unregistered"], start_ms=0, duration_ms=44_000, sections=sections
    )
    summary = summarised(b)
    unharmed(b, summary, height=45, bad=(1,))
    kinds = {e.message: e.kind for e in b.of(MessagePublished)}
    told = {kinds[e.message]: e.at for e in reversed(b.of(OpponentActed))}
    assert told.keys() == {"vote", "registration", "key_disclosure"} and told["vote"] < told["registration"] < told["key_disclosure"]
    tagged = {e.subject for e in b.of(OpponentActed) if e.subject}
    proven = [c for c in b.nodes[0].chain.committed if c.block.hash.hex()[:16] in tagged and c.proof is not None]
    assert len(proven) >= 3 and all(1 not in c.proof.certificate.tags() for c in proven if c.proof is not None)
    assert b.nodes[0].chain.registry.of(1, 1) is not None and not {"registrations", "votes", "proofs"} & b.nodes[1].conduct.instead
