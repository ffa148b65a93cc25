"""`simnet run`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simnet.analyze.analysis import analyze_file
from simnet.analyze.report import Analysis
from simnet.analyze.report import text as report
from simnet.base import codes
from simnet.base.jsontext import json_text
from simnet.cli import exits, paths
from simnet.cli.circuits import ONE_OF_BACKENDS, backends_named
from simnet.cli.health import health
from simnet.cli.progress import Terminal
from simnet.cli.result import show
from simnet.cli.screen import say, verdict
from simnet.runs.carry_out import carry_out
from simnet.runs.request import STATIC_KEYS, Dark, Outcome, Request
from simnet.scenario.base import U64_MAX
from simnet.scenario.profiles import find_profile
from simnet.scenario.wrapper_load import LoadedWrapper, load_any, split_overrides
from simnet.wrappers.job import JobOptions, run_job
from simnet.wrappers.screen import Complaint

ScenarioPath = Annotated[
    Path | None, typer.Argument(metavar="SCENARIO", help="A profile or wrapper: TOML, YAML, RON, JSON.", parser=paths.path)
]
Profile = Annotated[str | None, typer.Option(metavar="NAME", help="A shipped scenario or an alias, say quorum-stress.")]
Seed = Annotated[int | None, typer.Option(envvar="SIMNET_SEED", min=0, max=U64_MAX, help="Replaces the scenario's seeds.")]
Out = Annotated[
    Path | None, typer.Option("--out", "--artifacts-dir", help="The run's folder. Default: target/simnet/<scenario>/.", parser=paths.path)
]
Costs = Annotated[str, typer.Option(help="Virtual time of proofs: calibrated, measured, or a costs.json to replay.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replaces one scenario value.")]


class EngineName(StrEnum):
    """How floods are carried out."""

    AUTO = "auto"
    EVENTS = "events"
    WAVES = "waves"


Engine = Annotated[EngineName | None, typer.Option(help="Floods copy by copy, or at once where that gives the same trace.")]
Strict = Annotated[bool, typer.Option("--strict", help="Treat warnings about the scenario as errors.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the content of run.json instead of tables.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a finished run in the same folder.")]
Analyze = Annotated[bool, typer.Option("--analyze/--no-analyze", help="Judge the summary by its thresholds.")]


@dataclass(frozen=True)
class Shown:
    """How much of a run is shown, and whether it is judged."""

    quiet: bool = False
    as_json: bool = False
    analyze: bool = True


@exits.exits
def run(
    scenario: ScenarioPath = None,
    profile: Profile = None,
    scenario_option: Annotated[Path | None, typer.Option("--scenario", help="The same as SCENARIO.", parser=paths.path)] = None,
    seed: Seed = None,
    out: Out = None,
    costs: Costs = "calibrated",
    sets: Sets = None,
    engine: Engine = None,
    strict: Strict = False,
    quiet: Quiet = False,
    as_json: Json = False,
    analyze: Analyze = True,
    force: Force = False,
    backend: Annotated[str | None, typer.Option(metavar=ONE_OF_BACKENDS, help="Proof system of a wrapper's consensus load.")] = None,
    keep_alive: Annotated[bool, typer.Option("--keep-alive", help="Wait 60 s before a wrapper's processes are stopped.")] = False,
    allow_insufficient: Annotated[bool, typer.Option("--allow-insufficient-resources", help="Run on a smaller host, too.")] = False,
) -> int:
    """Run a scenario (a profile or a wrapper) and write its results."""
    if backend is not None:
        backends_named("--backend", [backend])
    if quiet and as_json:
        raise typer.BadParameter("--quiet and --json exclude each other")
    path = _chosen(scenario, scenario_option, profile)
    overrides, shown = parse_sets(sets or [], engine), Shown(quiet, as_json, analyze)
    with health() as probe, probe.active():
        loaded = load_any(path, seed=seed, overrides=overrides, strict=strict)
        if isinstance(loaded, LoadedWrapper):
            if backend is not None and loaded.wrapper.consensus is None:
                raise typer.BadParameter(f"--backend: {path} has no consensus load")
            options = job_options(loaded, seed, costs, overrides, strict, analyze=analyze)
            options = replace(
                options, artifacts=out, keep_alive=keep_alive, allow_insufficient=allow_insufficient, backend=backend, force=force
            )
            job = run_job(loaded, options, ShownJob(shown))
            if as_json:
                say(json_text(job.content))
            elif not quiet:
                say(f"files of this job: {job.folder}/", err=True)
            return job.exit_code
        if backend is not None or keep_alive:
            raise typer.BadParameter(f"--backend and --keep-alive are for wrappers; {path} is a profile")
        return run_profile(Request(path, seed, out, costs, overrides, strict, static_key_seed=_static_keys(), force=force), shown)


def run_profile(request: Request, shown: Shown) -> int:
    """One network run: carried out, shown, judged."""
    loud = not (shown.quiet or shown.as_json)
    outcome = carry_out(request, Dark() if shown.quiet else Terminal(Console(stderr=True)))
    if loud:
        _tell(outcome)
    code = outcome.exit_code
    verdicts: dict[str, object] | None = None
    if shown.analyze and code == codes.HELD:
        analysis = analyze_file(outcome.folder.summary)
        verdicts = analysis.as_dict()
        code = codes.HELD if analysis.passed else codes.FAILED
        if loud:
            say("\n" + report([analysis]), nl=False)
        exits.tell_failures(analysis.summary, analysis.failures)
    if shown.as_json:
        say(json_text({**outcome.run, "exit_code": code, "analysis": verdicts}))
    explain(outcome)
    if loud:
        _conclude(outcome, code, verdicts)
    if outcome.lock is not None:
        outcome.lock.release()
    return code


def _chosen(scenario: Path | None, option: Path | None, profile: str | None) -> Path:
    given = [x for x in (scenario, option, profile) if x is not None]
    if len(given) != 1:
        raise typer.BadParameter("give one of SCENARIO, --scenario PATH and --profile NAME")
    return find_profile(profile) if profile is not None else Path(given[0])


def _static_keys() -> str | None:
    return os.environ.get(STATIC_KEYS) or None


class ShownJob:
    """A wrapper's job on the terminal. With --json the job prints one document: its own."""

    def __init__(self, shown: Shown) -> None:
        self._quiet = shown.quiet or shown.as_json

    def tell(self, text: str) -> None:
        if not self._quiet:
            say(text, err=True)

    def complain(self, kind: Complaint, text: str) -> None:
        say(f"{kind}: {text}", err=True)

    def judged(self, analysis: Analysis) -> None:
        if not self._quiet:
            say(report([analysis]), nl=False)
        exits.tell_failures(analysis.summary, analysis.failures)

    def run(self, request: Request, *, analyze: bool) -> int:
        return run_profile(request, Shown(self._quiet, analyze=analyze))


