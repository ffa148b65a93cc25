"""`simnet regression`: several wrappers one after the other, and one report on all of them."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from simnet.base import codes, plain
from simnet.base.errors import ScenarioError, SimnetError
from simnet.base.reading import checked, json_object
from simnet.cli import exits, paths
from simnet.cli.run import Shown, ShownJob, job_options
from simnet.cli.screen import say
from simnet.record.atomic import write_atomic
from simnet.record.earlier import refuse_nested
from simnet.record.files import write_json
from simnet.record.places import JOB
from simnet.record.readback import JobFile
from simnet.record.summary_files import LoadFile, SummaryFile, summary_file
from simnet.scenario.profiles import find_profile
from simnet.scenario.wrapper_load import LoadedWrapper, load_wrapper
from simnet.wrappers.job import JobOptions, network_summary, run_job
from simnet.wrappers.load import result_paths

ROOT = Path("target/simnet/regression")
DEFAULT = ("consensus_quorum_stress", "snapshot_rebuild", "gossip_backpressure", "canary_rolling_restart")
LOAD_FIELDS = tuple(LoadFile.model_fields)
COLUMNS = ("name", "status", "duration_secs", "consensus", "network", "errors")


@exits.exits
def regression(
    root: Annotated[Path | None, typer.Option("--artifacts-root", help=f"Default: {ROOT}/<UTC time>.", parser=paths.path)] = None,
    json_report: Annotated[Path | None, typer.Option(help="Default: regression.json in the root.", parser=paths.new_file)] = None,
    html_report: Annotated[Path | None, typer.Option(help="Default: regression.html in the root.", parser=paths.new_file)] = None,
    scenarios: Annotated[
        list[str] | None, typer.Option("--scenario", help=f"A wrapper or its name. Default: {', '.join(DEFAULT)}.")
    ] = None,
    keep_alive: Annotated[bool, typer.Option("--keep-alive", help="Wait 60 s after each.")] = False,
    allow_insufficient: Annotated[bool, typer.Option("--allow-insufficient-resources", help="Run on a smaller host, too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace finished jobs in the same folders.")] = False,
) -> int:
    """Run several wrappers and report on all. Exit code 1 when one has failed."""
    began = _now()
    folder = root or ROOT / began.strftime("%Y%m%d%H%M%S")
    refuse_nested(folder / "job")
    wanted = [Path(name) if Path(name).is_file() else find_profile(name) for name in scenarios or DEFAULT]
    chosen = partial(replace, keep_alive=keep_alive, allow_insufficient=allow_insufficient, force=force)
    entries = []
    code = codes.HELD
    for path in wanted:
        entry, ended = _one(path, folder / path.stem.replace("_", "-"), chosen)
        entries.append(entry)
        say(f"{entry['name']}: {entry['status']} in {entry['duration_secs']} s")
        if ended == codes.INTERRUPTED:
            code = codes.INTERRUPTED
            break
    report = _report(began, entries)
    write_json(json_report or folder / "regression.json", report)
    write_atomic(html_report or folder / "regression.html", page(report))
    say(f"{report['passed']} of {len(wanted)} passed; reports in {folder}/")
    return code or (codes.FAILED if report["failed"] else codes.HELD)


def _one(path: Path, folder: Path, chosen: Callable[..., JobOptions]) -> tuple[dict[str, Any], int]:
    """One wrapper's part of the report, and its exit code."""
    began = _now()
    loaded: LoadedWrapper | None = None
    errors: list[str] = []
    results: dict[str, Any] = {"consensus": None, "p2p_summary_path": None, "p2p_summary": None}
    try:
        loaded = load_wrapper(path)
        options = job_options(loaded, None, "calibrated", {}, False)
        code = run_job(loaded, chosen(options, artifacts=folder), ShownJob(Shown(quiet=True))).exit_code
        errors = job_errors(folder / JOB)
        results = _results(loaded, folder)
    except SimnetError as error:
        code = codes.USAGE
        errors = [str(p) for p in error.problems] if isinstance(error, ScenarioError) else str(error).splitlines()
    if code and not errors:
        errors = [f"exit code {code}: a threshold or an invariant failed, see {folder}"]
    ended = _now()
    entry: dict[str, Any] = {
        "name": path.stem if loaded is None else loaded.wrapper.name,
        "description": None if loaded is None else loaded.wrapper.description,
        "status": "failed" if code else "passed",
        "started_at": began.isoformat(),
        "finished_at": ended.isoformat(),
        "duration_secs": round((ended - began).total_seconds(), 3),
        "artifacts_dir": str(folder),
        "errors": errors,
        **results,
    }
    return entry, code


