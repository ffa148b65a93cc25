"""`simnet compare`: what changed between two runs, or between two sets of runs over seeds."""

from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer

from simnet.analyze.compare import METRICS, Change, Comparison, every_number, load_metrics
from simnet.analyze.compare import compare as compare_sides
from simnet.analyze.report import FORMATS, Analysis
from simnet.analyze.sides import Side, load_side, one_kind
from simnet.analyze.verdicts import Verdict
from simnet.base import codes
from simnet.base.jsontext import json_text
from simnet.base.plain import printable
from simnet.cli import exits, paths
from simnet.cli.analyze import Format
from simnet.cli.screen import say

PLACE = "A summary, a run's folder, or a folder of runs or summaries"


@exits.exits
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help=f"{PLACE}.", parser=paths.path)],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help=f"{PLACE}.", parser=paths.path)],
    more_before: Annotated[list[Path] | None, typer.Option("--before", help="More of BEFORE.", parser=paths.path)] = None,
    more_after: Annotated[list[Path] | None, typer.Option("--after", help="More of AFTER.", parser=paths.path)] = None,
    threshold: Annotated[float, typer.Option(min=0, metavar="PERCENT", help="A change up to this is none.")] = 10.0,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Chance of any false alarm that is accepted.")] = 0.05,
    metrics: Annotated[
        Path,
        typer.Option(
            help="Figures to test: a TOML file of [[metric]] tables with path and better = lower or higher.",
            show_default=False,
            parser=paths.path,
        ),
    ] = METRICS,
    everything: Annotated[bool, typer.Option("--all", help="Show all other figures, too, untested.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the changes.")] = Format.TEXT,
) -> int:
    """Compare runs. Exit code 1 when a figure got worse by more than the threshold, and by more than chance."""
    sides = load_side([before, *(more_before or [])]), load_side([after, *(more_after or [])])
    one_kind(*sides)
    wanted = load_metrics(metrics)
    if everything:
        wanted += every_number([content for side in sides for content in side.contents])
    result = compare_sides(*sides, wanted, threshold, alpha)
    for note in _notes(sides, result, alpha):
        say(f"note: {note}", err=True)
    say(_shown(result, sides, (threshold, alpha), form), nl=False)
    for change in result.changes:
        if change.verdict == "untold" and change.better:
            say(f"note: {printable(change.metric)}: not enough runs to tell: {_told(change)}", err=True)
    regressed = [change for change in result.changes if change.regressed]
    for change in regressed:
        say(f"ERROR: {printable(change.metric)}: {_told(change)}", err=True)
    return codes.FAILED if regressed else codes.HELD


def _notes(sides: tuple[Side, Side], result: Comparison, alpha: float) -> list[str]:
    """What a reader must know about these runs before believing the table."""
    found = []
    scenarios = set.union(*(side.scenarios for side in sides))
    if len(scenarios) > 1:
        found.append(f"these runs are of different scenarios: {', '.join(sorted(scenarios))}")
    found += [f"{printable(str(path))}: the run broke off before its end" for side in sides for path in side.unfinished]
    if min(result.runs) < 2:
        found.append("a single run on a side: changes are judged by the threshold alone; several seeds would tell chance from change")
    elif not result.testable:
        why = f"{result.runs[0]} and {result.runs[1]} runs cannot reach p <= {alpha:g} over so many figures"
        found.append(f"{why}: not enough runs to tell; six runs on each side suffice for the default figures")
    return found


def _shown(result: Comparison, sides: tuple[Side, Side], limits: tuple[float, float], form: Format) -> str:
    if form is Format.TEXT:
        return _table(result)
    if form is Format.JSON:
        document = {
            "before": [str(path) for path in sides[0].paths],
            "after": [str(path) for path in sides[1].paths],
            "threshold_percent": limits[0],
            "alpha": limits[1],
            "testable": result.testable,
            "paired": result.paired,
            "regressed": sum(change.regressed for change in result.changes),
            "changes": [{**asdict(change), "percent": change.percent} for change in result.changes],
        }
        return json_text(document) + "\n"
    verdicts = tuple(
        Verdict(
            c.metric,
            _told(c),
            f"within {limits[0]:g} %",
            not c.regressed,
            "got worse by more than chance" if result.testable else "got worse",
        )
        for c in result.changes
    )
    return FORMATS[form.value]([Analysis(sides[1].paths[0], (METRICS,), verdicts)])


def _table(result: Comparison) -> str:
    rows = [("", "figure", f"before ({result.runs[0]})", f"after ({result.runs[1]})", "change", "difference", "p (Holm)")]
    rows += [(c.verdict, printable(c.metric), _mean(c.before), _mean(c.after), _percent(c), _reach(c), _chance(c)) for c in result.changes]
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    lines = []
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join([*left, *right]).rstrip())
    return "\n".join(lines) + "\n"


def _told(change: Change) -> str:
    chance = "" if change.p_holm is None or change.verdict == "untold" else f", p = {change.p_holm:.4f} after Holm"
    reach = "" if change.interval is None else f", difference {_reach(change)}"
    return f"{_mean(change.before)} before, {_mean(change.after)} after, {_percent(change)} ({change.verdict}){reach}{chance}"


def _reach(change: Change) -> str:
    """The interval of the difference."""
    return "" if change.interval is None else f"{change.interval[0]:+.3f} .. {change.interval[1]:+.3f}"


def _chance(change: Change) -> str:
    return "" if change.p_holm is None else f"{change.p_holm:.4f}"


def _mean(values: tuple[float, ...]) -> str:
    return f"{fmean(values):.3f}" if values else "none"


def _percent(change: Change) -> str:
    return "-" if change.percent is None else f"{change.percent:+.1f} %"
