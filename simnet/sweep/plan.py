"""What a sweep has to do: a job for each point and seed, all of them checked before the first one runs."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simnet.base.errors import InputError, Problem, ScenarioError
from simnet.base.jsontext import json_text
from simnet.base.version import VERSION
from simnet.scenario.load import LoadedScenario, load_scenario
from simnet.sweep.grid import Point

PROBLEMS_MAX = 20


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a sweep. Everything that its result depends on is in it, so it does not matter who runs it."""

    number: int
    point: Point
    seed: int
    loaded: LoadedScenario
    costs: str
    """calibrated, measured, or the text of a table."""
    key: str
    """Names this run in a ledger: equal for equal runs."""
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole sweep."""

    scenario: Path
    keys: tuple[str, ...]
    """The parameters, in the order of the command line."""
    jobs: tuple[Job, ...]
    costs: str

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was noticed in the scenario, at any point, each once."""
        return tuple(dict.fromkeys(str(warning) for job in self.jobs for warning in job.loaded.warnings))


def make_plan(scenario: Path, points: Sequence[Point], seeds: Sequence[int], costs: str, fixed: Mapping[str, str]) -> Plan:
    """Every point with every seed, seeds changing fastest; `fixed` holds for all. Raises ScenarioError with what is wrong with any point."""
    content = costs if costs in ("calibrated", "measured") else _table(Path(costs))
    problems: dict[str, Problem] = {}
    warnings: dict[str, Problem] = {}
    jobs: list[Job] = []
    for point in points:
        try:
            first = load_scenario(scenario, seed=seeds[0], overrides={**fixed, **point})
        except InputError as error:
            problems |= {str(problem): problem for problem in error.problems}
            warnings |= {str(warning): warning for warning in error.warnings}
            if len(problems) >= PROBLEMS_MAX:
                break
            continue
        for seed in seeds:
            loaded = first if seed == seeds[0] else load_scenario(scenario, seed=seed, overrides={**fixed, **point})
            jobs.append(Job(len(jobs), point, seed, loaded, content, _key(loaded, content)))
    if problems:
        raise ScenarioError(list(problems.values()), list(warnings.values()))
    return Plan(scenario, tuple(points[0]) if points else (), tuple(jobs), costs)


def _key(loaded: LoadedScenario, costs: str) -> str:
    scenario = json_text(loaded.scenario.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256("\0".join((scenario, str(loaded.seed), costs, VERSION)).encode()).hexdigest()[:24]


def _table(path: Path) -> str:
    from simnet.base import reading
    from simnet.proofs.costs import cost_model

    cost_model(str(path))  # says what is wrong with it
    return reading.text(path)