def _results(loaded: LoadedWrapper, folder: Path) -> dict[str, Any]:
    """What the parts of a job left behind; null for what is not there. Raises `OutputError`."""
    consensus: dict[str, Any] | None = None
    if loaded.wrapper.consensus is not None:
        summary, csv = result_paths(loaded, folder)
        if summary.is_file():
            paths = {"summary_path": str(summary), "csv_path": None if csv is None else str(csv)}
            consensus = {**paths, **load_figures(summary)}
    network = network_summary(loaded, folder)
    found = network is not None and network.is_file()
    return {
        "consensus": consensus,
        "p2p_summary_path": str(network) if found else None,
        "p2p_summary": summary_file(network).content if found and network is not None else None,
    }


def job_errors(path: Path) -> list[str]:
    """What a job's `wrapper.json` says went wrong. Raises `OutputError`."""
    return checked(path, json_object(path), JobFile, "a job's wrapper.json").errors


def load_figures(path: Path) -> dict[str, Any]:
    """What the report quotes of a consensus load's summary. Raises `OutputError`."""
    return checked(path, json_object(path), LoadFile, "a consensus load's summary").model_dump(include=set(LOAD_FIELDS))


def _report(began: datetime, entries: list[dict[str, Any]]) -> dict[str, Any]:
    ended = _now()
    failed = sum(entry["status"] == "failed" for entry in entries)
    return {
        "started_at": began.isoformat(),
        "finished_at": ended.isoformat(),
        "duration_secs": round((ended - began).total_seconds(), 3),
        "total": len(entries),
        "passed": len(entries) - failed,
        "failed": failed,
        "scenarios": entries,
    }


def page(report: Mapping[str, Any]) -> str:
    """The report as one HTML table."""
    root = ET.Element("html", lang="en")
    head = ET.SubElement(root, "head")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "title").text = "simnet regression"
    ET.SubElement(head, "style").text = "td, th { padding: 0.2em 0.8em; text-align: left; vertical-align: top } .failed { color: #b00020 }"
    body = ET.SubElement(root, "body")
    ET.SubElement(body, "h1").text = f"{report['passed']} of {report['total']} passed"
    ET.SubElement(body, "p").text = f"{report['started_at']} to {report['finished_at']}"
    table = ET.SubElement(body, "table")
    row = ET.SubElement(table, "tr")
    for name in COLUMNS:
        ET.SubElement(row, "th").text = name
    for entry in report["scenarios"]:
        row = ET.SubElement(table, "tr", {"class": entry["status"]})
        for name in COLUMNS:
            ET.SubElement(row, "td").text = plain.printable(_cell(entry, name))
    return "<!doctype html>\n" + ET.tostring(root, encoding="unicode", method="html") + "\n"


def _cell(entry: Mapping[str, Any], name: str) -> str:
    """One cell in words; a dash where the job had no such part or left nothing."""
    if name == "consensus":
        load = entry["consensus"]
        return "–" if load is None else f"{load['runs']} runs, prove p95 {load['prove_ms']['p95']} ms, {len(load['failures'])} failures"
    if name == "network":
        if entry["p2p_summary"] is None:
            return "–"
        summary = SummaryFile.model_validate(entry["p2p_summary"])
        p95 = None if summary.propagation is None else summary.propagation.p95_ms
        return f"{summary.total_publishes} published, {summary.total_receives} received, propagation p95 {p95} ms"
    value = entry[name]
    return "; ".join(value) if isinstance(value, list) else str(value)


def _now() -> datetime:
    return datetime.now(UTC)
