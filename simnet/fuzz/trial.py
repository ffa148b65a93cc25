"""One run of the search, in this process: load as a file would be, run with the real provers, judge."""

import hashlib
import signal
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from simnet.checks import EFFECT
from simnet.errors import SimnetError
from simnet.fuzz.generator import stakes_of
from simnet.fuzz.judge import BROKEN, CRASH, HANG, Failure, Jury, Outcome, statuses, verdict
from simnet.fuzz.kinds import byzantine_nodes, is_above_third
from simnet.fuzz.text import to_toml
from simnet.garbage import rare_collections
from simnet.proofs.backend import BackendId, Security
from simnet.proofs.keys import default_folder
from simnet.proofs.native import NativeBackend, native_backends
from simnet.scenario import syntax, toml
from simnet.scenario.load import check_scenario
from simnet.scenario.model import Scenario
from simnet.simulation import RunOptions, RunResult, build

LIMIT_S = 180.0
"""Wall seconds after which a run counts as hung: a hundred times what most take."""
FRAMES_MAX = 3
"""Of a traceback in a failure's detail."""


class TooLong(BaseException):
    """The run took longer than its limit. No handler in between may take it for an error of its own."""


def run_trial(data: Mapping[str, Any], limit_s: float = LIMIT_S) -> Outcome:
    """Runs and judges a scenario given as plain data. Never raises, whatever the run does, but for interrupts."""
    began = time.perf_counter()
    name, seed = str(data["name"]), int(data["sim"]["seed"])
    try:
        with _limit(limit_s):
            outcome = _judged(name, scenario_from(data))
    except TooLong:
        outcome = Outcome(name, seed, (Failure(HANG, f"no end after {limit_s:.0f} s"),))
    except SimnetError as error:
        # Scenarios are made to be valid, so that a refusal or a limit that ends a run is a fault like any other.
        check = HANG if "events_max" in str(error) else CRASH
        outcome = Outcome(name, seed, (Failure(check, f"{type(error).__name__}: {error}"),))
    except Exception as error:  # noqa: BLE001 - a crash of whatever kind is what the search looks for
        outcome = Outcome(name, seed, (Failure(CRASH, _place_of(error)),))
    return _timed(outcome, time.perf_counter() - began)


def scenario_from(data: Mapping[str, Any]) -> Scenario:
    """The scenario that a file with this data gives. Raises ScenarioError, also for warnings."""
    text = to_toml(data)
    source = syntax.Source(Path(f"{data['name']}.toml"), toml.read(text), hashlib.sha256(text.encode()).hexdigest())
    return check_scenario(source, strict=True).scenario


def _judged(name: str, scenario: Scenario) -> Outcome:
    byzantine = byzantine_nodes(scenario.faults.model_dump(by_alias=True))
    jury = Jury(byzantine)
    simulation = build(scenario, scenario.sim.seed, RunOptions(), _provers(scenario.provers.security))
    simulation.attach(jury)
    with rare_collections():
        result = simulation.run()
    above = is_above_third(byzantine, stakes_of(scenario))
    found = statuses(result.checks)
    failures = verdict(_broken(result, found), jury, byzantine, above_third=above)
    return Outcome(name, scenario.sim.seed, failures, found, tuple(sorted(jury.kinds)), above)


def _broken(result: RunResult, found: Mapping[str, str]) -> dict[str, str]:
    """What is broken -> the first detail about it. That a fault did nothing is no failure: it is drawn without looking."""
    broken = {check: "" for check, status in found.items() if status == BROKEN and check != EFFECT}
    for violation in reversed(result.violations):
        broken[violation.invariant] = violation.detail
    return broken


@cache
def _provers(security: str) -> Mapping[BackendId, NativeBackend]:
    """The real provers, whose keys a process loads once."""
    return native_backends(default_folder(), Security[security.upper()])


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raises `TooLong` in the block after so many seconds of wall time. In the main thread only."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _place_of(error: Exception) -> str:
    """An error with the innermost places in this package."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "simnet" in Path(f.filename).parts]
    places = [f"{Path(f.filename).name}:{f.name}" for f in frames[-FRAMES_MAX:]]
    return f"{type(error).__name__}: {error} in {' > '.join(places)}"


def _timed(outcome: Outcome, wall_s: float) -> Outcome:
    return Outcome(outcome.name, outcome.seed, outcome.failures, outcome.checks, outcome.kinds, outcome.above_third, round(wall_s, 3))
