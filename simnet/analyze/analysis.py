"""From a summary file to its verdicts, and where they are kept."""

from pathlib import Path

from simnet.analyze.report import Analysis
from simnet.analyze.thresholds import NETWORK_ONLY, PACKAGED, find_thresholds, load_thresholds
from simnet.analyze.verdicts import judge
from simnet.errors import ThresholdError
from simnet.record.files import read_json, write_json


def analyze_file(summary: Path, thresholds: Path | None = None) -> Analysis:
    """Judges one summary by the given thresholds, else by those found for its name, and writes `analysis.json`.

    Raises `ThresholdError` (bad rules, unknown metric) or `OutputError` (unreadable summary, unwritable verdicts).
    """
    content = read_json(summary)
    packaged = NETWORK_ONLY if content.get("simnet", {}).get("network_only") else PACKAGED
    path = thresholds if thresholds is not None else find_thresholds(summary.stem, packaged)
    try:
        verdicts = judge(content, load_thresholds(path))
    except ThresholdError as error:
        raise ThresholdError(f"{summary}: {error}") from error
    analysis = Analysis(summary, path, tuple(verdicts))
    write_json(analysis_path(summary), analysis.as_dict())
    return analysis


def analysis_path(summary: Path) -> Path:
    """`analysis.json` in the run's folder, or `<stem>.analysis.json` beside a summary that is in none."""
    root = summary.parent.parent
    if summary.parent.name == "summaries" and (root / "run.json").is_file():
        return root / "analysis.json"
    return summary.with_name(f"{summary.stem}.analysis.json")
