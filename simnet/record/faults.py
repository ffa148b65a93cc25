"""Faults, mesh changes and recovery as upstream reports them, and what each fault did."""

from collections import Counter
from dataclasses import dataclass, field

from simnet.events import FaultInjected, MessageDelivered, PeerConnected, PeerDisconnected
from simnet.record.collector import Handlers
from simnet.record.finality import Finality
from simnet.record.messages import TX_TOPIC
from simnet.record.stats import ms, rounded
from simnet.record.wire import Wire
from simnet.run_info import RunInfo
from simnet.units import NodeId


@dataclass(slots=True)
class Window:
    """One partition, or one absence of one node."""

    kind: str
    detail: str
    start: int
    sides: tuple[frozenset[NodeId], frozenset[NodeId]]
    lost_before: Counter[str]
    end: int | None = None
    lost: Counter[str] = field(default_factory=Counter)
    resumed_at: int | None = None
    crossed_at: int | None = None


class Faults:
    """Attach after the wire's collector: a window's losses are the difference of that one's counters."""

    def __init__(self, info: RunInfo, wire: Wire) -> None:
        self._info = info
        self._wire = wire
        self._mesh: list[dict[str, object]] = []
        self._disconnects: Counter[str] = Counter()
        self._faults: list[dict[str, object]] = []
        self._kinds: Counter[str] = Counter()
        self._open: dict[tuple[str, str], Window] = {}
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
            MessageDelivered: self._delivered,
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
        if event.kind == "partition_start":
            self._pending = None
            self._begin(event, "partition", _partition_sides(self._info, event.detail))
        elif event.kind == "partition_end":
            self._pending = event.at
            self._finish(event, "partition")
        elif event.kind in ("churn_down", "crash_down"):
            node = frozenset({NodeId(int(event.detail.removeprefix("node:")))})
            self._begin(event, event.kind.removesuffix("_down"), (node, frozenset(map(NodeId, range(self._info.nodes))) - node))
        elif event.kind in ("churn_up", "crash_up"):
            self._finish(event, event.kind.removesuffix("_up"))

    def _begin(self, event: FaultInjected, kind: str, sides: tuple[frozenset[NodeId], frozenset[NodeId]]) -> None:
        window = Window(kind, event.detail, event.at, sides, Counter(self._wire.lost))
        self._open[kind, event.detail] = window
        self._windows.append(window)

    def _finish(self, event: FaultInjected, kind: str) -> None:
        window = self._open.pop((kind, event.detail), None)
        if window is None:
            return
        window.end = event.at
        window.lost = Counter(self._wire.lost) - window.lost_before
        self._healing.append(window)

    def _delivered(self, event: MessageDelivered) -> None:
        if self._pending is not None:
            self._resumes.append(event.at - self._pending)
            self._pending = None
        if self._healing:
            self._healing = [window for window in self._healing if not _healed(window, event)]

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

    def effects(self, finality: Finality, end: int) -> list[dict[str, object]]:
        """One entry per partition, churn or crash window, in the order of their starts; `end` closes the open ones."""
        return [self._effect(window, finality, end) for window in self._windows]

    def _effect(self, window: Window, finality: Finality, end: int) -> dict[str, object]:
        closed = window.end if window.end is not None else end
        lost = window.lost if window.end is not None else Counter(self._wire.lost) - window.lost_before
        return {
            "kind": window.kind,
            "detail": window.detail,
            "start_ms": ms(window.start),
            "end_ms": ms(closed),
            "ended": window.end is not None,
            "copies_lost": dict(sorted(lost.items())),
            "blocks_committed": finality.commits_within(window.start, closed),
            "longest_finality_gap_ms": ms(finality.longest_gap(window.start, closed, end)),
            "resume_latency_ms": None if window.resumed_at is None else ms(window.resumed_at - closed),
            "first_crossing_ms": None if window.crossed_at is None else ms(window.crossed_at - closed),
        }


def _healed(window: Window, event: MessageDelivered) -> bool:
    """Notes what a delivery says about a finished window; True when nothing more is to be learnt."""
    one, other = window.sides
    crossed = (event.node in one and event.peer in other) or (event.node in other and event.peer in one)
    if window.resumed_at is None and (window.kind == "partition" or event.node in one):
        window.resumed_at = event.at
    if window.crossed_at is None and crossed:
        window.crossed_at = event.at
    return window.resumed_at is not None and window.crossed_at is not None


def _partition_sides(info: RunInfo, detail: str) -> tuple[frozenset[NodeId], frozenset[NodeId]]:
    """The nodes of both groups of `A-B`; region names may contain hyphens themselves."""
    known = set(info.regions)
    pieces = detail.split("-")
    for cut in range(1, len(pieces)):
        one, other = "-".join(pieces[:cut]), "-".join(pieces[cut:])
        if one in known and other in known:
            return _members(info, one), _members(info, other)
    return frozenset(), frozenset()


def _members(info: RunInfo, region: str) -> frozenset[NodeId]:
    return frozenset(NodeId(node) for node, name in enumerate(info.regions) if name == region)
