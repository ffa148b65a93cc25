"""A sweep from its plan to its data set, without a terminal."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from simnet.sweep.cluster import connected, outcomes
from simnet.sweep.dataset import write_dataset
from simnet.sweep.ledger import Ledger, Row, missing
from simnet.sweep.plan import Job, Plan
from simnet.sweep.work import Task, run_task

RUNS = "runs"
"""Folder of the runs' own folders, where they are kept."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Who runs the jobs."""

    workers: int | None = None
    """Processes of this machine; None: one a core."""
    scheduler: str | None = None
    """Address of a dask cluster; None: this machine."""
    keeps: bool = False
    """Keeps each run's folder."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of a sweep."""

    data: Path
    ended: tuple[tuple[Job, Row], ...]
    """In the order of the plan."""
    lost: tuple[tuple[Job, Exception], ...]
    """Jobs without a result: their workers died of them, or could not run them."""


class SweepScreen(Protocol):
    """Where a sweep shows what it does."""

    def begins(self, runs: int, there: int) -> None:
        """How many runs it has, and how many of them an earlier one has finished."""

    def works(self, dashboard: str, left: int) -> AbstractContextManager[Callable[[], None]]:
        """Around the work; what it gives is called after each run."""


def conduct(plan: Plan, folder: Path, setting: Setting, screen: SweepScreen) -> Swept:
    """Runs what the folder's ledger does not have yet, and writes the data set of all. Raises OutputError, SimnetError."""
    with Ledger(folder) as ledger:
        named = {job.key: job for job in reversed(plan.jobs)}
        jobs = [named[key] for key in missing((job.key for job in plan.jobs), ledger.rows)]
        screen.begins(len(named), len(named) - len(jobs))
        lost = _work(jobs, ledger, folder, setting, screen) if jobs else []
        data = write_dataset(plan, ledger.rows, folder)
        ended = tuple((job, ledger.rows[job.key]) for job in plan.jobs if job.key in ledger.rows)
    return Swept(data, ended, tuple(lost))


def _work(jobs: Sequence[Job], ledger: Ledger, folder: Path, setting: Setting, screen: SweepScreen) -> list[tuple[Job, Exception]]:
    """Each run is booked as it ends; returns the jobs without a result, which a later sweep tries again."""
    tasks = [Task(job, str((folder / RUNS / job.key).resolve()) if setting.keeps else None) for job in jobs]
    lost: list[tuple[Job, Exception]] = []
    with connected(setting.workers, setting.scheduler) as client, screen.works(str(client.dashboard_link), len(jobs)) as advance:
        if setting.scheduler is not None:
            from simnet.sweep.keyfiles import key_files  # a plugin is a class of dask's

            used = {name for job in jobs for names in job.loaded.scenario.backends_of_node for name in names}
            keys = key_files(used)
            if keys is not None:
                client.register_plugin(keys)
        for task, result in outcomes(client, run_task, tasks):
            if isinstance(result, Exception):
                lost.append((task.job, result))
            else:
                ledger.add(result)
            advance()
    return lost
