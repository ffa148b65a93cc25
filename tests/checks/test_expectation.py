"""Runs that are to break: how long they go on, and what the evidence must weigh."""

from dataclasses import dataclass

import pytest

from simnet.base.units import NodeId, SimTime
from simnet.events import DoubleSignFound, FaultInjected
from simnet.events.bus import Bus
from simnet.runs.expectation import Expectation
from simnet.scenario.ours import Expect

SLOT = 10


@dataclass(frozen=True)
class Broke:
    invariant: str
    at: SimTime


FORK = (Broke("agreement", SimTime(100)),)


def expecting(accused: tuple[int, ...], stakes: tuple[int, ...] = (10, 10, 10)) -> tuple[Expectation, Bus]:
    made, bus = Expectation(Expect(broken=("agreement",), accused=accused), accused, stakes, SLOT), Bus()
    bus.attach(made)
    return made, bus


def awaits(made: Expectation, *times: int) -> list[bool]:
    return [made.awaits_more(FORK, SimTime(at)) for at in times]


def test_it_goes_on_for_two_slots() -> None:
    made, _ = expecting((1,))
    assert awaits(made, 100, 119, 120) == [True, True, False]
    assert not made.awaits_more((Broke("supply", SimTime(100)), *FORK), SimTime(100))


@pytest.mark.parametrize(
    ("begins", "ends"), [("partition_start", "partition_end"), ("crash_down", "crash_up"), ("one_way_start", "one_way_end")]
)
def test_the_slots_begin_when_the_network_is_whole_again(begins: str, ends: str) -> None:
    """Who is cut off can hear of nothing."""
    made, bus = expecting((1,))
    for at, kind in ((50, begins), (60, begins), (110, ends)):
        bus.emit(FaultInjected(SimTime(at), kind, ""))
    assert awaits(made, 120, 10_000) == [True, True], "one of the two lasts"
    bus.emit(FaultInjected(SimTime(140), ends, ""))
    assert awaits(made, 159, 160) == [True, False]


@pytest.mark.parametrize("kind", ["split_start", "amnesia_start", "equivocation_start", "withholding_start", "byzantine_spam"])
def test_misconduct_is_not_waited_for(kind: str) -> None:
    made, bus = expecting((1,))
    bus.emit(FaultInjected(SimTime(90), kind, ""))
    assert awaits(made, 119, 120) == [True, False]


@pytest.mark.parametrize(("stakes", "met"), [((10, 11, 10), True), ((10, 10, 10), False)])
def test_the_accused_weigh_more_than_a_third(stakes: tuple[int, ...], met: bool) -> None:
    made, bus = expecting((1,), stakes)
    bus.emit(DoubleSignFound(SimTime(101), NodeId(0), NodeId(1), 1, 1, "prevote", False))
    why = made.why_unmet(FORK)
    assert (why is None) is met and made.report(FORK)["met"] is met
    assert met or why == "the evidence names nodes with 10 of 30 of the stake, which is no more than a third"
