"""Proofs of blocks at whole nodes: who makes them, who takes over, what is refused; proofs are mocks."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import NodeId, from_ms
from simnet.events import (
    BlockAggregated,
    BlockCommitted,
    BlockProving,
    LimitReached,
    MessageValidated,
    ProofMade,
    ProofVerified,
    WindowClosed,
)
from simnet.net.network import Validation
from simnet.node.aggregation import Aggregation, Incoming
from simnet.node.block_prover import BlockProver, TurnDue, Work, block_provers
from simnet.node.facts import Memory
from simnet.node.held import HELD_MAX
from simnet.node.letters import ProofSigned
from simnet.protocol.messages import BlockProof
from tests.mocks import Bench, scenario

SLOT_NS = from_ms(1000)


def finished(**sections: Any) -> Bench:
    bench = Bench(scenario(**sections))
    result = bench.run()
    assert result.complete, result.violations
    return bench


def made(bench: Bench, circuit: str) -> list[ProofMade]:
    return [e for e in bench.of(ProofMade) if e.circuit == circuit]


# --- the undisturbed run -------------------------------------------------------------------------


def test_every_block_is_aggregated_everywhere_by_one_prover() -> None:
    bench = finished(slots=6, rate=20.0)
    blocks = {e.height: e for e in bench.of(BlockCommitted)}
    assert Counter((e.height, e.node) for e in bench.of(BlockAggregated)) == Counter((h, n) for h in blocks for n in range(5))
    assert [e.rank for e in bench.of(BlockProving)] == [0] * len(blocks)
    first = {e.height: block_provers(bench.facts, bench.nodes[0].chain.committed[e.height - 1])[0] for e in bench.of(BlockProving)}
    assert {e.height: e.node for e in bench.of(BlockProving)} == first
    assert {e.height: e.prover for e in bench.of(BlockAggregated)} == first
    # A state proof for each sixteen transfers, a pruning proof for each full window.
    assert len(made(bench, "state")) == sum(max(1, -(-b.tx_count // 16)) for b in blocks.values())
    assert max(b.tx_count for b in blocks.values()) > 16
    assert len(made(bench, "pruning")) == len(blocks) - 3
    assert len(made(bench, "recursive")) == len(blocks)
    assert not bench.of(LimitReached)


def test_aggregates_chain_from_genesis() -> None:
    bench = finished(slots=5)
    node = bench.nodes[0].aggregation
    chain = [node.aggregates.value(h, BackendId.STWO) for h in range(6)]
    assert [a.height for a in chain if a] == list(range(6))
    for before, after in pairwise(chain):
        assert before and after and after.previous == before.commitment
    named = {(e.height, e.previous, e.commitment) for e in bench.of(BlockAggregated)}
    assert named == {(a.height, a.previous.hex()[:16], a.commitment.hex()[:16]) for a in chain[1:] if a}


def test_everybody_joins_at_once_four_a_block_and_once() -> None:
    bench = finished(nodes=7, slots=4)
    joins = [len(c.block.body.joins) for c in bench.nodes[0].chain.committed]
    # The first leader knows of its own request only: the others' leave as the slot begins.
    assert joins == [1, 4, 2, 0]
    assert set(bench.nodes[0].chain.state.registered) == set(range(7))
    assert len(made(bench, "identity")) == 7


def test_a_node_that_was_away_joins_when_it_is_back() -> None:
    bench = Bench(scenario(slots=12))
    bench.isolate(4, -400, 5200)
    result = bench.run()
    assert result.complete, result.violations
    joined = {j.validator: h for h, c in enumerate(bench.nodes[0].chain.committed, 1) for j in c.block.body.joins}
    assert set(joined) == set(range(5))
    assert joined[4] > 5 > max(h for v, h in joined.items() if v != 4)


def test_nodes_that_were_up_get_uptime_proofs_and_others_do_not() -> None:
    chain = {"uptime_window_slots": 4, "heartbeats_per_window": 16, "heartbeats_min": 12}
    bench = Bench(scenario(slots=8, chain=chain))
    bench.isolate(3, 1500, 3400)
    result = bench.run()
    assert result.complete, result.violations
    closed = {(e.window, e.reached, e.missed) for e in bench.of(WindowClosed)}
    assert closed == {(0, 4, 1)}
    claims = [c.validator for block in bench.nodes[0].chain.committed for c in block.claims]
    assert sorted(claims) == [0, 1, 2, 4]
    assert len(made(bench, "uptime")) == 4
    # The block after the one that closed the window proves them.
    height = next(e.height for e in bench.of(WindowClosed))
    assert [h for h, c in enumerate(bench.nodes[0].chain.committed, 1) if c.claims] == [height + 1]


def test_a_node_with_several_backends_proves_in_the_field_of_the_consensus_proof() -> None:
    bench = finished(slots=14, regions={"assignments": ["MIXED"] * 5})
    header = {e.height: e.backend for e in bench.of(BlockCommitted)}
    assert {"groth16"} < set(header.values())
    for e in bench.of(BlockProving):
        assert e.backend in ("stwo", "plonky3")
        assert header[e.height] in (e.backend, "groth16")


def test_an_empty_block_whose_consensus_proof_is_foreign_aggregates_its_decision() -> None:
    regions = {"assignments": ["GROTH16", "GROTH16", "GROTH16", "STWO", "STWO"]}
    quiet = {"tx": {"phases": [{"model": "poisson", "duration_ms": 1000, "lambda_per_sec": 1.0}]}}
    bench = finished(slots=8, regions=regions, traffic=quiet, chain={"block_proofs": ["state", "recursive"]})
    empty = {e.height for e in bench.of(BlockCommitted) if e.tx_count == 0 and e.backend == "groth16"}
    assert empty
    provers = {e.height: e.prover for e in bench.of(BlockAggregated)}
    assert None not in provers.values()
    assert set(provers) == {e.height for e in bench.of(BlockCommitted)} >= empty


def test_an_aggregate_is_the_same_whoever_proved_the_block() -> None:
    """It binds block and members; two honest nodes may hold different consensus proofs."""
    bench = finished(slots=3)
    first, second = (bench.nodes[i].aggregation.aggregates for i in (0, 1))
    for committed in bench.nodes[1].chain.committed:
        assert committed.proof is not None
        committed.proof = replace(committed.proof, certificate=replace(committed.proof.certificate, slot=99))
    second._known.clear()
    bench.facts.memory._known.clear()
    for field in bench.nodes[0].aggregation.fields:
        values = [a.value(3, field) for a in (first, second)]
        assert values[0] == values[1] is not None


@pytest.mark.parametrize(
    ("proofs", "circuits"),
    [
        ([], set()),
        (["state"], {"state"}),
        (["identity", "uptime", "pruning"], {"identity", "pruning", "uptime"}),
        (["state", "recursive"], {"recursive", "state"}),
    ],
)
def test_blocks_carry_the_proofs_that_the_scenario_names(proofs: list[str], circuits: set[str]) -> None:
    chain = {"block_proofs": proofs, "uptime_window_slots": 2, "heartbeats_per_window": 8, "heartbeats_min": 2}
    bench = finished(slots=6, chain=chain)
    assert {e.circuit for e in bench.of(ProofMade)} - {"transaction", "consensus"} == circuits
    assert bool(bench.of(BlockAggregated)) == bool(circuits)
    assert all(bool(c.block.body.joins) <= ("identity" in proofs) for c in bench.nodes[0].chain.committed)
    assert all(bool(c.block.header.fields) == bool(proofs) for c in bench.nodes[0].chain.committed)


def test_without_a_backend_that_may_prove_blocks_there_are_no_block_proofs() -> None:
    bench = finished(slots=2, regions={"assignments": ["GROTH16"] * 5})
    assert {e.circuit for e in bench.of(ProofMade)} == {"transaction", "consensus"}


# --- who proves ----------------------------------------------------------------------------------


def test_only_nodes_with_a_backend_for_it_are_candidates() -> None:
    bench = finished(slots=6, regions={"assignments": ["GROTH16", "STWO", "GROTH16", "PLONKY3", "GROTH16"]})
    assert {e.node for e in bench.of(BlockProving)} == {1, 3}
    assert {(e.node, e.backend) for e in made(bench, "state")} == {(1, "stwo"), (3, "plonky3")}


def test_the_next_candidate_takes_over_after_the_time_out() -> None:
    bench = Bench(scenario(slots=6))
    lazy = bench.leader(1)
    bench.mute(lazy, TurnDue)
    result = bench.run()
    assert result.complete, result.violations
    committed = {(e.height, e.node): e.at for e in bench.of(BlockCommitted)}
    taken = [e for e in bench.of(BlockProving) if e.rank]
    assert taken
    for e in taken:
        block = bench.nodes[0].chain.committed[e.height - 1]
        candidates = block_provers(bench.facts, block)
        assert candidates[0] == lazy and candidates[e.rank] == e.node and e.rank == 1
        assert e.at - committed[e.height, e.node] == 2 * SLOT_NS
    assert {e.height for e in bench.of(BlockAggregated)} == {e.height for e in bench.of(BlockCommitted)}


def test_whoever_takes_over_keeps_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first candidate makes all parts and no recursive proof."""
    bench = Bench(scenario(slots=4))
    first = {h: block_provers_of_slot(bench, h - 1)[0] for h in range(1, 5)}
    recursive = BlockProver._prove_recursive

    def without(self: BlockProver, height: int, work: Work) -> None:
        if self._node != first[height]:
            recursive(self, height, work)

    monkeypatch.setattr(BlockProver, "_prove_recursive", without)
    result = bench.run()
    assert result.complete, result.violations
    states = Counter(e.node for e in made(bench, "state"))
    assert sum(states.values()) == 4
    assert len(made(bench, "recursive")) == 4
    assert {e.rank for e in bench.of(BlockProving)} == {0, 1}


