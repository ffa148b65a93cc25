"""Processes that run trials, and bring the outcomes back in the order of the tasks, however many there are.

A process loads the provers' keys once and serves some dozen runs; then a fresh one takes its place, so that no run meets a process
that is old. One that dies or hangs costs its own run only, which then counts as crashed or hung.
"""

import multiprocessing
import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Self

from simnet.base.errors import SimnetError
from simnet.fuzz.judge import CRASH, HANG, Failure, Outcome
from simnet.fuzz.trial import LIMIT_S, run_trial

RUNS_MAX = 60
"""Runs of one process."""
WALL_S_MAX = 7200.0
"""Wall seconds of one run, after which its process is ended: it waits for something that never comes. Far more than a run's processor
time comes to on a slow and busy machine."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is to run."""

    data: Mapping[str, Any]
    planted: str | None = None
    """Name of a planted bug."""


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    runs: int = 0
    number: int | None = None
    """Of the task under way."""
    task: Task | None = None
    since: float = 0.0
    """When it was handed out, by the wall clock."""


@dataclass(slots=True)
class Workers:
    """`jobs` processes. Use as a context manager: they are ended with it."""

    jobs: int
    limit_s: float = LIMIT_S
    _all: list[_Worker] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            _end(worker)
        self._all.clear()

    def run(self, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """The outcome of each task, in order. Tasks are taken a few ahead of the results. Whoever stops early wastes those."""
        waiting = enumerate(tasks)
        done: dict[int, Outcome] = {}
        following = 0
        more = True
        try:
            while more or any(w.number is not None for w in self._all):
                more = more and self._hand_out(waiting)
                self._collect(done)
                while following in done:
                    yield done.pop(following)
                    following += 1
        finally:
            for worker in [w for w in self._all if w.number is not None]:
                self._drop(worker)

    def _hand_out(self, waiting: Iterator[tuple[int, Task]]) -> bool:
        """Gives every idle worker a task; False when there are no more."""
        while sum(w.number is not None for w in self._all) < self.jobs:
            found = next(waiting, None)
            if found is None:
                return False
            worker = self._idle()
            worker.number, worker.task = found
            worker.since = time.monotonic()
            worker.pipe.send(worker.task)
        return True

    def _idle(self) -> _Worker:
        """A worker without a task: one that is there, or a new one."""
        for worker in [w for w in self._all if w.number is None]:
            if worker.runs < RUNS_MAX and worker.process.is_alive():
                return worker
            self._drop(worker)
        made = _start(self.limit_s)
        self._all.append(made)
        return made

    def _collect(self, done: dict[int, Outcome]) -> None:
        """Waits for the next results; a worker that died or hangs gives one as well."""
        busy = [w for w in self._all if w.number is not None]
        ready = wait([w.pipe for w in busy], timeout=1.0)
        for worker in busy:
            assert worker.number is not None
            assert worker.task is not None
            if worker.pipe in ready:
                outcome = _answer(worker)
            elif time.monotonic() - worker.since > WALL_S_MAX:
                outcome = _failed(worker.task, HANG, f"no end after {WALL_S_MAX:g} s; its process was ended")
                self._drop(worker)
            else:
                continue
            done[worker.number] = outcome
            worker.number = None
            worker.runs += 1

    def _drop(self, worker: _Worker) -> None:
        _end(worker)
        self._all.remove(worker)


def _start(limit_s: float) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, limit_s), daemon=True)
    process.start()
    there.close()
    return _Worker(process, here)


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


def _answer(worker: _Worker) -> Outcome:
    assert worker.task is not None
    try:
        answer = worker.pipe.recv()
    except EOFError:
        worker.process.join()
        return _failed(worker.task, CRASH, f"the process died with exit code {worker.process.exitcode}")
    assert isinstance(answer, Outcome)
    return answer


def _failed(task: Task, check: str, detail: str) -> Outcome:
    return Outcome(str(task.data["name"]), int(task.data["sim"]["seed"]), (Failure(check, detail),))


def _serve(pipe: Connection, limit_s: float) -> None:
    """A worker's life: tasks in, outcomes out, until the pipe is closed."""
    from simnet.fuzz.planted import planted

    while True:
        try:
            task = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            os._exit(0)
        with planted(task.planted):
            pipe.send(run_trial(task.data, limit_s))


def known_jobs(asked: int | None) -> int:
    """How many processes: what was asked for, else one a core. Raises SimnetError below one."""
    jobs = (os.cpu_count() or 1) if asked is None else asked
    if jobs < 1:
        raise SimnetError(f"--jobs {jobs}: at least 1")
    return jobs
