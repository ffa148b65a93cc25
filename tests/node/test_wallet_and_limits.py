"""Wallets, mempools and prover queues of whole nodes: due times, stale transfers, limits, spam; proofs are mocks."""

from collections import Counter
from pathlib import Path

import pytest

from simnet.base.catalogue import CircuitId
from simnet.base.units import from_ms
from simnet.events import (
    LimitReached,
    MessagePublished,
    MessageValidated,
    ProofMade,
    ProofVerified,
    PublicationSkipped,
    TransferLate,
    TransferStale,
    TxAdmitted,
    TxRefused,
)
from simnet.proofs.backend import Circuit
from simnet.runs.arrivals import Arrivals
from simnet.scenario.model import Scenario
from tests.mocks import SETTLE_MS, Bench, cost_file, scenario

TRANSACTION = Circuit(CircuitId.TRANSACTION, ())
CONSENSUS = Circuit(CircuitId.CONSENSUS, (8, 256, 4))
ALONE: dict[str, list[str]] = {"block_proofs": []}
"""Transfers and consensus only: what these tests time."""


def due_times(given: Scenario) -> list[int]:
    """When transfers are due, in run time."""
    return [from_ms(SETTLE_MS) + a.at for a in Arrivals(given, given.sim.seed)]


def published(bench: Bench) -> list[int]:
    return [e.at for e in bench.of(MessagePublished) if e.kind == "transaction" and e.spam is None]


def test_a_transfer_whose_proof_is_ready_is_published_exactly_when_due(tmp_path: Path) -> None:
    given = scenario(slots=1, slot_ms=8000, provers={"workers": 64}, chain=ALONE)
    costs = cost_file(tmp_path / "c.toml", [TRANSACTION, CONSENSUS], prove_ms=450)
    bench = Bench(given, costs=costs)
    assert bench.run().complete
    ready_in_time = [t for t in due_times(given) if t >= from_ms(SETTLE_MS + 450)]
    assert len(ready_in_time) > 5
    assert set(ready_in_time) <= set(published(bench))
    assert len(bench.of(TransferLate)) == len(due_times(given)) - len(ready_in_time)


def test_a_transfer_whose_proof_takes_longer_is_late_by_the_rest(tmp_path: Path) -> None:
    given = scenario(slots=1, slot_ms=8000, provers={"workers": 64}, chain=ALONE)
    costs = cost_file(tmp_path / "c.toml", [TRANSACTION, CONSENSUS], prove_ms=700)
    bench = Bench(given, costs=costs)
    assert bench.run().complete
    ahead = [min(from_ms(500), t - from_ms(SETTLE_MS)) for t in due_times(given)]
    assert sorted(e.late_by for e in bench.of(TransferLate)) == sorted(from_ms(700) - a for a in ahead)
    assert published(bench) == sorted(t + from_ms(700) - a for t, a in zip(due_times(given), ahead, strict=True))


def test_stale_transfers_are_proved_again_and_committed() -> None:
    """Few lanes: payments hit accounts that a pending transfer starts from."""
    bench = Bench(scenario(rate=30.0, slots=8, chain={"lanes_per_wallet": 4}))
    result = bench.run()
    assert result.complete, result.violations
    stale = bench.of(TransferStale)
    assert len(stale) >= 5
    again = [e for e in bench.of(ProofMade) if e.again]
    assert len(again) == len(stale)
    assert Counter(e.node for e in again) == Counter(e.node for e in stale)
    committed = {i.hex()[:16] for c in bench.nodes[0].chain.committed for i in c.block.tx_ids}
    assert not committed & {e.tx for e in stale}
    # Every lane that a wallet holds busy has its transfer in the mempools: none is lost, none is blocked for good.
    pending = {tx for n in bench.nodes for tx in n.wallet._pending.values()}
    assert pending == set(bench.nodes[0].transactions.pool.pending)


def test_a_transfer_that_is_stale_before_any_mempool_takes_it_is_proved_again() -> None:
    """Prepared far ahead, across blocks that pay into its lane."""
    bench = Bench(scenario(rate=12.0, slots=8, chain={"lanes_per_wallet": 8, "prepare_ahead_ms": 900}))
    result = bench.run()
    assert result.complete, result.violations
    refused = {e.tx for e in bench.of(TxRefused) if e.reason == "stale"}
    unseen = refused - {e.tx for e in bench.of(TxAdmitted)}
    assert unseen
    assert unseen <= {e.tx for e in bench.of(TransferStale)}
    pending = {tx for n in bench.nodes for tx in n.wallet._pending.values()}
    assert pending == set(bench.nodes[0].transactions.pool.pending)


