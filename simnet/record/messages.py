"""What the summary knows about each published message, shared by the collectors that need it."""

from dataclasses import dataclass

from simnet.base.units import NodeId
from simnet.events import Handlers, MessageDelivered, MessagePublished
from simnet.events.run_info import RunInfo

TX_KINDS = frozenset({"transaction", "block_probe", "transaction_probe"})
"""The kinds that upstream's counters see: its harness has no other topic."""


@dataclass(frozen=True, slots=True)
class Message:
    """The facts of one publication."""

    author: NodeId
    kind: str
    bytes: int
    spam: str | None


class MessageBook:
    """All publications of a run by message id. Attach it before the collectors that read it."""

    def __init__(self) -> None:
        self._messages: dict[int, Message] = {}
        self._holders: dict[int, int] = {}
        self.again = False
        """Whether the delivery that is being told was one of a message that the node had before."""

    @property
    def handlers(self) -> Handlers:
        return {MessagePublished: self._published, MessageDelivered: self._delivered}

    def holders(self, message: int) -> int:
        """A bit set of the nodes that a message was delivered to."""
        return self._holders.get(message, 0)

    def _delivered(self, event: MessageDelivered) -> None:
        before = self._holders.get(event.message, 0)
        self.again = bool(before >> event.node & 1)
        self._holders[event.message] = before | 1 << event.node

    def get(self, message: int) -> Message | None:
        return self._messages.get(message)

    def items(self) -> list[tuple[int, Message]]:
        return list(self._messages.items())

    def _published(self, event: MessagePublished) -> None:
        self._messages[event.message] = Message(event.node, event.kind, event.bytes, event.spam)


def components(info: RunInfo) -> list[int]:
    """For each node the lowest node index of its connected part of the starting topology."""
    root = list(range(info.nodes))

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for low, high in info.edges:
        a, b = sorted((find(low), find(high)))
        root[b] = a
    return [find(node) for node in range(info.nodes)]
