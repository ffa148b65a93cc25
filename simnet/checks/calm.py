"""When the network is calm: the time that its promises of progress are about.

A node is *good* while it is up, not paused, its verifier and prover run, its clock is sound and it does not misbehave; a link while
both ends say that it is up and no rule is on it. It is calm while good nodes with more than two thirds of the whole stake are connected
by good links and any two of their clocks differ by no more than the precision.

A calm lasts as long as its *core* does: the nodes that have been among those since it began, or for three slots. When
nodes go and come one after the other, a core loses them one by one; once it is no quorum, a new calm begins.

Told by events alone, so that it is the network's own account of its faults. What rules are on a link follows from the scenario,
since events name regions only. A link between blameless nodes that one of them has cut itself (a ban) still counts: no fault explains it.
"""

from collections import Counter, defaultdict

from simnet.base.units import NodeId, SimTime, from_ms
from simnet.checks.setting import Link, Setting, links_under
from simnet.events import ClockSkewed, FaultInjected, Handlers, PeerConnected, PeerDisconnected
from simnet.net.topology import crossing
from simnet.scenario.linkfaults import LINK_FAULTS

SEASONED_SLOTS = 3
"""A node that came back counts again after this long: by then it has caught up."""


class Calm:
    """The present calm, if there is one. `settle` brings it up to date."""

    def __init__(self, setting: Setting) -> None:
        self.since: SimTime | None = None
        """When the present calm began; None: there is none."""
        self.joined: dict[NodeId, SimTime] = {}
        """The good, connected nodes, and since when each has been one of them."""
        self.core: frozenset[NodeId] = frozenset()
        """Those that the present calm rests on: they have been among them all the time, or for three slots."""
        self.count = 0
        """How many calms there were."""
        self._setting = setting
        self._ends: set[Link] = set()
        """Directed ends that are up."""
        self._troubles: Counter[NodeId] = Counter()
        self._errors: dict[NodeId, int] = {}
        """By how much clocks are wrong, where they are."""
        self._stopped: set[NodeId] = set()
        """Nodes of which a service stands still that consensus feels."""
        self._rules: Counter[Link] = Counter()
        self._links_of = _links_of_faults(setting)
        self._stops = _stops_felt(setting)
        self.changed_at: SimTime | None = None
        """When something happened that `settle` has not looked at."""
        self._precision = setting.precision

    @property
    def handlers(self) -> Handlers:
        return {
            PeerConnected: self._connected,
            PeerDisconnected: self._disconnected,
            FaultInjected: self._fault,
            ClockSkewed: self._clock,
        }

    # --- what happens ------------------------------------------------------------------------------

    def _connected(self, e: PeerConnected) -> None:
        self._ends.add((e.node, e.peer))
        self.changed_at = e.at

    def _disconnected(self, e: PeerDisconnected) -> None:
        if e.why != "ban" or not {e.node, e.peer} <= self._setting.blameless:
            self._ends.discard((e.node, e.peer))
            self.changed_at = e.at

    def _clock(self, e: ClockSkewed) -> None:
        if e.error != self._errors.get(e.node, 0):
            self._errors[e.node] = e.error
            self.changed_at = e.at

    def _fault(self, e: FaultInjected) -> None:
        """A fault of a node or a rule on links begins or ends."""
        kind, step = e.edge
        if not step:
            return
        if kind in LINK_FAULTS or kind == "partition":
            self._rules.update(dict.fromkeys(self._links_of[kind, e.detail], step))
        elif e.detail.startswith("node:") and kind != "clock_skew":
            node = NodeId(int(e.detail.removeprefix("node:")))
            if kind != "service_stop":
                self._troubles[node] += step
            elif any(begins <= e.at < ends for begins, ends in self._stops[node]):
                self._stopped.add(node)
            else:
                self._stopped.discard(node)
        self.changed_at = e.at

    # --- what follows ------------------------------------------------------------------------------

    def settle(self, now: SimTime) -> None:
        """Looks at the network as it is at `now`, at which nothing more will happen."""
        self.changed_at = None
        good = self._largest()
        self.joined = {node: self.joined.get(node, now) for node in sorted(good)}
        calm = self._setting.quorum(self._setting.stake(good))
        if not calm:
            self.since = None
        elif self.since is None or not self._setting.quorum(self._setting.stake(self._seasoned(now, self.since))):
            self.since = now
            self.count += 1
        self.core = frozenset() if self.since is None else self._seasoned(now, self.since)

    def _seasoned(self, now: SimTime, since: SimTime) -> frozenset[NodeId]:
        limit = max(since, now - SEASONED_SLOTS * self._setting.slot)
        return frozenset(node for node, at in self.joined.items() if at <= limit)

    def _good(self, node: NodeId) -> bool:
        """Whether a node is up, sound and honest at present, and its clock wrong by no more than the precision."""
        return not self._troubles[node] and node not in self._stopped and abs(self._errors.get(node, 0)) <= self._precision

    def _largest(self) -> frozenset[NodeId]:
        """The connected good nodes with the most stake among those whose clocks differ by no more than the precision."""
        good = [NodeId(n) for n in range(self._setting.info.nodes) if self._good(NodeId(n))]
        best: frozenset[NodeId] = frozenset()
        for least in sorted({self._errors.get(node, 0) for node in good}):
            agreed = [node for node in good if least <= self._errors.get(node, 0) <= least + self._precision]
            best = max(best, self._largest_of(agreed), key=self._setting.stake)
        return best

    def _largest_of(self, left: list[NodeId]) -> frozenset[NodeId]:
        """The connected ones of these nodes with the most stake."""
        neighbours = defaultdict(list)
        for low, high in self._setting.info.edges:
            if (low, high) in self._ends and (high, low) in self._ends and not self._rules[low, high] and not self._rules[high, low]:
                neighbours[low].append(high)
                neighbours[high].append(low)
        best: frozenset[NodeId] = frozenset()
        unseen = set(left)
        for node in left:
            if node in unseen:
                found = _reach(node, neighbours, unseen)
                best = max(best, found, key=self._setting.stake)
        return best


