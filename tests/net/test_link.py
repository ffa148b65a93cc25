"""The law of one hop."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from simnet.base.units import NS_PER_MS
from simnet.net.link import LOST, FloodDelays, HopDelays, LinkLaws, seeds_of
from tests.netkit import scenario

PROFILE = {"trusted": {"extra_delay_ms": 5, "jitter_ms": 2}, "untrusted": {"extra_delay_ms": 50, "jitter_ms": 0}}


HOPS = [(0, 1), (1, 0)]
Draws = Callable[..., list[int]]


@pytest.fixture(params=["flood", "hop"])
def draws(request: pytest.FixtureRequest) -> Draws:
    """Every law holds for floods, which draw by message and edge, and for the rest, which draws by edge and order."""

    def drawn(count: int = 20_000, hop: tuple[int, int] = (0, 1), seed: int = 1, **sections: Any) -> list[int]:
        given = scenario(2, **sections)
        laws, seeds, edge = LinkLaws(given, given.region_of_node, ["trusted", "untrusted"], HOPS), seeds_of(given, seed), HOPS.index(hop)
        if request.param == "flood":
            floods = FloodDelays(laws, seeds)
            return [floods.of(message)[edge] for message in range(count)]
        source = HopDelays(laws, edge, hop, seeds)
        return [source.draw() for _ in range(count)]

    return drawn


def in_ms(delays: list[int]) -> list[int]:
    assert all(delay % NS_PER_MS == 0 for delay in delays), "jitter is whole milliseconds"
    return [delay // NS_PER_MS for delay in delays]


def test_without_jitter_the_delay_is_constant(draws: Draws) -> None:
    assert set(draws(delay_ms=28)) == {28 * NS_PER_MS}


def test_link_jitter_is_uniform_and_inclusive(draws: Draws) -> None:
    counts = Counter(in_ms(draws(delay_ms=28, jitter_ms=7)))
    assert set(counts) == set(range(21, 36))
    expected = 20_000 / 15
    assert sum((c - expected) ** 2 / expected for c in counts.values()) < 36.1, "chi-square, 14 degrees, 0.1 %"


def test_class_of_the_receiving_end_counts(draws: Draws) -> None:
    assert set(in_ms(draws(hop=(0, 1), latency_profile=PROFILE))) == {60}
    assert set(in_ms(draws(hop=(1, 0), latency_profile=PROFILE))) == {13, 14, 15, 16, 17}


def test_each_jitter_is_floored_by_itself(draws: Draws) -> None:
    profile = {"trusted": {"jitter_ms": 3}}
    delays = in_ms(draws(hop=(1, 0), delay_ms=0, jitter_ms=10, latency_profile=profile))
    assert min(delays) == 0 and max(delays) == 13
    # P(0) = 11/21 * 4/7 from a floored first step, plus first steps of 1, 2, 3 with a second step that eats them
    expected = 11 / 21 * 4 / 7 + (3 + 2 + 1) / 21 / 7
    assert abs(delays.count(0) / len(delays) - expected) < 0.012


@pytest.mark.parametrize("loss", [0.0, 0.006, 0.3, 1.0])
def test_loss_is_a_probability(draws: Draws, loss: float) -> None:
    lost = draws(loss=loss).count(LOST)
    assert abs(lost - 20_000 * loss) <= 3.3 * (20_000 * loss * (1 - loss)) ** 0.5


def test_loss_does_not_shift_jitter_and_directions_differ(draws: Draws) -> None:
    quiet, lossy = draws(jitter_ms=5), draws(jitter_ms=5, loss=0.2)
    assert all(b in (a, LOST) for a, b in zip(quiet, lossy, strict=True))
    assert quiet != draws(jitter_ms=5, hop=(1, 0))
    assert quiet == draws(jitter_ms=5)


def test_a_latency_seed_moves_jitter_but_not_loss(draws: Draws) -> None:
    with_seed = {**PROFILE, "seed": 4}
    mine, other = (
        draws(jitter_ms=5, loss=0.2, latency_profile=PROFILE),
        draws(jitter_ms=5, loss=0.2, latency_profile=with_seed),
    )
    assert mine != other
    assert [d == LOST for d in mine] == [d == LOST for d in other]
    assert draws(seed=2, jitter_ms=5, latency_profile=with_seed) == draws(jitter_ms=5, latency_profile=with_seed)


def test_a_flood_draws_the_same_whenever_it_is_asked_for() -> None:
    given = scenario(2, jitter_ms=9, loss=0.3)
    laws, seeds = LinkLaws(given, given.region_of_node, ["trusted", "untrusted"], HOPS), seeds_of(given, 1)
    forward, backward, numbers = FloodDelays(laws, seeds), FloodDelays(laws, seeds), [0, 1, 40_000, 70_000]
    assert [forward.of(m) for m in numbers] == [backward.of(m) for m in reversed(numbers)][::-1]


def test_one_edge_does_not_shift_another() -> None:
    found = []
    for jitter_ms in (0, 20):
        default, other = {"delay_ms": 50, "jitter_ms": jitter_ms, "loss": 0.1}, {"delay_ms": 9, "jitter_ms": 3, "loss": 0.2}
        given = scenario(3, regions={"assignments": ["A", "B", "B"]}, links={"default": default, "A-B": other})
        laws = LinkLaws(given, given.region_of_node, ["trusted"] * 3, [(0, 1), (1, 2)])
        floods = FloodDelays(laws, seeds_of(given, 1))
        found.append([floods.of(message) for message in range(200)])
    assert [row[0] for row in found[0]] == [row[0] for row in found[1]]
    assert [row[1] for row in found[0]] != [row[1] for row in found[1]]
