"""The one way to run a scenario: from its file, or from a loaded one, to a finished folder; without a terminal."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.base import codes
from simnet.base.errors import OutputError, Problem, ScenarioError, SimnetError
from simnet.base.interrupts import asked, deferred
from simnet.base.version import VERSION
from simnet.events import Event, Handlers, MessageDelivered, ProofVerified
from simnet.events.bus import Bus
from simnet.events.run_result import RunResult
from simnet.proofs.costs import cost_model
from simnet.record.atomic import check_writable
from simnet.record.files import RunFolder, write_json
from simnet.record.frames import network
from simnet.record.penalties import PenaltyLog
from simnet.record.places import FolderLock, default_folder, refuse_collisions, summary_stem
from simnet.record.summary import SummaryRecorder
from simnet.record.trace import TraceRecorder
from simnet.runs.garbage import rare_collections
from simnet.runs.request import Dark, Outcome, Request, Screen
from simnet.runs.run_json import check_environment, ending, header, labels, replay
from simnet.runs.twice import run_again, with_comparison
from simnet.runs.unfelt import unfelt
from simnet.scenario.load import LoadedScenario, load_scenario
from simnet.scenario.model import Scenario
from simnet.scenario.upstream import MULTI_PROCESS

if TYPE_CHECKING:
    from simnet.runs.engine import Run

DARK = Dark()
METRICS = {"metrics.json": ".json", "metrics.csv": ".csv"}
"""Names of the scenario's own places for the summary."""


def carry_out(request: Request, screen: Screen = DARK) -> Outcome:
    """Runs a scenario and writes its folder.

    Raises `ScenarioError` before anything is written, `OutputError` when a file cannot be, `SimnetError` when the run
    cannot begin or reaches a limit.
    """
    job = _job(request, screen)
    for warning in job.loaded.warnings:
        screen.warn(str(warning))
    job.check()
    lock = job.begin()
    outcome = replace(job.run(), lock=lock)
    again = (job.scenario.sim.mode or "").lower() in MULTI_PROCESS and not request.repeats and outcome.exit_code == codes.HELD
    return _in_two_processes(outcome, job.metrics) if again else outcome


def refuse(request: Request) -> None:
    """Raises what `carry_out` would raise before it writes anything."""
    _job(request, DARK).check()


def _job(request: Request, screen: Screen) -> "_Job":
    loaded = request.loaded or load_scenario(
        request.scenario, seed=request.seed, overrides=request.overrides, strict=request.strict, mode=request.mode
    )
    return _Job(request, loaded, RunFolder(request.out or default_folder(loaded.scenario.name), summary_stem(loaded.path)), screen)


@dataclass(frozen=True)
class _Job:
    """One run on its way to its folder."""

    request: Request
    loaded: LoadedScenario
    folder: RunFolder
    screen: Screen

    @property
    def scenario(self) -> Scenario:
        return self.loaded.scenario

    @cached_property
    def header(self) -> Mapping[str, object]:
        """What `run.json` says from the start."""
        return header(self.request, self.loaded)

    @cached_property
    def metrics(self) -> Mapping[str, Path]:
        """Where `[metrics]` wants the summary, too; nowhere with a folder of the caller's, which then holds everything."""
        if self.request.out is not None or self.request.repeats:
            return {}
        places = (self.scenario.metrics.summary_json, self.scenario.metrics.csv_path)
        return {name: path for name, path in zip(METRICS, places, strict=True) if path is not None}

    def check(self) -> None:
        """Refuses what can be refused before anything is written."""
        costs = str(self.request.costs)
        inputs = [("the scenario", self.loaded.path)]
        inputs += [] if costs in ("calibrated", "measured") else [("the table of --costs", Path(costs))]
        refuse_collisions(self.metrics.items(), inputs)
        own = {"metrics.json": self.folder.summary, "metrics.csv": self.folder.csv}
        for name, path in self.metrics.items():
            # A copy may be the very file that it is a copy of.
            refuse_collisions([(name, path)], [(what, place) for what, place in self.folder.taken if place != own[name]])
            check_writable(path)
        self._tell_unfelt()
        cost_model(costs)  # A file that is no table is said before anything else.
        check_environment()

    def _tell_unfelt(self) -> None:
        """Warnings that need the run's links; errors with `--strict`."""
        found = unfelt(self.scenario, self.scenario.sim.seed)
        if found and self.request.strict and not self.request.repeats:
            raise ScenarioError([Problem(self.request.scenario, None, "", None, why) for why in found])
        for why in found:
            self.screen.warn(why)

    def begin(self) -> FolderLock | None:
        """Makes the folder ready and writes the first `run.json`."""
        begun = False
        try:
            with deferred():  # A run.json that is there says what became of the run, whenever a signal comes.
                lock = self.folder.begin(self.header, force=self.request.force, locked=self.request.locked)
                begun = True
            self.screen.begins(self.loaded, self.folder.root)
        except KeyboardInterrupt:
            if begun:
                self._note_interrupt()
            raise
        return lock

    def _note_interrupt(self) -> None:
        write_json(self.folder.run, {**self.header, "complete": False, "interrupted": True, "exit_code": codes.INTERRUPTED})

    def run(self) -> Outcome:
        """Builds the run, attaches the observers, runs, and writes what there is, however it ended."""
        try:
            made = _build(self.scenario, self.request)
        except KeyboardInterrupt:
            self._note_interrupt()
            raise
        recorder = SummaryRecorder(made.info, labels(self.request, self.loaded))
        seen = self._observe(made, recorder)
        with deferred():
            outcome = self._write(seen, recorder, made.bus)
        if seen.failure is not None:
            raise seen.failure
        return outcome

    def _observe(self, made: "Run", recorder: SummaryRecorder) -> "_Seen":
        metadata = {"seed": str(self.scenario.sim.seed), "scenario_sha256": self.loaded.sha256, "simnet": VERSION, **network(made.info)}
        seen = _Seen()
        with ExitStack() as stack:
            trace = stack.enter_context(TraceRecorder(self.folder.trace, metadata))
            made.bus.attach(*recorder.collectors, trace, _Stop())
            if self.scenario.slashing:
                made.bus.attach(stack.enter_context(PenaltyLog(self.folder.penalties)))
            progress = stack.enter_context(self.screen.watching(made.info))
            if progress is not None:
                made.bus.attach(progress)
            try:
                with rare_collections():
                    seen.result = made.run()
            except SimnetError as error:
                seen.failure = error
            except KeyboardInterrupt:  # while it was ending
                seen.interrupted = True
            with deferred():
                seen.events = trace.rows
                try:
                    seen.trace_sha256 = trace.close()
                except OutputError as error:
                    seen.failure = seen.failure or error
                    trace.abandon()
        return seen

    def _write(self, seen: "_Seen", recorder: SummaryRecorder, bus: Bus) -> Outcome:
        result = seen.result
        summary = recorder.summary(result, bus)
        files: list[Path] = []
        try:
            if result is not None:
                self.folder.write_result(result)
            files = self.folder.write_summary(summary, *map(self.metrics.get, METRICS))
        except OutputError as error:
            seen.failure = seen.failure or error
        violations = self._violations(result)
        code = codes.INTERRUPTED if seen.interrupted else _exit_code(result, recorder, violations)
        code = codes.USAGE if seen.failure is not None else code
        hashes = (seen.trace_sha256, None if result is None else result.proofs_sha256)
        line = replay(self.request, self.scenario.sim.seed)
        complete = result is not None and result.complete and seen.failure is None
        end = ending(summary, complete=complete, code=code, events=seen.events, hashes=hashes, violations=violations)
        run = {**self.header, **end, "replay": line, "files": [str(path) for path in files]}
        try:
            write_json(self.folder.run, run)
        except OutputError as error:
            seen.failure = seen.failure or error
        return Outcome(self.folder, code, run, summary, violations, result, line)

    def _violations(self, result: RunResult | None) -> tuple[str, ...]:
        """What broke, what was to and did not, and for strict runs faults that never acted."""
        found = () if result is None or result.as_expected else _broken(result)
        idle = _idle_faults(result)
        if idle is not None and self.request.strict:
            return (*found, idle)
        if idle is not None:
            self.screen.warn(idle)
        return found


