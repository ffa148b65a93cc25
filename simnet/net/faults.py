"""Faults of links and nodes: one partition, and churn (specification, sections 1.8 and 3.1); rules of ours on links and nodes.

All are SimPy processes that cut and join links of the network. Their clock starts with the run, i.e. `SETTLE`
before traffic zero. They record what they do as `FaultInjected` and stop with the run.

Where simnet differs from upstream: dialling costs no time, and a link that both faults hold down comes up only
when both have let go of it (upstream's healing partition may reconnect a node that churn has taken down).
"""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence

import simpy

from simnet.base.rng import generator
from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events import FaultActed, FaultInjected
from simnet.net.network import Network
from simnet.net.rules import Hold, Rule, rule_of
from simnet.net.topology import crossing
from simnet.net.wire import Emit
from simnet.scenario.linkfaults import LinkFault
from simnet.scenario.model import Scenario
from simnet.scenario.nodefaults import Conduct, Crash, NodeFault, Pause
from simnet.scenario.span import DRAIN_MS, SETTLE_MS
from simnet.scenario.upstream import Byzantine, Churn, Partition, SpamKind

SETTLE = from_ms(SETTLE_MS)
"""From the start of the run to traffic zero."""
DRAIN = from_ms(DRAIN_MS)
"""From the end of the traffic clock to the end of the run."""
MS_PER_MIN = 60_000
INTERVAL_MS_MAX = 10.0**12
"""Beyond the end of any run; the smallest rates would ask for more than a float holds."""


def run_end(scenario: Scenario) -> SimTime:
    """When a run ends."""
    return SimTime(SETTLE + from_ms(scenario.sim.duration_ms) + DRAIN)


class ActiveNodes:
    """The nodes that no fault has taken down: only they publish traffic."""

    def __init__(self, nodes: int) -> None:
        self._nodes = tuple(NodeId(node) for node in range(nodes))
        self._faults = Counter[NodeId]()

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """Ascending."""
        return self._nodes

    def __contains__(self, node: object) -> bool:
        return node in self._nodes

    def down(self, node: NodeId) -> None:
        """A fault takes the node down; it is up again when all its faults have let go of it."""
        self._faults[node] += 1
        if self._faults[node] == 1:
            self._nodes = tuple(other for other in self._nodes if other != node)

    def up(self, node: NodeId) -> None:
        self._faults[node] -= 1
        if not self._faults[node]:
            self._nodes = tuple(sorted({*self._nodes, node}))


OnConduct = Callable[[NodeId, Conduct, bool], None]


def _no_conduct(_node: NodeId, _fault: Conduct, _begins: bool) -> None:
    """Only nodes with a chain have a conduct; scenarios of the network alone have no such fault."""


