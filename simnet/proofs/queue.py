"""A node's processor for proofs in virtual time: FIFO workers with a limit, and times at which they stand still.

Start and end times follow from arithmetic alone (a job starts when the first worker is free), so no event
is spent on waiting. A stop puts off the ends of all jobs that are not done; a job under way goes on where it was.
"""

import heapq
from dataclasses import dataclass

from simnet.base.units import SimTime


@dataclass(slots=True, eq=False)
class Job:
    """A job's place in virtual time. A stop may put it off until it has ended."""

    queued_at: SimTime
    start: SimTime
    end: SimTime


class ProofQueue:
    """`workers` servers, first come, first served."""

    def __init__(self, workers: int, limit: int) -> None:
        self._free = [SimTime(0)] * workers
        self._jobs: list[tuple[SimTime, int, Job]] = []
        """A heap by end."""
        self._count = 0
        self._limit = limit
        self._stopped_until = SimTime(0)

    def admit(self, now: SimTime, cost: SimTime) -> Job | None:
        """The place of a job that arrives now, or `None` when `limit` jobs are queued or running already."""
        if self.full(now):
            return None
        start = max(now, heapq.heappop(self._free))
        job = Job(now, start, SimTime(start + cost))
        heapq.heappush(self._free, job.end)
        self._count += 1
        heapq.heappush(self._jobs, (job.end, self._count, job))
        return job

    def full(self, now: SimTime) -> bool:
        """Whether `limit` jobs are queued or running."""
        self._forget_done(now)
        return len(self._jobs) >= self._limit

    def waiting(self, now: SimTime) -> list[Job]:
        """Jobs queued or running, those that end first first."""
        return [job for end, _, job in sorted(self._jobs, key=lambda item: item[:2]) if end > now]

    def depth(self, now: SimTime) -> int:
        """Jobs queued or running."""
        return sum(1 for end, _, _ in self._jobs if end > now)

    def stop(self, now: SimTime, until: SimTime) -> None:
        """Nothing is worked on from now until then. A stop during a stop makes it longer, never shorter."""
        self._forget_done(now)
        since = max(now, self._stopped_until)
        shift = max(0, until - since)
        if not shift:
            return
        self._stopped_until = until
        self._free = [SimTime(max(free, since) + shift) for free in self._free]
        for _, _, job in self._jobs:
            job.start = job.start if job.start < since else SimTime(job.start + shift)
            job.end = SimTime(job.end + shift)
        self._jobs = [(job.end, number, job) for _, number, job in self._jobs]

    def _forget_done(self, now: SimTime) -> None:
        while self._jobs and self._jobs[0][0] <= now:
            heapq.heappop(self._jobs)
