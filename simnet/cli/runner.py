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
from simnet.cli.signals import Stop, deferred
from simnet.errors import Problem, ScenarioError, SimnetError
from simnet.garbage import rare_collections
from simnet.record.files import RunFolder, write_json
from simnet.record.penalties import PenaltyLog
from simnet.record.places import FolderLock, default_folder, refuse_collisions, summary_stem
from simnet.record.readback import RUN_SCHEMA
from simnet.record.resources import host
from simnet.record.summary import Labels, Summary, SummaryRecorder, determinism_sha256
from simnet.record.trace import TraceRecorder
from simnet.record.versions import crates, packages

if TYPE_CHECKING:
    from simnet.opaque import OpaqueRun
    from simnet.scenario.load import LoadedScenario
    from simnet.scenario.model import Scenario
    from simnet.simulation import RunResult, Simulation

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
    force: bool = False
    """Replaces a finished run in the same folder."""
    locked: bool = False
    """The caller has locked the folder."""
    loaded: "LoadedScenario | None" = None
    """The scenario itself; `scenario` then only says where it came from."""


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
    lock: FolderLock | None = None
    """Nobody else writes into the folder before this is released."""


def carry_out(request: Request, console: Console | None) -> Outcome:
    """Runs a scenario and writes its folder. `console` shows progress and warnings; None: silent.

    Raises `ScenarioError` before anything is written, `OutputError` when a file cannot be.
    """
    from simnet.proofs.costs import cost_model
    from simnet.scenario.load import load_scenario
    from simnet.scenario.upstream import MULTI_PROCESS

    loaded = request.loaded or load_scenario(
        request.scenario, seed=request.seed, overrides=request.overrides, strict=request.strict, mode=request.mode
    )
    if console is not None:
        for warning in loaded.warnings:
            say(f"warning: {warning}", err=True)
    scenario = loaded.scenario
    seed = scenario.sim.seed
    folder = RunFolder(request.out or default_folder(scenario.name), summary_stem(loaded.path))
    metrics = _metrics_files(request, scenario)
    refuse_collisions(metrics.items(), [*_inputs(request, loaded), *_others(folder)])
    header = _header(request, loaded, seed)
    labels = _labels(request, loaded)
    _tell_unfelt(request, _unfelt(scenario, seed), loud=console is not None)
    cost_model(str(request.costs))  # A file that is no table is said before anything else.
    lock = folder.begin(header, force=request.force, locked=request.locked)
    if console is not None:
        shape = f"{scenario.topology.n} nodes, {scenario.sim.duration_ms / 1000:g} s of virtual time, seed {seed}"
        say(f"{plain.printable(scenario.name)}: {shape}; into {plain.printable(str(folder.root))}/; loading the provers' keys", err=True)
    try:
        simulation = _build(scenario, seed, request)
    except KeyboardInterrupt:
        write_json(folder.run, {**header, "complete": False, "interrupted": True, "exit_code": exits.INTERRUPTED})
        raise
    recorder = SummaryRecorder(simulation.info, labels)
    outcome = replace(_observe(request, loaded, folder, header, simulation, recorder, console), lock=lock)
    again = (scenario.sim.mode or "").lower() in MULTI_PROCESS and not request.repeats and outcome.exit_code == exits.HELD
    return _in_two_processes(outcome, metrics) if again else outcome


METRICS = {"metrics.json": ".json", "metrics.csv": ".csv"}
"""Names of the scenario's own places for the summary."""


def _metrics_files(request: Request, scenario: "Scenario") -> dict[str, Path]:
    """Where `[metrics]` wants the summary, too; nowhere with a folder of the caller's, which then holds everything."""
    if request.out is not None or request.repeats:
        return {}
    places = (scenario.metrics.summary_json, scenario.metrics.csv_path)
    return {name: path for name, path in zip(METRICS, places, strict=True) if path is not None}


def _inputs(request: Request, loaded: "LoadedScenario") -> list[tuple[str, Path]]:
    costs = [] if request.costs in ("calibrated", "measured") else [("the table of --costs", Path(request.costs))]
    return [("the scenario", loaded.path), *costs]


def _others(folder: RunFolder) -> list[tuple[str, Path]]:
    """The run's own files, without the summary, which may be what `[metrics]` means."""
    return [(name, path) for name, path in folder.taken if path not in (folder.summary, folder.csv)]


def _tell_unfelt(request: Request, unfelt: list[str], *, loud: bool) -> None:
    """Warnings that need the run's links; errors with `--strict`."""
    if unfelt and request.strict and not request.repeats:
        raise ScenarioError([Problem(request.scenario, None, "", None, why) for why in unfelt])
    for why in unfelt if loud else ():
        say(f"warning: {plain.printable(why)}", err=True)


