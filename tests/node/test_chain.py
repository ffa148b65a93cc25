"""Consensus, proven finality and synchronisation of whole nodes under disturbances; proofs are mocks."""

from collections import Counter
from pathlib import Path

import pytest

from simnet.base.catalogue import BackendId
from simnet.base.errors import SimnetError
from simnet.events import BlockCommitted, BlockProven, LimitReached, ProofMade, Proposed, TxAdmitted, TxRefused, VoteCast
from simnet.node.finality import Finality
from simnet.proofs.backend import ACCEPTED, Verification
from simnet.proofs.native import NativeBackend, native_backends
from simnet.protocol.certification import Disclose
from simnet.protocol.validators import SLOTS_PER_EPOCH
from simnet.runs.chain import RunOptions, build
from tests.mocks import Bench, MockBackend, mock_backends, scenario, slot_start_ns


def test_mocks_are_refused_unless_the_scenario_is_for_tests() -> None:
    given = scenario(test_only=False)
    with pytest.raises(SimnetError, match=r"mock proofs are refused \(stwo, plonky3, groth16\): the scenario is not marked test_only"):
        build(given, 1, RunOptions(), mock_backends())


def test_no_backend_can_claim_to_be_real(tmp_path: Path) -> None:
    class Claims(MockBackend):
        real = True

    class Inherits(NativeBackend):
        def verify(self, *_: object) -> Verification:
            return ACCEPTED

    given = scenario(test_only=False)
    for which, fraud in ((BackendId.STWO, Claims(BackendId.STWO)), (BackendId.GROTH16, Inherits(BackendId.GROTH16, tmp_path))):
        with pytest.raises(SimnetError, match=rf"mock proofs are refused \({which.label}\)"):
            build(given, 1, RunOptions(), {**native_backends(tmp_path), which: fraud})


def test_an_undisturbed_run_commits_and_proves_every_slot() -> None:
    bench = Bench(scenario(slots=4))
    result = bench.run()
    assert result.complete
    assert all(len(bench.chain(n.id)) == 4 for n in bench.nodes)
    assert bench.unproven() == []
    assert len(bench.of(BlockProven)) == 4 * 5
    assert not bench.of(LimitReached)


def test_a_node_that_was_cut_off_catches_up() -> None:
    # Gossip that forgets at once: what was missed can come by synchronisation only.
    bench = Bench(scenario(slots=8, rate=4.0, gossip={"duplicate_cache_ms": 3000, "iwant_timeout_ms": 3000, "lazy_peers": 0}))
    away = next(n for n in range(5) if all(bench.leader(s) != n for s in (2, 3, 4, 5)))
    bench.isolate(away, 1500, 5600)
    result = bench.run()
    assert result.complete, result.violations
    learnt = [e for e in bench.commits(away) if e.caught_up]
    assert len(learnt) >= 3
    other = (away + 1) % 5
    assert bench.chain(away) == bench.chain(other)
    assert len(bench.chain(away)) == 8
    assert bench.unproven() == []
    # What it learnt, it learnt after the links came back, and it votes again afterwards.
    assert all(e.at >= 6_100_000_000 for e in learnt)
    assert any(e.node == away and e.at > 7_500_000_000 for e in bench.of(VoteCast))


def test_a_node_that_returns_when_nobody_votes_any_more_asks_for_what_it_missed() -> None:
    """Nothing but its neighbours' status tells it that there are blocks."""
    # The traffic ends before the last block: a node that was away longer than gossip remembers misses pending transfers.
    traffic = {"tx": {"phases": [{"model": "poisson", "duration_ms": 4800, "lambda_per_sec": 4.0}]}}
    bench = Bench(scenario(slots=6, traffic=traffic, gossip={"duplicate_cache_ms": 3000, "iwant_timeout_ms": 3000, "lazy_peers": 0}))
    bench.isolate(4, 1500, 6400)
    result = bench.run()
    assert result.complete, result.violations
    assert any(e.caught_up for e in bench.commits(4))
    assert bench.chain(4) == bench.chain(0)
    assert bench.unproven() == []


def test_a_node_that_was_away_longer_than_gossip_remembers_is_given_pending_transfers() -> None:
    """Blocks of one transfer leave old ones pending; only the neighbours' status names them."""
    gossip = {"duplicate_cache_ms": 3000, "iwant_timeout_ms": 3000, "lazy_peers": 0}
    bench = Bench(scenario(slots=10, rate=4.0, chain={"block_transactions_max": 1}, gossip=gossip))
    bench.isolate(4, 1500, 6500)
    result = bench.run()
    assert result.complete, result.violations
    pending = set(bench.nodes[4].transactions.pool.pending)
    assert pending == set(bench.nodes[0].transactions.pool.pending)
    admitted = {e.tx: e.at for e in bench.of(TxAdmitted) if e.node == 4}
    elsewhere = {e.tx: e.at for e in bench.of(TxAdmitted) if e.node == 0}
    late = [tx for tx, at in admitted.items() if at - elsewhere[tx] > 3_000_000_000]
    assert len(late) > 3


def test_two_of_five_cut_off_stop_the_chain_and_their_return_resumes_it() -> None:
    bench = Bench(scenario(slots=8))
    for node in (0, 1):
        bench.isolate(node, 1900, 4900)
    result = bench.run()
    assert result.complete, result.violations
    within = [e for e in bench.of(BlockCommitted) if 2_600_000_000 <= e.at < 5_400_000_000]
    assert not within
    assert len(bench.chain(2)) >= 4
    assert len({tuple(bench.chain(n.id)) for n in bench.nodes}) == 1


