"""One run from scenario file to finished folder: what `run` and `rerun` share."""

import os
import shlex
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

import simnet
from simnet import plain
from simnet.cli import exits
from simnet.cli.comparison import run_again, with_comparison
from simnet.cli.progress import Progress
from simnet.cli.screen import say
from simnet.errors import SimnetError
from simnet.garbage import rare_collections
from simnet.record.files import DEFAULT_ROOT, RunFolder, slug, write_json
from simnet.record.penalties import PenaltyLog
from simnet.record.resources import host
from simnet.record.summary import Labels, Summary, SummaryRecorder, determinism_sha256
from simnet.record.trace import TraceRecorder
from simnet.record.versions import crates, packages

if TYPE_CHECKING:
    from simnet.opaque import OpaqueRun
    from simnet.run_info import RunInfo
    from simnet.scenario.load import LoadedScenario
    from simnet.scenario.model import Scenario
    from simnet.simulation import RunResult, Simulation

RUN_SCHEMA = 1
STATIC_KEYS = "RPP_SIM_STATIC_KEY_SEED"


@dataclass(frozen=True)
class Request:
    """What to run and where to put it."""

    scenario: Path
    seed: int | None = None
    out: Path | None = None
    costs: str = "calibrated"
    overrides: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    mode: str | None = None
    """A wrapper's `p2p.mode`."""
    static_key_seed: str | None = None
    repeats: bool = False
    """A repetition: it leaves the files of `[metrics]` alone, and is not repeated in its turn."""


@dataclass(frozen=True)
class Outcome:
    """A run that has ended, well or not."""

    folder: RunFolder
    exit_code: int
    run: Mapping[str, Any]
    """The content of `run.json`."""
    summary: Summary
    violations: tuple[str, ...]
    replay: str
    """The command that repeats this run."""


def carry_out(request: Request, console: Console | None) -> Outcome:
    """Runs a scenario and writes its folder. `console` shows progress and warnings; None: silent.

    Raises `ScenarioError` before anything is written, `OutputError` when a file cannot be.
    """
    from simnet.scenario.load import load_scenario
    from simnet.scenario.upstream import MULTI_PROCESS

    loaded = load_scenario(request.scenario, seed=request.seed, overrides=request.overrides, strict=request.strict, mode=request.mode)
    if console is not None:
        for warning in loaded.warnings:
            say(f"warning: {warning}", err=True)
    scenario = loaded.scenario
    seed = scenario.sim.seed
    folder = RunFolder(request.out or DEFAULT_ROOT / slug(scenario.name), loaded.path.stem)
    header = _header(request, loaded, seed)
    labels = _labels(request, loaded)
    folder.begin(header)
    simulation = _build(scenario, seed, request)
    if console is not None and (unfelt := _unfelt_partition(scenario, simulation.info)):
        say(f"warning: {plain.printable(unfelt)}", err=True)
    recorder = SummaryRecorder(simulation.info, labels)
    outcome = _observe(request, loaded, folder, header, simulation, recorder, console)
    again = (scenario.sim.mode or "").lower() in MULTI_PROCESS and not request.repeats and outcome.exit_code == exits.HELD
    return _in_two_processes(outcome, scenario) if again else outcome


def _unfelt_partition(scenario: "Scenario", info: "RunInfo") -> str | None:
    """That a partition cuts nothing, which depends on the seed. Upstream skips it without a word and without records."""
    from simnet.net.topology import crossing

    partition = scenario.faults.partition
    if partition is None or crossing(info.edges, info.regions, partition.group_a, partition.group_b):
        return None
    return f"faults.partition: with seed {info.seed} no link joins {partition.group_a} and {partition.group_b}: nothing is cut"


def _in_two_processes(outcome: Outcome, scenario: "Scenario") -> Outcome:
    """Once more in a child, and the summary with what differs. Processes that disagree are a broken promise."""
    same = run_again(outcome.folder)
    summary = with_comparison(outcome.summary, outcome.folder)
    outcome.folder.write_summary(summary, scenario.metrics.summary_json, scenario.metrics.csv_path)
    if same:
        return replace(outcome, summary=summary)
    violations = (*outcome.violations, "process_independence: a child process came to other results: see comparison in the summary")
    run = {**outcome.run, "exit_code": exits.FAILED, "violations": list(violations)}
    write_json(outcome.folder.run, run)
    return replace(outcome, summary=summary, exit_code=exits.FAILED, violations=violations, run=run)


