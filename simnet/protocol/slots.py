"""When slots begin, and by when the votes of each phase are cast."""

from dataclasses import dataclass

from simnet.base.units import SimTime
from simnet.protocol.messages import Phase


@dataclass(frozen=True, slots=True)
class SlotTimes:
    """Slots on a clock; times in nanoseconds."""

    origin: SimTime
    """What the clock shows at traffic zero, when slot 0 begins."""
    length: SimTime

    def of(self, shown: int) -> int:
        """The slot that a clock shows; negative before traffic zero."""
        return (shown - self.origin) // self.length

    def start(self, slot: int) -> SimTime:
        """When a slot begins; the one before ends then."""
        return SimTime(self.origin + slot * self.length)

    def wait(self, phase: Phase) -> SimTime:
        """How long after a slot's start votes of a phase are cast at the latest: prevotes after a third of it, precommits after two, commits at
        its end."""
        return SimTime((phase + 1) * self.length // 3)

    def deadline(self, slot: int, phase: Phase) -> SimTime:
        """When votes of a phase are cast at the latest."""
        return SimTime(self.start(slot) + self.wait(phase))
