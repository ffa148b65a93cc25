"""proven, aggregated: while it is calm every committed block is, at every live honest node, within `consensus.proven_within_slots`.
And within as long every live honest node has committed what a quorum has (a part of coherence).

The time runs from the node's commit, from the beginning of the calm or from the node's own return, whichever is last; it goes on
after the traffic, since the last blocks are still proven then. What the run's end leaves open is counted.

A block that members of the calm cannot certify with keys of its own slot takes keys of a later one, and a slot's keys serve one block
(`protocol.certification`): it gets a slot more for each block before it that waits for its proof, too.
"""

from simnet.base.catalogue import CircuitId
from simnet.base.units import NodeId, SimTime
from simnet.checks import coherence
from simnet.checks.calm import Calm
from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import BlockAggregated, BlockCommitted, BlockProven, Handlers, ProvingFailed, StatementLost
from simnet.node.chain import CommittedBlock
from simnet.protocol.validators import epoch_of

OF_DECISIONS = frozenset({CircuitId.CONSENSUS.label, CircuitId.TRANSACTION.label})
"""Circuits whose proofs blocks are made and proven with; the others' aggregate them."""
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

    def on_calm(self, _now: SimTime) -> None:
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
        slots = self._slots(node, height)
        due = SimTime(max(committed, since) + slots * self._setting.slot)
        if now <= due:
            return
        self._findings.looked_at(self._check, "overdue")
        behind = [node, *(n for n, w in self._waiting.items() if height in w)]
        detail = f"block {height} was not {self._what} at node {node} within {slots} slots of calm"
        self._findings.broken(self._check, due, behind, detail)

    def _slots(self, _node: NodeId, _height: int) -> int:
        """How long a block may wait at a node."""
        return self._within

    def close(self) -> None:
        """The run is over: fills in the figures."""
        self._findings.note(self._check, "open", sum(map(len, self._waiting.values())))
        self._findings.note(self._check, "slowest_slots", round(self._slowest / self._setting.slot, 3))


class Unproven(Lag):
    """Blocks that wait for what proves them. `in_order`: none before those below it."""

    def __init__(self, setting: Setting, findings: Findings, calm: Calm, check: str, reached: type[Reached], *, in_order: bool) -> None:
        super().__init__(setting, findings, calm, check, reached)
        self._in_order = in_order
        self._core: frozenset[NodeId] = frozenset()
        self._queued: dict[NodeId, dict[int, int]] = {node: {} for node in self._waiting}
        """Heights that wait for keys of later slots: how many blocks come first."""

    def _committed(self, e: BlockCommitted) -> None:
        super()._committed(e)
        if self._since.get(e.node) is not None:
            self._queue(e.node, e.at)

    def on_calm(self, now: SimTime) -> None:
        before = dict(self._since)
        super().on_calm(now)
        changed = self._calm.core != self._core
        self._core = self._calm.core
        for node, since in self._since.items():
            if since != before[node]:
                self._queued[node] = {}
            if since is not None and (changed or since != before[node]):
                self._queue(node, now)

    def _queue(self, node: NodeId, now: SimTime) -> None:
        """Finds those that cannot be certified with keys of their own slots. They have their time from now."""
        waiting, queued = self._waiting[node], self._queued[node]
        first, lacks = 0, False
        for height in waiting:
            block = self._setting.nodes[node].chain.at(height)
            assert block is not None
            lacks = (lacks and self._in_order) or (block.proof is None and self._lacks_keys(block))
            if lacks and height not in queued:
                queued[height] = first
                waiting[height] = max(waiting[height], now)
            first += block.proof is None

    def _lacks_keys(self, block: CommittedBlock) -> bool:
        """Whether the calm's members with keys for the block's own slot are no quorum."""
        slot = block.block.header.slot
        keyed = block.electorate.registry.first(epoch_of(slot), block.electorate.registered(slot))
        return not self._setting.quorum(self._setting.stake(self._calm.core & keyed.keys()))

    def _slots(self, node: NodeId, height: int) -> int:
        return self._within + self._queued[node].get(height, 0)


class Lost:
    """What is never proved, calm or not, though it may be hidden from the dates above by those who take over in time.

    Blocks that are not aggregated at a node which can no longer say what they have to prove in a field: nothing heals that. And what an honest node
    set out to prove and its own prover refused: it is not so, and whatever others have sent the node must have seen that before.
    """

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings

    @property
    def handlers(self) -> Handlers:
        return {StatementLost: self._lost, ProvingFailed: self._refused}

    def _refused(self, e: ProvingFailed) -> None:
        if e.node in self._setting.honest:
            check = "proven" if e.circuit in OF_DECISIONS else "aggregated"
            detail = f"the {e.backend} prover of node {e.node} refused the node's own {e.circuit} witness: {e.reason}"
            self._findings.broken(check, e.at, [e.node], detail)

    def _lost(self, e: StatementLost) -> None:
        if e.node in self._setting.honest:
            detail = f"node {e.node} cannot say what block {e.height} has to prove in {e.backend} ({e.circuit}), and has not aggregated it"
            self._findings.broken("aggregated", e.at, [e.node], detail)


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

    def _slots(self, node: NodeId, _height: int) -> int:
        return self._within + self._missed[node] // self._an_answer

    def close(self) -> None:
        self._findings.note(self._check, "slowest_slots", round(self._slowest / self._setting.slot, 3))
