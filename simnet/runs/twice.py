"""Multi-process modes: the run once more in a process of its own, and what differs.

Upstream's multi-process modes run one simulation in-process and again in a child, and its summary then has the block
`comparison`. Here both must agree to the byte, so the modes are a check of that.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simnet.base import codes
from simnet.base.errors import SimnetError
from simnet.base.reading import checked, json_object
from simnet.record.files import RunFolder
from simnet.record.places import CHILD, SUMMARIES
from simnet.record.summary import Summary
from simnet.record.summary_files import Compared

COUNTS = ("total_publishes", "total_receives", "duplicates")


def run_again(folder: RunFolder) -> bool:
    """Repeats a finished run in a child process; whether its hashes are the same. Raises SimnetError when it cannot run."""
    logs = folder.root / "logs"
    logs.mkdir(exist_ok=True)
    log = logs / f"{CHILD}.log"
    words = [sys.executable, "-m", "simnet.cli", "rerun", str(folder.root), "--out", str(folder.root / CHILD)]
    with log.open("wb") as file:
        # This interpreter, and words of our own.
        code = subprocess.run(words, stdout=file, stderr=subprocess.STDOUT, check=False).returncode  # noqa: S603
    if code not in (codes.HELD, codes.FAILED):
        raise SimnetError(f"the child process of the multi-process mode ended with {code}: see {log}")
    return code == codes.HELD


def with_comparison(summary: Summary, folder: RunFolder) -> Summary:
    """The summary with the block `comparison` in upstream's place: after `backend`."""
    child = folder.root / CHILD / SUMMARIES / folder.summary.name
    block = {**compared(summary, figures(child)), "log_directory": str(folder.root / "logs")}
    found: Summary = {}
    for name, value in summary.items():
        found[name] = value
        if name == "backend":
            found["comparison"] = block
    return found


def figures(path: Path) -> dict[str, Any]:
    """Of the child's summary. Raises `OutputError` when it is none."""
    return checked(path, json_object(path), Compared, "a child process's summary").model_dump(include={*COUNTS, "propagation"})


def compared(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, object]:
    """Counts and propagation of both, and the child's minus the other's."""
    deltas: dict[str, object] = {name: other[name] - one[name] for name in COUNTS}
    for quantile in ("p50_ms", "p95_ms"):
        before, after = one["propagation"][quantile], other["propagation"][quantile]
        if before is not None and after is not None:
            deltas[f"propagation_{quantile}"] = after - before
    parts = (("in_process", one), ("multi_process", other))
    return {**{name: {key: part[key] for key in (*COUNTS, "propagation")} for name, part in parts}, "deltas": deltas}