def _reach(start: NodeId, neighbours: dict[NodeId, list[NodeId]], unseen: set[NodeId]) -> frozenset[NodeId]:
    """All unseen nodes that are connected with one of them, through unseen ones; they are seen then."""
    unseen.discard(start)
    found = [start]
    for node in found:
        for other in neighbours[node]:
            if other in unseen:
                unseen.discard(other)
                found.append(other)
    return frozenset(found)


def _links_of_faults(setting: Setting) -> dict[tuple[str, str], frozenset[Link]]:
    """The directed links that a partition or a rule of the scenario is on, by its kind and what its events say of it."""
    found: dict[tuple[str, str], frozenset[Link]] = {}
    partition = setting.scenario.faults.partition
    if partition is not None:
        cut = crossing(setting.info.edges, setting.info.regions, partition.group_a, partition.group_b)
        found["partition", "-".join(partition.names())] = frozenset(cut)
    for fault in setting.scenario.faults.links:
        found[fault.kind, fault.where] = links_under(setting, fault)
    return found


def _stops_felt(setting: Setting) -> dict[NodeId, list[tuple[SimTime, SimTime]]]:
    """When services of each node stand still, apart from the wallet, which consensus does not feel."""
    found: dict[NodeId, list[tuple[SimTime, SimTime]]] = defaultdict(list)
    for fault in setting.scenario.faults.nodes:
        if fault.kind == "service_stop" and fault.service != "wallet":
            begins = from_ms(fault.start_ms)
            for node in fault.nodes:
                found[NodeId(node)].append((begins, SimTime(begins + from_ms(fault.duration_ms))))
    return found