class FaultInjector:
    """Starts and ends the scenario's faults on a network. `active` is shared with traffic."""

    def __init__(
        self, env: simpy.Environment, scenario: Scenario, seed: int, network: Network, emit: Emit, conduct: OnConduct = _no_conduct
    ) -> None:
        self._env = env
        self._network = network
        self._emit = emit
        self._clock = network.clock
        self._conduct = conduct
        """Told when a fault of a node itself begins (True) and ends."""
        self.active = ActiveNodes(scenario.topology.n)
        self.troubled = Counter[NodeId]()
        """Nodes with such faults that have not ended, and how many."""
        faults = scenario.faults
        if faults.partition is not None:
            env.process(self._partition(faults.partition, scenario.region_of_node))
        if faults.churn is not None:
            env.process(self._churn(faults.churn, seed))
        for number, fault in enumerate(faults.links):
            env.process(self._on_links(fault, number, seed, scenario.region_of_node))
        for number, trouble in enumerate(faults.nodes):
            for process in self._on_nodes(trouble, number):
                env.process(process)

    @property
    def sound(self) -> frozenset[NodeId]:
        """Nodes that are up and under no fault of their own."""
        return frozenset(node for node in self.active.nodes if not self.troubled[node])

    def _partition(self, partition: Partition, regions: Sequence[str]) -> Generator[simpy.Event, object, None]:
        edges = crossing(self._network.edges, regions, partition.group_a, partition.group_b)
        if not edges:
            return
        detail = "-".join(partition.names())
        yield self._env.timeout(from_ms(partition.start_ms))
        self._record("partition_start", detail)
        self._network.cut(edges, "partition")
        yield self._env.timeout(from_ms(partition.duration_ms))
        self._network.join(edges, "partition")
        self._record("partition_end", detail)

    def _churn(self, churn: Churn, seed: int) -> Generator[simpy.Event, object, None]:
        """One node after another: never more than one is down."""
        draws = generator(seed, "churn")
        interval = from_ms(int(min(max(MS_PER_MIN / churn.rate_per_min, 1), INTERVAL_MS_MAX)))
        yield self._env.timeout(from_ms(churn.start_ms))
        while True:
            yield self._env.timeout(interval)
            if not self.active.nodes:
                continue
            node = self.active.nodes[int(draws.integers(len(self.active.nodes)))]
            edges = [edge for edge in self._network.edges if node in edge]
            self._record("churn_down", f"node:{node}")
            self.active.down(node)
            self._network.cut(edges, "churn")
            yield self._env.timeout(from_ms(churn.restart_after_ms))
            self.active.up(node)
            self._record("churn_up", f"node:{node}")
            self._network.join(edges, "churn")

    def _on_links(self, fault: LinkFault, number: int, seed: int, regions: Sequence[str]) -> Generator[simpy.Event, object, None]:
        """A rule on every directed edge between two regions, for a while."""
        hops = [end for low, high in self._network.edges for end in ((low, high), (high, low)) if concerns(fault, *end, regions)]
        yield self._env.timeout(from_ms(fault.start_ms))
        rules: dict[tuple[int, int], Rule] = {hop: rule_of(fault, seed, number, hop, self._clock.now) for hop in hops}
        self._record(f"{fault.kind}_start", fault.where)
        self._network.add_rules(rules)
        yield self._env.timeout(from_ms(fault.duration_ms))
        self._network.remove_rules(rules)
        self._told(fault.kind, fault.where, rules)
        self._record(f"{fault.kind}_end", fault.where)

    def _on_nodes(self, fault: NodeFault, number: int) -> list[Generator[simpy.Event, object, None]]:
        if isinstance(fault, Crash):
            return [self._crash(fault, number)]
        if isinstance(fault, Pause):
            return [self._pause(fault)]
        return [self._misconduct(fault, NodeId(node)) for node in fault.nodes]

    def _misconduct(self, fault: Conduct, node: NodeId) -> Generator[simpy.Event, object, None]:
        """The node itself does wrong for a while; the network is as ever."""
        yield self._env.timeout(from_ms(fault.start_ms))
        self._record(f"{fault.kind}_start", f"node:{node}")
        self.troubled[node] += 1
        self._conduct(node, fault, True)
        yield self._env.timeout(from_ms(fault.duration_ms))
        self._record(f"{fault.kind}_end", f"node:{node}")
        self.troubled[node] -= 1
        self._conduct(node, fault, False)

    def _crash(self, fault: Crash, number: int) -> Generator[simpy.Event, object, None]:
        """Like churn, and the node's gossip forgets what it has seen."""
        node = NodeId(fault.node)
        edges = [edge for edge in self._network.edges if node in edge]
        yield self._env.timeout(from_ms(fault.start_ms))
        self._record("crash_down", f"node:{node}")
        self.active.down(node)
        self._network.cut(edges, f"crash:{number}")
        self._network.forget_all(node)
        yield self._env.timeout(from_ms(fault.duration_ms))
        self.active.up(node)
        self._record("crash_up", f"node:{node}")
        self._network.join(edges, f"crash:{number}")

    def _pause(self, fault: Pause) -> Generator[simpy.Event, object, None]:
        """The node's links stay up, but nothing goes out or in before it goes on."""
        node = NodeId(fault.node)
        yield self._env.timeout(from_ms(fault.start_ms))
        until = SimTime(self._clock.now + from_ms(fault.duration_ms))
        ends = [end for low, high in self._network.edges if node in (low, high) for end in ((low, high), (high, low))]
        rules: dict[tuple[int, int], Rule] = {end: Hold(until, end[0] == node) for end in ends}
        self._record("pause_start", f"node:{node}")
        self._network.hold(node, until)
        self._network.add_rules(rules)
        yield self._env.timeout(from_ms(fault.duration_ms))
        self._network.remove_rules(rules)
        self._told("pause", f"node:{node}", rules)
        self._record("pause_end", f"node:{node}")

    def _told(self, kind: str, detail: str, rules: Mapping[tuple[int, int], Rule]) -> None:
        self._emit(FaultActed(self._clock.now, kind, detail, sum(rule.acted for rule in rules.values())))

    def _record(self, kind: str, detail: str) -> None:
        self._emit(FaultInjected(self._clock.now, kind, detail))


def concerns(fault: LinkFault, source: NodeId, target: NodeId, regions: Sequence[str]) -> bool:
    """Whether a fault is on the way from one node to another."""
    ways = [(source, target), (target, source)] if fault.both_ways else [(source, target)]
    return any(fault.source in (None, regions[a]) and fault.target in (None, regions[b]) for a, b in ways)


class Spam:
    """What byzantine publishers add to a regular publication. Kinds take turns over the whole run."""

    def __init__(self, byzantine: Byzantine | None) -> None:
        self._byzantine = byzantine
        self._turn = 0

    def triggers(self, node: NodeId, at: SimTime) -> bool:
        """Whether a regular publication of `node` at traffic time `at` is spammed (record `byzantine_spam` then)."""
        byzantine = self._byzantine
        return byzantine is not None and node in byzantine.publishers and at >= from_ms(byzantine.start_ms)

    def copies(self) -> tuple[SpamKind, ...]:
        """Kinds of the additional copies of one spammed publication."""
        if self._byzantine is None:
            return ()
        kinds, first = self._byzantine.spam_kinds, self._turn
        self._turn += self._byzantine.spam_factor - 1
        return tuple(kinds[turn % len(kinds)] for turn in range(first, self._turn))
