"""The written order of what happens at the same instant."""

import gc
from typing import Any

import pytest
import simpy

from simnet.base.units import SimTime
from simnet.net.clockwork import Clockwork
from simnet.runs.garbage import YOUNG_MAX, rare_collections


def carry(clock: Clockwork, log: list[Any], at: int, group: int, number: int) -> None:
    clock.carried.append((at, group, number, lambda item: log.append(item[:3])))
    clock.carried.sort()


def test_simpys_events_come_first_then_what_is_carried_by_its_numbers() -> None:
    clock, log = Clockwork(), list[Any]()
    for group, number in ((3, 0), (-1, 7), (3, 1), (2, 9)):
        carry(clock, log, 50, group, number)
    clock.after(50, lambda: log.append("timer"))
    clock.after(49, lambda: log.append("early"))
    clock.run()
    assert log == ["early", "timer", (50, -1, 7), (50, 2, 9), (50, 3, 0), (50, 3, 1)]
    assert clock.now == 50


def test_a_timer_that_something_carried_sets_for_the_same_instant_comes_before_the_rest() -> None:
    clock, log = Clockwork(), list[Any]()
    clock.carried.append((10, 0, 0, lambda _: clock.after(0, lambda: log.append("timer"))))
    carry(clock, log, 10, 0, 1)
    clock.run()
    assert log == ["timer", (10, 0, 1)]


def test_running_until_a_time_leaves_what_is_carried_then() -> None:
    clock, log = Clockwork(), list[Any]()
    carry(clock, log, 20, 0, 0)
    clock.run(until=20)
    assert log == [] and clock.now == 20
    clock.run(until=21)
    assert log == [(20, 0, 0)]


def test_an_empty_clockwork_ends() -> None:
    clock = Clockwork()
    clock.run()
    with pytest.raises(simpy.core.EmptySchedule):
        clock.step()


def test_what_is_next_knows_both_queues() -> None:
    clock = Clockwork()
    assert clock.is_next((5, 1, 1))
    clock.carried.append((5, 1, 0, print))
    assert not clock.is_next((5, 1, 1)) and clock.is_next((4, 9, 9)) and clock.is_next((5, 0, 9))
    clock.carried.clear()
    clock.after(5, lambda: None)
    assert not clock.is_next((5, 0, 0)) and clock.is_next((4, 0, 0))
    clock.advance(SimTime(3))
    assert clock.now == 3


def test_rare_collections_end_as_they_began() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold()[0] == YOUNG_MAX
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
