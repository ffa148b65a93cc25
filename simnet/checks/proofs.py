"""proven, aggregated: while it is calm every committed block is, at every live honest node, within `consensus.proven_within_slots`.

The time runs from the node's commit, from the beginning of the calm or from the node's own return, whichever is last; it goes on
after the traffic, since the last blocks are still proven then. What the run's end leaves open is counted.
"""

from simnet.checks.calm import Calm
from simnet.checks.setting import Handlers, Setting
from simnet.checks.verdicts import Findings
from simnet.events import BlockAggregated, BlockCommitted, BlockProven
from simnet.units import NodeId, SimTime


class Lag:
    """Blocks that wait, at each honest node, for what makes them `check`."""

    def __init__(self, setting: Setting, findings: Findings, calm: Calm, check: str, reached: type[BlockProven | BlockAggregated]) -> None:
        self._setting = setting
        self._findings = findings
        self._calm = calm
        self._check = check
        self._reached = reached
        self._waiting: dict[NodeId, dict[int, SimTime]] = {node: {} for node in sorted(setting.honest)}
        """When a block was committed, by height, ascending."""
        self._since: dict[NodeId, SimTime | None] = dict.fromkeys(self._waiting)
        """From when a node is part of the present calm; None: it is not."""
        self._within = setting.scenario.consensus.proven_within_slots
        self._slowest = 0

    @property
    def handlers(self) -> Handlers:
        return {BlockCommitted: self._committed, self._reached: self._done}

    def _committed(self, e: BlockCommitted) -> None:
        if e.node in self._waiting:
            self._waiting[e.node][e.height] = e.at

    def _done(self, e: BlockProven | BlockAggregated) -> None:
        committed = self._waiting.get(e.node, {}).pop(e.height, None)
        if committed is None:
            return
        self._findings.looked_at(self._check, "blocks")
        since = self._since[e.node]
        if since is not None:
            self._slowest = max(self._slowest, e.at - max(committed, since))
        self._judge(e.node, e.height, committed, e.at)

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
        due = SimTime(max(committed, since) + self._within * self._setting.slot)
        if now <= due:
            return
        self._findings.looked_at(self._check, "overdue")
        behind = [node, *(n for n, w in self._waiting.items() if height in w)]
        detail = f"block {height} was not {self._check} at node {node} within {self._within} slots of calm"
        self._findings.broken(self._check, due, behind, detail)

    def close(self) -> None:
        """The run is over: fills in the figures."""
        self._findings.note(self._check, "open", sum(map(len, self._waiting.values())))
        self._findings.note(self._check, "slowest_slots", round(self._slowest / self._setting.slot, 3))
