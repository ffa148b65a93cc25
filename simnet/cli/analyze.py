"""`simnet analyze`: summaries against rules. The options have upstream's names and replace limits of the rule files."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simnet.analyze.analysis import analyze_file
from simnet.analyze.capture import capture
from simnet.analyze.report import FORMATS, Analysis
from simnet.analyze.sides import summaries_in
from simnet.base import codes
from simnet.base.errors import SimnetError
from simnet.cli import exits, paths
from simnet.cli.screen import say
from simnet.record.places import is_product
from simnet.record.readback import unfinished

PLACES = "Summaries of runs and consensus loads, runs' folders, or folders of them."
LIMITS = "Limits (default: those of the rule files; a figure fails when it is above)"
Limit = Annotated[float | None, typer.Option(min=0, rich_help_panel=LIMITS, show_default=False)]
Count = Annotated[int | None, typer.Option(min=0, rich_help_panel=LIMITS, show_default=False)]
Factor = Annotated[float | None, typer.Option(min=1, rich_help_panel=LIMITS, show_default=False)]


class Format(StrEnum):
    """How verdicts are printed."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


@exits.exits
def analyze(
    summaries: Annotated[list[Path], typer.Argument(metavar="SUMMARY", help=PLACES, parser=paths.path)],
    thresholds: Annotated[
        Path | None, typer.Option(help="Rules instead of analysis/thresholds/<name of the summary>.toml.", parser=paths.path)
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the verdicts.")] = Format.TEXT,
    capture_dir: Annotated[
        Path | None, typer.Option(help="Where folders of runs that used too much, or of failed drills, go.", parser=paths.path)
    ] = None,
    max_propagation_p95: Limit = None,
    max_propagation_p95_trusted: Limit = None,
    max_propagation_p95_untrusted: Limit = None,
    max_probe_p95: Limit = None,
    max_resume_latency: Limit = None,
    max_replay_drops_trusted: Count = None,
    max_replay_drops_untrusted: Count = None,
    max_replay_window_fill: Limit = None,
    max_cpu_percent: Limit = None,
    max_memory_mib: Limit = None,
    peer_bytes_multiplier: Factor = None,
    min_peer_bytes: Count = None,
    max_consensus_prove_p95: Limit = None,
    max_consensus_verify_p95: Limit = None,
    max_consensus_unexpected: Count = None,
) -> int:
    """Judge summaries: propagation, recovery, replay, resources, bytes of peers, consensus loads, and what a scenario adds."""
    given = {
        "max-propagation-p95": max_propagation_p95,
        "max-propagation-p95-trusted": max_propagation_p95_trusted,
        "max-propagation-p95-untrusted": max_propagation_p95_untrusted,
        "max-probe-p95": max_probe_p95,
        "max-resume-latency": max_resume_latency,
        "max-replay-drops-trusted": max_replay_drops_trusted,
        "max-replay-drops-untrusted": max_replay_drops_untrusted,
        "max-replay-window-fill": max_replay_window_fill,
        "max-cpu-percent": max_cpu_percent,
        "max-memory-mib": max_memory_mib,
        "peer-bytes-multiplier": peer_bytes_multiplier,
        "min-peer-bytes": min_peer_bytes,
        "max-consensus-prove-p95": max_consensus_prove_p95,
        "max-consensus-verify-p95": max_consensus_verify_p95,
        "max-consensus-unexpected": max_consensus_unexpected,
    }
    options = {name: value for name, value in given.items() if value is not None}
    for name, value in options.items():
        if math.isnan(value):
            raise typer.BadParameter(f"--{name}: not a number")
    analyses = [analysis for place in _without_products(summaries) for analysis in _judge(place, thresholds, options)]
    say(FORMATS[form.value](analyses), nl=False)
    for analysis in analyses:
        exits.tell_failures(analysis.summary, analysis.failures)
    if capture_dir is not None:
        for folder in capture(analyses, capture_dir):
            say(f"captured {folder}", err=True)
    if any(analysis.problem for analysis in analyses):
        return codes.USAGE
    return codes.HELD if all(analysis.passed for analysis in analyses) else codes.FAILED


def _without_products(given: list[Path]) -> list[Path]:
    """Without what the analyzer itself wrote, which a pattern like `summaries/*.json` also finds."""
    for path in filter(is_product, given):
        say(f"note: {path}: written by the analyzer, no summary; left out", err=True)
    kept = [path for path in given if not is_product(path)]
    if not kept:
        raise typer.BadParameter("no summary among these files")
    return kept


def _judge(place: Path, thresholds: Path | None, options: dict[str, float]) -> list[Analysis]:
    """The verdicts on a summary, or on those in a folder. What keeps one from being judged is told and does not keep the others."""
    try:
        paths = summaries_in(place)
    except SimnetError as error:
        return [_unjudged(place, error)]
    return [_judge_one(path, thresholds, options) for path in paths]


def _judge_one(path: Path, thresholds: Path | None, options: dict[str, float]) -> Analysis:
    try:
        return analyze_file(path, thresholds, options)
    except SimnetError as error:
        return _unjudged(path, unfinished(path) or error)


def _unjudged(path: Path, error: SimnetError) -> Analysis:
    exits.complain(error, places=True)
    return Analysis(path, (), (), problem=str(error))
