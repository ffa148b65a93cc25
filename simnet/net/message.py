"""What travels between nodes, and what the network asks of those who use it."""

from array import array
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from simnet.base.units import NodeId, SimTime


class Validation(Enum):
    """An application's answer to a message; only an accepted one is forwarded."""

    ACCEPT = "accept"
    IGNORE = "ignore"
    REJECT = "reject"
    DROP = "drop"
    """Not judged, because a limit was reached: forgotten, so that another copy may come."""


class Ahead(Protocol):
    """Who has computed a message's flood ahead."""

    def dissolve(self, message: "Message") -> None:
        """Turns the flood into copies that travel by themselves."""


@dataclass(slots=True, eq=False)
class Message:
    """A gossip message. All its copies are this one object, so nobody may change it."""

    id: int
    """Unique in a run: a copy that a byzantine node publishes again is a new message."""
    origin: NodeId
    topic: str
    kind: str
    payload: object
    size: int
    """Bytes on the wire."""
    published_at: SimTime
    spam: str | None
    """Ground truth for observers: the kind of byzantine copy. Nodes must not look at it."""
    delays: "array[int]"
    """The network's: what a copy takes over each directed edge, by its index."""
    copies: int = 0
    """The network's: copies sent by flooding so far."""
    fits: bool | None = None
    """The application's: whether the payload has the shape of its kind, which is the same for every receiver. None: not looked at."""
    wave: "Ahead | None" = None
    """The network's: the engine that has computed the message's flood ahead."""


class Application(Protocol):
    """What runs on a node, as the network sees it."""

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        """First reception of a message, from `peer`. Answer with `Network.verdict`, once, now or later."""

    def on_verdict(self, message: Message, peer: NodeId, verdict: Validation, reason: str) -> None:
        """The application's own answer to a message that had come from `peer`."""

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        """A neighbour's point-to-point message."""

    def on_connected(self, peer: NodeId) -> None:
        """A link came up: at the start, and after each fault that had cut it."""

    def on_disconnected(self, peer: NodeId) -> None:
        """A link went down."""