def is_part_of(heights: set[int], made: ProofSigned) -> bool:
    proof = made.proof
    return isinstance(proof, BlockProof) and proof.circuit != CircuitId.RECURSIVE and proof.height in heights


def test_a_recursive_proof_without_its_parts_keeps_nobody_from_proving() -> None:
    """The first candidate shows its recursive proof alone; the parts die with it."""
    bench = Bench(scenario(slots=4))
    first = {h: block_provers_of_slot(bench, h - 1)[0] for h in range(1, 5)}
    for node in range(5):
        led = {height for height, leader in first.items() if leader == node}
        bench.mute(node, ProofSigned, partial(is_part_of, led))
    result = bench.run()
    assert result.complete, result.violations
    assert {e.rank for e in bench.of(BlockProving)} == {0, 1}
    assert Counter(e.height for e in bench.of(BlockAggregated)) == dict.fromkeys(range(1, 5), 5)
    assert len(made(bench, "recursive")) == 4, "which is not made twice"


def block_provers_of_slot(bench: Bench, slot: int) -> tuple[int, ...]:
    return bench.facts.genesis.electorate.leaders(slot)


def test_a_node_that_was_cut_off_gets_the_proofs_that_it_missed() -> None:
    bench = Bench(scenario(slots=8, rate=4.0, gossip={"duplicate_cache_ms": 3000, "iwant_timeout_ms": 3000, "lazy_peers": 0}))
    bench.isolate(4, 1500, 5600)
    result = bench.run()
    assert result.complete, result.violations
    heights = [e.height for e in bench.of(BlockAggregated) if e.node == 4]
    assert heights == list(range(1, len(bench.chain(0)) + 1))
    # It learnt what others had proved, and proved none of that again.
    assert Counter(e.height for e in bench.of(BlockProving)) == Counter(heights)


