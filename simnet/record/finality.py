"""When blocks became final: committed by votes, and proven by a quorum that holds their consensus proof."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from simnet.base.units import NodeId
from simnet.events import BlockCommitted, BlockProven, Handlers, Proposed, TrafficStarted
from simnet.events.run_info import RunInfo
from simnet.record.stats import ms, quantiles_ms


@dataclass(slots=True)
class Block:
    """One block that some node committed."""

    height: int
    backend: str
    tx_count: int
    proposed_at: int
    first_commit: int
    voted: list[int] = field(default_factory=list)
    """Latency from proposal to commit at each node that voted it in."""
    proven_by: set[NodeId] = field(default_factory=set)
    proven_stake: int = 0
    proven_at: int | None = None
    """When nodes with more than two thirds of the stake held its proof."""


class FinalityCollector:
    """Latencies and gaps of finality. A block counts as committed from its first commit at any node."""

    def __init__(self, info: RunInfo) -> None:
        self._info = info
        self._total_stake = sum(info.stakes)
        self._blocks: dict[str, Block] = {}
        self._early: dict[str, list[BlockProven]] = defaultdict(list)
        self._height_of: Counter[NodeId] = Counter()
        self._caught_up = 0
        self._proposals: Counter[str] = Counter()
        self._started = 0

    @property
    def handlers(self) -> Handlers:
        return {
            TrafficStarted: self._traffic_started,
            Proposed: self._proposed,
            BlockCommitted: self._committed,
            BlockProven: self._proven,
        }

    def _traffic_started(self, event: TrafficStarted) -> None:
        self._started = event.at

    def _proposed(self, event: Proposed) -> None:
        self._proposals[event.backend] += 1

    def _committed(self, event: BlockCommitted) -> None:
        block = self._blocks.get(event.block)
        if block is None:
            block = Block(event.height, event.backend, event.tx_count, event.proposed_at, event.at)
            self._blocks[event.block] = block
        self._height_of[event.node] = max(self._height_of[event.node], event.height)
        if event.caught_up:
            self._caught_up += 1
        else:
            block.voted.append(event.at - event.proposed_at)
        for early in self._early.pop(event.block, ()):
            self._proven(early)

    def _proven(self, event: BlockProven) -> None:
        block = self._blocks.get(event.block)
        if block is None:
            self._early[event.block].append(event)
            return
        if event.node in block.proven_by:
            return
        block.proven_by.add(event.node)
        block.proven_stake += self._info.stakes[event.node]
        if block.proven_at is None and 3 * block.proven_stake > 2 * self._total_stake:
            block.proven_at = event.at

    # --- answers -------------------------------------------------------------------------------------

    def commit_times(self) -> list[int]:
        """First commit of each height, ascending in time."""
        first: dict[int, int] = {}
        for block in self._blocks.values():
            first[block.height] = min(first.get(block.height, block.first_commit), block.first_commit)
        return sorted(first.values())

    def commits_within(self, start: int, end: int) -> int:
        return sum(start <= at < end for at in self.commit_times())

    def longest_gap(self, start: int, end: int, run_end: int) -> int:
        """The longest stretch without a commit that overlaps [start, end), the ends of the run counted."""
        marks = [self._started, *self.commit_times(), max(run_end, self._started)]
        return max((b - a for a, b in pairwise(marks) if a < end and b > start), default=0)

    def block(self, backends: tuple[str, ...], end: int) -> dict[str, object]:
        """The summary's `finality`; `end` is the run's last instant."""
        blocks = list(self._blocks.values())
        heights = Counter(block.height for block in blocks)
        times = self.commit_times()
        return {
            "height_max": max(self._height_of.values(), default=0),
            "height_min": min((self._height_of[NodeId(n)] for n in range(self._info.nodes)), default=0),
            **_figures(blocks),
            "proposals": sum(self._proposals.values()),
            "caught_up": self._caught_up,
            "conflicting_heights": sum(count > 1 for count in heights.values()),
            "gap_ms": quantiles_ms([b - a for a, b in pairwise(times)]),
            "longest_gap_ms": ms(self.longest_gap(self._started, end, end)),
            "by_backend": {
                name: {**_figures([b for b in blocks if b.backend == name]), "proposals": self._proposals[name]} for name in backends
            },
        }


def _figures(blocks: list[Block]) -> dict[str, object]:
    proven = [block.proven_at - block.proposed_at for block in blocks if block.proven_at is not None]
    return {
        "blocks": len(blocks),
        "blocks_proven": len(proven),
        "blocks_not_proven": len(blocks) - len(proven),
        "transactions": sum(block.tx_count for block in blocks),
        "committed_ms": quantiles_ms([latency for block in blocks for latency in block.voted]),
        "proven_ms": quantiles_ms(proven),
    }
