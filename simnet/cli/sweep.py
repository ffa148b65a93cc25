"""`simnet sweep`: one scenario over parameters and seeds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from simnet.base import codes
from simnet.base.plain import printable
from simnet.cli import exits, paths
from simnet.cli.run import Costs, Sets, parse_sets
from simnet.cli.screen import say
from simnet.record.places import DEFAULT_ROOT, slug
from simnet.scenario.profiles import find_profile
from simnet.sweep.grid import METHODS, parse_axis, points
from simnet.sweep.plan import Job, make_plan

SEEDS_MAX, TOLD_MAX = 10_000, 10
LINES = 20
"""About so many lines tell how far a sweep is where there is no terminal."""


@exits.exits
def sweep(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A profile: its file, or its name.")],
    grid: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUES", help="A parameter: 4,6,8 or FIRST:LAST:COUNT.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=SEEDS_MAX, help="Runs of each point, with seeds 1, 2, 3 and so on.")] = 1,
    sample: Annotated[int | None, typer.Option(min=1, help="So many points of the ranges KEY=FIRST:LAST.")] = None,
    method: Annotated[str, typer.Option(metavar="|".join(METHODS), help="How these are chosen.")] = METHODS[0],
    costs: Costs = "calibrated",
    sets: Sets = None,
    out: Annotated[Path | None, typer.Option(help="Folder. Default: target/simnet/<scenario>-sweep/.", parser=paths.path)] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes here. Default: one a core.")] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="A dask cluster, say tcp://host:8786.")] = None,
    keep_runs: Annotated[bool, typer.Option("--keep-runs", help="Keep each run's folder, too; of local workers.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")] = False,
) -> int:
    """Run a scenario over parameters and seeds, into one table.

    A sweep that was broken off goes on where it was. Exit code 1 when a run failed.
    """
    if scheduler is not None and (keep_runs or workers is not None):
        raise typer.BadParameter("--scheduler: that cluster has workers and disks of its own; --workers and --keep-runs are for local ones")
    chosen = points([parse_axis(text) for text in grid or []], sample, method)
    plan = make_plan(_profile(scenario), chosen, range(1, seeds + 1), costs, parse_sets(sets or []))
    for warning in () if quiet else plan.warnings:
        say(f"warning: {warning}", err=True)
    folder = DEFAULT_ROOT / f"{slug(plan.jobs[0].loaded.scenario.name)}-sweep" if out is None else out
    # Late: dask takes a second to load.
    from simnet.sweep.conduct import Setting, conduct

    swept = conduct(plan, folder, Setting(workers, scheduler, keep_runs), _Screen(quiet))
    failed = [(job, row) for job, row in swept.ended if row["exit_code"] != codes.HELD]
    for job, row in failed[:TOLD_MAX]:
        say(f"ERROR: {_named(job)}: exit code {row['exit_code']}: {printable(str(row['error']))}", err=True)
    for job, error in swept.lost[:TOLD_MAX]:
        say(f"ERROR: {_named(job)}: no result: {printable(f'{type(error).__name__}: {error}')}", err=True)
    if not quiet:
        runs = len(swept.ended)
        say(f"{swept.data}: {runs} runs, {runs - len(failed)} held, {len(failed)} failed, {len(swept.lost)} without a result")
    return codes.FAILED if failed or swept.lost else codes.HELD


def _profile(given: str) -> Path:
    return Path(given) if Path(given).suffix or Path(given).exists() else find_profile(given)


def _named(job: Job) -> str:
    values = [f"{key}={value}" for key, value in job.point.items()]
    return printable(", ".join([*values, f"seed {job.seed}"]))


class _Screen:
    """On a terminal a bar with the time left, elsewhere a line now and then; both on stderr."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def begins(self, runs: int, there: int) -> None:
        if not self._quiet:
            say(f"{runs} runs, {there} of them there already", err=True)

    @contextmanager
    def works(self, dashboard: str, left: int) -> Iterator[Callable[[], None]]:
        if self._quiet:
            yield lambda: None
            return
        say(f"dashboard: {dashboard}", err=True)
        console = Console(stderr=True)
        columns = (TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task, done = progress.add_task("runs", total=left), 0

            def advance() -> None:
                nonlocal done
                done += 1
                progress.advance(task)
                if not console.is_terminal and (done == left or done % max(1, left // LINES) == 0):
                    say(f"{done} of {left} runs", err=True)

            yield advance
