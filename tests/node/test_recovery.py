"""No outage is final: what whole nodes make of votes, keys and proofs that they missed; proofs are mocks."""

from typing import Any

import pytest

from simnet.events import BlockCommitted, BlockProven, Endorsed, ProofMade, ProofTakenOver
from simnet.node import voting
from simnet.node.committee import vote_tag_of
from simnet.node.facts import Facts
from simnet.node.finality import Finality
from simnet.node.keyring import Keyring
from simnet.node.letters import Signed, VotedLate
from simnet.protocol.certification import Disclose
from simnet.protocol.messages import Vote
from simnet.protocol.validators import SLOTS_PER_EPOCH, Lane
from tests.mocks import Bench, scenario, slot_start_ns

SLOT_MS = 500


def proofs(bench: Bench) -> dict[int, Lane]:
    """In which lane each height's proof at node 0 is."""
    return {c.block.header.height: c.proof.certificate.lane for c in bench.nodes[0].chain.committed if c.proof is not None}


def test_a_chain_whose_keys_ran_out_goes_on_and_proves_the_backlog() -> None:
    """Two of five are away from before the first registrations until the next epoch: nobody has keys for it."""
    bench = Bench(scenario(slots=60, slot_ms=SLOT_MS, consensus={"key_horizon_epochs": 1}))
    for node in (0, 1):
        bench.isolate(node, 10 * SLOT_MS - 50, 45 * SLOT_MS)
    result = bench.run()
    assert result.complete, result.violations
    late = [c for c in bench.nodes[2].chain.committed if c.slot >= SLOTS_PER_EPOCH]
    assert len(late) >= 10 and late[0].slot <= 45 + 6
    keyless = [c for c in late if c.electorate.registered(c.block.header.slot) == 0]
    assert keyless, "committed by signed votes alone"
    assert all(not v.tag for c in keyless for v in c.certificate.votes)
    lanes = proofs(bench)
    assert bench.unproven() == []
    assert {lanes[c.block.header.height] for c in keyless} == {Lane.RECOVER}
    assert {e.lane for e in bench.of(Endorsed)} == {"recover"}
    # One block a slot, with keys that serve nothing else.
    assert len({(e.node, e.slot) for e in bench.of(Endorsed)}) == len(bench.of(Endorsed))
    assert Lane.VOTE in {lanes[c.block.header.height] for c in late}, "registered again"


def test_votes_that_are_split_over_two_slots_prove_nothing_and_endorsements_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commit votes of the first block are lost: its own votes never make a certificate."""
    hear = Finality.on_late_vote

    def deaf(self: Finality, letter: VotedLate) -> None:
        if letter.vote.height != 1:
            hear(self, letter)

    monkeypatch.setattr(Finality, "on_late_vote", deaf)
    bench = Bench(scenario(slots=8))
    result = bench.run()
    assert result.complete, result.violations
    assert bench.unproven() == []
    lanes = proofs(bench)
    assert lanes[1] is Lane.ENDORSE and set(lanes.values()) == {Lane.VOTE, Lane.ENDORSE}
    assert {(e.height, e.slot) for e in bench.of(Endorsed)} == {(1, bench.nodes[0].chain.committed[0].block.header.slot)}


def test_many_blocks_are_endorsed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For four slots nobody discloses keys; afterwards the whole backlog is proven within a few slots."""
    bench = Bench(scenario(slots=12))
    disclose = Finality._disclose

    def silent(self: Finality, effect: Disclose) -> None:
        if self._ports.now > slot_start_ns(4, 1000):
            disclose(self, effect)

    monkeypatch.setattr(Finality, "_disclose", silent)
    result = bench.run()
    assert result.complete, result.violations
    assert bench.unproven() == []
    proven = {e.height: e.at for e in bench.of(BlockProven) if e.node == 0}
    assert max(proven[h] for h in range(1, 5)) < slot_start_ns(8, 1000)


def test_another_backend_proves_what_its_own_cannot() -> None:
    """The only node with Groth16 proposes a block and is gone."""
    regions = {"assignments": ["GROTH16", *["STWO"] * 6]}
    bench = Bench(scenario(7, slots=24, regions=regions, chain={"block_proofs": []}))
    led = next(s for s in range(24) if bench.leader(s) == 0)
    bench.isolate(0, led * 1000 + 60, 10**6)
    bench.run()
    others = bench.nodes[1].chain.committed
    orphan = next(c for c in others if c.block.header.proposer == 0)
    assert orphan.block.header.backend == 3
    assert orphan.proof is not None and orphan.proof.backend != 3
    assert orphan.proof.certificate.lane is Lane.ENDORSE
    assert all(c.proof is not None for c in others[:-1])


