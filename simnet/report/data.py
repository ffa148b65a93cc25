"""All that a page shows of its runs, as one JSON value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simnet.base import codes
from simnet.base.errors import OutputError
from simnet.base.version import VERSION
from simnet.report import facts, library, merging, proofs, propagation, verdicts
from simnet.report.axis import Axis, Series, axis_for, whole
from simnet.report.groups import Group, groups
from simnet.report.part import ENDED, Part, part_of
from simnet.report.reads import summary_of
from simnet.report.timeline import CHARTS
from simnet.runs.finished import FinishedRun, load

RUNS_MAX = 100
"""Of one report."""
STAGES_MAX = 1_000_000
"""Values of all topologies and replays of a page; those of further runs are left out."""


def of_folders(folders: Sequence[Path]) -> dict[str, Any]:
    """The data of a report on these runs, in this order. Raises `OutputError`."""
    if len(folders) > RUNS_MAX:
        raise OutputError(f"{len(folders)} runs; a report shows at most {RUNS_MAX}")
    runs = [load(folder) for folder in folders]
    summaries = [summary_of(run) for run in runs]
    axis = axis_for(max(summary.simnet.end_ms for summary in summaries))
    return of_parts([part_of(_fresh(run), summary, axis) for run, summary in zip(runs, summaries, strict=True)], axis)


def _fresh(run: FinishedRun) -> FinishedRun:
    """The same run whose frames nobody else holds: they go when its part is made."""
    return FinishedRun(run.folder, run.exit_code, run.complete, run.stem)


def of_parts(parts: Sequence[Part], axis: Axis) -> dict[str, Any]:
    """The data of a report on runs that were taken apart."""
    found = groups([part.record for part in parts], [part.folder for part in parts])
    members = [[parts[number] for number in group.runs] for group in found]
    return {
        "simnet": VERSION,
        "library": f"{library.NAME} {library.VERSION}",
        "groups": [{"name": group.name, "runs": list(group.runs)} for group in found],
        "runs": _runs(parts, found),
        "verdicts": verdicts.merged([part.rows for part in parts]),
        "judged": all(part.judged for part in parts),
        "network_only": all(part.summary.simnet.network_only for part in parts),
        "facts": facts.facts([[part.summary for part in group] for group in members]),
        "axis": {"step_ms": axis.step_ms, "bins": axis.bins, "end_ms": max(part.summary.simnet.end_ms for part in parts)},
        "timeline": _timeline(members),
        "propagation": _propagation(members),
        "proofs": _proofs(members),
    }


def _runs(parts: Sequence[Part], found: Sequence[Group]) -> list[dict[str, Any]]:
    """What is each run's own. Stages are kept as long as there is room, the first always."""
    rows, room = [], STAGES_MAX
    for number, part in enumerate(parts):
        size = _size(part.stage)
        kept = number == 0 or size <= room
        room -= size if kept else 0
        rows.append(
            _head(part, next(index for index, group in enumerate(found) if number in group.runs)) | part.own | (part.stage if kept else {})
        )
    return rows


def _head(part: Part, group: int) -> dict[str, Any]:
    ours, record = part.summary.simnet, part.record
    return {
        "folder": part.folder,
        "group": group,
        "scenario": ours.scenario,
        "seed": str(ours.seed),
        "exit_code": part.exit_code,
        "ended": _ended(part),
        "complete": ours.complete,
        "network_only": ours.network_only,
        "cost_model": ours.cost_model,
        "reproducible": ours.reproducible,
        "security": ours.security.profile if ours.security else "",
        "nodes": ours.nodes,
        "end_ms": ours.end_ms,
        "events": ours.events,
        "simnet": record.versions.simnet if record.versions else "unknown",
        "crates": record.versions.crates if record.versions else {},
        "hashes": {
            "scenario": record.scenario_sha256,
            "trace": record.trace_sha256,
            "summary": record.summary_sha256,
            "proofs": record.proofs_sha256,
        },
        "replay": record.replay,
    }


def _ended(part: Part) -> str:
    expected = part.summary.simnet.expectation
    if part.exit_code == codes.HELD and expected is not None and expected.met:
        return "it broke as the scenario expects"
    return ENDED.get(part.exit_code, f"exit code {part.exit_code}")


def _size(value: Any) -> int:
    """How many values there are in a tree of lists and tables."""
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 1


def _timeline(members: Sequence[Sequence[Part]]) -> list[dict[str, Any]]:
    alone = len(members) == 1
    single = alone and len(members[0]) == 1
    charts = []
    for chart in CHARTS:
        series = [
            merging.as_json(number, found, 3 if chart.unit == "s" else 1)
            for number, group in enumerate(members)
            for found in merging.by_name([part.series.get(chart.key, ()) for part in group], alone=alone)
        ]
        if series:
            stacked = chart.stacked and single
            charts.append(
                {"key": chart.key, "title": chart.title, "unit": chart.unit, "note": chart.note, "stacked": stacked, "series": series}
            )
    return charts


def _propagation(members: Sequence[Sequence[Part]]) -> dict[str, Any]:
    at = propagation.grid([part.curves for group in members for part in group])
    views = []
    for key, title in propagation.VIEWS:
        series = [entry for number, group in enumerate(members) for entry in _curves(number, [part.curves[key] for part in group], at)]
        views.append({"key": key, "title": title, "series": series})
    return {"delays": whole(at, 1), "views": views}


def _curves(number: int, runs: Sequence[dict[str, Any]], at: Any) -> list[dict[str, Any]]:
    found = []
    for name in sorted({name for curves in runs for name in curves}):
        samples = [curves[name] for curves in runs if name in curves]
        lines = [propagation.shares(one, at) for one in samples]
        series = merging.merged(name, [Series(name, line, line, line) for line in lines])
        pooled = propagation.quantiles(np.sort(np.concatenate(samples)))
        found.append(merging.as_json(number, series, 4, {"quantiles": pooled}))
    return found


def _proofs(members: Sequence[Sequence[Part]]) -> dict[str, Any]:
    measures = [{"key": key, "title": title, "unit": unit, "boxes": _boxes(members, key)} for key, title, unit in proofs.MEASURES]
    table = [
        {"group": number, **row}
        for number, group in enumerate(members)
        for row in _figures([proofs.figures(part.summary.proofs) for part in group])
    ]
    return {"measures": measures, "table": table}


def _boxes(members: Sequence[Sequence[Part]], measure: str) -> list[dict[str, Any]]:
    """By group and circuit; of several runs the median of each quantile."""
    found = []
    for number, group in enumerate(members):
        runs = [part.boxes.get(measure, {}) for part in group]
        for name in sorted({name for boxes in runs for name in boxes}):
            box = np.median([boxes[name] for boxes in runs if name in boxes], axis=0)
            found.append({"group": number, "name": name, "box": whole(box, 3)})
    return found


def _figures(runs: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One run's rows; of several runs counts are sums, and quantiles medians over the runs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for rows in runs:
        for row in rows:
            found.setdefault(row["name"], []).append(row)
    merged = []
    for name, rows in found.items():
        counts = {count: sum(row[count] for row in rows) for count in ("made", "verified", "rejected")}
        merged.append({"name": name, **counts, **{key: _median([row[key] for row in rows]) for key, _, _ in proofs.MEASURES}})
    return merged


def _median(rows: Sequence[list[float | None]]) -> list[float | int | None]:
    """Column by column, over the rows that have a value."""
    columns = [[value for value in column if value is not None] for column in zip(*rows, strict=True)]
    return [whole([float(np.median(column))], 3)[0] if column else None for column in columns]
