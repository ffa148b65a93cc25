"""A node's own clock, and the slots that it sees by it.

True time drives the network; what a node dates, and when it begins a slot or gives up waiting, follows its own clock.
Without a fault that is the same. Spans of time (a retry, a grace) are measured truly: drift changes them by less than a
tenth.
"""

from collections.abc import Callable
from dataclasses import dataclass

from simnet.base.units import SimTime, from_ms
from simnet.node.letters import Letter
from simnet.protocol.messages import Phase
from simnet.protocol.slots import SlotTimes
from simnet.scenario.nodefaults import ClockSkew

MILLION = 1_000_000
PHASES = (Phase.PREVOTE, Phase.PRECOMMIT)
"""Whose deadlines lie within a slot."""
Timer = Callable[[int, Letter], None]


@dataclass(frozen=True, slots=True)
class Skew:
    """One fault and when it began."""

    since: SimTime
    fault: ClockSkew

    def error(self, now: int) -> int:
        return from_ms(self.fault.offset_ms) + (now - self.since) * self.fault.drift_ppm // MILLION


class Clock:
    """One node's clock: true time plus the errors of all faults that it is under."""

    def __init__(self, true_time: Callable[[], SimTime]) -> None:
        self._true_time = true_time
        self._skews: list[Skew] = []

    @property
    def now(self) -> SimTime:
        """What the clock shows; never before the run's start."""
        now = self._true_time()
        return SimTime(max(0, self._at(now))) if self._skews else now

    @property
    def error(self) -> int:
        """Nanoseconds that it is ahead of true time."""
        now = self._true_time()
        return self._at(now) - now

    def until(self, shown: int) -> int:
        """Nanoseconds of true time until the clock shows at least this, as it goes now; 0 when it does."""
        now = self._true_time()
        gap = shown - self._at(now)
        if gap <= 0:
            return 0
        wait = gap * MILLION // (MILLION + sum(s.fault.drift_ppm for s in self._skews))
        while self._at(now + wait) < shown:
            wait += 1
        return wait

    def under(self, fault: ClockSkew, begins: bool) -> None:
        """A fault begins: the clock jumps by its offset. It ends: the clock is as if it had never been."""
        if begins:
            self._skews.append(Skew(self._true_time(), fault))
        else:
            self._skews.remove(next(s for s in self._skews if s.fault is fault))

    def _at(self, true: int) -> int:
        return true + sum(s.error(true) for s in self._skews)


@dataclass(frozen=True, slots=True)
class Tick(Letter):
    """A slot or a deadline may begin; `armed`: which wait for it this ends, since a clock that is set waits anew."""

    armed: int


class SlotClock:
    """Slots and their deadlines by one node's clock. When the clock is put back, slots that a jump has passed over begin, and those
    that have begun and not been used begin again."""

    def __init__(
        self, clock: Clock, after: Timer, times: SlotTimes, slots: int, begin: Callable[[int], None],
        deadline: Callable[[int, Phase], None], is_used: Callable[[int], bool],
    ) -> None:  # fmt: skip
        self._clock = clock
        self._after = after
        self._times = times
        self._slots = slots
        """How many there are in the run."""
        self._begin = begin
        self._deadline = deadline
        self._is_used = is_used
        self._next = 0
        """Ticks: three a slot, its start and its two deadlines."""
        self._begun: set[int] = set()
        self._armed = 0
        self._started = False

    def start(self) -> None:
        """Traffic begins: from now on there are slots."""
        self._started = True
        self._arm()

    def clock_changed(self) -> None:
        """The clock was set: what it was waited for comes at another time."""
        if self._started:
            self._begun = {slot for slot in self._begun if self._is_used(slot)}
            self._next = min(self._next, 3 * self._free_from(max(0, self._shown)))
            self._arm()

    def _arm(self) -> None:
        """Waits for the next tick; again when the clock has changed."""
        self._armed += 1
        if self._next < 3 * self._slots:
            self._after(self._clock.until(self._shown_at(self._next)), Tick(self._armed))

    @property
    def _shown(self) -> int:
        """The slot that the clock shows."""
        return self._times.of(self._clock.now)

    def _free_from(self, slot: int) -> int:
        """The first slot from this one on that has not begun."""
        while slot in self._begun:
            slot += 1
        return slot

    def _shown_at(self, tick: int) -> int:
        slot, part = divmod(tick, 3)
        return self._times.start(slot) if part == 0 else self._times.deadline(slot, PHASES[part - 1])

    def on_tick(self, letter: Tick) -> None:
        """What was waited for is there, unless the clock has been set meanwhile."""
        if letter.armed != self._armed:
            return
        due = max(self._next, 3 * self._shown)
        slot, part = divmod(due, 3)
        if part == 0 and slot in self._begun:
            self._next = 3 * self._free_from(slot)
            self._arm()
            return
        self._next = due + 1
        if slot >= self._slots:
            return  # Until the clock is put back.
        if part == 0:
            self._begun.add(slot)
            self._begin(slot)
        else:
            self._deadline(slot, PHASES[part - 1])
        self._arm()
