"""The proofs that blocks carry: when blocks were aggregated, by whom, and what capacity it took; joins and uptime."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from simnet.base.units import NodeId
from simnet.events import BlockAggregated, BlockCommitted, BlockProving, Handlers, MessagePublished, ProofMade, WindowClosed
from simnet.events.run_info import RunInfo
from simnet.record.stats import quantiles, quantiles_ms, ratio

KINDS = ("transaction", "consensus", "block")
"""The three provers of a node: for transfers, for consensus proofs, for the other proofs of blocks."""


@dataclass(slots=True)
class Block:
    """One block that some node committed."""

    first_commit: int
    committed_at: dict[NodeId, int] = field(default_factory=dict)
    waited: list[int] = field(default_factory=list)
    """From commit to aggregate, at each node."""
    stake: int = 0
    aggregated_at: int | None = None
    """When nodes with more than two thirds of the stake had aggregated it."""
    backend: str = ""
    """Field of its first aggregate."""
    prover: NodeId | None = None


class AggregationCollector:
    """Latencies of aggregates, their provers, joins, heartbeats and the provers' load."""

    def __init__(self, info: RunInfo) -> None:
        self._info = info
        self._blocks: dict[str, Block] = {}
        self._starts: Counter[str] = Counter()
        self._taken_over = 0
        self._seen: set[int] = set()
        self._joins = self._logged = self._claims = self._published = 0
        self._windows: dict[int, dict[str, int]] = {}
        self._made: Counter[str] = Counter()
        self._busy: dict[tuple[str, str, NodeId], int] = defaultdict(int)

    @property
    def handlers(self) -> Handlers:
        return {
            BlockCommitted: self._committed,
            BlockProving: self._proving,
            BlockAggregated: self._aggregated,
            WindowClosed: self._closed,
            MessagePublished: self._message,
            ProofMade: self._proof,
        }

    def _committed(self, e: BlockCommitted) -> None:
        self._blocks.setdefault(e.block, Block(e.at)).committed_at[e.node] = e.at
        if e.height not in self._seen:
            self._seen.add(e.height)
            self._joins += e.joins
            self._logged += e.heartbeats
            self._claims += e.claims

    def _proving(self, e: BlockProving) -> None:
        self._starts[e.backend] += 1
        self._taken_over += e.rank > 0

    def _aggregated(self, e: BlockAggregated) -> None:
        block = self._blocks[e.block]
        if not block.waited:
            block.backend, block.prover = e.backend, e.prover
        block.waited.append(e.at - block.committed_at[e.node])
        block.stake += self._info.stakes[e.node]
        if block.aggregated_at is None and 3 * block.stake > 2 * sum(self._info.stakes):
            block.aggregated_at = e.at

    def _closed(self, e: WindowClosed) -> None:
        figures = {"height": e.height, "heartbeats": e.beats, "reached": e.reached, "missed": e.missed}
        self._windows.setdefault(e.window, {"window": e.window, **figures})

    def _message(self, e: MessagePublished) -> None:
        self._published += e.kind == "heartbeat"

    def _proof(self, e: ProofMade) -> None:
        kind = e.circuit if e.circuit in KINDS else "block"
        self._busy[e.backend, kind, e.node] += e.finished_at - e.started_at
        if kind == "block":
            self._made[e.circuit] += 1

    # --- answers -------------------------------------------------------------------------------------

    def block(self, backends: tuple[str, ...], end: int) -> dict[str, object]:
        """The summary's `aggregation`; `end` is the run's last instant."""
        blocks = list(self._blocks.values())
        provers = Counter(b.prover for b in blocks if b.prover is not None)
        return {
            **_figures(blocks),
            "by_backend": {
                name: {"started": self._starts[name], **_figures([b for b in blocks if b.backend == name])} for name in backends
            },
            "node_ms": quantiles_ms([waited for b in blocks for waited in b.waited]),
            "taken_over": self._taken_over,
            "provers": {f"node:{node}": provers[node] for node in sorted(provers)},
            "proofs": dict(sorted(self._made.items())),
            "joins": self._joins,
            "heartbeats": {"published": self._published, "logged": self._logged},
            "uptime_claims": self._claims,
            "uptime_windows": [self._windows[w] for w in sorted(self._windows)],
            "prover_load": {name: self._load(name, end) for name in backends},
        }

    def _load(self, backend: str, end: int) -> dict[str, object]:
        """Share of the run that each prover of the nodes with this backend was busy with it: quantiles over the nodes."""
        nodes = [NodeId(n) for n, names in enumerate(self._info.backends) if backend in names]
        return {kind: quantiles([ratio(self._busy[backend, kind, n], end) or 0.0 for n in nodes]) for kind in KINDS}


def _figures(blocks: list[Block]) -> dict[str, object]:
    waited = [b.aggregated_at - b.first_commit for b in blocks if b.aggregated_at is not None]
    return {"blocks": len(blocks), "blocks_aggregated": len(waited), "aggregated_ms": quantiles_ms(waited)}
