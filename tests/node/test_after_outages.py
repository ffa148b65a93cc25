"""What an outage leaves behind is made up for: proofs, transfers, registrations. Proofs are mocks."""

from pathlib import Path
from typing import Any

import pytest

from simnet.base.catalogue import CircuitId
from simnet.base.units import NodeId
from simnet.events import BlockAggregated, LimitReached, PeerScored, PublicationSkipped, TxEvicted
from simnet.node import aggregation
from simnet.node.genesis import make_circuits
from simnet.node.ports import NodePorts
from simnet.node.timing import PATIENCE_MAX
from tests.checks.kit import entry
from tests.mocks import Bench, cost_file, scenario


def stop(service: str, nodes: list[int], start_ms: int, duration_ms: int) -> dict[str, Any]:
    return {"kind": "service_stop", "service": service, "nodes": nodes, "start_ms": start_ms, "duration_ms": duration_ms}


@pytest.mark.parametrize("proofs", [["pruning"], ["state", "recursive"], ["state", "pruning", "recursive"]])
def test_aggregation_goes_on_after_more_blocks_than_outcomes_are_kept(monkeypatch: pytest.MonkeyPatch, proofs: list[str]) -> None:
    """Pruning windows go back to blocks that are aggregated already, and the aggregates of every field to all blocks."""
    monkeypatch.setattr(aggregation, "OUTCOMES_KEPT", 6)
    stopped = stop("prover", [0, 1, 2, 3, 4], 4000, 16_000)
    regions = {"assignments": ["STWO", "STWO", "STWO", "PLONKY3", "PLONKY3"]}
    b = Bench(scenario(5, slots=36, rate=0.5, chain={"block_proofs": proofs}, regions=regions, faults={"nodes": [stopped]}))
    result = b.run()
    assert entry(result, "aggregated")["open"] == 0, result.violations
    assert {e.height for e in b.of(BlockAggregated) if e.node == 0} == set(range(1, b.nodes[0].chain.height + 1))
    assert b.nodes[0].chain.at(1).outcome is None, "what is old is forgotten"  # type: ignore[union-attr]


def test_every_fields_aggregates_are_known_before_blocks_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """For long all blocks are aggregated in one field, then in the other, whose chain of aggregates begins at the genesis."""
    monkeypatch.setattr(aggregation, "OUTCOMES_KEPT", 6)
    stops = [stop("prover", [3, 4], 0, 18_000), stop("prover", [0, 1, 2], 19_000, 20_000)]
    regions = {"assignments": ["STWO", "STWO", "STWO", "PLONKY3", "PLONKY3"]}
    b = Bench(scenario(5, slots=40, rate=0.5, chain={"block_proofs": ["state", "recursive"]}, regions=regions, faults={"nodes": stops}))
    b.run()
    fields = [e.backend for e in b.of(BlockAggregated) if e.node == 0]
    assert fields[5:15] == ["stwo"] * 10 and fields[22:32] == ["plonky3"] * 10
    assert len(fields) == b.nodes[0].chain.height


def test_a_pool_that_was_full_takes_what_it_has_verified_when_it_has_room(tmp_path: Path) -> None:
    """There was room before the proof was verified, and none after it. Nobody sends it again, since everybody else has it."""
    burst = {"tx": {"phases": [{"model": "poisson", "duration_ms": 2500, "lambda_per_sec": 8.0}]}}
    chain = {"mempool_transactions_max": 6, "block_transactions_max": 1, "block_proofs": []}
    given = scenario(4, slots=14, chain=chain, traffic=burst)
    costs = cost_file(tmp_path / "costs.toml", map(make_circuits(given).of, CircuitId), verify_ms=50)
    b = Bench(given, costs=costs)
    result = b.run()
    assert [e for e in b.of(LimitReached) if e.what == "chain.mempool_transactions_max"]
    pools = [set(node.transactions.pool.pending) for node in b.nodes]
    assert pools == [pools[0]] * 4
    assert entry(result, "coherence")["held"] is True, result.violations


def test_what_was_put_out_of_a_pool_as_dated_ahead_comes_back_when_its_time_has() -> None:
    skew = {"kind": "clock_skew", "nodes": [1], "offset_ms": -5000, "start_ms": 3000, "duration_ms": 1500}
    ahead = {"kind": "clock_skew", "nodes": [2], "offset_ms": 4000, "start_ms": 1000, "duration_ms": 1500}
    b = Bench(scenario(4, slots=16, rate=4.0, chain={"block_transactions_max": 1, "block_proofs": []}, faults={"nodes": [skew, ahead]}))
    result = b.run()
    assert [e for e in b.of(TxEvicted) if e.reason == "dated_ahead"]
    assert entry(result, "coherence")["held"] is True, result.violations


def test_a_leader_that_nobody_hears_brings_its_own_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    publish = NodePorts.publish
    deaf = lambda self, kind, *what: None if kind == "registration" else publish(self, kind, *what)  # noqa: E731
    monkeypatch.setattr(NodePorts, "publish", deaf)
    b = Bench(scenario(4, slots=40, rate=0.1, chain={"block_proofs": []}, consensus={"key_horizon_epochs": 1}))
    b.run()
    assert set(b.nodes[0].chain.registry.epochs[1]) == {0, 1, 2, 3}


@pytest.mark.parametrize(("slot_ms", "patience_ms"), [(200, 100), (1000, 500), (6000, 2000)])
def test_requests_are_repeated_within_a_slot(slot_ms: int, patience_ms: int) -> None:
    sync = Bench(scenario(4, slot_ms=slot_ms)).nodes[0].sync
    assert sync._patience == patience_ms * 1_000_000 <= PATIENCE_MAX


def test_proofs_that_all_would_refuse_are_not_sent() -> None:
    """A limit that no proof keeps to: nothing is proven, and nobody is blamed."""
    b = Bench(scenario(4, slots=5, rate=3.0, provers={"proof_bytes_max": 8}))
    result = b.run()
    assert not b.of(PeerScored) and entry(result, "accusations")["held"] is not False
    assert {e.reason for e in b.of(PublicationSkipped)} == {"proof_too_large"}
    assert {e.node for e in b.of(LimitReached) if e.what == "provers.proof_bytes_max"} >= {NodeId(0)}
