"""The prover queue in virtual time, against queueing theory and by hand."""

import numpy as np

from simnet.base.units import SimTime
from simnet.proofs.queue import ProofQueue


def admitted(queue: ProofQueue, now: int, cost: int) -> tuple[int, int] | None:
    job = queue.admit(SimTime(now), SimTime(cost))
    return None if job is None else (job.start, job.end)


def test_jobs_wait_for_the_first_free_worker() -> None:
    queue = ProofQueue(workers=2, limit=10)
    placed = [admitted(queue, 0, cost) for cost in (10, 4, 3, 3)]
    assert placed == [(0, 10), (0, 4), (4, 7), (7, 10)]
    assert queue.depth(SimTime(0)) == 4
    assert queue.depth(SimTime(7)) == 2


def test_a_full_queue_refuses_until_a_job_ends() -> None:
    queue = ProofQueue(workers=1, limit=2)
    assert queue.admit(SimTime(0), SimTime(5)) is not None
    assert queue.admit(SimTime(0), SimTime(5)) is not None
    assert queue.admit(SimTime(4), SimTime(5)) is None
    assert admitted(queue, 5, 5) == (10, 15)


def test_a_stop_puts_off_what_is_not_done() -> None:
    """One worker: a job is half done at 15, when the stop begins; it goes on at 35 where it was."""
    queue = ProofQueue(workers=1, limit=10)
    first, second, third = (queue.admit(SimTime(0), SimTime(cost)) for cost in (10, 10, 10))
    assert first is not None and second is not None and third is not None
    queue.stop(SimTime(15), SimTime(35))
    assert [(j.start, j.end) for j in (first, second, third)] == [(0, 10), (10, 40), (40, 50)]
    assert admitted(queue, 20, 5) == (50, 55), "a job that comes meanwhile waits behind the others"
    assert [j.end for j in queue.waiting(SimTime(20))] == [40, 50, 55] and queue.depth(SimTime(20)) == 3
    assert queue.depth(SimTime(45)) == 2


def test_an_idle_queue_starts_nothing_before_the_stop_ends() -> None:
    queue = ProofQueue(workers=2, limit=10)
    queue.stop(SimTime(10), SimTime(30))
    assert [admitted(queue, 12, 4) for _ in range(3)] == [(30, 34), (30, 34), (34, 38)]


def test_overlapping_stops_last_until_the_later_end() -> None:
    queue = ProofQueue(workers=1, limit=10)
    job = queue.admit(SimTime(0), SimTime(10))
    assert job is not None
    queue.stop(SimTime(4), SimTime(20))
    queue.stop(SimTime(10), SimTime(26))
    queue.stop(SimTime(12), SimTime(15))
    assert job.end == 32, "six were left at 4, and nothing is done before 26"


def test_a_stopped_queue_keeps_its_limit() -> None:
    queue = ProofQueue(workers=1, limit=2)
    queue.stop(SimTime(0), SimTime(100))
    assert [admitted(queue, at, 1) for at in (1, 2, 3)] == [(100, 101), (101, 102), None]
    assert admitted(queue, 101, 1) == (102, 103)


def test_md1_waiting_time() -> None:
    """Pollaczek–Khinchine for M/D/1: mean wait = ρ·s / 2(1−ρ). ρ = 0.7, 200,000 jobs, 3 % tolerance (seeded)."""
    service, rho, jobs = 1_000_000, 0.7, 200_000
    gaps = np.random.default_rng(5).exponential(service / rho, jobs)
    queue = ProofQueue(workers=1, limit=10**9)
    waits = []
    for arrival in np.cumsum(gaps).astype(int):
        placed = queue.admit(SimTime(int(arrival)), SimTime(service))
        assert placed is not None
        waits.append(placed.start - arrival)
    expected = rho * service / (2 * (1 - rho))
    assert abs(np.mean(waits) / expected - 1) < 0.03
