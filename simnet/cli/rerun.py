"""`simnet rerun`: a run once more, from its `run.json` alone, and whether it came out the same."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from simnet.base import codes
from simnet.base.errors import OutputError, ScenarioError
from simnet.cli import exits, paths
from simnet.cli.progress import Terminal
from simnet.cli.run import Quiet, explain
from simnet.cli.screen import say
from simnet.record.places import RUN
from simnet.record.readback import RunRecord, run_record
from simnet.runs.carry_out import carry_out
from simnet.runs.request import Dark, Request

if TYPE_CHECKING:
    from simnet.scenario.load import LoadedScenario

HASHES = ("trace_sha256", "summary_sha256", "proofs_sha256")


@exits.exits
def rerun(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.", parser=paths.path)],
    out: Annotated[Path | None, typer.Option(help="Where the repetition goes. Default: <RUN>-rerun.", parser=paths.path)] = None,
    quiet: Quiet = False,
) -> int:
    """Repeat a run from its run.json and compare the hashes.

    The scenario is the one that run.json holds: its file may have moved or changed.
    """
    before = run_record(folder / RUN)
    loaded = _recorded(folder / RUN, before)
    request = _request(before, folder, out, loaded)
    if not quiet:
        _tell_changes(before, loaded)
    if before.costs == "measured":
        say("the run used measured costs: replaying its costs.json; only the trace and proofs can agree", err=True)
        request = replace(request, costs=str(folder / "costs.json"))
    outcome = carry_out(request, Dark() if quiet else Terminal(Console(stderr=True)))
    explain(outcome)
    if outcome.exit_code == codes.INTERRUPTED:
        return codes.INTERRUPTED
    equal = True
    for name in HASHES:
        was, now = getattr(before, name), outcome.run[name]
        equal &= was == now or (name == "summary_sha256" and before.costs == "measured")
        if was != now or not quiet:
            say(f"{name}: {'same' if was == now else 'DIFFERENT'} ({was}, now {now})")
    return codes.HELD if equal else codes.FAILED


def _request(before: RunRecord, folder: Path, out: Path | None, loaded: "LoadedScenario") -> Request:
    """The request behind a finished run."""
    place = folder.resolve()
    if out is not None and out.resolve() == place:
        raise OutputError(f"--out {out} is the run to compare with")
    default = place.with_name(f"{place.name}-rerun") if out is None else out
    return Request(
        Path(before.scenario_path),
        before.seed,
        default if folder.is_absolute() or out is not None else _shown(folder, default),
        before.costs,
        before.overrides,
        before.strict,
        before.mode,
        before.static_key_seed,
        repeats=True,
        loaded=loaded,
    )


def _shown(folder: Path, default: Path) -> Path:
    """The default place as the caller wrote the run's."""
    return folder.with_name(default.name) if folder.name and folder.name != ".." else default


def _recorded(path: Path, before: RunRecord) -> "LoadedScenario":
    """The scenario that a `run.json` holds. Raises `ScenarioError`."""
    from simnet.scenario.load import check_scenario
    from simnet.scenario.marks import Marks, Parsed
    from simnet.scenario.syntax import Source

    source = Source(path, Parsed(before.scenario, Marks({})), before.scenario_sha256)
    loaded = check_scenario(source, seed=before.seed)
    return replace(loaded, path=Path(before.scenario_path), warnings=())


def _tell_changes(before: RunRecord, loaded: "LoadedScenario") -> None:
    """On stderr: that the scenario's file means something else by now."""
    from simnet.scenario.load import load_scenario

    if not os.path.isfile(loaded.path):  # noqa: PTH113 - never raises, whatever the path is
        return
    try:
        now = load_scenario(loaded.path, seed=before.seed, overrides=before.overrides, mode=before.mode).scenario
    except ScenarioError:
        now = None
    if now != loaded.scenario:
        say(f"note: {loaded.path} has changed since the run; the scenario in run.json is repeated", err=True)