def test_a_node_that_missed_proofs_but_no_block_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Aggregation.on_gossip

    def drop(self: Aggregation, message: Any, peer: NodeId) -> None:
        if self._node in victims and message.payload.height == 2:
            self._ports.answer(message, Validation.IGNORE, "test")
        else:
            deaf(self, message, peer)

    victims: list[int] = []
    monkeypatch.setattr(Aggregation, "on_gossip", drop)
    bench = Bench(scenario(slots=8))
    victim = block_provers_of_slot(bench, 1)[-1]
    victims.append(victim)
    result = bench.run()
    assert result.complete, result.violations
    reached = {(e.node, e.height): e.at for e in bench.of(BlockAggregated)}
    assert [h for n, h in reached if n == victim] == list(range(1, 9))
    # Its neighbours' status told it, once they had held the proofs for a while; nobody proved the block again.
    assert len(made(bench, "recursive")) == 8
    assert reached[NodeId(victim), 2] - reached[NodeId(block_provers_of_slot(bench, 1)[0]), 2] > SLOT_NS // 2


# --- attacks -------------------------------------------------------------------------------------


class Attack:
    """A finished run, and one of its block proofs to spoil and offer to a node that lacks it."""

    def __init__(self, circuit: CircuitId = CircuitId.RECURSIVE, height: int = 3) -> None:
        self.bench = finished(slots=5)
        self.node = self.bench.nodes[0]
        self.aggregation = self.node.aggregation
        self.proof = next(p for p in self.aggregation.proofs_of(height) if p.circuit == circuit)
        # The run closed its workers.
        self.bench.workshop._small = ThreadPoolExecutor(1)
        self.asked = self.bench.ask(0)
        self.said = self.asked.told

    def forget(self, height: int = 3) -> None:
        """The node loses all proofs of a block."""
        self.aggregation._proofs[height].clear()

    def offer(self, proof: BlockProof, *, sign: bool = True) -> tuple[Validation, str]:
        if sign:
            proof = self.bench.nodes[proof.prover].keyring.signed(proof)
        self.aggregation.take(Incoming(proof, NodeId(1), self.asked))
        self.bench.clockwork.run(until=self.bench.clockwork.now + SLOT_NS)
        assert len(self.said) == 1
        return self.said[0]


