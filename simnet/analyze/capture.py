"""Keeps what a failed run left behind, for whoever has to find out why."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from simnet.analyze.alerts import is_chaos
from simnet.analyze.report import Analysis
from simnet.analyze.thresholds import RESOURCES
from simnet.base.errors import OutputError

FOLDERS = ("logs", "profiles", "summaries")


def worth_capturing(analysis: Analysis) -> bool:
    """A network run that failed a rule on resources, or a chaos drill that failed any."""
    failed = [verdict for verdict in analysis.verdicts if not verdict.passed]
    return analysis.network and bool(failed) and (is_chaos(analysis.summary) or any(v.group == RESOURCES for v in failed))


def capture(analyses: Sequence[Analysis], target: Path) -> list[Path]:
    """Copies `logs`, `profiles` and `summaries` of each run worth it to `target`/<run>/; the folders made. Raises `OutputError`."""
    roots = dict.fromkeys(a.summary.resolve().parent.parent for a in analyses if worth_capturing(a))
    folders = [(root, name) for root in roots for name in FOLDERS if (root / name).is_dir()]
    return [_copy(root / name, target.resolve() / root.name / name) for root, name in folders]


def _copy(source: Path, destination: Path) -> Path:
    if destination == source or source in destination.parents:
        raise OutputError(f"--capture-dir lies inside {source}, which it is to copy")
    try:
        shutil.copytree(source, destination, dirs_exist_ok=True, symlinks=True)
    except OSError as error:
        raise OutputError(f"cannot copy {source} to {destination}: {error}") from error
    return destination
