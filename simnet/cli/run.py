"""`simnet run`, `simnet rerun` and `simnet validate`."""

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from simnet.analyze.analysis import analyze_file
from simnet.analyze.report import text
from simnet.cli import exits
from simnet.cli.result import show
from simnet.cli.runner import Outcome, Request, carry_out
from simnet.errors import OutputError, Problem, ScenarioError, SimnetError
from simnet.record.files import read_json

ScenarioPath = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file.")]
Seed = Annotated[int | None, typer.Option(envvar="SIMNET_SEED", min=0, help="Replaces the scenario's seed.")]
Out = Annotated[Path | None, typer.Option(help="The run's folder. Default: target/simnet/<scenario>/.")]
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
Analyze = Annotated[bool, typer.Option("--analyze/--no-analyze", help="Judge the summary by its thresholds.")]


@exits.exits
def run(
    scenario: ScenarioPath,
    seed: Seed = None,
    out: Out = None,
    costs: Costs = "calibrated",
    sets: Sets = None,
    engine: Engine = None,
    strict: Strict = False,
    quiet: Quiet = False,
    as_json: Json = False,
    analyze: Analyze = True,
) -> int:
    """Run a scenario and write its results."""
    if quiet and as_json:
        raise typer.BadParameter("--quiet and --json exclude each other")
    overrides = _overrides(sets or [])
    if engine is not None:
        overrides["gossip.engine"] = json.dumps(engine.value)
    request = Request(scenario, seed, out, costs, overrides, strict)
    outcome = carry_out(request, None if quiet else Console(stderr=True))
    if not (quiet or as_json):
        _tell(outcome)
    code = outcome.exit_code
    verdicts: dict[str, object] | None = None
    if analyze and code == exits.HELD:
        analysis = analyze_file(outcome.folder.summary)
        verdicts = analysis.as_dict()
        code = exits.HELD if analysis.passed else exits.FAILED
        if not (quiet or as_json):
            typer.echo("\n" + text([analysis]), nl=False)
    if as_json:
        typer.echo(json.dumps({**outcome.run, "exit_code": code, "analysis": verdicts}, indent=2))
    _explain(outcome)
    return code


def _tell(outcome: Outcome) -> None:
    console = Console(width=None if Console().is_terminal else 140)
    show(outcome.summary, console)
    if not outcome.run["complete"]:
        console.print("The run is incomplete: the figures cover what ran.")
    typer.echo(f"\nFiles of this run: {outcome.folder.root}/")
    for path in outcome.run["files"]:
        typer.echo(f"  {path}")
    for name in ("trace_sha256", "summary_sha256", "proofs_sha256"):
        typer.echo(f"  {name} {outcome.run[name]}")


def _explain(outcome: Outcome) -> None:
    """On stderr: why the exit code is not 0."""
    for violation in outcome.violations:
        typer.echo(f"error: broken invariant: {violation}", err=True)
    if outcome.violations:
        typer.echo(f"replay: {outcome.replay}", err=True)
    elif outcome.exit_code == exits.INTERRUPTED:
        typer.echo("interrupted: the finished part is written and marked incomplete", err=True)
    elif outcome.exit_code == exits.NOTHING_RAN:
        typer.echo("error: nothing ran: the traffic never started", err=True)


def _overrides(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or not key.strip():
            raise typer.BadParameter(f"--set {pair!r}: expected key=value, say sim.seed=7")
        found[key.strip()] = value.strip()
    return found


@exits.exits
def validate(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files.")],
    strict: Strict = False,
) -> int:
    """Check scenario files without running them."""
    from simnet.scenario.load import load_scenario

    code = exits.HELD
    for path in scenarios:
        try:
            loaded = load_scenario(path, strict=strict)
        except SimnetError as error:
            exits.complain(error)
            code = exits.USAGE
            continue
        for warning in loaded.warnings:
            typer.echo(f"warning: {warning}", err=True)
        typer.echo(f"{path}: ok (sha256 {loaded.sha256})")
    return code


HASHES = ("trace_sha256", "summary_sha256", "proofs_sha256")


@exits.exits
def rerun(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    out: Annotated[Path | None, typer.Option(help="Where the repetition goes. Default: <RUN>-rerun.")] = None,
    quiet: Quiet = False,
) -> int:
    """Repeat a run from its run.json and compare the hashes."""
    before = read_json(folder / "run.json")
    request = _request_of(before, folder, out or folder.with_name(f"{folder.name}-rerun"))
    if before.get("costs") == "measured":
        typer.echo("the run used measured costs: replaying its costs.json; only the trace and proofs can agree", err=True)
        request = replace(request, costs=str(folder / "costs.json"))
    outcome = carry_out(request, None if quiet else Console(stderr=True))
    _explain(outcome)
    if outcome.exit_code == exits.INTERRUPTED:
        return exits.INTERRUPTED
    equal = True
    for name in HASHES:
        same = before[name] == outcome.run[name]
        equal &= same or (name == "summary_sha256" and before["costs"] == "measured")
        typer.echo(f"{name}: {'same' if same else 'DIFFERENT'} ({before[name]}, now {outcome.run[name]})")
    return exits.HELD if equal else exits.FAILED


def _request_of(before: dict[str, Any], folder: Path, out: Path) -> Request:
    """The request behind a finished run. Raises an expected error when it cannot be repeated."""
    path = folder / "run.json"
    missing = [n for n in ("scenario_path", "scenario_sha256", "seed", "overrides", "costs", *HASHES) if n not in before]
    if missing or not before.get("complete"):
        why = f"lacks {', '.join(missing)}" if missing else "the run is incomplete"
        raise OutputError(f"{path}: {why}: nothing to compare with")
    if out.resolve() == folder.resolve():
        raise OutputError(f"--out {out} is the run to compare with")
    scenario = Path(before["scenario_path"])
    _same_scenario(scenario, before["scenario_sha256"])
    strict = bool(before.get("strict", False))
    return Request(scenario, before["seed"], out, before["costs"], before["overrides"], strict, metrics_files=False)


def _same_scenario(path: Path, sha256: str) -> None:
    from simnet.scenario.load import load_scenario

    if load_scenario(path).sha256 != sha256:
        raise ScenarioError([Problem(path, None, "", None, "has changed since the run; its sha256 was " + sha256)])
