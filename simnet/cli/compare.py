"""`simnet compare`: what changed between two runs, or between two sets of runs over seeds."""

from pathlib import Path
from typing import Annotated

import typer

from simnet.analyze.compare import METRICS, every_number, load_metrics
from simnet.analyze.compare import compare as compare_sides
from simnet.analyze.comparison import Limits, Pair, shown, told
from simnet.analyze.gates import gated, parse_gate
from simnet.analyze.remarks import remarks
from simnet.analyze.sides import Side, load_side, one_kind
from simnet.base import codes
from simnet.base.plain import printable
from simnet.cli import exits, paths
from simnet.cli.analyze import Format
from simnet.cli.screen import say

PLACE = "A summary, a run's folder, or a folder of runs or summaries"


@exits.exits
def compare(
    sides: Annotated[list[Path], typer.Argument(metavar="BEFORE AFTER [AFTER]...", help=f"{PLACE}.", parser=paths.path)],
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
    fail_on: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC:±N[%]", help="Fail when a figure's mean rises (+) or falls (-) by more; then nothing else fails."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show all other figures, too, untested.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the changes.")] = Format.TEXT,
) -> int:
    """Compare runs. Exit code 1 when a figure got worse by more than the threshold, and by more than chance."""
    before, *others = _sides(sides, more_before or [], more_after or [])
    wanted, gates = load_metrics(metrics), [parse_gate(text) for text in fail_on or []]
    if everything:
        wanted += every_number([content for side in (before, *others) for content in side.contents])
    limits = Limits(threshold, alpha)
    pairs = [Pair(before, after, compare_sides(before, after, wanted, threshold, alpha), gated(gates, before, after)) for after in others]
    for pair in pairs:
        for note in remarks(pair.before, pair.after, pair.result, alpha):
            say(f"note: {note}", err=True)
    say(shown(pairs, limits, form.value), nl=False)
    failed = False
    for pair in pairs:
        for change in pair.result.changes:
            if change.verdict == "untold" and change.better:
                say(f"note: {printable(change.metric)}: not enough runs to tell: {told(change)}", err=True)
        for why in pair.gate_failures() if gates else pair.regressions():
            say(f"ERROR: {why}", err=True)
            failed = True
    return codes.FAILED if failed else codes.HELD


def _sides(given: list[Path], more_before: list[Path], more_after: list[Path]) -> list[Side]:
    """The sides, the one that the others are compared with first."""
    if len(given) < 2:
        raise typer.BadParameter("two sides are wanted: BEFORE and AFTER")
    if len(given) > 2 and more_after:
        raise typer.BadParameter("--after says nothing with more than two sides")
    first, second, *rest = given
    places = [[first, *more_before], [second, *more_after], *([place] for place in rest)]
    sides = [load_side(place) for place in places]
    for side in sides[1:]:
        one_kind(sides[0], side)
    return sides
