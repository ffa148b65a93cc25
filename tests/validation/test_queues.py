"""Queues of links and provers against queueing theory, in 99 % confidence intervals.

One server, Poisson arrivals, load rho, mean service s (Kleinrock, Queueing Systems I, 1975):

    M/M/1 mean wait  rho s / (1 - rho)      wait beyond t with probability rho exp(-(1 - rho) t / s)
    M/D/1 mean wait  rho s / 2 (1 - rho)    (Pollaczek-Khinchine)
    M/M/c mean wait  C s / (c - a)          C: Erlang's probability of waiting, a = c rho

Waits of neighbours in a queue resemble each other, so intervals come from the means of 40 batches, after a warm-up.
Seeds are fixed: a correct queue passes every time, though one seed in a hundred would have failed it.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from simnet.base.rng import generator
from simnet.base.units import SimTime
from simnet.events import MessageDelivered
from simnet.proofs.queue import ProofQueue
from tests.netkit import Bench, scenario

JOBS, WARM_UP, BATCHES, CONFIDENCE = 200_000, 20_000, 40, 0.99
SERVICE = 1_000_000
"""Nanoseconds."""
Floats = npt.NDArray[np.float64]


def interval(samples: Sequence[float] | Floats) -> tuple[float, float]:
    """Of the mean, by batch means and Student's t."""
    means = np.array_split(np.asarray(samples, dtype=float), BATCHES)
    each = np.array([batch.mean() for batch in means])
    half = stats.t.ppf((1 + CONFIDENCE) / 2, BATCHES - 1) * each.std(ddof=1) / math.sqrt(BATCHES)
    return float(each.mean() - half), float(each.mean() + half)


def prover_waits(rho: float, workers: int, services: npt.NDArray[np.int64], seed: int) -> Floats:
    gaps = generator(seed, "gaps").exponential(SERVICE / (rho * workers), JOBS)
    queue, waits = ProofQueue(workers, limit=10**9), []
    for arrival, service in zip(np.cumsum(gaps).astype(np.int64).tolist(), services.tolist(), strict=True):
        placed = queue.admit(SimTime(arrival), SimTime(service))
        assert placed is not None
        waits.append(placed.start - arrival)
    return np.array(waits[WARM_UP:], dtype=float)


def exponential(seed: int) -> npt.NDArray[np.int64]:
    return np.rint(generator(seed, "services").exponential(SERVICE, JOBS)).astype(np.int64)


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c; `load` in erlangs."""
    terms = [load**k / math.factorial(k) for k in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_a_prover_with_random_jobs_is_m_m_1(rho: float) -> None:
    waits = prover_waits(rho, 1, exponential(1), 1)
    low, high = interval(waits)
    assert low <= rho * SERVICE / (1 - rho) <= high
    assert high - low < 0.3 * rho * SERVICE / (1 - rho), "an interval that holds everything shows nothing"
    low, high = interval((waits > 2 * SERVICE).astype(float))
    assert low <= rho * math.exp(-2 * (1 - rho)) <= high


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_a_prover_with_equal_jobs_is_m_d_1(rho: float) -> None:
    low, high = interval(prover_waits(rho, 1, np.full(JOBS, SERVICE), 2))
    assert low <= rho * SERVICE / (2 * (1 - rho)) <= high


@pytest.mark.parametrize("workers", [2, 4])
def test_a_prover_with_several_workers_is_m_m_c(workers: int) -> None:
    rho = 0.7
    low, high = interval(prover_waits(rho, workers, exponential(3), 3))
    expected = erlang_c(workers, workers * rho) * SERVICE / (workers - workers * rho)
    assert low <= expected <= high


def link_waits(rho: float, sizes: Sequence[int], seed: int) -> Floats:
    """Nanoseconds that messages wait for a link of 8 Mbit/s before their own bits go out; 20 ms of delay follow."""
    link = {"delay_ms": 20, "jitter_ms": 0, "loss": 0.0, "bandwidth_kbps": 8000}
    made = Bench(scenario(2, links={"default": link}, gossip={"lazy_peers": 0, "queue_messages_max": 1_000_000}), [(0, 1)])
    bits_ns = 1000  # one byte
    for gap, size in zip(generator(seed, "gaps").exponential(np.mean(sizes) * bits_ns / rho, len(sizes)), sizes, strict=True):
        made.env.run(until=made.env.now + max(1, round(gap)))
        made.publish(0, size=size)
    made.run()
    found = {e.message: e.at - e.published_at - 20_000_000 - e.bytes * bits_ns for e in made.of(MessageDelivered)}
    assert len(found) == len(sizes)
    return np.array([found[message] for message in sorted(found)], dtype=float)


@pytest.mark.parametrize("rho", [0.5, 0.7])
def test_a_link_with_random_sizes_is_m_m_1(rho: float) -> None:
    sizes = np.maximum(1, np.rint(generator(4, "sizes").exponential(2000, 40_000))).astype(int).tolist()
    low, high = interval(link_waits(rho, sizes, 4)[2000:])
    assert low <= rho * 2_000_000 / (1 - rho) <= high


@pytest.mark.parametrize("rho", [0.5, 0.7])
def test_a_link_with_equal_sizes_is_m_d_1(rho: float) -> None:
    low, high = interval(link_waits(rho, [2000] * 40_000, 5)[2000:])
    assert low <= rho * 2_000_000 / (2 * (1 - rho)) <= high