def _build(scenario: "Scenario", seed: int, request: Request) -> "Simulation | OpaqueRun":
    """Imports late: this loads the native provers, which a refused scenario and `analyze` do not need."""
    try:
        if not scenario.chain.enabled:
            from simnet.opaque import OpaqueRun

            return OpaqueRun(scenario, seed, request.static_key_seed)
        from simnet.simulation import RunOptions, build
    except ImportError as error:
        if "_zk" not in str(error):
            raise
        raise SimnetError(f"the native provers are not built ({error}); `make build` builds them") from error
    return build(scenario, seed, RunOptions(costs=request.costs, static_key_seed=request.static_key_seed))


def _observe(
    request: Request,
    loaded: "LoadedScenario",
    folder: RunFolder,
    header: Mapping[str, object],
    simulation: "Simulation | OpaqueRun",
    recorder: SummaryRecorder,
    console: Console | None,
) -> Outcome:
    """Attaches the observers, runs, and writes what there is, however the run ended."""
    metadata = {"seed": str(header["seed"]), "scenario_sha256": loaded.sha256, "simnet": simnet.__version__}
    result: RunResult | None = None
    failure: SimnetError | None = None
    with ExitStack() as stack:
        trace = stack.enter_context(TraceRecorder(folder.trace, metadata))
        simulation.attach(recorder)
        simulation.attach(trace)
        if loaded.scenario.slashing:
            simulation.attach(stack.enter_context(PenaltyLog(folder.penalties)))
        if console is not None:
            simulation.attach(stack.enter_context(Progress(simulation.info, console)))
        try:
            with rare_collections():
                result = simulation.run()
        except SimnetError as error:
            failure = error
        trace_sha256 = trace.close()
    summary = recorder.summary(result)
    metrics = None if request.repeats else loaded.scenario.metrics
    files = folder.write_summary(summary, metrics.summary_json if metrics else None, metrics.csv_path if metrics else None)
    if result is not None:
        folder.write_result(result)
    code = _exit_code(result, recorder)
    run = {**header, **_ending(result, summary, trace, code, trace_sha256), "files": [str(path) for path in files]}
    write_json(folder.run, run)
    if failure is not None:
        raise failure
    violations = () if result is None else tuple(f"{v.invariant}: {v.detail}" for v in result.violations)
    return Outcome(folder, code, run, summary, violations, _replay(request, header))


def _header(request: Request, loaded: "LoadedScenario", seed: int) -> dict[str, object]:
    return {
        "schema_version": RUN_SCHEMA,
        "scenario_path": str(loaded.path),
        "scenario_sha256": loaded.sha256,
        "seed": seed,
        "overrides": dict(request.overrides),
        "strict": request.strict,
        "costs": request.costs,
        "mode": request.mode,
        "static_key_seed": request.static_key_seed,
        "versions": {"simnet": simnet.__version__, "packages": packages(), "crates": crates()},
        "host": host(),
        "warnings": [str(warning) for warning in loaded.warnings],
        "scenario": loaded.scenario.model_dump(mode="json", by_alias=True),
    }


def _labels(request: Request, loaded: "LoadedScenario") -> Labels:
    backend = os.environ.get("SIM_BACKEND_LABEL") or loaded.scenario.sim.mode or "inprocess"
    # The file's name would tie the summary to a place; its content decides the trace.
    model = request.costs if request.costs in ("calibrated", "measured") else "recorded"
    return Labels(loaded.sha256, model, backend)


def _ending(result: "RunResult | None", summary: Summary, trace: TraceRecorder, code: int, trace_sha256: str) -> dict[str, object]:
    return {
        "complete": result is not None and result.complete,
        "interrupted": result is not None and result.interrupted,
        "exit_code": exits.USAGE if result is None else code,
        "events": trace.rows,
        "trace_sha256": trace_sha256,
        "summary_sha256": determinism_sha256(summary),
        "proofs_sha256": None if result is None else result.proofs_sha256,
        "violations": [] if result is None else [f"{v.invariant}: {v.detail}" for v in result.violations],
    }


def _exit_code(result: "RunResult | None", recorder: SummaryRecorder) -> int:
    if result is None:
        return exits.USAGE
    if result.interrupted:
        return exits.INTERRUPTED
    if result.violations:
        return exits.FAILED
    return exits.HELD if recorder.traffic_started else exits.NOTHING_RAN


def _replay(request: Request, header: Mapping[str, object]) -> str:
    words = ["simnet", "run", str(request.scenario), "--seed", str(header["seed"])]
    if request.costs != "calibrated":
        words += ["--costs", request.costs]
    for key, value in request.overrides.items():
        words += ["--set", f"{key}={value}"]
    line = shlex.join(words)
    if request.static_key_seed is not None:
        return f"{STATIC_KEYS}={shlex.quote(request.static_key_seed)} {line}"
    return line
