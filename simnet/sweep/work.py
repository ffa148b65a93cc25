"""One job of a sweep, in whatever process takes it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simnet.base.errors import SimnetError
from simnet.base.leaves import leaves
from simnet.base.version import VERSION
from simnet.runs.carry_out import carry_out
from simnet.runs.request import Request
from simnet.sweep.plan import Job

THREADS = "RAYON_NUM_THREADS"
"""How many threads the provers of a process take; read when the first of them begins."""
OF_THE_MACHINE = frozenset({"resource_usage"})
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A job, and the folder of its run; None: one that goes away."""

    job: Job
    folder: str | None = None


def run_task(task: Task) -> Row:
    """Carries a job out and says what came of it. An error of the run is part of the row. Raises SimnetError in another version's worker."""
    job = task.job
    if job.version != VERSION:
        raise SimnetError(f"this worker has simnet {VERSION}, the sweep is of {job.version}")
    with TemporaryDirectory(prefix="simnet-sweep-") as place:
        out = Path(place, "run") if task.folder is None else Path(task.folder)
        try:
            return _carried_out(job, out, Path(place))
        except SimnetError as error:
            return {"job": job.number, "key": job.key, "error": str(error), "exit_code": 2, "complete": False, "figures": {}}


def _carried_out(job: Job, out: Path, place: Path) -> Row:
    costs = job.costs
    if costs not in ("calibrated", "measured"):
        table = place / "costs.json"
        table.write_text(costs, encoding="utf-8")
        costs = str(table)
    outcome = carry_out(Request(job.loaded.path, job.seed, out, costs, job.point, force=True, loaded=job.loaded))
    if outcome.lock is not None:
        outcome.lock.release()
    hashes = {name: outcome.run[name] for name in ("trace_sha256", "summary_sha256", "proofs_sha256")}
    return {
        "job": job.number,
        "key": job.key,
        "exit_code": outcome.exit_code,
        "complete": outcome.run["complete"],
        "error": "; ".join(outcome.violations),
        **hashes,
        "figures": figures(outcome.summary),
    }


def figures(summary: Mapping[str, object]) -> dict[str, float | int | bool]:
    """Every number and truth value of a summary outside lists, by dotted path, but for those of the machine."""
    kept = {name: value for name, value in summary.items() if name not in OF_THE_MACHINE}
    return {path: value for path, value in leaves(kept) if isinstance(value, int | float)}


def bound_threads(workers: int) -> int:
    """Cores for each of so many processes on this machine; at least one."""
    return max(1, (os.cpu_count() or 1) // workers)