def test_a_slot_without_its_leader_has_no_block_and_the_next_one_has() -> None:
    bench = Bench(scenario(slots=6))
    leader = bench.leader(2)
    assert bench.leader(3) != leader
    bench.isolate(leader, 1900, 2900)
    result = bench.run()
    assert result.complete, result.violations
    slots = {c.slot for c in bench.nodes[(leader + 1) % 5].chain.committed}
    assert slots == {0, 1, 3, 4, 5}
    nil = [e for e in bench.of(VoteCast) if e.slot == 2 and e.node != leader]
    assert {e.block for e in nil} == {None}
    assert {e.phase for e in nil} == {"prevote", "precommit"}
    # The leader's own block of that slot is not lost silently: it was proposed, and nobody committed it.
    alone = next(e for e in bench.of(Proposed) if e.slot == 2)
    assert alone.block not in {e.block for e in bench.of(BlockCommitted)}


def test_a_member_that_does_not_disclose_is_left_out_of_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenario(slots=4))
    silent = next(n for n in range(5) if all(bench.leader(s) != n for s in range(4)))
    disclose = Finality._disclose

    def withhold(self: Finality, effect: Disclose) -> None:
        if self._node != silent:
            disclose(self, effect)

    monkeypatch.setattr(Finality, "_disclose", withhold)
    result = bench.run()
    assert result.complete, result.violations
    assert bench.unproven() == []
    for committed in bench.nodes[0].chain.committed:
        assert committed.proof is not None
        voters = {v.validator for v in committed.proof.certificate.votes}
        assert voters == set(range(5)) - {silent}
        assert [e.validator for e in committed.proof.vrf] == sorted(voters)
    # The proposer waited for the missing keys until the next slot, then went on.
    proven = [e for e in bench.of(BlockProven) if e.height == 1]
    decided = next(e for e in bench.of(BlockCommitted) if e.height == 1)
    assert min(e.at for e in proven) >= slot_start_ns(1, 1000) > decided.at


def test_too_few_disclosures_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenario(slots=2))
    disclose = Finality._disclose

    def withhold(self: Finality, effect: Disclose) -> None:
        if self._node < 3:
            disclose(self, effect)

    monkeypatch.setattr(Finality, "_disclose", withhold)
    result = bench.run()
    assert {v.invariant for v in result.violations} == {"proven", "aggregated"}
    assert not bench.of(BlockProven)
    assert not [e for e in bench.of(ProofMade) if e.circuit == "consensus"]
    assert len(bench.chain(0)) == 2


def test_an_epoch_boundary_is_crossed_with_new_keys() -> None:
    bench = Bench(scenario(slots=40, slot_ms=500))
    result = bench.run()
    assert result.complete, result.violations
    committed = bench.nodes[0].chain.committed
    assert [c.slot for c in committed] == list(range(40))
    assert bench.unproven() == []
    registry = bench.nodes[0].chain.registry
    for validator in range(5):
        old, new = registry.of(validator, 0), registry.of(validator, 1)
        assert old is not None and new is not None
        roots = [root for r in (old, new) for lane in r.otk_roots for root in lane]
        assert len(set(roots)) == len(roots), "no key tree serves two epochs, lanes or backends"
        assert old.vrf != new.vrf
    assert {c.electorate.members for c in committed} == {bench.facts.genesis.electorate.members}
    proofs = [c.proof.certificate.registered for c in committed if c.proof is not None]
    assert proofs == [5] * 40


def test_a_validator_that_is_alone_when_registrations_begin_registers_later() -> None:
    bench = Bench(scenario(slots=34, slot_ms=500, consensus={"key_horizon_epochs": 1}))
    half = SLOTS_PER_EPOCH // 2
    away = next(n for n in range(5) if all(bench.leader(s) != n for s in range(half, half + 6)))
    bench.isolate(away, half * 500 - 100, half * 500 + 700)
    result = bench.run()
    assert result.complete, result.violations
    registered = [c for c in bench.nodes[0].chain.committed if any(r.validator == away for r in c.block.registrations)]
    # Published when slot half + 2 begins, hence in the block after it.
    assert [c.slot for c in registered] == [half + 3]
    assert bench.nodes[0].chain.registry.count(1) == 5


def test_nodes_with_different_full_mempools_still_agree_on_blocks() -> None:
    bench = Bench(
        scenario(
            7,
            rate=40.0,
            slots=6,
            topology={"type": "ring", "k": 2},
            links={"default": {"delay_ms": 30, "jitter_ms": 25, "loss": 0.0}},
            chain={"mempool_transactions_max": 5, "lanes_per_wallet": 64},
        )
    )
    result = bench.run()
    assert {v.invariant for v in result.violations} <= {"coherence"}
    assert len(bench.chain(0)) == 6
    limits = Counter(e.what for e in bench.of(LimitReached))
    assert limits["chain.mempool_transactions_max"] > 100
    assert set(limits) == {"chain.mempool_transactions_max"}
    refused = [e for e in bench.of(TxRefused) if e.reason == "mempool_full"]
    assert refused
    assert all(len(n.transactions.pool.pending) <= 5 for n in bench.nodes)


def test_both_engines_run_the_chain_alike() -> None:
    """Probes are passed on unseen, so their floods may be computed at once between all that the chain sends."""
    traces = []
    for engine in ("events", "waves"):
        bench = Bench(scenario(slots=4, rate=4.0, gossip={"engine": engine}))
        bench.isolate(2, 1500, 2600)
        assert bench.run().complete
        traces.append([repr(event) for event in bench.events])
    assert traces[0] == traces[1]
    assert any("block_probe" in event for event in traces[0])
