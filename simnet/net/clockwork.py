"""Virtual time: simpy's environment with a second, lighter queue for what links carry.

A copy on its way needs a time and a receiver, not an event that processes can wait for; as a plain tuple in a heap
of its own it costs a third of a simpy event. What happens at the same instant has a written order:

1. simpy's events (timers, faults, slots, ends of verifications), in simpy's order;
2. what links carry, by the numbers that the sender gives it: point-to-point messages in the order of sending, then
   copies of gossip messages by message, and within a message in the order of sending.

The second rule does not depend on when something was put into the queue. That is what lets a whole wave of copies
be computed ahead (`simnet.net.waves`) and still arrive in the same order.
"""

from collections.abc import Callable
from heapq import heappop
from typing import Any

import simpy

from simnet.base.units import SimTime

Carried = tuple[Any, ...]
"""(time, group, number, deliver, …): the first three are unique and order the queue; `deliver` takes the tuple."""


class Clockwork(simpy.Environment):
    """Steps through both queues in order of time."""

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self.carried: list[Carried] = []
        """A heap. The wire pushes to it directly: a call for each copy would cost as much as the push."""

    @property
    def now(self) -> SimTime:
        """Nanoseconds."""
        return self._now  # type: ignore[return-value]  # whole nanoseconds, as all delays are

    def after(self, delay: int, action: Callable[[], None]) -> None:
        """Runs `action` after `delay` nanoseconds."""
        timeout = self.timeout(delay)
        assert timeout.callbacks is not None
        timeout.callbacks.append(lambda _: action())

    def step(self) -> None:
        """Delivers all that comes before simpy's next event, or lets that happen. Raises EmptySchedule at the end."""
        carried, queue = self.carried, self._queue
        if not carried or (queue and queue[0][0] <= carried[0][0]):
            super().step()
            return
        # Carrying on here, not in simpy's loop, saves a call for each copy.
        while carried and not (queue and queue[0][0] <= carried[0][0]):
            item = heappop(carried)
            self._now = item[0]
            deliver: Callable[[Carried], None] = item[3]
            deliver(item)

    def is_next(self, key: tuple[int, int, int]) -> bool:
        """Whether nothing that waits comes before something of this time, group and number."""
        carried, queue = self.carried, self._queue
        return (not queue or key[0] < queue[0][0]) and (not carried or key < carried[0])

    def advance(self, at: SimTime) -> None:
        """Moves time on to something that `is_next`."""
        self._now = at
