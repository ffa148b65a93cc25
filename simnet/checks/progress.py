"""progress: while it is calm a block is committed within six slots, and then at least one in three slots on average.

A block counts when nodes with more than two thirds of the whole stake have committed its height. Each commit is due at a time: the
first, six slots after the calm began, and where a quorum needs nodes that are behind, as many more as these take to be level; each further one, three slots after the last was due, but never more than six slots after
the last one came, so that earlier haste excuses no later halt. Whatever gap is longer lies outside the calms: a fault explains it.

Slots whose leader is not of the calm's core do not count, up to six of them before each commit: with a third of the stake away
one window of six slots in seven hundred has no other leader, and that is luck, not a halt.
"""

from simnet.base.units import NodeId, SimTime
from simnet.checks.calm import Calm
from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import BlockCommitted, Handlers

CHECK = "progress"
FIRST_SLOTS = 6
EACH_SLOTS = 3
LEADERLESS_MAX = 6


class Progress:
    """When the next block is due."""

    def __init__(self, setting: Setting, findings: Findings, calm: Calm) -> None:
        self._setting = setting
        self._findings = findings
        self._calm = calm
        self._began: SimTime | None = None
        """The calm that the dates are about."""
        self._from = SimTime(0)
        """Its beginning, or that of the first slot."""
        self._due = 0
        self._mark = SimTime(0)
        """The last commit in this calm, or its beginning."""
        self._leaderless = 0
        """Slots since then that do not count."""
        self._leaderless_ever = 0
        self._longest: int | None = None
        self._calm_time = 0
        self._by: dict[int, set[NodeId]] = {}
        """Who has committed a height that has no quorum yet."""
        self.top = 0
        """The highest height that a quorum has committed."""

    @property
    def handlers(self) -> Handlers:
        return {BlockCommitted: self._committed}

    def on_calm(self, now: SimTime) -> None:
        """The calm may have begun anew or ended at `now`, up to which `on_time` has looked."""
        if self._calm.since == self._began:
            return
        self._finish(now)
        self._began = self._calm.since
        if self._began is not None:
            self._from = self._mark = max(self._began, self._setting.start_of(0))
            self._due = self._mark + (FIRST_SLOTS + self._slots_until_level()) * self._setting.slot
            self._leaderless = 0

    def _slots_until_level(self) -> int:
        """Where a quorum needs nodes that are behind, they take a slot for each answer that what they missed takes."""
        nodes, stake = self._setting.nodes, 0
        for missed, node in sorted((max(0, self.top - nodes[node].chain.height), node) for node in self._calm.joined):
            stake += self._setting.stake([node])
            if self._setting.quorum(stake):
                return -(-missed // self._setting.scenario.chain.sync_blocks_max)
        return 0

    def on_slot(self, leader: NodeId | None) -> None:
        """A slot begins, for whose height `leader` proposes."""
        counts = self._began is None or leader is None or leader in self._calm.core
        if not counts and self._leaderless < LEADERLESS_MAX:
            self._leaderless += 1
            self._leaderless_ever += 1
            self._due += self._setting.slot

    def on_time(self, now: SimTime) -> None:
        """It is `now`: is a block overdue?"""
        while self._began is not None and self._due < now and self._due <= self._setting.slots_end:
            slots = (self._due - self._mark) / self._setting.slot - self._leaderless
            without = [n for n in sorted(self._setting.honest) if self._setting.nodes[n].chain.height <= self.top]
            detail = f"no block after height {self.top} for {slots:.2f} slots of calm"
            self._findings.looked_at(CHECK, "overdue")
            self._findings.broken(CHECK, SimTime(self._due), without, detail)
            self._due += FIRST_SLOTS * self._setting.slot

    def _committed(self, e: BlockCommitted) -> None:
        if e.height <= self.top:
            return
        self.on_time(e.at)
        by = self._by.setdefault(e.height, set())
        by.add(e.node)
        if not self._setting.quorum(self._setting.stake(by)):
            return
        for height in [h for h in self._by if h <= e.height]:
            del self._by[height]
        self.top = e.height
        if self._began is not None:
            self._findings.looked_at(CHECK, "commits_in_calm")
            self._gap(e.at)
            self._mark, self._leaderless = e.at, 0
            self._due = min(self._due + EACH_SLOTS * self._setting.slot, e.at + FIRST_SLOTS * self._setting.slot)

    def _finish(self, now: SimTime) -> None:
        """The calm ends, if there is one."""
        if self._began is not None:
            self._gap(now)
            self._calm_time += max(0, min(now, self._setting.slots_end) - self._from)

    def _gap(self, now: SimTime) -> None:
        gap = min(now, self._setting.slots_end) - self._mark - self._leaderless * self._setting.slot
        self._longest = max(gap, self._longest or 0)

    def close(self, now: SimTime) -> None:
        """The run is over: fills in the figures."""
        self._finish(now)
        slot = self._setting.slot
        heights = [self._setting.nodes[n].chain.height for n in sorted(self._setting.nodes)]
        self._findings.note(CHECK, "height", max(heights, default=0))
        self._findings.note(CHECK, "least_height", min(heights, default=0))
        self._findings.note(CHECK, "calms", self._calm.count)
        self._findings.note(CHECK, "leaderless_slots", self._leaderless_ever)
        self._findings.note(CHECK, "calm_slots", round(self._calm_time / slot, 3))
        self._findings.note(CHECK, "longest_gap_slots", None if self._longest is None else round(self._longest / slot, 3))