def test_the_proof_itself_is_taken_once() -> None:
    attack = Attack()
    assert attack.offer(attack.proof) == (Validation.IGNORE, "already_proven")
    attack.forget()
    attack.said.clear()
    assert attack.offer(attack.proof) == (Validation.ACCEPT, "")


@pytest.mark.parametrize("circuit", [CircuitId.STATE, CircuitId.RECURSIVE])
def test_a_proof_of_another_block_or_height_is_refused(circuit: CircuitId) -> None:
    attack = Attack(circuit)
    attack.forget()
    assert attack.offer(replace(attack.proof, block=bytes(32))) == (Validation.REJECT, "another_block")
    attack.said.clear()
    attack.forget(4)
    chain = attack.node.chain.committed
    # Named after the next block, it proves another statement: for the recursive circuit, another parent's aggregate.
    moved = replace(attack.proof, height=4, block=chain[3].block.hash)
    assert attack.offer(moved) == (Validation.REJECT, "MockStatement")


def test_an_unsigned_or_foreign_signature_is_refused_before_any_proof_work() -> None:
    attack = Attack()
    attack.forget()
    verified = len(attack.bench.of(ProofVerified))
    other = replace(attack.proof, prover=(attack.proof.prover + 1) % 5)
    assert attack.offer(other, sign=False) == (Validation.REJECT, "SignatureInvalid")
    attack.said.clear()
    assert attack.offer(replace(attack.proof, prover=99), sign=False) == (Validation.REJECT, "SignatureInvalid")
    assert len(attack.bench.of(ProofVerified)) == verified


def test_spoiled_bytes_are_refused_and_a_large_proof_is_not_read() -> None:
    attack = Attack()
    attack.forget()
    data = bytearray(attack.proof.envelope.data)
    data[-1] ^= 1
    assert attack.offer(replace(attack.proof, envelope=Blob(bytes(data)))) == (Validation.REJECT, "MockProof")
    attack.said.clear()
    limit = attack.bench.facts.scenario.provers.proof_bytes_max
    assert attack.offer(replace(attack.proof, envelope=Blob(bytes(limit + 1))), sign=False) == (Validation.REJECT, "ProofTooLarge")
    refused = attack.bench.of(ProofVerified)[-1]
    assert (refused.accepted, refused.reason, refused.bytes, refused.cost) == (False, "ProofTooLarge", limit + 1, 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"circuit": 99}, "UnknownProofKind"),
        ({"circuit": CircuitId.TRANSACTION}, "UnknownProofKind"),
        ({"backend": 3}, "UnknownBackend"),
        ({"backend": 77}, "UnknownBackend"),
        ({"index": 1}, "unexpected_proof"),
        ({"circuit": CircuitId.PRUNING}, "unexpected_proof"),
        ({"circuit": CircuitId.UPTIME, "index": 9}, "unexpected_proof"),
    ],
)
def test_a_proof_that_the_block_does_not_have_is_refused(change: dict[str, int], why: str) -> None:
    attack = Attack()
    attack.forget()
    assert attack.offer(replace(attack.proof, **change)) == (Validation.REJECT, why)  # type: ignore[arg-type]


def test_proofs_of_blocks_to_come_are_held_within_a_limit() -> None:
    attack = Attack()
    next_one = attack.node.chain.height + 1
    for index in range(HELD_MAX + 3):
        proof = signed(attack, replace(attack.proof, height=next_one, index=index))
        attack.aggregation.take(Incoming(proof, NodeId(1), attack.asked))
    limits = [e for e in attack.bench.of(LimitReached) if e.what == "held_block_proofs"]
    assert len(limits) == 3
    assert attack.said == [(Validation.DROP, "not_committed")] * 3, "each gets its answer, and may come again"
    # Not even of the same author can one neighbour fill the others' room.
    attack.aggregation.take(Incoming(signed(attack, replace(attack.proof, height=next_one)), NodeId(2), attack.bench.ask(0)))
    assert len([e for e in attack.bench.of(LimitReached) if e.what == "held_block_proofs"]) == 3


