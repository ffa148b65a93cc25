"""Faults, mesh changes and recovery as upstream reports them, and what each fault did."""

from collections import Counter
from dataclasses import dataclass, field

from simnet.base.units import NodeId
from simnet.events import (
    Equivocated,
    FaultActed,
    FaultInjected,
    Handlers,
    MessageDelivered,
    MessageLost,
    PeerConnected,
    PeerDisconnected,
    ServiceResumed,
    Untimely,
    Withheld,
)
from simnet.events.network import TX_TOPIC
from simnet.events.run_info import RunInfo
from simnet.record.finality import FinalityCollector
from simnet.record.messages import MessageBook
from simnet.record.stats import ms, rounded
from simnet.record.wire import WireCollector

LOSSES = {"partition": "link_down", "churn": "link_down", "crash": "link_down", "one_way": "one_way", "flapping": "flapping",
          "corrupt": "corrupt"}  # fmt: skip
"""What a copy's loss to a fault is called, by the fault's kind."""
SPAM = "byzantine_spam"


@dataclass(slots=True)
class Window:
    """One fault: from its beginning to its end, at one place."""

    kind: str
    detail: str
    start: int
    sides: tuple[frozenset[NodeId], frozenset[NodeId]]
    """Between which nothing, or less, passes; for a fault of a node that node and the others. Both empty: unknown."""
    both_ways: bool
    lost_before: Counter[str]
    end: int | None = None
    lost: Counter[str] = field(default_factory=Counter)
    did: Counter[str] = field(default_factory=Counter)
    resumed_at: int | None = None
    crossed_at: int | None = None

    def lies_between(self, source: NodeId, target: NodeId) -> bool:
        one, other = self.sides
        return (source in one and target in other) or (self.both_ways and source in other and target in one)


class FaultsCollector:
    """Attach after the wire's collector: a window's losses are the difference of that one's counters."""

    def __init__(self, info: RunInfo, wire: WireCollector, book: MessageBook) -> None:
        self._info = info
        self._wire = wire
        self._book = book
        self._mesh: list[dict[str, object]] = []
        self._disconnects: Counter[str] = Counter()
        self._faults: list[dict[str, object]] = []
        self._kinds: Counter[str] = Counter()
        self._open: dict[tuple[str, str], list[Window]] = {}
        self._healing: list[Window] = []
        self._windows: list[Window] = []
        self._pending: int | None = None
        self._resumes: list[int] = []

    @property
    def handlers(self) -> Handlers:
        return {
            PeerConnected: self._connected,
            PeerDisconnected: self._disconnected,
            FaultInjected: self._fault,
            FaultActed: self._acted,
            MessageDelivered: self._delivered,
            MessageLost: self._lost_copy,
            Equivocated: self._misbehaved,
            Withheld: self._misbehaved,
            Untimely: self._untimely,
            ServiceResumed: self._resumed,
        }

    def _connected(self, event: PeerConnected) -> None:
        self._mesh.append(
            {
                "node": self._info.peer_ids[event.node],
                "peer": self._info.peer_ids[event.peer],
                "topic": TX_TOPIC,
                "action": "subscribe",
                "timestamp_ms": ms(event.at),
            }
        )

    def _disconnected(self, event: PeerDisconnected) -> None:
        self._disconnects[event.why] += 1

    def _fault(self, event: FaultInjected) -> None:
        self._faults.append({"kind": event.kind, "detail": event.detail or None, "timestamp_ms": ms(event.at)})
        self._kinds[event.kind] += 1
        if event.kind in ("partition_start", "partition_end"):
            self._pending = event.at if event.kind == "partition_end" else None
        kind, step = event.edge
        if step:
            (self._begin if step > 0 else self._finish)(event, kind)
        if event.kind == SPAM:
            self._spammed(event)

    def _begin(self, event: FaultInjected, kind: str) -> None:
        sides, both_ways = _sides(self._info, kind, event.detail)
        window = Window(kind, event.detail, event.at, sides, both_ways, Counter(self._wire.lost))
        if LOSSES.get(kind) == "link_down":
            window.did["copies_lost"] = 0
        self._open.setdefault((kind, event.detail), []).append(window)
        self._windows.append(window)

    def _finish(self, event: FaultInjected, kind: str) -> None:
        windows = self._open.get((kind, event.detail))
        if not windows:
            return
        window = windows.pop(0)  # of two alike the first to begin; which of them ends makes no difference
        window.end = event.at
        window.lost = Counter(self._wire.lost) - window.lost_before
        self._healing.append(window)

    def _spammed(self, event: FaultInjected) -> None:
        """A byzantine publisher's window goes from its first spammed publication to its last."""
        (window,) = self._open.get((SPAM, event.detail)) or (None,)
        if window is None:
            window = Window("byzantine", event.detail, event.at, *_sides(self._info, "byzantine", event.detail), Counter(self._wire.lost))
            self._open[SPAM, event.detail] = [window]
            self._windows.append(window)
        window.end, window.lost = event.at, Counter(self._wire.lost) - window.lost_before
        window.did["publications_spammed"] += 1

    # --- what each of them does ------------------------------------------------------------------

    def _now(self, *kinds: str) -> list[Window]:
        """The open windows of some kinds."""
        return [window for windows in self._open.values() for window in windows if window.kind in kinds]

    def _acted(self, event: FaultActed) -> None:
        for window in self._open.get((event.kind, event.detail), ())[:1]:
            window.did["copies"] += event.copies

    def _lost_copy(self, event: MessageLost) -> None:
        for window in self._now(*LOSSES) if self._open else ():
            if LOSSES[window.kind] == event.reason and window.lies_between(event.node, event.peer):
                window.did["copies_lost"] += 1

    def _misbehaved(self, event: Equivocated | Withheld) -> None:
        kind = "equivocation" if isinstance(event, Equivocated) else "withholding"
        self._of_node(kind, event.node, event.what)

    def _untimely(self, event: Untimely) -> None:
        for window in self._now("clock_skew"):
            window.did[f"messages_{event.outcome}"] += 1

    def _resumed(self, event: ServiceResumed) -> None:
        self._of_node("service_stop", event.node, "jobs_waiting", event.waiting)

    def _of_node(self, kind: str, node: NodeId, what: str, count: int = 1) -> None:
        for window in self._now(kind):
            if window.detail == f"node:{node}":
                window.did[what] += count

    def _delivered(self, event: MessageDelivered) -> None:
        if self._pending is not None:
            self._resumes.append(event.at - self._pending)
            self._pending = None
        if self._healing:
            message = self._book.get(event.message)
            first = not self._book.again and (message is None or message.spam is None)
            self._healing = [window for window in self._healing if not _healed(window, event, first)]

    # --- upstream's fields -----------------------------------------------------------------------

    def mesh_changes(self) -> list[dict[str, object]]:
        return self._mesh

    def faults(self) -> list[dict[str, object]]:
        return self._faults

    def recovery(self, chunk_retries: int) -> dict[str, object] | None:
        if not self._resumes and not chunk_retries:
            return None
        block: dict[str, object] = {"resume_latencies_ms": [ms(resume) for resume in self._resumes]}
        if self._resumes:
            block["max_resume_latency_ms"] = ms(max(self._resumes))
            block["mean_resume_latency_ms"] = rounded(sum(map(ms, self._resumes)) / len(self._resumes))
        return block

    # --- ours --------------------------------------------------------------------------------------

    def counts(self) -> dict[str, object]:
        return {
            "events": dict(sorted(self._kinds.items())),
            "links_down": dict(sorted(self._disconnects.items())),
        }

    def effects(self, finality: FinalityCollector, end: int) -> list[dict[str, object]]:
        """One entry for each fault that began, in that order; `end` closes the open ones."""
        return [self._effect(window, finality, end) for window in self._windows]

    def _effect(self, window: Window, finality: FinalityCollector, end: int) -> dict[str, object]:
        closed = window.end if window.end is not None else end
        lost = window.lost if window.end is not None else Counter(self._wire.lost) - window.lost_before
        return {
            "kind": window.kind,
            "detail": window.detail,
            "start_ms": ms(window.start),
            "end_ms": ms(closed),
            "ended": window.end is not None,
            "did": dict(sorted(window.did.items())),
            "copies_lost": dict(sorted(lost.items())),
            "blocks_committed": finality.commits_within(window.start, closed),
            "longest_finality_gap_ms": ms(finality.longest_gap(window.start, closed, end)),
            "resume_latency_ms": None if window.resumed_at is None else ms(window.resumed_at - closed),
            "first_crossing_ms": None if window.crossed_at is None else ms(window.crossed_at - closed),
        }


