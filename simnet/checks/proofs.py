"""proven, aggregated: while it is calm every committed block is, at every live honest node, within `consensus.proven_within_slots`.
And within as long every live honest node has committed what a quorum has (a part of coherence).

The time runs from the node's commit, from the beginning of the calm or from the node's own return, whichever is last; it goes on
after the traffic, since the last blocks are still proven then. What the run's end leaves open is counted.
"""

from simnet.base.units import NodeId, SimTime
from simnet.checks import coherence
from simnet.checks.calm import Calm
from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import BlockAggregated, BlockCommitted, BlockProven, Handlers

Reached = BlockProven | BlockAggregated | BlockCommitted


class Lag:
    """Blocks that wait, at each honest node, for what makes them `check`."""

    def __init__(self, setting: Setting, findings: Findings, calm: Calm, check: str, reached: type[Reached]) -> None:
        self._setting = setting
        self._findings = findings
        self._calm = calm
        self._check = check
        self._reached = reached
        self._waiting: dict[NodeId, dict[int, SimTime]] = {node: {} for node in sorted(setting.honest)}
        """When a block was committed, by height, ascending."""
        self._since: dict[NodeId, SimTime | None] = dict.fromkeys(self._waiting)
        """From when a node is part of the present calm; None: it is not."""
        self._what = check
        self._within = setting.scenario.consensus.proven_within_slots
        self._slowest = 0

    @property
    def handlers(self) -> Handlers:
        return {BlockCommitted: self._committed, self._reached: self._done}

    def _committed(self, e: BlockCommitted) -> None:
        if e.node in self._waiting:
            self._waiting[e.node][e.height] = e.at

    def _done(self, e: Reached) -> None:
        committed = self._waiting.get(e.node, {}).pop(e.height, None)
        if committed is None:
            return
        since = self._since[e.node]
        if since is not None:
            self._look()
            self._slowest = max(self._slowest, e.at - max(committed, since))
        self._judge(e.node, e.height, committed, e.at)

    def _look(self) -> None:
        self._findings.looked_at(self._check, "blocks")

    def on_calm(self) -> None:
        """The calm, or who is part of it, may have changed: then the time of what waits begins anew."""
        for node in self._waiting:
            calm = self._calm.since is not None and node in self._calm.joined
            since = max(self._calm.since or SimTime(0), self._calm.joined[node]) if calm else None
            self._since[node] = since

    def on_time(self, now: SimTime) -> None:
        """It is `now`: is a block overdue somewhere?"""
        for node, waiting in self._waiting.items():
            height = next(iter(waiting), None)
            if height is not None:
                self._judge(node, height, waiting[height], now)

    def _judge(self, node: NodeId, height: int, committed: SimTime, now: SimTime) -> None:
        since = self._since[node]
        if since is None:
            return
        due = SimTime(max(committed, since) + self._slots(node) * self._setting.slot)
        if now <= due:
            return
        self._findings.looked_at(self._check, "overdue")
        behind = [node, *(n for n, w in self._waiting.items() if height in w)]
        detail = f"block {height} was not {self._what} at node {node} within {self._slots(node)} slots of calm"
        self._findings.broken(self._check, due, behind, detail)

    def _slots(self, node: NodeId) -> int:
        """How long a block may wait at a node."""
        return self._within

    def close(self) -> None:
        """The run is over: fills in the figures."""
        self._findings.note(self._check, "open", sum(map(len, self._waiting.values())))
        self._findings.note(self._check, "slowest_slots", round(self._slowest / self._setting.slot, 3))


class Behind(Lag):
    """Blocks that a quorum of the stake has committed and a node has not. Who was away for long gets a slot more for each
    answer that what it missed takes."""

    def __init__(self, setting: Setting, findings: Findings, calm: Calm) -> None:
        super().__init__(setting, findings, calm, coherence.CHECK, BlockCommitted)
        self._what = "committed"
        self._by: dict[int, set[NodeId]] = {}
        """Who has committed a height that has no quorum yet."""
        self._top = 0
        self._missed = dict.fromkeys(self._waiting, 0)
        """The most blocks that have waited at a node since it was level."""
        self._an_answer = setting.scenario.chain.sync_blocks_max

    def _committed(self, e: BlockCommitted) -> None:
        self._done(e)
        if e.height <= self._top:
            return
        by = self._by.setdefault(e.height, set())
        by.add(e.node)
        if self._setting.quorum(self._setting.stake(by)):
            self._top = e.height
            for node in self._waiting.keys() - self._by.pop(e.height):
                waiting = self._waiting[node]
                waiting[e.height] = e.at
                self._missed[node] = max(self._missed[node], len(waiting)) if len(waiting) > 1 else 1

    @property
    def handlers(self) -> Handlers:
        return {BlockCommitted: self._committed}

    def _look(self) -> None:
        """Being level is no reason to call chains compared: that is done at the end."""

    def _slots(self, node: NodeId) -> int:
        return self._within + self._missed[node] // self._an_answer

    def close(self) -> None:
        self._findings.note(self._check, "slowest_slots", round(self._slowest / self._setting.slot, 3))
