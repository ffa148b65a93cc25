"""`simnet.run`: a scenario from Python, without a terminal."""

from pathlib import Path
from typing import Any

from simnet.base.errors import OutputError
from simnet.runs.carry_out import carry_out
from simnet.runs.finished import FinishedRun, load
from simnet.runs.request import Request
from simnet.scenario.profiles import find_profile
from simnet.scenario.text import toml_value


def run(
    scenario: Path | str,
    *,
    seed: int | None = None,
    out: Path | str | None = None,
    costs: str = "calibrated",
    strict: bool = False,
    force: bool = True,
    **overrides: Any,
) -> FinishedRun:
    """Runs a scenario file, or a shipped profile by name, and reads its results.

    `overrides` are values of the scenario by dotted key: `simnet.run("quiet_mesh", **{"topology.n": 64})`. `out` is the run's folder,
    by default the one that `simnet run` takes; an earlier run there is replaced unless `force` is off. Raises ScenarioError for a
    scenario that does not hold together, SimnetError when it cannot be run.
    """
    if out == "":
        raise OutputError("out is an empty path; the current folder is '.'")
    path = Path(scenario) if Path(scenario).is_file() or isinstance(scenario, Path) else find_profile(str(scenario))
    laid_over = {key: toml_value(value) for key, value in overrides.items()}
    request = Request(path, seed, None if out is None else Path(out), costs, laid_over, strict, force=force)
    outcome = carry_out(request)
    if outcome.lock is not None:
        outcome.lock.release()
    return load(outcome.folder.root)
