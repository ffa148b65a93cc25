"""Traffic against its theory, and the separation of its streams."""

import json
from itertools import pairwise
from typing import Any

import pytest

from simnet.base.units import NS_PER_MS, NodeId
from simnet.runs.arrivals import Arrivals, Payloads, PublisherChoice, probe_ticks
from simnet.scenario.upstream import Payload, UniformBias, ZipfBias
from tests.netkit import scenario

POISSON = {"model": "poisson", "duration_ms": 12_000, "lambda_per_sec": 22.0}
BURSTY = {
    "model": "on_off_bursty", "duration_ms": 28_000, "on_lambda_per_sec": 44.0, "on_duration_ms": 3600,
    "off_duration_ms": 900,
}  # fmt: skip
ACTIVE = [NodeId(i) for i in range(24)]


def arrivals(phases: list[dict[str, Any]], seed: int = 1, duration_ms: int = 72_000, **tx: Any) -> list[float]:
    """Due times in ms."""
    given = scenario(
        sim={"seed": 0, "duration_ms": duration_ms},
        traffic={"tx": {"phases": phases, **tx}},
    )
    found = list(Arrivals(given, seed))
    assert [arrival.number for arrival in found] == list(range(len(found)))
    return [arrival.at / NS_PER_MS for arrival in found]


def test_poisson_mean_and_variance() -> None:
    counts = [len(arrivals([POISSON], seed)) for seed in range(400)]
    mean = sum(counts) / 400
    assert abs(mean - 264) < 3.29 * (264 / 400) ** 0.5, "99.9 % interval of the mean of 400 Poisson counts"
    variance = sum((c - mean) ** 2 for c in counts) / 399
    assert 0.78 * 264 < variance < 1.25 * 264, "about 99.9 % of a chi-square with 399 degrees"


def test_poisson_gaps_are_exponential() -> None:
    times = arrivals([{**POISSON, "duration_ms": 72_000, "lambda_per_sec": 200.0}])
    gaps = [b - a for a, b in pairwise(times)]
    assert abs(sum(gap > 5 for gap in gaps) / len(gaps) - 0.36788) < 3.29 * (0.2325 / len(gaps)) ** 0.5


def test_bursts_fall_into_on_spells_at_the_on_rate() -> None:
    counts = []
    for seed in range(200):
        times = arrivals([BURSTY], seed)
        assert all(at % 4500 <= 3600 for at in times), "nothing while OFF"
        counts.append(len(times))
    expected = 44.0 * (6 * 3.6 + 1.0)
    assert abs(sum(counts) / 200 - expected) < 3.29 * (expected / 200) ** 0.5


def test_phases_follow_each_other_and_lose_their_residue() -> None:
    silent = {**POISSON, "duration_ms": 1000, "lambda_per_sec": 1e-6}
    times = arrivals([silent, POISSON, silent, BURSTY])
    assert all(1000 < at <= 13_000 or 14_000 < at <= 42_000 for at in times)
    alone = arrivals([silent, POISSON])
    assert alone == [at for at in times if at <= 13_000], "a later phase does not shift an earlier one"
    assert all((at - 14_000) % 4500 <= 3600 for at in times if at > 14_000), "each phase starts ON"


def test_publisher_and_payload_keys_do_not_shift_arrivals() -> None:
    plain = arrivals([POISSON, BURSTY])
    assert plain == arrivals([POISSON, BURSTY], payload={"min_bytes": 640, "max_bytes": 4096})
    assert plain == arrivals([POISSON, BURSTY], publisher_bias={"type": "zipf", "s": 1.1})
    assert plain == arrivals([POISSON, BURSTY], seed=1) != arrivals([POISSON, BURSTY], seed=2)


def test_iterating_again_gives_the_same() -> None:
    source = Arrivals(scenario(), 3)
    assert list(source) == list(source) != []


def shares(bias: UniformBias | ZipfBias, active: list[NodeId], draws: int = 40_000) -> list[float]:
    choice = PublisherChoice(bias, 1)
    picked = [choice.pick(choice.draw(), active) for _ in range(draws)]
    return [picked.count(node) / draws for node in active]


def test_zipf_shares() -> None:
    weights = [k**-1.1 for k in range(1, 25)]
    found = shares(ZipfBias(type="zipf", s=1.1), ACTIVE)
    for share, weight in zip(found, weights, strict=True):
        p = weight / sum(weights)
        assert abs(share - p) < 4 * (p * (1 - p) / 40_000) ** 0.5
    assert abs(found[1] + found[7] + found[13] - 0.1875) < 0.01, "the specification's figure for nodes 1, 7 and 13"


def test_ranks_shift_while_nodes_are_down() -> None:
    without_first = shares(ZipfBias(type="zipf", s=1.1), ACTIVE[1:], 10_000)
    assert without_first[0] == max(without_first) > 0.25


def test_uniform_shares() -> None:
    assert all(abs(share - 1 / 24) < 0.004 for share in shares(UniformBias(type="uniform"), ACTIVE))


def test_extreme_draws_and_an_empty_network() -> None:
    choice = PublisherChoice(ZipfBias(type="zipf", s=900_000.0), 1)
    assert choice.pick(0.0, ACTIVE) == choice.pick(1 - 2**-53, ACTIVE) == 0
    assert PublisherChoice(UniformBias(type="uniform"), 1).pick(1 - 2**-53, ACTIVE) == 23
    with pytest.raises(ValueError, match="no active node"):
        choice.pick(0.5, [])


def test_payload_lengths_and_heads() -> None:
    payloads = Payloads(Payload(min_bytes=640, max_bytes=643), 1)
    made = [payloads.message(number) for number in range(400)]
    assert {len(payload) for payload in made} == {640, 641, 642, 643}, "both bounds occur"
    head, _ = json.JSONDecoder().raw_decode(made[17].decode("latin-1"))
    assert head == {"message": 17}
    assert len(set(made)) == 400
    probe, _ = json.JSONDecoder().raw_decode(payloads.probe("block", 3).decode("latin-1"))
    assert probe == {"probe": "block", "sequence": 3}


def test_a_payload_is_never_shorter_than_its_head() -> None:
    assert Payloads(Payload(min_bytes=1), 1).message(12345) == b'{"message":12345}'


def test_payloads_are_seeded() -> None:
    first, second = (Payloads(Payload(min_bytes=64), 1) for _ in range(2))
    assert first.message(0) == second.message(0)
    assert Payloads(Payload(min_bytes=64), 2).message(0) != Payloads(Payload(min_bytes=64), 1).message(0)


@pytest.mark.parametrize(
    ("phases_ms", "duration_ms", "expected"),
    [(72_000, 72_000, [0, 30, 60]), (60_000, 60_000, [0, 30]), (30_001, 72_000, [0, 30]), (10_000, 72_000, [0])],
)
def test_probe_ticks(phases_ms: int, duration_ms: int, expected: list[int]) -> None:
    given = scenario(
        sim={"seed": 0, "duration_ms": duration_ms},
        traffic={"tx": {"phases": [{**POISSON, "duration_ms": phases_ms}]}},
    )
    assert [tick // 10**9 for tick in probe_ticks(given)] == expected
