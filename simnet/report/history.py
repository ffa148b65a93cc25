"""Key figures of runs over commits: one CSV file, a row for each figure of each run, to be kept in a repository or an artefact.

Rows are only ever appended. A run that is added again (same commit, scenario, seed and costs) counts as it was added last.
"""

import csv
import io
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.analyze.compare import Metric, samples
from simnet.analyze.sides import Side
from simnet.base import reading
from simnet.base.errors import OutputError, cannot_write
from simnet.base.locks import held
from simnet.base.plain import printable
from simnet.record import atomic
from simnet.record.csv import csv_text, inert
from simnet.record.summary_files import ReadSummary
from simnet.report.style import colour, figure, legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure of one run."""

    commit: str
    scenario: str
    scenario_sha256: str
    """First twelve digits: a scenario that changed is another one."""
    seed: str
    cost_model: str
    simnet: str
    """Version."""
    metric: str
    value: float


HEAD = tuple(field.name for field in fields(Entry))
Key = tuple[str, ...]


def entries(summary: ReadSummary, commit: str, metrics: Sequence[Metric]) -> list[Entry]:
    """The figures of a run that a history keeps: those of `metrics` that its summary has."""
    side, ours = Side((summary,)), summary.known.ours
    seed, version = "" if ours.seed is None else str(ours.seed), ours.versions.get("simnet", "")
    commit, scenario, costs, version = map(inert, (commit, ours.scenario, ours.cost_model, version))
    sha = inert(ours.scenario_sha256[:12])
    return [
        Entry(commit, scenario, sha, seed, costs, version, change.metric, change.before[0]) for change in samples(side, Side(()), metrics)
    ]


def append(path: Path, new: Sequence[Entry]) -> None:
    """Adds entries to a history, which is made when it is not there. Raises OutputError; then the file is as it was."""
    if path.exists():
        read(path)  # What is no history is not written into.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with held(path) as file:
            text = "" if file.seek(0, os.SEEK_END) else csv_text(HEAD, ())
            text += "".join(csv_text((), [astuple(entry)])[1:] for entry in new)
            atomic.append(file, text.encode())
    except OSError as error:
        raise cannot_write(path, error) from error


def read(path: Path) -> list[Entry]:
    """All entries in the order in which their runs were first added. Raises OutputError with the line of what is wrong."""
    rows = csv.reader(io.StringIO(reading.text(path), newline=""), strict=True)
    found: dict[Key, Entry] = {}
    try:
        for row in rows:
            if rows.line_num == 1 and tuple(row) == HEAD:
                continue
            entry = _entry(row) if rows.line_num > 1 else None
            if entry is None:
                wanted = ",".join(HEAD)
                raise OutputError(f"{path}:{rows.line_num}: not a row of a history: {wanted} is wanted, the value a finite number")
            key = (*astuple(entry)[:5], entry.metric)
            found[key] = entry
    except csv.Error as error:
        raise OutputError(f"{path}:{rows.line_num}: not CSV: {error}") from None
    return list(found.values())


def _entry(row: Sequence[str]) -> Entry | None:
    if len(row) != len(HEAD):
        return None
    commit, scenario, sha, seed, costs, version, metric, value = row
    try:
        entry = Entry(commit, scenario, sha, seed, costs, version, metric, float(value))
    except ValueError:
        return None
    return entry if math.isfinite(entry.value) else None


@dataclass(frozen=True, slots=True)
class Point:
    """A figure at one commit, over the runs that were added for it."""

    commit: str
    values: tuple[float, ...]


Line = tuple[str, str, str, str]
"""Metric, scenario, its hash, costs: what may be compared over commits."""


def lines(kept: Iterable[Entry], metrics: Sequence[str] = ()) -> dict[Line, list[Point]]:
    """The course of each figure; `metrics`: only these."""
    found: dict[Line, dict[str, list[float]]] = {}
    for entry in kept:
        if not metrics or entry.metric in metrics:
            line = (entry.metric, entry.scenario, entry.scenario_sha256, entry.cost_model)
            found.setdefault(line, {}).setdefault(entry.commit, []).append(entry.value)
    return {line: [Point(commit, tuple(values)) for commit, values in points.items()] for line, points in found.items()}


def picture(courses: dict[Line, list[Point]]) -> "Figure":
    """A row for each metric: the mean over the runs of each commit, from the least to the greatest of them. Raises OutputError for an empty
    history."""
    import matplotlib as mpl

    metrics = list(dict.fromkeys(line[0] for line in courses))
    if not metrics:
        raise OutputError("there is nothing in the history to draw")
    commits = list(dict.fromkeys(point.commit for points in courses.values() for point in points))
    place = {commit: number for number, commit in enumerate(commits)}
    with mpl.rc_context({"text.parse_math": False}):
        made, rows = figure(len(metrics), sharex=True)
        for axes, metric in zip(rows, metrics, strict=True):
            own = [(line, points) for line, points in courses.items() if line[0] == metric]
            for number, ((_, scenario, sha, costs), points) in enumerate(own):
                at = [place[point.commit] for point in points]
                means = [sum(point.values) / len(point.values) for point in points]
                name = printable(f"{scenario} {sha[:4]}, {costs}")
                axes.plot(at, means, "o-", markersize=3, color=colour(number), label=name)
                axes.vlines(at, [min(p.values) for p in points], [max(p.values) for p in points], color=colour(number), alpha=0.5)
            axes.set_title(metric, loc="left", fontsize="medium")
            legend(axes)
        rows[-1].set_xticks(range(len(commits)), [printable(commit) for commit in commits], rotation=60, fontsize="x-small")
    return made
