"""A node's ways out of itself: what it does to others, or has happen later, goes through here, and nothing else of a run is in its reach."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from simnet.base.units import NodeId, SimTime
from simnet.events import Event, LimitReached
from simnet.events.network import CONSENSUS_TOPIC, TX_TOPIC
from simnet.net.network import Message, Network, Validation
from simnet.node.clock import Clock

PROBES = frozenset({"block_probe", "transaction_probe"})
"""They carry nothing to check: the network passes them on by itself."""
ON_TX_TOPIC = PROBES | {"transaction"}


class Ports(Protocol):
    """What one node's parts may do. A part that is tested alone is given ports that write down what it did."""

    @property
    def node(self) -> NodeId:
        """Whose they are."""

    @property
    def now(self) -> SimTime:
        """Virtual time. Nodes date what they say by their own clocks."""

    @property
    def clock(self) -> Clock:
        """The node's own clock."""

    def clock_error(self, node: int) -> int:
        """Nanoseconds that anybody's clock is ahead: only to say why something came late."""

    def after(self, delay: int, action: Callable[[], None]) -> None:
        """Runs `action` after `delay` nanoseconds of virtual time."""

    def emit(self, event: Event) -> None:
        """Tells those who watch the run."""

    def limit_reached(self, what: str) -> None:
        """Tells them that a limit was hit."""

    def publish(
        self, kind: str, payload: object, size: int, *, spam: str | None = None, spared: frozenset[NodeId] = frozenset()
    ) -> Message | None:
        """Publishes on the topic of its kind, to all neighbours but those `spared`; None when none is connected."""

    def answer(self, message: Message, verdict: Validation, reason: str = "", /) -> None:
        """Says what has become of a gossip message."""

    def send(self, peer: NodeId, kind: str, payload: object, size: int, /) -> bool:
        """Sends to a neighbour; False when there is no way."""

    def connected(self) -> tuple[NodeId, ...]:
        """The neighbours with a link that is up, ascending."""

    def cut(self, peer: NodeId) -> None:
        """Takes the link to a neighbour down, for a reason of this node's own."""

    def join(self, peer: NodeId) -> None:
        """Ends that reason."""


class NodePorts:
    """A node's ports on the simulated network."""

    def __init__(self, node: NodeId, network: Network, clocks: Sequence[Clock], emit: Callable[[Event], None]) -> None:
        self.node = node
        self.clock = clocks[node]
        self.emit = emit
        self.after = network.clock.after
        self.answer = partial(network.verdict, node)
        self.send = partial(network.send, node)
        self.connected = partial(network.connected, node)
        self._network = network
        self._clockwork = network.clock
        self._clocks = clocks
        self._reason = f"ban:{node}"

    @property
    def now(self) -> SimTime:
        return self._clockwork.now

    def clock_error(self, node: int) -> int:
        return self._clocks[node].error

    def limit_reached(self, what: str) -> None:
        self.emit(LimitReached(self.now, self.node, what))

    def publish(
        self, kind: str, payload: object, size: int, *, spam: str | None = None, spared: frozenset[NodeId] = frozenset()
    ) -> Message | None:
        topic = TX_TOPIC if kind in ON_TX_TOPIC else CONSENSUS_TOPIC
        return self._network.publish(self.node, topic=topic, kind=kind, payload=payload, size=size, spam=spam, spared=spared)

    def cut(self, peer: NodeId) -> None:
        self._network.cut([(self.node, peer)], self._reason)

    def join(self, peer: NodeId) -> None:
        self._network.join([(self.node, peer)], self._reason)