def _unfelt(scenario: "Scenario", seed: int) -> list[str]:
    """Faults of links that concern no link, which depends on the seed. Upstream skips such a partition without a word."""
    from simnet.net.faults import concerns
    from simnet.net.topology import crossing, edges_of

    partition, rules = scenario.faults.partition, scenario.faults.links
    if partition is None and not rules:
        return []
    edges, regions = edges_of(scenario.topology, seed), scenario.region_of_node
    found = []
    pair = "" if partition is None else " and ".join(partition.names())
    if partition is not None and not crossing(edges, regions, partition.group_a, partition.group_b):
        found.append(f"faults.partition: with seed {seed} no link joins {pair}: nothing is cut")
    for index, fault in enumerate(rules):
        if not any(concerns(fault, a, b, regions) or concerns(fault, b, a, regions) for a, b in edges):
            way = f"from {fault.source or 'anywhere'} to {fault.target or 'anywhere'}"
            found.append(f"faults.links.{index}: with seed {seed} no link goes {way}: it does nothing")
    return found


def _in_two_processes(outcome: Outcome, metrics: Mapping[str, Path]) -> Outcome:
    """Once more in a child, and the summary with what differs. Processes that disagree are a broken promise."""
    try:
        same = run_again(outcome.folder)
    except KeyboardInterrupt:
        run = {**outcome.run, "exit_code": exits.INTERRUPTED, "interrupted": True, "complete": False}
        write_json(outcome.folder.run, run)
        return replace(outcome, exit_code=exits.INTERRUPTED, run=run)
    summary = with_comparison(outcome.summary, outcome.folder)
    outcome.folder.write_summary(summary, *map(metrics.get, METRICS))
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
    interrupted = False
    with ExitStack() as stack:
        trace = stack.enter_context(TraceRecorder(folder.trace, metadata))
        simulation.attach(recorder)
        simulation.attach(trace)
        simulation.attach(Stop())
        if loaded.scenario.slashing:
            simulation.attach(stack.enter_context(PenaltyLog(folder.penalties)))
        if console is not None:
            simulation.attach(stack.enter_context(Progress(simulation.info, console)))
        try:
            with rare_collections():
                result = simulation.run()
        except SimnetError as error:
            failure = error
        except KeyboardInterrupt:  # while it was ending
            interrupted = True
        with deferred():
            trace_sha256 = trace.close()
    with deferred():
        summary = recorder.summary(result)
        files = folder.write_summary(summary, *map(_metrics_files(request, loaded.scenario).get, METRICS))
        if result is not None:
            folder.write_result(result)
        violations = () if result is None or result.as_expected else _violations(result)
        idle = _idle_faults(result)
        if idle is not None and request.strict:
            violations = (*violations, idle)
        elif idle is not None and console is not None:
            console.print(f"warning: {idle}", markup=False, highlight=False, soft_wrap=True)
        code = exits.INTERRUPTED if interrupted else _exit_code(result, recorder, violations)
        replay = _replay(request, header)
        ending = _ending(result, summary, trace, code, trace_sha256, violations)
        run = {**header, **ending, "replay": replay, "files": [str(path) for path in files]}
        write_json(folder.run, run)
    if failure is not None:
        raise failure
    return Outcome(folder, code, run, summary, violations, replay)


def _idle_faults(result: "RunResult | None") -> str | None:
    """Which faults of the scenario never acted: the network was not asked what the scenario says. Strict runs refuse that."""
    effect = {} if result is None else result.checks.get("fault_effect", {})
    first = effect.get("first")
    return f"fault_effect: {first['detail']}" if isinstance(first, Mapping) else None


def _header(request: Request, loaded: "LoadedScenario", seed: int) -> dict[str, object]:
    return {
        "schema_version": RUN_SCHEMA,
        "scenario_path": str(loaded.path),
        "scenario_sha256": loaded.sha256,
        "seed": seed,
        "overrides": dict(request.overrides),
        "strict": request.strict,
        "repeats": request.repeats,
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


def _ending(
    result: "RunResult | None", summary: Summary, trace: TraceRecorder, code: int, trace_sha256: str, violations: tuple[str, ...]
) -> dict[str, object]:
    return {
        "complete": result is not None and result.complete,
        "interrupted": code == exits.INTERRUPTED,
        "exit_code": code,
        "events": trace.rows,
        "trace_sha256": trace_sha256,
        "summary_sha256": determinism_sha256(summary),
        "proofs_sha256": None if result is None else result.proofs_sha256,
        "violations": list(violations),
    }


def _exit_code(result: "RunResult | None", recorder: SummaryRecorder, violations: tuple[str, ...]) -> int:
    if result is None:
        return exits.USAGE
    if result.interrupted:
        return exits.INTERRUPTED
    if violations:
        return exits.FAILED
    return exits.HELD if recorder.traffic_started else exits.NOTHING_RAN


def _violations(result: "RunResult") -> tuple[str, ...]:
    """What broke, and what was to and did not."""
    unmet = () if result.expectation is None else (f"expectation: {result.expectation['why_not']}",)
    return (*(f"{v.invariant}: {v.detail}" for v in result.violations), *unmet)


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
