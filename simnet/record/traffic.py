"""Upstream's traffic figures: publications, deliveries, replay guard, propagation, probes."""

from collections import Counter, defaultdict

from simnet.base.units import from_ms
from simnet.events import FaultInjected, Handlers, MessageDelivered, MessagePublished, MessageValidated
from simnet.events.run_info import RunInfo
from simnet.record.messages import TX_KINDS, MessageBook, components
from simnet.record.stats import p50_p95_ms, quantiles_ms, ratio, rounded

LATE_REPAIR = from_ms(5_000)
"""A repair that arrives later than this after publication is reported apart from propagation."""
CLASSES = ("trusted", "untrusted")
PROBES = {"block": "block_probe", "transaction": "transaction_probe"}


class TrafficCollector:
    """Counts and delays of everything on the transaction topic.

    Delays of byzantine copies are left out: they are stopped at the first hop and would flatter the figures.
    Late repairs (more than 5 s after publication, or after the end of a partition or of a churn of one of the
    link's ends that fell between publication and delivery) measure faults, not the network: reported apart,
    with what their receivers then passed on.
    """

    def __init__(self, info: RunInfo, book: MessageBook) -> None:
        self._info = info
        self._book = book
        self.publishes = 0
        self.receives = 0
        self.duplicates = 0
        self._receives_by_class: Counter[str] = Counter()
        self._drops_by_class: Counter[str] = Counter()
        self._delays: list[int] = []
        self._delays_by_class: dict[str, list[int]] = defaultdict(list)
        self._delays_by_probe: dict[str, list[int]] = defaultdict(list)
        self._delays_by_regions: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._delays_by_kind: dict[str, list[int]] = defaultdict(list)
        self._late: list[int] = []
        self._late_at: dict[int, int] = {}
        """By message a bit set of the nodes that got it late."""
        self._contents: Counter[str] = Counter()
        self._replays: Counter[str] = Counter()
        self._healed_at = -1
        self._rejoined_at = [-1] * info.nodes

    @property
    def handlers(self) -> Handlers:
        return {
            MessagePublished: self._published,
            MessageDelivered: self._delivered,
            MessageValidated: self._validated,
            FaultInjected: self._fault,
        }

    def _published(self, event: MessagePublished) -> None:
        if event.kind in TX_KINDS:
            self.publishes += 1

    def _delivered(self, event: MessageDelivered) -> None:
        if event.kind not in TX_KINDS:
            self._delays_by_kind[event.kind].append(event.at - event.published_at)
            return
        group = self._info.classes[event.peer]
        self.receives += 1
        self._receives_by_class[group] += 1
        if self._book.again:
            self.duplicates += 1
            self._drops_by_class[group] += 1
        self._delay(event, group)

    def _delay(self, event: MessageDelivered, group: str) -> None:
        message = self._book.get(event.message)
        if message is None or message.spam is not None:
            return
        delay = event.at - event.published_at
        if self._is_late(event, delay):
            self._late.append(delay)
            self._late_at[event.message] = self._late_at.get(event.message, 0) | 1 << event.node
            return
        self._delays.append(delay)
        self._delays_by_class[group].append(delay)
        self._delays_by_kind[event.kind].append(delay)
        regions = self._info.regions
        self._delays_by_regions[regions[message.author], regions[event.node]].append(delay)
        if event.kind != "transaction":
            self._delays_by_probe[event.kind].append(delay)

    def _is_late(self, event: MessageDelivered, delay: int) -> bool:
        if not event.repaired:
            return bool(self._late_at.get(event.message, 0) >> event.peer & 1)
        reconnected = max(self._healed_at, self._rejoined_at[event.node], self._rejoined_at[event.peer])
        return delay > LATE_REPAIR or reconnected > event.published_at

    def _validated(self, event: MessageValidated) -> None:
        """What a node said of a transfer: `replay` is content that it had verified or was verifying already."""
        message = self._book.get(event.message)
        if message is not None and message.kind == "transaction":
            group = self._info.classes[event.peer]
            self._contents[group] += 1
            self._replays[group] += event.reason == "replay"

    def _fault(self, event: FaultInjected) -> None:
        if event.kind == "partition_end":
            self._healed_at = event.at
        elif event.kind in ("churn_up", "crash_up"):
            self._rejoined_at[int(event.detail.removeprefix("node:"))] = event.at

    # --- upstream's fields -----------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """`chunk_retries` counts the same as `duplicates`, as upstream's does."""
        return {
            "total_publishes": self.publishes,
            "total_receives": self.receives,
            "duplicates": self.duplicates,
            "chunk_retries": self.duplicates,
        }

    def replay_guard(self) -> dict[str, dict[str, float]] | None:
        if not self.receives:
            return None
        drops = {group: self._drops_by_class[group] for group in CLASSES}
        fill = {group: ratio(drops[group], self._receives_by_class[group]) or 0.0 for group in CLASSES}
        return {"drops_by_class": dict(drops), "window_fill_ratio_by_class": fill}

    def propagation(self) -> dict[str, float | None]:
        return p50_p95_ms(self._delays)

    def propagation_by_peer_class(self) -> dict[str, dict[str, float | None]] | None:
        found = {group: p50_p95_ms(self._delays_by_class[group]) for group in CLASSES if self._delays_by_class[group]}
        return found or None

    def propagation_probes(self, backend: str | None) -> dict[str, object] | None:
        found: dict[str, object] = {
            name: p50_p95_ms(self._delays_by_probe[kind]) for name, kind in PROBES.items() if self._delays_by_probe[kind]
        }
        return {**found, "backend": backend} if found else None

    # --- ours --------------------------------------------------------------------------------------

    def detail(self) -> dict[str, object]:
        """Propagation by message kind and by pair of regions, late repairs, coverage."""
        by_regions: dict[str, dict[str, object]] = {}
        for (source, target), delays in sorted(self._delays_by_regions.items()):
            by_regions.setdefault(source, {})[target] = quantiles_ms(delays)
        return {
            "content_replays": {group: self._content_replays(group) for group in CLASSES},
            "coverage": self._coverage(),
            "late_repairs": {"count": len(self._late), "delay_ms": quantiles_ms(self._late)},
            "propagation_by_kind_ms": {kind: quantiles_ms(d) for kind, d in sorted(self._delays_by_kind.items())},
            "propagation_by_region_ms": by_regions,
        }

    def _content_replays(self, group: str) -> dict[str, object]:
        judged, replays = self._contents[group], self._replays[group]
        return {"judged": judged, "replays": replays, "ratio": ratio(replays, judged)}

    def _coverage(self) -> dict[str, object]:
        """Honest publications on the transaction topic: nodes reached ÷ nodes reachable in the starting topology."""
        parts = components(self._info)
        delivered: Counter[str] = Counter()
        reachable: Counter[str] = Counter()
        for message_id, message in self._book.items():
            if message.kind not in TX_KINDS or message.spam is not None:
                continue
            seen = self._book.holders(message_id)
            for node, region in enumerate(self._info.regions):
                if node != message.author and parts[node] == parts[message.author]:
                    reachable[region] += 1
                    delivered[region] += seen >> node & 1
        regions = {region: ratio(delivered[region], reachable[region]) for region in sorted(set(self._info.regions))}
        total = sum(reachable.values())
        return {
            "delivered": sum(delivered.values()),
            "reachable": total,
            "ratio": rounded(sum(delivered.values()) / total) if total else None,
            "by_region": regions,
        }
