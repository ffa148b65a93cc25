"""What became of byzantine copies, by kind. What opponents send is in `simnet.record.opponents`."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from simnet.base.units import NodeId
from simnet.events import Handlers, MessageDelivered, MessagePublished, MessageValidated, ProofVerified
from simnet.record.messages import MessageBook
from simnet.record.stats import ms, ratio
from simnet.scenario.opponents import is_opponents


@dataclass(slots=True)
class Kind:
    """Figures of one kind of spam."""

    published: int = 0
    delivered: int = 0
    first_hop: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    rejected_by: set[NodeId] = field(default_factory=set)
    verify_cost: Counter[NodeId] = field(default_factory=Counter)


class ByzantineCollector:
    """Follows each copy from its publication to every node's verdict on it."""

    def __init__(self, book: MessageBook) -> None:
        self._book = book
        self._kinds: dict[str, Kind] = defaultdict(Kind)
        self._publishers: set[NodeId] = set()

    @property
    def handlers(self) -> Handlers:
        return {
            MessagePublished: self._published,
            MessageDelivered: self._delivered,
            MessageValidated: self._validated,
            ProofVerified: self._verified,
        }

    def _published(self, event: MessagePublished) -> None:
        if event.spam is not None and not is_opponents(event.spam):
            self._kinds[event.spam].published += 1
            self._publishers.add(event.node)

    def _delivered(self, event: MessageDelivered) -> None:
        message = self._book.get(event.message)
        if message is not None and message.spam is not None and not is_opponents(message.spam):
            kind = self._kinds[message.spam]
            kind.delivered += 1
            kind.first_hop += event.peer == message.author

    def _validated(self, event: MessageValidated) -> None:
        message = self._book.get(event.message)
        if message is None or message.spam is None or is_opponents(message.spam):
            return
        kind = self._kinds[message.spam]
        if event.verdict == "accept":
            kind.accepted += 1
        elif event.verdict == "reject":
            kind.rejected[event.reason] += 1
            kind.rejected_by.add(event.node)
        else:
            kind.ignored[event.reason] += 1

    def _verified(self, event: ProofVerified) -> None:
        if event.spam is not None and not is_opponents(event.spam):
            self._kinds[event.spam].verify_cost[event.node] += event.cost

    def block(self) -> dict[str, object]:
        """The summary's `byzantine`: totals over all kinds but plain copies, then each kind."""
        invalid = [kind for name, kind in self._kinds.items() if name != "copy"]
        return {
            "publishers": len(self._publishers),
            "invalid_published": sum(kind.published for kind in invalid),
            "invalid_accepted": sum(kind.accepted for kind in invalid),
            "by_kind": {name: self._figures(kind) for name, kind in sorted(self._kinds.items())},
        }

    def _figures(self, kind: Kind) -> dict[str, object]:
        honest = sum(cost for node, cost in kind.verify_cost.items() if node not in self._publishers)
        return {
            "published": kind.published,
            "delivered": kind.delivered,
            "first_hop_share": ratio(kind.first_hop, kind.delivered),
            "accepted": kind.accepted,
            "ignored": dict(sorted(kind.ignored.items())),
            "rejected": dict(sorted(kind.rejected.items())),
            "rejected_by": len(kind.rejected_by),
            "honest_verify_ms": ms(honest),
        }