def _healed(window: Window, event: MessageDelivered, first: bool) -> bool:
    """Notes what a delivery says about a finished window; True when nothing more is to be learnt. Only a first reception of an
    honest message crosses: a copy of what the node had before does not show that anything new came over."""
    if window.resumed_at is None and (window.detail.partition(":")[0] != "node" or event.node in window.sides[0]):
        window.resumed_at = event.at
    if window.crossed_at is None and first and window.lies_between(event.peer, event.node):
        window.crossed_at = event.at
    return window.resumed_at is not None and window.crossed_at is not None


Sides = tuple[frozenset[NodeId], frozenset[NodeId]]


def _sides(info: RunInfo, kind: str, detail: str) -> tuple[Sides, bool]:
    """The nodes that a fault stands between, and whether in both directions."""
    everybody = frozenset(map(NodeId, range(info.nodes)))
    if detail.startswith("node:"):
        node = frozenset({NodeId(int(detail.removeprefix("node:")))})
        return (node, everybody - node), True
    if kind == "partition":
        return _partition_sides(info, detail), True
    for arrow in ("<->", "->"):
        one, found, other = detail.partition(arrow)
        if found:
            members = [everybody if region == "*" else _members(info, region) for region in (one, other)]
            return (members[0], members[1]), arrow == "<->"
    return (frozenset(), frozenset()), True


def _partition_sides(info: RunInfo, detail: str) -> tuple[frozenset[NodeId], frozenset[NodeId]]:
    """The nodes of both groups of `A-B` or `A,B-#3`; region names may contain hyphens themselves."""
    pieces = detail.split("-")
    for cut in range(1, len(pieces)):
        one, other = "-".join(pieces[:cut]), "-".join(pieces[cut:])
        sides = _group(info, one), _group(info, other)
        if all(sides):
            return sides
    return frozenset(), frozenset()


def _group(info: RunInfo, name: str) -> frozenset[NodeId]:
    """The nodes of a region, or of a list of regions and nodes; empty when it is neither."""
    if name in info.regions:
        return _members(info, name)
    found: set[NodeId] = set()
    for part in name.split(","):
        node = part.removeprefix("#")
        if part in info.regions:
            found |= _members(info, part)
        elif part.startswith("#") and node.isascii() and node.isdecimal() and int(node) < info.nodes:
            found.add(NodeId(int(node)))
        else:
            return frozenset()
    return frozenset(found)


def _members(info: RunInfo, region: str) -> frozenset[NodeId]:
    return frozenset(NodeId(node) for node, name in enumerate(info.regions) if name == region)
