"""What the checks of one run know from the start: who is honest, whose stake is whose, when slots begin."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events.run_info import RunInfo
from simnet.net.faults import SETTLE, concerns
from simnet.node.facts import Facts, Genesis
from simnet.node.node import Node
from simnet.scenario.linkfaults import LinkFault
from simnet.scenario.model import Scenario
from simnet.scenario.nodefaults import Crash, NodeFault, Pause

HARDSHIPS = frozenset({"crash", "pause", "service_stop", "clock_skew"})
"""Faults that happen to a node. Every other kind is misconduct: the node is not honest."""


Link = tuple[NodeId, NodeId]
"""One direction of it."""


def nodes_of(fault: NodeFault) -> frozenset[NodeId]:
    """The nodes that a fault is on."""
    return frozenset(map(NodeId, (fault.node,) if isinstance(fault, Crash | Pause) else fault.nodes))


@dataclass(frozen=True)
class Setting:
    """One run. `nodes` are read only where an event has announced something, and at the end."""

    info: RunInfo
    facts: Facts
    """For its circuits, and for public inputs by content; its memories of what nodes have judged are left alone."""
    nodes: Mapping[NodeId, Node]

    @property
    def scenario(self) -> Scenario:
        return self.facts.scenario

    @property
    def genesis(self) -> Genesis:
        return self.facts.genesis

    @cached_property
    def liars(self) -> frozenset[NodeId]:
        """Nodes that misbehave in consensus at some time of the run: no promise is made for them."""
        return frozenset[NodeId]().union(*(nodes_of(f) for f in self.scenario.faults.nodes if f.kind not in HARDSHIPS))

    @cached_property
    def honest(self) -> frozenset[NodeId]:
        """All others. Those who spam transfers are among them: their votes are honest."""
        return frozenset(self.nodes) - self.liars

    @cached_property
    def blameless(self) -> frozenset[NodeId]:
        """Those that nobody has reason to cut off: the honest ones but for who spams, who earns what its neighbours do."""
        byzantine = self.scenario.faults.byzantine
        return self.honest - frozenset(() if byzantine is None else byzantine.publishers)

    @cached_property
    def total(self) -> int:
        """Stake of all validators of the genesis, registered or not."""
        return sum(self.info.stakes)

    def stake(self, nodes: Collection[int]) -> int:
        """Stake of some nodes, each counted once."""
        return sum(self.info.stakes[node] for node in set(nodes))

    def quorum(self, weight: int) -> bool:
        """Whether a weight is more than two thirds of the whole stake."""
        return 3 * weight > 2 * self.total

    # --- the slot clock ----------------------------------------------------------------------------

    @cached_property
    def slot(self) -> int:
        """Length of a slot in nanoseconds."""
        return self.facts.slots.length

    @cached_property
    def slots_end(self) -> SimTime:
        """When the traffic clock ends: no slot begins after it."""
        return SimTime(SETTLE + self.info.duration)

    def start_of(self, slot: int) -> SimTime:
        """When a slot begins, in true time."""
        return self.facts.slots.start(slot)

    @cached_property
    def precision(self) -> int:
        """By how much a sound clock may be wrong, in nanoseconds."""
        return from_ms(self.scenario.clock_precision_ms)


def links_under(setting: Setting, fault: LinkFault) -> frozenset[Link]:
    """The directed links that a rule of the scenario is on while it acts."""
    ends = (end for low, high in setting.info.edges for end in ((low, high), (high, low)))
    return frozenset((NodeId(a), NodeId(b)) for a, b in ends if concerns(fault, a, b, setting.info.regions))
