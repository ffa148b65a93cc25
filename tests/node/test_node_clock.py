"""A node's own clock and its slots, worked out by hand. Times in milliseconds where nothing else is said."""

from simnet.base.units import SimTime, from_ms
from simnet.net.clockwork import Clockwork
from simnet.node.clock import Clock, SlotClock, Tick
from simnet.node.letters import Letter
from simnet.protocol.messages import Phase
from simnet.protocol.slots import SlotTimes
from simnet.scenario.nodefaults import ClockSkew

Beat = tuple[float, int, str]


class Bench:
    """A clock in a simulated world, and what its slots of 300 ms did (true time, slot, what)."""

    def __init__(self, slots: int = 10) -> None:
        self.env = Clockwork()
        self.clock = Clock(lambda: SimTime(int(self.env.now)))
        self.ticks: list[Beat] = []
        self.unused: set[int] = set()
        self.slots = SlotClock(
            self.clock,
            self._after,
            SlotTimes(from_ms(100), from_ms(300)),
            slots,
            self._begin,
            self._deadline,
            lambda slot: slot not in self.unused,
        )

    def _after(self, delay: int, letter: Letter) -> None:
        assert isinstance(letter, Tick)
        self.env.after(delay, lambda: self.slots.on_tick(letter))

    def _begin(self, slot: int) -> None:
        self.ticks.append((self.env.now / 1e6, slot, "begin"))

    def _deadline(self, slot: int, phase: Phase) -> None:
        self.ticks.append((self.env.now / 1e6, slot, phase.label))

    def under(self, fault: ClockSkew, begins: bool) -> None:
        self.clock.under(fault, begins)
        self.slots.clock_changed()

    def run(self, until_ms: int) -> None:
        self.env.run(until=from_ms(until_ms))

    def start(self, at_ms: int = 100) -> None:
        self.run(at_ms)
        self.slots.start()


def skew(offset_ms: int = 0, drift_ppm: int = 0) -> ClockSkew:
    return ClockSkew(kind="clock_skew", nodes=(0,), duration_ms=1, offset_ms=offset_ms, drift_ppm=drift_ppm)


def test_without_a_fault_it_shows_the_true_time() -> None:
    b = Bench()
    b.start()
    b.run(701)
    assert (b.clock.now, b.clock.error, b.clock.until(from_ms(800))) == (from_ms(701), 0, from_ms(99))
    thirds = [(100.0 * (n + 1), n // 3, ("begin", "prevote", "precommit")[n % 3]) for n in range(7)]
    assert b.ticks == thirds


def test_offset_and_drift_add_up_and_end() -> None:
    b = Bench()
    jump, drift = skew(offset_ms=-40), skew(drift_ppm=100_000)
    b.run(1000)
    b.under(jump, True)
    assert b.clock.error == from_ms(-40)
    b.under(drift, True)
    b.run(2000)
    assert b.clock.error == from_ms(60), "a tenth of a second gained in one"
    b.under(jump, False)
    assert b.clock.error == from_ms(100)
    b.under(drift, False)
    assert b.clock.error == 0


def test_until_is_the_first_instant_that_shows_it() -> None:
    b = Bench()
    b.under(skew(offset_ms=7, drift_ppm=33_333), True)
    for shown in (from_ms(8), from_ms(5000), 123_456_789_123):
        wait = b.clock.until(shown)
        assert b.clock._at(wait) >= shown > b.clock._at(wait - 1)
    assert b.clock.until(from_ms(7)) == 0 == b.clock.until(3)


def test_a_clock_never_shows_a_time_before_the_run() -> None:
    b = Bench()
    b.under(skew(offset_ms=-5000), True)
    b.run(1000)
    assert b.clock.now == 0 and b.clock.error == from_ms(-5000)


def test_a_fast_clock_begins_slots_early() -> None:
    b = Bench()
    b.start()
    b.run(350)
    b.under(skew(offset_ms=30), True)
    b.run(1000)
    assert b.ticks[2:5] == [(300, 0, "precommit"), (370, 1, "begin"), (470, 1, "prevote")]


def test_a_jump_ahead_passes_over_slots() -> None:
    b = Bench()
    b.start()
    b.run(150)
    b.under(skew(offset_ms=700), True)  # shows 850: in the middle of slot 2
    b.run(600)
    assert b.ticks == [(100, 0, "begin"), (150, 2, "begin"), (150, 2, "prevote"), (200, 2, "precommit"), (300, 3, "begin"), (400, 3, "prevote"), (500, 3, "precommit")]  # fmt: skip


def test_a_clock_that_is_put_back_begins_no_slot_again() -> None:
    b = Bench()
    b.start()
    b.run(450)
    b.under(skew(offset_ms=-400), True)
    b.run(1350)
    assert [t for t in b.ticks if t[0] > 450] == [(900, 1, "prevote"), (1000, 1, "precommit"), (1100, 2, "begin"), (1200, 2, "prevote"), (1300, 2, "precommit")]  # fmt: skip


def test_after_a_jump_ahead_that_was_put_back_unused_slots_begin_again() -> None:
    b = Bench()
    b.start()
    fault = skew(offset_ms=1_000_000)
    b.run(410)
    b.unused = {6, 7}
    short = skew(offset_ms=1500)  # shows 1910: in slot 6
    b.under(short, True)
    b.run(800)
    b.under(short, False)
    b.run(1000)
    b.under(fault, True)  # beyond the end
    b.run(1400)
    b.under(fault, False)
    b.run(2650)
    begun = [(at, slot) for at, slot, what in b.ticks if what == "begin"]
    assert begun == [(100, 0), (400, 1), (410, 6), (700, 7), (800, 2), (1400, 4), (1600, 5), (1900, 6), (2200, 7), (2500, 8)]


def test_the_right_time_again_after_the_fault() -> None:
    b = Bench()
    fault = skew(offset_ms=30)
    b.start()
    b.under(fault, True)
    b.run(500)
    b.under(fault, False)
    b.run(800)
    assert [t for t in b.ticks if t[2] == "begin"] == [(100, 0, "begin"), (370, 1, "begin"), (700, 2, "begin")]


def test_slots_end_with_the_traffic_and_do_not_begin_before_it() -> None:
    b = Bench(slots=2)
    b.under(skew(offset_ms=60), True)
    b.start()
    b.run(5000)
    assert [b.ticks[0], b.ticks[-1], len(b.ticks)] == [(100, 0, "begin"), (540, 1, "precommit"), 6]
