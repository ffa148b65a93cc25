"""What byzantine nodes did, by kind: how often, what became of it, and what they achieved."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from simnet.base.units import NodeId
from simnet.events import (
    BlockCommitted,
    DoubleSignFound,
    Handlers,
    MessageDelivered,
    MessagePublished,
    MessageValidated,
    OpponentActed,
    TxAdmitted,
    TxEvicted,
)

ANSWERS = {"ignore": "ignored", "reject": "rejected", "drop": "dropped"}


@dataclass(slots=True)
class Kind:
    """One kind of opponent."""

    nodes: set[NodeId] = field(default_factory=set)
    acted: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    delivered: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in ANSWERS.values()})
    subjects: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By what was done."""


class OpponentsCollector:
    """Follows each message of an opponent to every node's answer, and blocks and transfers to the chain."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = defaultdict(Kind)
        self._messages: dict[int, tuple[str, str]] = {}
        self._sizes: dict[int, int] = {}
        self._blocks: set[str] = set()
        self._admitted: set[str] = set()
        self._settled: set[str] = set()
        self._double_signs: set[tuple[NodeId, int, int]] = set()

    @property
    def handlers(self) -> Handlers:
        return {
            MessagePublished: self._published,
            OpponentActed: self._acted,
            MessageDelivered: self._delivered,
            MessageValidated: self._validated,
            BlockCommitted: self._committed,
            TxAdmitted: self._on_admitted,
            TxEvicted: self._on_evicted,
            DoubleSignFound: self._found,
        }

    def _published(self, event: MessagePublished) -> None:
        if event.spam is not None:
            self._sizes[event.message] = event.bytes

    def _acted(self, event: OpponentActed) -> None:
        kind = self._kinds[event.kind]
        kind.nodes.add(event.node)
        kind.acted[event.what] += 1
        if event.subject:
            kind.subjects[event.what].append(event.subject)
        if event.message >= 0:
            self._messages[event.message] = (event.kind, event.what)
            kind.bytes += self._sizes.pop(event.message, 0)

    def _delivered(self, event: MessageDelivered) -> None:
        known = self._messages.get(event.message)
        if known is not None:
            self._kinds[known[0]].delivered += 1

    def _validated(self, event: MessageValidated) -> None:
        known = self._messages.get(event.message)
        if known is None:
            return
        kind = self._kinds[known[0]]
        if event.verdict == "accept":
            kind.accepted[known[1]] += 1
        else:
            kind.answers[ANSWERS[event.verdict]][event.reason] += 1

    def _committed(self, event: BlockCommitted) -> None:
        self._blocks.add(event.block)

    def _on_admitted(self, event: TxAdmitted) -> None:
        self._admitted.add(event.tx)

    def _on_evicted(self, event: TxEvicted) -> None:
        if event.reason == "committed":
            self._settled.add(event.tx)

    def _found(self, event: DoubleSignFound) -> None:
        self._double_signs.add((event.validator, event.height, event.slot))

    # --- answers -------------------------------------------------------------------------------------

    def conduct(self) -> dict[str, object]:
        """Parts of `simnet.node_faults`, by kind."""
        return {name: self._figures(name, kind) for name, kind in sorted(self._kinds.items())}

    def _figures(self, name: str, kind: Kind) -> dict[str, object]:
        return {
            "nodes": sorted(kind.nodes),
            "acted": dict(sorted(kind.acted.items())),
            "bytes": kind.bytes,
            "delivered": kind.delivered,
            "accepted": dict(sorted(kind.accepted.items())),
            **{answer: dict(sorted(reasons.items())) for answer, reasons in kind.answers.items()},
            "double_signs": sum(validator in kind.nodes for validator, _, _ in self._double_signs),
            **self._achieved(name, kind),
        }

    def _achieved(self, name: str, kind: Kind) -> dict[str, object]:
        if name == "invalid_blocks":
            return {"committed": sum(s in self._blocks for subjects in kind.subjects.values() for s in subjects)}
        if name == "double_spend":
            pairs = list(zip(kind.subjects["first"], kind.subjects["second"], strict=False))
            return {
                "pairs": len(pairs),
                "both_admitted": sum(set(pair) <= self._admitted for pair in pairs),
                "one_committed": sum(bool(set(pair) & self._settled) for pair in pairs),
                "both_committed": sum(set(pair) <= self._settled for pair in pairs),
            }
        return {}
