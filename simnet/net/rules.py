"""What faults and bandwidth do to a copy on a hop: ordered rules with a verdict.

A hop's rules see each copy that it does not lose anyway, in the order in which they began, the bandwidth last. A rule may
add delay, add copies, spoil them, or lose them, and the first loss ends the judgement. Every rule draws from its own
stream for each directed edge.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simnet.base.rng import generator
from simnet.base.units import NS_PER_S, SimTime, from_ms
from simnet.scenario.linkfaults import Corrupt, Duplicate, Flapping, LinkFault, OneWay, Reorder


@dataclass(slots=True)
class Fate:
    """What becomes of one copy."""

    delays: list[int]
    """Nanoseconds from now to the arrival of each copy; more than one when it is duplicated."""
    spoiled: bool = False
    """Arrives with flipped bytes, which the receiver's checksum finds."""
    lost: str | None = None
    """Why no copy arrives."""


class Rule(Protocol):
    """One rule on one directed edge."""

    acted: int
    """Copies whose fate it has changed."""

    def judge(self, fate: Fate, now: SimTime, size: int) -> None:
        """Changes the fate of a copy of `size` bytes that is sent now."""


@dataclass(slots=True)
class Uplink:
    """Bandwidth: copies leave one after another, and each takes its bits' time (store and forward)."""

    bits_per_s: int
    free_at: int = 0
    acted: int = 0

    def judge(self, fate: Fate, now: SimTime, size: int) -> None:
        self.acted += 1
        for index, delay in enumerate(fate.delays):
            self.free_at = max(now, self.free_at) + size * 8 * NS_PER_S // self.bits_per_s
            fate.delays[index] = self.free_at - now + delay


@dataclass(slots=True)
class Hold:
    """A paused node sends and gets nothing before it goes on."""

    until: SimTime
    outgoing: bool
    acted: int = 0

    def judge(self, fate: Fate, now: SimTime, size: int) -> None:
        wait = max(0, self.until - now)
        self.acted += 1
        fate.delays[:] = [wait + delay if self.outgoing else max(wait, delay) for delay in fate.delays]


@dataclass(slots=True)
class Drop:
    """Nothing passes; with a rhythm, nothing passes in its down times."""

    why: str
    since: SimTime
    up: int = 0
    down: int = 0
    acted: int = 0

    def judge(self, fate: Fate, now: SimTime, size: int) -> None:
        if not self.up or (now - self.since) % (self.up + self.down) >= self.up:
            self.acted += 1
            fate.lost = self.why


@dataclass(slots=True)
class Chance:
    """Duplicates, delays or spoils a copy with a probability."""

    fault: Duplicate | Reorder | Corrupt
    draws: np.random.Generator = field(repr=False)
    acted: int = 0

    def judge(self, fate: Fate, now: SimTime, size: int) -> None:
        if self.draws.random() >= self.fault.probability:
            return
        self.acted += 1
        if isinstance(self.fault, Corrupt):
            fate.spoiled = True
            return
        extra = int(self.draws.integers(from_ms(self.fault.delay_ms), endpoint=True))
        if isinstance(self.fault, Reorder):
            fate.delays[0] += extra
        else:
            fate.delays.append(fate.delays[0] + extra)


def rule_of(fault: LinkFault, seed: int, number: int, hop: tuple[int, int], since: SimTime) -> Rule:
    """The rule that a fault of the scenario, the `number`-th, puts on a directed edge."""
    if isinstance(fault, OneWay):
        return Drop("one_way", since)
    if isinstance(fault, Flapping):
        return Drop("flapping", since, from_ms(fault.up_ms), from_ms(fault.down_ms))
    if isinstance(fault, Duplicate | Reorder | Corrupt):
        return Chance(fault, generator(seed, "link_fault", number, *hop))
    return Uplink(fault.kbps * 1000)
