"""What `simnet fuzz` does once it is known what was asked: searches, hunts for planted bugs, replays."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from simnet.base import codes
from simnet.base.jsontext import json_text
from simnet.fuzz import search as searching
from simnet.fuzz.judge import Outcome
from simnet.fuzz.planted import BUGS, bug_of, planted
from simnet.fuzz.search import Found, Search, as_dict, count_lines
from simnet.fuzz.table import Row, hunt_all, markdown, names_it
from simnet.fuzz.trial import run_file
from simnet.fuzz.workers import Workers, known_jobs
from simnet.record.atomic import write_atomic
from simnet.record.files import write_json
from simnet.scenario.load import load_scenario
from simnet.scenario.syntax import read

TOLD_EVERY = 100
"""Seeds between two lines of progress."""


@dataclass(frozen=True)
class Asked:
    """The command line."""

    seeds: range
    base: Path | None
    planted: str | None
    jobs: int | None
    out: Path
    shrink: bool
    as_json: bool


def search(asked: Asked) -> int:
    """Searches the seeds; with a planted bug, until a check names it."""
    bug = None if asked.planted is None else bug_of(asked.planted)
    base = None if asked.base is None else _base(asked.base)
    jobs = known_jobs(asked.jobs)
    ends = (lambda _: False) if bug is None else (lambda outcome: names_it(bug, outcome) is not None)
    with Workers(jobs) as workers:
        found = searching.search(Search(asked.seeds, asked.out, base, asked.planted, ends, asked.shrink), workers, _tell)
    write_json(asked.out / "fuzz.json", as_dict(found))
    if asked.as_json:
        typer.echo(json_text(as_dict(found)))
    else:
        _show(found, jobs)
    if bug is not None:
        named = [check for outcome in found.failures if (check := names_it(bug, outcome))]
        typer.echo(
            f"{asked.planted}: " + (f"found after {found.seeds} seeds by {named[0]}" if named else f"not found in {found.seeds} seeds")
        )
        return codes.HELD if named else codes.FAILED
    return codes.HELD if found.held else codes.FAILED


def table(asked: Asked) -> int:
    """Hunts for every planted bug, or for one, and writes the table. Exit code 1 when one was not found."""
    names = list(BUGS) if asked.planted is None else [asked.planted]
    with Workers(known_jobs(asked.jobs)) as workers:
        rows = hunt_all(names, asked.seeds, asked.out, workers, _tell_row, shrinks=asked.shrink)
    write_atomic(asked.out / "planted.md", markdown(rows))
    write_json(asked.out / "planted.json", [asdict(row) for row in rows])
    typer.echo(markdown(rows), nl=False)
    return codes.HELD if all(row.check for row in rows) else codes.FAILED


def replay(asked: Asked, path: Path) -> int:
    """Runs one scenario and judges it."""
    with planted(asked.planted):
        outcome = run_file(path)
    typer.echo(_line(outcome))
    for check, status in outcome.checks.items():
        typer.echo(f"  {check}: {status}")
    return codes.FAILED if outcome.failures else codes.HELD


def _base(path: Path) -> dict[str, Any]:
    """A profile as plain data, after it was checked. Raises ScenarioError."""
    scenario = load_scenario(path).scenario
    data = read(path).parsed.data
    traffic = data["traffic"] if "tx" in data["traffic"] else {"tx": data["traffic"]}
    sim = {**data.get("sim", {}), "duration_ms": scenario.sim.duration_ms}
    return {**data, "name": scenario.name, "sim": sim, "traffic": traffic}


def _tell(outcome: Outcome, found: Found) -> None:
    if outcome.failures:
        typer.echo(_line(outcome), err=True)
    if found.seeds % TOLD_EVERY == 0:
        typer.echo(f"{found.seeds} seeds, {len(found.failures)} failed, {60 * found.seeds / found.wall_s:.0f} runs a minute", err=True)


def _tell_row(row: Row) -> None:
    where = f"after {row.seeds} seeds by {row.check}" if row.check else f"NOT in {row.seeds} seeds"
    typer.echo(f"{row.bug}: found {where}", err=True)


def _line(outcome: Outcome) -> str:
    what = "; ".join(f"{failure.check}: {failure.detail}" for failure in outcome.failures)
    return f"seed {outcome.seed}: {what or 'held'}"


def _show(found: Found, jobs: int) -> None:
    for line in count_lines(found):
        typer.echo(line)
    minutes = max(found.wall_s, 1e-9) / 60
    typer.echo(f"{found.seeds / minutes:.1f} runs a minute with {jobs} processes, {found.run_s / max(found.seeds, 1):.2f} s a run")
    for kept in found.kept:
        typer.echo(f"FAILED seed {kept.outcome.seed}: {', '.join(kept.outcome.broken)} ({kept.runs} runs to shrink)")
        typer.echo(f"  replay: {kept.replay}")