@dataclass
class _Seen:
    """How a run ended."""

    result: RunResult | None = None
    failure: SimnetError | None = None
    interrupted: bool = False
    trace_sha256: str = ""
    events: int = 0


def _build(scenario: Scenario, request: Request) -> "Run":
    """Imports late: this loads the native provers, which a refused scenario does not need."""
    try:
        if not scenario.chain.enabled:
            from simnet.runs.opaque import OpaqueRun

            return OpaqueRun(scenario, scenario.sim.seed, request.static_key_seed)
        from simnet.runs.chain import RunOptions, build
    except ImportError as error:
        if isinstance(error, SimnetError) or "_zk" not in str(error):
            raise
        raise SimnetError(f"the native provers are not built ({error}); `make build` builds them") from error
    options = RunOptions(costs=request.costs, static_key_seed=request.static_key_seed)
    return build(scenario, scenario.sim.seed, options, request.provers)


def _exit_code(result: RunResult | None, recorder: SummaryRecorder, violations: tuple[str, ...]) -> int:
    if result is None:
        return codes.USAGE
    if result.interrupted:
        return codes.INTERRUPTED
    if violations:
        return codes.FAILED
    return codes.HELD if recorder.traffic_started else codes.NOTHING_RAN


def _broken(result: RunResult) -> tuple[str, ...]:
    unmet = () if result.expectation is None else (f"expectation: {result.expectation['why_not']}",)
    return (*(f"{v.invariant}: {v.detail}" for v in result.violations), *unmet)


def _idle_faults(result: RunResult | None) -> str | None:
    """Which faults of the scenario never acted: the network was not asked what the scenario says. Strict runs refuse that."""
    effect = {} if result is None else result.checks.get("fault_effect", {})
    first = effect.get("first")
    return f"fault_effect: {first['detail']}" if isinstance(first, Mapping) else None


def _in_two_processes(outcome: Outcome, metrics: Mapping[str, Path]) -> Outcome:
    """Once more in a child, and the summary with what differs. Processes that disagree are a broken promise."""
    try:
        same = run_again(outcome.folder)
    except KeyboardInterrupt:
        run = {**outcome.run, "exit_code": codes.INTERRUPTED, "interrupted": True, "complete": False}
        write_json(outcome.folder.run, run)
        return replace(outcome, exit_code=codes.INTERRUPTED, run=run)
    summary = with_comparison(outcome.summary, outcome.folder)
    outcome.folder.write_summary(summary, *map(metrics.get, METRICS))
    if same:
        return replace(outcome, summary=summary)
    violations = (*outcome.violations, "process_independence: a child process came to other results: see comparison in the summary")
    run = {**outcome.run, "exit_code": codes.FAILED, "violations": list(violations)}
    write_json(outcome.folder.run, run)
    return replace(outcome, summary=summary, exit_code=codes.FAILED, violations=violations, run=run)


class _Stop:
    """An observer that ends a run whose interrupt got lost, as one in a finalizer does."""

    @property
    def handlers(self) -> Handlers:
        return dict.fromkeys((MessageDelivered, ProofVerified), self._look)

    def _look(self, _event: Event) -> None:
        if asked():
            raise KeyboardInterrupt
