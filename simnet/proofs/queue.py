"""A node's processor for proofs in virtual time: FIFO workers with a limit.

Start and end times follow from arithmetic alone (a job starts when the first worker is free), so no event
is spent on waiting.
"""

import heapq

from simnet.units import SimTime


class ProofQueue:
    """`workers` servers, first come, first served."""

    def __init__(self, workers: int, limit: int) -> None:
        self._free = [SimTime(0)] * workers
        self._ends: list[SimTime] = []
        self._limit = limit

    def admit(self, now: SimTime, cost: SimTime) -> tuple[SimTime, SimTime] | None:
        """(start, end) of a job that arrives now, or `None` when `limit` jobs are queued or running already."""
        if self.full(now):
            return None
        start = max(now, heapq.heappop(self._free))
        end = SimTime(start + cost)
        heapq.heappush(self._free, end)
        heapq.heappush(self._ends, end)
        return start, end

    def full(self, now: SimTime) -> bool:
        """Whether `limit` jobs are queued or running."""
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        return len(self._ends) >= self._limit

    def depth(self, now: SimTime) -> int:
        """Jobs queued or running."""
        return sum(1 for end in self._ends if end > now)
