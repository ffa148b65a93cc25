"""The law of one hop."""

from collections import Counter
from typing import Any

import pytest

from simnet.net.link import LOST, HopDelays
from simnet.units import NS_PER_MS
from tests.netkit import scenario

PROFILE = {"trusted": {"extra_delay_ms": 5, "jitter_ms": 2}, "untrusted": {"extra_delay_ms": 50, "jitter_ms": 0}}


def draws(count: int = 20_000, hop: tuple[int, int] = (0, 1), seed: int = 1, **sections: Any) -> list[int]:
    given = scenario(2, **sections)
    source = HopDelays(given, seed, given.region_of_node, ["trusted", "untrusted"], hop)
    return [source.draw() for _ in range(count)]


def in_ms(delays: list[int]) -> list[int]:
    assert all(delay % NS_PER_MS == 0 for delay in delays), "jitter is whole milliseconds"
    return [delay // NS_PER_MS for delay in delays]


def test_without_jitter_the_delay_is_constant() -> None:
    assert set(draws(delay_ms=28)) == {28 * NS_PER_MS}


def test_link_jitter_is_uniform_and_inclusive() -> None:
    counts = Counter(in_ms(draws(delay_ms=28, jitter_ms=7)))
    assert set(counts) == set(range(21, 36))
    expected = 20_000 / 15
    assert sum((c - expected) ** 2 / expected for c in counts.values()) < 36.1, "chi-square, 14 degrees, 0.1 %"


def test_class_of_the_receiving_end_counts() -> None:
    assert set(in_ms(draws(hop=(0, 1), latency_profile=PROFILE))) == {60}
    assert set(in_ms(draws(hop=(1, 0), latency_profile=PROFILE))) == {13, 14, 15, 16, 17}


def test_each_jitter_is_floored_by_itself() -> None:
    profile = {"trusted": {"jitter_ms": 3}}
    delays = in_ms(draws(hop=(1, 0), delay_ms=0, jitter_ms=10, latency_profile=profile))
    assert min(delays) == 0 and max(delays) == 13
    # P(0) = 11/21 * 4/7 from a floored first step, plus first steps of 1, 2, 3 with a second step that eats them
    expected = 11 / 21 * 4 / 7 + (3 + 2 + 1) / 21 / 7
    assert abs(delays.count(0) / len(delays) - expected) < 0.012


@pytest.mark.parametrize("loss", [0.0, 0.006, 0.3, 1.0])
def test_loss_is_a_probability(loss: float) -> None:
    lost = draws(loss=loss).count(LOST)
    assert abs(lost - 20_000 * loss) <= 3.3 * (20_000 * loss * (1 - loss)) ** 0.5


def test_loss_does_not_shift_jitter_and_directions_differ() -> None:
    quiet, lossy = draws(jitter_ms=5), draws(jitter_ms=5, loss=0.2)
    assert all(b in (a, LOST) for a, b in zip(quiet, lossy, strict=True))
    assert quiet != draws(jitter_ms=5, hop=(1, 0))
    assert quiet == draws(jitter_ms=5)


def test_a_latency_seed_moves_jitter_but_not_loss() -> None:
    with_seed = {**PROFILE, "seed": 4}
    mine, other = (
        draws(jitter_ms=5, loss=0.2, latency_profile=PROFILE),
        draws(jitter_ms=5, loss=0.2, latency_profile=with_seed),
    )
    assert mine != other
    assert [d == LOST for d in mine] == [d == LOST for d in other]
    assert draws(seed=2, jitter_ms=5, latency_profile=with_seed) == draws(jitter_ms=5, latency_profile=with_seed)
