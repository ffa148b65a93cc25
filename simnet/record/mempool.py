"""Mempool and wallet figures."""

from collections import Counter
from collections.abc import Mapping

from simnet.events import Handlers, PublicationSkipped, TransferLate, TransferStale, TxAdmitted, TxEvicted, TxRefused
from simnet.events.run_info import RunInfo
from simnet.record.stats import quantiles, quantiles_ms


class MempoolCollector:
    """Admissions, refusals and sizes; transfers that went stale or late; publications that did not happen."""

    def __init__(self, info: RunInfo) -> None:
        self._size = [0] * info.nodes
        self._max_size = [0] * info.nodes
        self._admitted = 0
        self._refused: Counter[str] = Counter()
        self._evicted: Counter[str] = Counter()
        self._stale = 0
        self._late: list[int] = []
        self._skipped: Counter[str] = Counter()

    @property
    def handlers(self) -> Handlers:
        return {
            TxAdmitted: self._admit,
            TxRefused: self._refuse,
            TxEvicted: self._evict,
            TransferStale: self._stale_transfer,
            TransferLate: self._late_transfer,
            PublicationSkipped: self._skip,
        }

    def _admit(self, event: TxAdmitted) -> None:
        self._admitted += 1
        self._size[event.node] += 1
        self._max_size[event.node] = max(self._max_size[event.node], self._size[event.node])

    def _refuse(self, event: TxRefused) -> None:
        self._refused[event.reason] += 1

    def _evict(self, event: TxEvicted) -> None:
        self._evicted[event.reason] += 1
        self._size[event.node] -= 1

    def _stale_transfer(self, event: TransferStale) -> None:
        self._stale += 1

    def _late_transfer(self, event: TransferLate) -> None:
        self._late.append(event.late_by)

    def _skip(self, event: PublicationSkipped) -> None:
        self._skipped[event.reason] += 1

    def block(self) -> dict[str, object]:
        """The summary's `mempool`; sizes are numbers of transactions, one figure a node."""
        return {
            "admitted": self._admitted,
            "refused": _sorted(self._refused),
            "evicted": _sorted(self._evicted),
            "size_max": max(self._max_size, default=0),
            "size_max_by_node": quantiles(self._max_size),
            "size_at_end_by_node": quantiles(self._size),
            "stale": self._stale,
            "late": len(self._late),
            "late_ms": quantiles_ms(self._late),
            "skipped": _sorted(self._skipped),
        }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
