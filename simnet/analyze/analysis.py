"""From a summary file to its verdicts, and where they are kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simnet.analyze import prover_mix
from simnet.analyze.prover_mix import STEM, judge_mix, read_mix
from simnet.analyze.report import Analysis
from simnet.analyze.thresholds import CONSENSUS, NETWORK_ONLY, PACKAGED, find_thresholds, load_thresholds
from simnet.analyze.verdicts import judge
from simnet.errors import ThresholdError
from simnet.record.consensus import KIND
from simnet.record.files import read_json, write_json


def analyze_file(summary: Path, thresholds: Path | None = None) -> Analysis:
    """Judges one summary by the given thresholds, else by those found for its name, and writes `analysis.json`.

    Raises `ThresholdError` (bad rules, unknown metric) or `OutputError` (unreadable summary, unwritable verdicts).
    """
    if summary.stem == STEM and thresholds is None:
        analysis = Analysis(summary, Path(prover_mix.__file__), tuple(judge_mix(read_mix(summary))))
        write_json(analysis_path(summary, main=False), analysis.as_dict())
        return analysis
    content = read_json(summary)
    is_load = content.get("kind") == KIND
    path = thresholds if thresholds is not None else find_thresholds(summary.stem, _general(content))
    try:
        verdicts = judge(content, load_thresholds(path))
    except ThresholdError as error:
        raise ThresholdError(f"{summary}: {error}") from error
    analysis = Analysis(summary, path, tuple(verdicts))
    write_json(analysis_path(summary, main=not is_load), analysis.as_dict())
    return analysis


def _general(content: Mapping[str, Any]) -> Path:
    """The packaged thresholds for a summary of this kind."""
    if content.get("kind") == KIND:
        return CONSENSUS
    return NETWORK_ONLY if content.get("simnet", {}).get("network_only") else PACKAGED


def analysis_path(summary: Path, *, main: bool) -> Path:
    """`analysis.json` in the run's folder for the network run's own summary, `<stem>.analysis.json` beside any other."""
    root = summary.parent.parent
    if main and summary.parent.name == "summaries" and (root / "run.json").is_file():
        return root / "analysis.json"
    return summary.with_name(f"{summary.stem}.analysis.json")