def test_a_full_prover_queue_is_an_event_and_skips_the_publication(tmp_path: Path) -> None:
    given = scenario(slots=3, rate=20.0, provers={"queue_jobs_max": 3}, chain=ALONE)
    costs = cost_file(tmp_path / "c.toml", [TRANSACTION, CONSENSUS], prove_ms=1000)
    bench = Bench(given, costs=costs)
    result = bench.run()
    assert not {v.invariant for v in result.violations} - {"coherence"}
    full = [e for e in bench.of(LimitReached) if e.what == "provers.queue_jobs_max"]
    assert len(full) > 10
    assert bench.of(PublicationSkipped)
    # A refused job costs no real work: every proof that was started had a place in a queue.
    made = sum(e.circuit == "transaction" for e in bench.of(ProofMade))
    started = sum(key[1].id is CircuitId.TRANSACTION for key in bench.workshop._proofs)
    assert started - made <= 5 * 3


def test_a_full_verifier_queue_is_an_event_and_the_transfer_is_ignored(tmp_path: Path) -> None:
    given = scenario(slots=3, rate=30.0, provers={"queue_jobs_max": 4, "workers": 4}, chain=ALONE)
    costs = cost_file(tmp_path / "c.toml", [TRANSACTION, CONSENSUS], prove_ms=5, verify_ms=100)
    bench = Bench(given, costs=costs)
    bench.run()
    busy = [e for e in bench.of(TxRefused) if e.reason == "verifier_busy"]
    limits = [e for e in bench.of(LimitReached) if e.what == "provers.queue_jobs_max"]
    assert busy
    assert len(limits) >= len(busy)
    assert not [e for e in bench.of(MessageValidated) if e.verdict == "reject"]


def test_an_own_transfer_is_offered_to_the_busy_verifier_again(tmp_path: Path) -> None:
    """Or its lane would never be free. One slot only: no later block makes the node ask others for it."""
    given = scenario(slots=1, rate=60.0, provers={"queue_jobs_max": 4, "workers": 4}, chain=ALONE)
    costs = cost_file(tmp_path / "c.toml", [TRANSACTION, CONSENSUS], prove_ms=5, verify_ms=100)
    bench = Bench(given, costs=costs)
    bench.run()
    busy = {(e.node, e.tx) for e in bench.of(TxRefused) if e.reason == "verifier_busy"}
    own = {
        (n.id, tx_id.hex()[:16])
        for n in bench.nodes
        for tx_id, message in n.transactions.verified.items()
        if n.wallet.owns(message.tx.transfer.sender)
    }
    assert busy & own


def test_a_full_mempool_is_an_event_and_takes_no_more() -> None:
    bench = Bench(scenario(rate=40.0, slots=4, chain={"mempool_transactions_max": 5, "lanes_per_wallet": 16}))
    result = bench.run()
    assert not {v.invariant for v in result.violations} - {"coherence"}
    full = [e for e in bench.of(LimitReached) if e.what == "chain.mempool_transactions_max"]
    assert len(full) > 20
    skipped = Counter(e.reason for e in bench.of(PublicationSkipped))
    assert skipped["mempool_full"] > 20
    # Lanes of transfers that nobody took are free again.
    assert skipped["no_free_lane"] == 0
    assert all(len(c.block.tx_ids) <= 5 for c in bench.nodes[0].chain.committed)
    assert len(bench.chain(0)) == 4


@pytest.fixture(scope="module")
def spammed() -> Bench:
    bench = Bench(scenario(slots=5, rate=6.0, faults={"byzantine": {"spam_factor": 3, "publishers": [0, 1]}}))
    result = bench.run()
    assert result.complete, result.violations
    return bench


def test_copies_are_ignored_as_replay(spammed: Bench) -> None:
    spam_of = {e.message: e.spam for e in spammed.of(MessagePublished)}
    copies = [e for e in spammed.of(MessageValidated) if spam_of[e.message] == "copy"]
    assert len(copies) > 5
    assert {(e.verdict, e.reason) for e in copies} <= {("ignore", "replay"), ("accept", "")}
    # Whichever of the two came first is the one that counts: one admission a node.
    assert max(Counter((e.node, e.tx) for e in spammed.of(TxAdmitted)).values()) == 1
    assert sum(e.verdict == "ignore" for e in copies) > 0
    # And only that one costs a verification.
    sound = [e for e in spammed.of(ProofVerified) if e.spam in (None, "copy") and e.circuit == "transaction"]
    assert max(Counter((e.node, e.proof) for e in sound).values()) == 1


def test_spoiled_proofs_are_rejected_by_the_verifier_and_not_forwarded(spammed: Bench) -> None:
    spam_of = {e.message: e.spam for e in spammed.of(MessagePublished)}
    kinds = {
        "flipped_bytes": "MockProof",
        "other_statement": "MockProof",
        "wrong_public_inputs": "MockStatement",
        "oversize": "MockOversize",
    }
    for kind, reason in kinds.items():
        judged = [e for e in spammed.of(MessageValidated) if spam_of[e.message] == kind]
        assert judged, kind
        assert {(e.verdict, e.reason) for e in judged} == {("reject", reason)}, kind
        verified = [e for e in spammed.of(ProofVerified) if e.spam == kind]
        assert len(verified) == len(judged)
        publishers = {e.message: e.node for e in spammed.of(MessagePublished)}
        assert all(e.peer == publishers[e.message] for e in judged), "a rejected message was passed on"