def test_proofs_of_blocks_that_may_never_come_are_not_held() -> None:
    attack = Attack()
    far = signed(attack, replace(attack.proof, height=attack.node.chain.height + 100))
    attack.aggregation.take(Incoming(far, NodeId(1), attack.asked))
    assert attack.said == [(Validation.DROP, "not_committed")]


def signed(attack: Attack, proof: BlockProof) -> BlockProof:
    return attack.bench.nodes[proof.prover].keyring.signed(proof)


@pytest.mark.parametrize("change", [{"commitment": "0" * 16}, {"previous": "0" * 16}, {"block": "0" * 16}])
def test_the_check_finds_aggregates_that_differ_or_do_not_chain(change: dict[str, str]) -> None:
    bench = finished(slots=3)
    checks, last = bench.simulation._checks, bench.of(BlockAggregated)[-1]
    bench.simulation.bus.emit(last)
    assert not checks.violations
    bench.simulation.bus.emit(replace(last, **change))  # type: ignore[arg-type]
    assert [v.invariant for v in checks.violations] == ["coherence"]


def test_the_check_finds_a_node_that_lacks_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BlockProver, "on_turn_due", lambda self, letter: None)
    result = Bench(scenario(slots=4)).run()
    assert [v.invariant for v in result.violations] == ["aggregated"]


def test_a_refused_proof_is_not_forwarded() -> None:
    cheats = {"nodes": [{"kind": "withholding", "nodes": [0], "what": ["blocks"], "start_ms": 0, "duration_ms": 100}]}
    bench = Bench(scenario(slots=3, faults=cheats))
    victim = bench.nodes[0]

    def publish() -> None:
        proof = next(iter(victim.aggregation.proofs_of(1)))
        spoiled = replace(proof, envelope=Blob(proof.envelope.data[:-1]), prover=0)
        attack = bench.nodes[0].keyring.signed(spoiled)
        for node in bench.nodes[1:]:
            node.aggregation._proofs[1].clear()
        assert bench.publish(NodeId(0), "block_proof", attack, attack.size)

    bench.at(2100, publish)
    result = bench.run()
    refused = [e for e in bench.of(MessageValidated) if e.verdict == "reject" and e.reason in ("MockProof", "MockStatement")]
    assert {(e.node, e.peer) for e in refused} == {(n, 0) for n in range(1, 5)}
    assert result.complete, result.violations


# --- what is forgotten ---------------------------------------------------------------------------


def test_a_field_that_was_unused_for_long_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five nodes prove in one field, the two others, away for most of the run, in another."""
    monkeypatch.setattr("simnet.node.aggregation.OUTCOMES_KEPT", 3)
    away = [{"kind": "crash", "node": node, "start_ms": 1, "duration_ms": 14_000} for node in (5, 6)]
    chain = {"block_proofs": ["state", "pruning", "recursive"], "pruning_window_blocks": 4}
    assignments = {"assignments": ["STWO"] * 5 + ["PLONKY3"] * 2}
    bench = Bench(scenario(7, slots=42, slot_ms=500, rate=0.2, regions=assignments, chain=chain, faults={"nodes": away}))
    result = bench.run()
    assert result.complete and not result.violations, result.violations
    for node in bench.nodes:
        line, part = node.chain, node.aggregation
        assert line.height > 20 and line.committed[0].outcome is None, "blocks are forgotten"
        assert all(part.aggregates.value(line.height, field) is not None for field in part.fields)
    back = [e for e in bench.of(BlockAggregated) if e.backend == "plonky3"]
    assert {e.node for e in back} == set(range(7)), "their blocks wait for nobody else's provers"


def test_what_a_node_has_forgotten_is_not_forgotten_for_all() -> None:
    bench = finished(slots=8, chain={"block_proofs": ["state", "pruning", "recursive"], "pruning_window_blocks": 4})
    (field, *_), height = bench.nodes[0].aggregation.fields, 6
    bench.nodes[0].chain.forget_outcomes(height - 1)
    bench.facts.memory = Memory(1024)
    forgetful, other = (bench.nodes[n].aggregation.aggregates for n in (0, 1))
    assert forgetful.value(height - 1, field) == other.value(height - 1, field) is not None
    assert forgetful.of(height, field) is None, "the window of its pruning proof is gone"
    assert other.of(height, field) is not None
    assert forgetful.of(height, field) is None, "whoever asked before"
