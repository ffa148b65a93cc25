"""Byzantine nodes of each kind: they act, are counted, and the others withstand them."""

from typing import Any

import pytest

from simnet.events import (
    BlockCommitted,
    DoubleSignFound,
    FaultInjected,
    MessageDelivered,
    MessageValidated,
    OpponentActed,
    PeerBanned,
    PeerScored,
    ProofVerified,
    Proposed,
)
from simnet.scenario.opponents import OPPONENTS
from tests.mocks import Bench, scenario, summarised

WINDOW = {"start_ms": 500, "duration_ms": 6000}
"""From traffic zero; the runs go on for some slots after it."""
PARTS_ONLY = {"slot_ms": 1000, "lanes_per_wallet": 16, "block_proofs": ["identity", "state", "pruning", "uptime"]}
RING = {"type": "ring", "k": 2}


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
    assert acted(b) == {"impersonated", "bad_signature", "stale", "future", "foreign_height", "bad_tag"}
    for what in ("impersonated", "bad_signature"):
        assert answers(b, what) == {("reject", "SignatureInvalid")}
    told = figures(summary, "forged_votes")
    assert told["nodes"] == [1, 4] and sum(told["acted"].values()) == len(b.of(OpponentActed)) >= 50
    refused = [e.message for e in b.of(OpponentActed) if e.what in ("impersonated", "bad_signature")]
    assert told["rejected"] == {"SignatureInvalid": 6 * len(refused)}
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
    b = bench("poison", per_second=20.0, slots=12, sections={"topology": RING})
    summary = summarised(b)
    unharmed(b, summary)
    assert acted(b) == {"altered_field", "altered_body", "other_proof", "replayed"}, "there is no Groth16 here to negate"
    assert {verdict for verdict, _ in answers(b, "altered_body")} == {"reject"}
    transfers = {e.message for e in b.of(MessageDelivered) if e.kind == "transaction"}
    spoiled = {e.message for e in b.of(OpponentActed) if e.what in ("altered_field", "other_proof")} & transfers
    assert spoiled and not [e for e in b.of(MessageValidated) if e.message in spoiled and e.verdict == "accept"]
    honest = {e.message for e in b.events if type(e).__name__ == "MessagePublished" and e.spam is None and e.kind == "transaction"}  # type: ignore[attr-defined]
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


@pytest.mark.parametrize("kind", [k for k in OPPONENTS if k not in ("split", "amnesia", "lying_sync")])
def test_a_run_repeats(kind: str) -> None:
    def run() -> list[str]:
        links = {"default": {"delay_ms": 20, "jitter_ms": 15, "loss": 0.02}}
        b = bench(kind, duration_ms=4500, slots=6, sections={"links": links})
        b.run()
        assert b.of(OpponentActed)
        return [repr(e) for e in b.events]

    assert run() == run()
