"""Clocks that were wrong, and messages that came too early or too late because of it."""

from collections import Counter

from simnet.base.units import NodeId
from simnet.events import ClockSkewed, Handlers, Untimely
from simnet.record.stats import ms


class ClocksCollector:
    """Part of `simnet.node_faults`."""

    def __init__(self) -> None:
        self._largest: dict[NodeId, int] = {}
        self._untimely: Counter[tuple[str, str]] = Counter()
        self._by_max = 0

    @property
    def handlers(self) -> Handlers:
        return {ClockSkewed: self._skewed, Untimely: self._on_untimely}

    def _skewed(self, event: ClockSkewed) -> None:
        self._largest[event.node] = max(self._largest.get(event.node, 0), event.error, key=abs)

    def _on_untimely(self, event: Untimely) -> None:
        self._untimely[event.outcome, event.kind] += 1
        self._by_max = max(self._by_max, event.by)

    def conduct(self) -> dict[str, object]:
        if not self._largest:
            return {}
        outcomes: dict[str, dict[str, int]] = {"kept": {}, "refused": {}, "late": {}}
        for (outcome, kind), count in sorted(self._untimely.items()):
            outcomes[outcome][kind] = count
        return {
            "clock_skew": {
                "nodes": len(self._largest),
                "largest_ms": ms(max(self._largest.values(), key=abs)),
                **outcomes,
                "untimely_by_ms_max": ms(self._by_max),
            }
        }
