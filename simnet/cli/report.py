"""`simnet report`: reports made of a finished run's summary."""

from pathlib import Path
from typing import Annotated

import typer

from simnet.analyze.partition_report import partition_report, passed_limits, write_report
from simnet.base import codes
from simnet.cli import exits, paths
from simnet.cli.screen import say
from simnet.record.places import refuse_collisions

app = typer.Typer(help="Reports made of a finished run's summary.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps the command's name although there is only one."""


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
