"""One run of the search, in this process: loaded as a file would be, carried out as `simnet run` does, judged."""

import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from simnet.base.catalogue import BackendId
from simnet.base.errors import SimnetError
from simnet.checks import EFFECT
from simnet.events import Observer
from simnet.events.run_info import RunInfo
from simnet.events.run_result import RunResult
from simnet.fuzz.judge import BROKEN, CRASH, HANG, Failure, Jury, Outcome, statuses, verdict
from simnet.fuzz.kinds import byzantine_nodes, is_above_third
from simnet.proofs.backend import Security
from simnet.proofs.keys import default_folder
from simnet.proofs.native import NativeBackend, native_backends
from simnet.runs.carry_out import carry_out
from simnet.runs.request import Dark, Request
from simnet.scenario.load import LoadedScenario, load_scenario
from simnet.scenario.text import loaded_from

LIMIT_S = 180.0
"""Processor seconds after which a run counts as hung, on a machine as fast as `REFERENCE_S` says: a hundred times what most take, and the
same on a busy machine."""
REFERENCE_S, REFERENCE_LOOPS = 0.01, 200_000
"""What so many turns of an empty loop take there. A slower machine has more time, a faster one no less."""
AGAIN_S = 1.0
"""Processor seconds after which a run that has not ended is told again: what is raised inside a finalizer is lost."""
FRAMES_MAX = 3
"""Of a traceback in a failure's detail."""
DEPTH_MAX = 80
"""Calls within calls that a run may be deep; most need 50. What goes deeper with each block or message would need a run of hundreds otherwise."""


class TooLong(BaseException):
    """The run took longer than its limit. No handler in between may take it for an error of its own."""


def run_trial(data: Mapping[str, Any], limit_s: float = LIMIT_S) -> Outcome:
    """Runs and judges a scenario given as plain data. Never raises, whatever the run does, but for interrupts."""
    return _guarded(str(data["name"]), int(data["sim"]["seed"]), lambda: loaded_from(data), limit_s)


def run_file(path: Path, limit_s: float = LIMIT_S) -> Outcome:
    """The same for a scenario file. Raises ScenarioError."""
    loaded = load_scenario(path)
    return _guarded(loaded.scenario.name, loaded.seed, lambda: loaded, limit_s)


def _guarded(name: str, seed: int, make: Callable[[], LoadedScenario], limit_s: float) -> Outcome:
    """A run whose every end is an outcome."""
    began = time.perf_counter()
    try:
        with _limit(limit := limit_s * slowness()), _shallow():
            outcome = _judged(name, make())
    except TooLong:
        outcome = Outcome(name, seed, (Failure(HANG, f"no end after {limit:.3g} s of processor time"),))
    except SimnetError as error:
        # Scenarios are made to be valid, so that a refusal or a limit that ends a run is a fault like any other.
        check = HANG if "events_max" in str(error) else CRASH
        outcome = Outcome(name, seed, (Failure(check, f"{type(error).__name__}: {error}"),))
    except Exception as error:  # noqa: BLE001 - a crash of whatever kind is what the search looks for
        outcome = Outcome(name, seed, (Failure(CRASH, _place_of(error)),))
    return replace(outcome, wall_s=round(time.perf_counter() - began, 3))


def slowness() -> float:
    """How many times slower this machine is at present than where the limits come from; at least 1."""
    began = time.process_time()
    for _ in range(REFERENCE_LOOPS):
        pass
    return max(1.0, (time.process_time() - began) / REFERENCE_S)


class _Court(Dark):
    """A screen that seats a jury at the run."""

    def __init__(self, jury: Jury) -> None:
        self._jury = jury
        self.stakes: Sequence[int] = ()

    def watching(self, info: RunInfo) -> AbstractContextManager[Observer]:
        self.stakes = info.stakes
        return nullcontext(self._jury)


def _judged(name: str, loaded: LoadedScenario) -> Outcome:
    scenario = loaded.scenario
    byzantine = byzantine_nodes(scenario.faults.model_dump(by_alias=True))
    jury = Jury(byzantine)
    court = _Court(jury)
    with TemporaryDirectory(prefix="simnet-fuzz-") as folder:
        provers = _provers(scenario.provers.security)
        done = carry_out(Request(loaded.path, out=Path(folder), repeats=True, loaded=loaded, provers=provers), court)
        if done.lock is not None:
            done.lock.release()
    assert done.result is not None, "what breaks a run off is raised"
    above = is_above_third(byzantine, court.stakes)
    found = statuses(done.result.checks)
    failures = verdict(_broken(done.result, found), jury, court.stakes, above_third=above)
    return Outcome(name, loaded.seed, failures, found, tuple(sorted(jury.kinds)), above)


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
    """Raises `TooLong` in the block after so many processor seconds of all threads, again and again. In the main thread only."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _shallow() -> Iterator[None]:
    """Lets calls nest less deeply in the block than Python would."""
    before, depth, frame = sys.getrecursionlimit(), 0, sys._getframe()  # noqa: SLF001 - the only way to count frames without a copy of each
    above: FrameType | None = frame
    while above is not None:
        depth, above = depth + 1, above.f_back
    sys.setrecursionlimit(depth + DEPTH_MAX)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _place_of(error: Exception) -> str:
    """An error with the innermost places in this package."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "simnet" in Path(f.filename).parts]
    places = [f"{Path(f.filename).name}:{f.name}" for f in frames[-FRAMES_MAX:]]
    return f"{type(error).__name__}: {error} in {' > '.join(places)}"
