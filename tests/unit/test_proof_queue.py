"""The prover queue in virtual time, against queueing theory and by hand."""

import numpy as np

from simnet.proofs.queue import ProofQueue
from simnet.units import SimTime


def test_jobs_wait_for_the_first_free_worker() -> None:
    queue = ProofQueue(workers=2, limit=10)
    placed = [queue.admit(SimTime(0), SimTime(cost)) for cost in (10, 4, 3, 3)]
    assert placed == [(0, 10), (0, 4), (4, 7), (7, 10)]
    assert queue.depth(SimTime(0)) == 4
    assert queue.depth(SimTime(7)) == 2


def test_a_full_queue_refuses_until_a_job_ends() -> None:
    queue = ProofQueue(workers=1, limit=2)
    assert queue.admit(SimTime(0), SimTime(5)) is not None
    assert queue.admit(SimTime(0), SimTime(5)) is not None
    assert queue.admit(SimTime(4), SimTime(5)) is None
    assert queue.admit(SimTime(5), SimTime(5)) == (10, 15)


def test_md1_waiting_time() -> None:
    """Pollaczek–Khinchine for M/D/1: mean wait = ρ·s / 2(1−ρ). ρ = 0.7, 200,000 jobs, 3 % tolerance (seeded)."""
    service, rho, jobs = 1_000_000, 0.7, 200_000
    gaps = np.random.default_rng(5).exponential(service / rho, jobs)
    queue = ProofQueue(workers=1, limit=10**9)
    waits = []
    for arrival in np.cumsum(gaps).astype(int):
        placed = queue.admit(SimTime(int(arrival)), SimTime(service))
        assert placed is not None
        waits.append(placed[0] - arrival)
    expected = rho * service / (2 * (1 - rho))
    assert abs(np.mean(waits) / expected - 1) < 0.03
