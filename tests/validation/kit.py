"""Networks for the validation tests: graphs of the literature, floods that are counted instead of kept."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from simnet.base.units import NodeId
from simnet.events import Event, MessageDelivered
from simnet.net.clockwork import Clockwork
from simnet.net.message import Message, Validation
from simnet.net.network import Network
from tests.netkit import scenario

PASSED_ON = frozenset({"block"})
Graph = list[tuple[int, int]]


def grid(nodes: int) -> Graph:
    """Maelstrom's grid: rows as wide as the square root of the number of nodes, rounded up."""
    width = next(w for w in range(1, nodes + 1) if w * w >= nodes)
    right = [(i, i + 1) for i in range(nodes - 1) if (i + 1) % width]
    return sorted(right + [(i, i + width) for i in range(nodes - width)])


def line(nodes: int) -> Graph:
    return [(i, i + 1) for i in range(nodes - 1)]


def total(nodes: int) -> Graph:
    return [(a, b) for a in range(nodes) for b in range(a + 1, nodes)]


def tree(nodes: int, children: int) -> Graph:
    """Filled level by level."""
    return sorted(((i - 1) // children, i) for i in range(1, nodes))


@dataclass
class Counted:
    """What floods did."""

    copies: int = 0
    last_at: dict[int, int] = field(default_factory=dict)
    """For each message when the last node had it, in nanoseconds since publication."""


class _Silent:
    def on_verdict(self, message: Message, peer: NodeId, verdict: Validation, reason: str) -> None:
        """Its own verdicts are no news to it."""

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        raise AssertionError("passed on unseen")

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None: ...

    def on_connected(self, peer: NodeId) -> None: ...

    def on_disconnected(self, peer: NodeId) -> None: ...


def flood(nodes: int, edges: Sequence[tuple[int, int]], origins: Sequence[int], delay_ms: int = 10, engine: str = "events") -> Counted:
    """One message from each of the origins, one after another, through the network without repair."""
    clock, counts, found = Clockwork(), Counter[type[Event]](), Counted()

    def emit(event: Event) -> None:
        counts[type(event)] += 1
        if isinstance(event, MessageDelivered):
            found.last_at[event.message] = event.at - event.published_at

    given = scenario(nodes, delay_ms=delay_ms, gossip={"lazy_peers": 0, "engine": engine})
    links = [(NodeId(a), NodeId(b)) for a, b in edges]
    network = Network(clock, given, 1, links, given.region_of_node, ["trusted"] * nodes, emit)
    for node in range(nodes):
        network.attach(NodeId(node), _Silent(), PASSED_ON)
    for origin in origins:
        network.publish(NodeId(origin), topic="t", kind="block", payload=None, size=100)
        clock.run(until=clock.now + nodes * delay_ms * 1_000_000 + 1)
    found.copies = sum(n for kind, n in counts.items() if kind.__name__ == "MessageArrived")
    return found
