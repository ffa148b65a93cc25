"""`simnet report`: a page about finished runs, and reports made of one's summary."""

import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from simnet.analyze.partition_report import partition_report, passed_limits, write_report
from simnet.base import codes
from simnet.cli import exits, paths
from simnet.cli.screen import say
from simnet.record.atomic import check_writable, write_atomic
from simnet.record.files import RunFolder
from simnet.record.places import REPORT, refuse_collisions

PAGE = "html"
"""What `simnet report` means where no other report is named."""


class Reports(TyperGroup):
    """`simnet report RUN…` is `simnet report html RUN…`: the page is what nearly everybody wants."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, [PAGE, *args] if args and args[0] not in own else args)


app = typer.Typer(cls=Reports, help="A page about finished runs: simnet report RUN… [--open].", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A page about finished runs: `simnet report RUN…`, which is short for `simnet report html RUN…`."""


@app.command(PAGE)
@exits.exits
def html(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.", parser=paths.path)],
    out: Annotated[
        Path | None,
        typer.Option(
            help=f"Where the page goes. Default: {REPORT} in the folder of one run, in the current folder for several.",
            parser=paths.new_file,
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> int:
    """One HTML file about runs: verdicts, charts over virtual time, proofs, and a replay. It needs no network. Runs that differ by their
    seed alone are shown as one, with their spread."""
    # Late: pandas and networkx take a second, which the other commands need not wait.
    from simnet.report.page import html as page
    from simnet.runs.finished import load

    found = [load(folder) for folder in runs]
    place = out or (runs[0] / REPORT if len(runs) == 1 else Path(REPORT))
    refuse_collisions([("--out", place)], [entry for run in found for entry in _taken(run.files)])
    check_writable(place)
    write_atomic(place, page(runs))
    say(f"written to {place}")
    if show and not webbrowser.open(place.resolve().as_uri()):
        say("note: no browser could be opened", err=True)
    return codes.HELD


def _taken(folder: RunFolder) -> list[tuple[str, Path]]:
    """A run's own files, but for an earlier report on it."""
    return [(name, path) for name, path in folder.taken if path.name != REPORT]


@app.command("snapshot-partition")
@exits.exits
def snapshot_partition(
    summary: Annotated[Path, typer.Option(help="The summary of a network run.", parser=paths.path)],
    output: Annotated[Path, typer.Option(help="Where the report goes.", parser=paths.new_file)],
    max_resume_minutes: Annotated[float, typer.Option(min=0, help="Longest time until traffic resumed after a partition.")] = 2.0,
    max_chunk_retries: Annotated[int, typer.Option(min=0, help="Most deliveries of what was there already.")] = 25,
) -> int:
    """Did a partition hold up what was streamed across it? Exit code 1 when a limit is passed."""
    refuse_collisions([("--output", output)], [("the summary", summary)])
    report = partition_report(summary, max_resume_minutes, max_chunk_retries)
    write_report(report, output)
    found = passed_limits(report)
    for why in found:
        say(f"ERROR: {summary}: {why}", err=True)
    return codes.FAILED if found else codes.HELD