def job_options(
    loaded: LoadedWrapper, seed: int | None, costs: str, overrides: Mapping[str, str], strict: bool, *, analyze: bool = True
) -> JobOptions:
    """How a wrapper's network run is made from the same command line."""

    def request(folder: Path) -> Request | None:
        if loaded.profile is None or loaded.wrapper.p2p is None:
            return None
        below = split_overrides(overrides)[1]
        mode = loaded.wrapper.p2p.mode
        return Request(loaded.profile.path, seed, folder, costs, below, strict, mode, _static_keys(), force=True, locked=True)

    return JobOptions(request, analyze=analyze)


def _conclude(outcome: Outcome, code: int, verdicts: Mapping[str, object] | None) -> None:
    """One line: how it went."""
    checks = outcome.summary["checks"]
    held = sum(check["held"] is True for check in checks.values()) if isinstance(checks, dict) else 0
    rules = "not judged by rules"
    if verdicts is not None:
        listed = verdicts["verdicts"]
        total = len(listed) if isinstance(listed, list) else 0
        failed = verdicts["failed"]
        rules = f"{failed} of {total} rules failed" if failed else f"{total} rules held"
    words = {codes.HELD: "HELD", codes.FAILED: "FAILED", codes.INTERRUPTED: "INTERRUPTED"}.get(code, "NOTHING RAN")
    invariants = f"{held} of {held + len(outcome.violations)} invariants held, " if held + len(outcome.violations) else ""
    verdict(f"{words}: {invariants}{rules}", good=code == codes.HELD)


def _tell(outcome: Outcome) -> None:
    console = Console(width=None if Console().is_terminal else 100)
    show(outcome.summary, console)
    if not outcome.run["complete"]:
        console.print("The run is incomplete: the figures cover what ran.")
    say(f"\nFiles of this run: {outcome.folder.root}/")
    for path in outcome.run["files"]:
        say(f"  {path}")
    for name in ("trace_sha256", "summary_sha256", "proofs_sha256"):
        say(f"  {name} {outcome.run[name]}")


def explain(outcome: Outcome) -> None:
    """On stderr: why the exit code is not 0."""
    for violation in outcome.violations:
        say(f"error: broken invariant: {violation}", err=True)
    if outcome.violations:
        say(f"replay: {outcome.replay}", err=True)
    elif outcome.exit_code == codes.INTERRUPTED:
        say("interrupted: the finished part is written and marked incomplete", err=True)
    elif outcome.exit_code == codes.NOTHING_RAN:
        say("error: nothing ran: the traffic never started", err=True)


def parse_sets(pairs: list[str], engine: EngineName | None = None) -> dict[str, str]:
    """What `--set` and `--engine` lay over a scenario. Raises typer.BadParameter."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or not key.strip():
            raise typer.BadParameter(f"--set {pair!r}: expected key=value, say sim.seed=7")
        found[key.strip()] = value.strip()
    if engine is not None:
        found["gossip.engine"] = json.dumps(engine.value)
    return found
