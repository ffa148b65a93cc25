"""What a report takes out of one run: aggregates only, so that the next run's frames find room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simnet.base import codes
from simnet.record.readback import RunRecord
from simnet.report import faults, proofs, propagation, reads, replay, timeline, topology, verdicts
from simnet.report.axis import Axis, Floats, Series
from simnet.report.incidents import incidents
from simnet.report.reads import ReportedSummary
from simnet.runs.finished import FinishedRun

ENDED = {
    codes.HELD: "everything held",
    codes.FAILED: "something failed",
    codes.USAGE: "it broke off",
    codes.NOTHING_RAN: "nothing ran",
    codes.INTERRUPTED: "it was interrupted",
}


@dataclass(frozen=True)
class Part:
    """One run's share of a report."""

    folder: str
    exit_code: int
    record: RunRecord
    summary: ReportedSummary
    series: Mapping[str, Sequence[Series]]
    curves: dict[str, dict[str, Floats]]
    boxes: dict[str, dict[str, list[float]]]
    rows: Sequence[verdicts.Row]
    judged: bool
    """Whether the analyzer was asked."""
    own: dict[str, Any]
    """What the page shows of this run alone, when it is chosen."""
    stage: dict[str, Any]
    """Topology and replay: the largest share by far."""


def part_of(run: FinishedRun, summary: ReportedSummary, axis: Axis) -> Part:
    """Raises `OutputError` where a file of the run is missing or spoiled."""
    record, rules, frames = reads.record_of(run), reads.verdicts_of(run), run.frames
    ours = summary.simnet
    series = _within(timeline.charts(frames, axis, network_only=ours.network_only), axis, ours.end_ms)
    peaks = {rule.metric: at for rule in rules or () if (at := moment(rule.metric, summary, series, axis)) is not None}
    own = {
        "bands": faults.bands(ours.fault_effects),
        "faults": faults.table(ours.fault_effects),
        "incidents": incidents(frames, axis, ours.violations),
        "rejected": [] if ours.network_only else proofs.rejected(frames),
    }
    stage = {
        "topology": topology.topology(frames, ours.end_ms),
        "messages": replay.messages(frames),
        "views": replay.views(frames, ours.end_ms, network_only=ours.network_only),
    }
    return Part(
        folder=run.folder.resolve().name,
        exit_code=run.exit_code,
        record=record,
        summary=summary,
        series=series,
        curves=propagation.curves(propagation.delays(frames)),
        boxes={} if ours.network_only else proofs.boxes(frames),
        rows=verdicts.rows(summary, rules, peaks),
        judged=rules is not None,
        own=own,
        stage=stage,
    )


def moment(metric: str, summary: ReportedSummary, series: Mapping[str, Sequence[Series]], axis: Axis) -> float | None:
    """When a figure of the summary was reached, for those that have a moment."""
    chart = {"finality.longest_gap_ms": "gap", "finality.gap_ms.max": "gap", "mempool.size_max": "mempool"}.get(metric)
    if chart is not None and series.get(chart):
        high = series[chart][0].high
        return None if np.isnan(high).all() else float(np.nanargmax(high) * axis.step_ms)
    effects = summary.simnet.fault_effects
    if metric.startswith("recovery."):
        return next((effect.end_ms for effect in effects if effect.kind == "partition"), None)
    head, _, rest = metric.partition("simnet.fault_effects.")
    number = rest.partition(".")[0]
    return effects[int(number)].end_ms if not head and number.isdecimal() and int(number) < len(effects) else None


def _within(charts: Mapping[str, list[Series]], axis: Axis, end_ms: float) -> dict[str, list[Series]]:
    """The series without what follows the run's end: another run of the report may be longer."""
    over = np.arange(axis.bins) > axis.bin_of(end_ms)

    def cut(values: Floats) -> Floats:
        return np.where(over, np.nan, values)

    return {key: [Series(s.name, cut(s.mid), cut(s.low), cut(s.high)) for s in found] for key, found in charts.items()}