def test_replacements_double_after_each_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proposer and the first replacements of every block prove nothing: the others do within a few time-outs."""
    bench = Bench(scenario(9, slots=10, chain={"block_proofs": []}))
    order = {
        h: [bench.leader(h - 1), *[v for v in bench.facts.genesis.electorate.leaders(h - 1) if v != bench.leader(h - 1)]]
        for h in range(1, 11)
    }
    prove = Finality._prove

    def lazy(self: Finality, committed, certificate, keys) -> None:  # type: ignore[no-untyped-def]
        if self._node not in order[committed.block.header.height][:3]:
            prove(self, committed, certificate, keys)

    monkeypatch.setattr(Finality, "_prove", lazy)
    result = bench.run()
    assert result.complete, result.violations
    assert bench.unproven() == []
    assert {e.rank for e in bench.of(ProofTakenOver)} >= {1, 2, 3}
    committed = {e.height: e.at for e in bench.of(BlockCommitted) if e.node == 0}
    proven = {e.height: e.at for e in bench.of(BlockProven) if e.node == 0}
    assert all(proven[h] - committed[h] < 5_000_000_000 for h in committed), "two time-outs of two slots, not three"


def test_a_member_with_tags_of_other_keys_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its votes are signed, and its keys are its own; only they do not fit each other."""
    bench = Bench(scenario(slots=4))
    liar = next(n for n in range(5) if all(bench.leader(s) != n for s in range(4)))

    def tag(facts: Facts, keyring: Keyring, *rest: Any) -> bytes:
        return b"t" * 32 if keyring.node == liar else vote_tag_of(facts, keyring, *rest)

    monkeypatch.setattr(voting, "vote_tag_of", tag)
    result = bench.run()
    assert result.complete, result.violations
    assert bench.unproven() == []
    voters = {frozenset(c.proof.certificate.tags()) for c in bench.nodes[0].chain.committed if c.proof is not None}
    assert voters == {frozenset(range(5)) - {liar}}
    assert not [e for e in bench.of(ProofMade) if e.node == liar and e.circuit == "consensus"]


def test_a_node_that_catches_up_votes_to_commit() -> None:
    bench = Bench(scenario(slots=8, gossip={"duplicate_cache_ms": 3000, "iwant_timeout_ms": 3000, "lazy_peers": 0}))
    away = next(n for n in range(5) if all(bench.leader(s) != n for s in (2, 3, 4, 5)))
    seen: list[Vote] = []
    bench.hear(away, Signed, lambda letter: seen.append(letter.item) if isinstance(letter.item, Vote) else None)
    bench.isolate(away, 1500, 5600)
    result = bench.run()
    assert result.complete, result.violations
    learnt = {e.height for e in bench.commits(away) if e.caught_up}
    own = {v.height for v in seen if v.validator == away and v.phase.label == "commit"}
    assert learnt and own & learnt


@pytest.mark.parametrize(
    ("nodes", "topology", "start_ms", "cut_slots", "gossip"),
    [
        (4, {"type": "erdos_renyi", "p": 1.0}, 4750, 75, {}),  # longer than any window of slots that a node keeps
        (12, {"type": "ring", "k": 2}, 4850, 40, {"duplicate_cache_ms": 15_000}),  # many hops, short memory
    ],
)
def test_a_block_of_before_a_long_cut_is_proven_after_it(
    nodes: int, topology: dict[str, object], start_ms: int, cut_slots: int, gossip: dict[str, int]
) -> None:
    """Its votes were on their way when the cut began: it is committed on one side and has no certificate anywhere."""
    half = nodes // 2
    bench = Bench(
        scenario(
            nodes,
            slots=5 + cut_slots + 20,
            rate=0.2,
            topology=topology,
            regions={"assignments": ["A"] * half + ["B"] * half},
            provers={"regions": {"A": ["stwo"], "B": ["plonky3"]}},
            links={"default": {"delay_ms": 100, "jitter_ms": 0, "loss": 0.0}, "intra": {"delay_ms": 5, "jitter_ms": 0, "loss": 0.0}},
            chain={"block_proofs": []},
            gossip=gossip,
            faults={"partition": {"start_ms": start_ms, "duration_ms": cut_slots * 1000, "group_a": "A", "group_b": "B"}},
        )
    )
    result = bench.run()
    assert result.complete, result.violations
    assert bench.unproven() == []
    assert len(bench.chain(0)) > 15


def test_who_was_away_for_long_catches_up_at_once_however_few_blocks_come_at_a_time() -> None:
    """A quorum may need it to prove what it missed, within slots that begin with its return."""
    bench = Bench(scenario(slots=34, rate=0.2, chain={"sync_blocks_max": 1, "block_proofs": []}))
    bench.isolate(4, 500, 30_100)
    result = bench.run()
    assert result.complete, result.violations
    learnt = [e for e in bench.commits(4) if e.caught_up]
    assert len(learnt) >= 20
    assert learnt[-1].at - learnt[0].at < 1_000_000_000, "a slot"
