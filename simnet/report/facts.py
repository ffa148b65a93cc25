"""The figures at the head of a report, out of the runs' summaries."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from simnet.report.reads import Circuit, Finality, ReportedSummary

Figure = Callable[[ReportedSummary], float | None]


def _proofs(count: Callable[[Circuit], int]) -> Figure:
    def figure(summary: ReportedSummary) -> float | None:
        rows = [row for circuits in summary.proofs.values() for row in circuits.values()]
        return None if summary.simnet.network_only else sum(map(count, rows))

    return figure


def _final(figure: Callable[[Finality], float | None]) -> Figure:
    """Of a run with a chain."""
    return lambda summary: None if summary.finality is None or summary.simnet.network_only else figure(summary.finality)


NETWORK: tuple[tuple[str, str, Figure], ...] = (
    ("nodes", "", lambda summary: summary.simnet.nodes),
    ("virtual length", "s", lambda summary: summary.simnet.end_ms / 1000),
    ("publications", "", lambda summary: summary.total_publishes),
    ("first receptions", "", lambda summary: summary.total_receives),
    ("propagation, median", "ms", lambda summary: summary.propagation.p50_ms),
    ("propagation, 95 %", "ms", lambda summary: summary.propagation.p95_ms),
)
CHAIN: tuple[tuple[str, str, Figure], ...] = (
    ("height", "", _final(lambda found: found.height_max)),
    ("blocks proven", "", _final(lambda found: found.blocks_proven)),
    ("transfers committed", "", _final(lambda found: found.transactions)),
    ("proposal to commit, median", "ms", _final(lambda found: found.committed_ms.p50)),
    ("proposal to proven, median", "ms", _final(lambda found: found.proven_ms.p50)),
    ("longest finality gap", "ms", _final(lambda found: found.longest_gap_ms)),
    ("largest mempool", "", lambda summary: None if summary.mempool is None or summary.simnet.network_only else summary.mempool.size_max),
    ("proofs made", "", _proofs(lambda row: row.made)),
    ("proofs verified", "", _proofs(lambda row: row.verified)),
    ("proofs refused", "", _proofs(lambda row: row.rejected_total)),
)


def facts(groups: Sequence[Sequence[ReportedSummary]]) -> list[dict[str, Any]]:
    """`name`, `unit`, and for each group `[median, lowest, highest]` over its runs, or null where none has it."""
    network_only = all(summary.simnet.network_only for group in groups for summary in group)
    wanted = NETWORK if network_only else (*NETWORK, *CHAIN)
    return [{"name": name, "unit": unit, "values": [_spread(group, figure) for group in groups]} for name, unit, figure in wanted]


def _spread(group: Sequence[ReportedSummary], figure: Figure) -> list[float] | None:
    found = [value for summary in group if (value := figure(summary)) is not None]
    return [median(found), min(found), max(found)] if found else None
