"""Programs that a wrapper starts beside the work: started in order, waited for, judged by their exit status.

A process without `ready_log` is a task: it is waited for until it ends by itself. One with `ready_log` is a service: it
is stopped, in reverse order of start, when the work is done, and being stopped is no failure. (Upstream kills every process and then
judges it by its exit status, so a process that is still at work always fails its run.) Each process leads its own
process group, which is what gets stopped, so that its children do not outlive it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from simnet.base.errors import SimnetError, cannot_write
from simnet.scenario.wrapper import Process
from simnet.scenario.wrapper_load import log_name

STOP_S = 10.0
"""From the polite signal to the other one."""
LOOK_S = 0.05
READ_BYTES = 64 * 1024
LOG_BYTES_MAX = 64 * 1024 * 1024
"""Of one process; what is beyond is read and dropped, and the log says so."""


class ProcessFailed(SimnetError):
    """A process did not start, did not get ready in time, or ended badly."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    label: str
    program: str
    status: int | None
    """Exit status; negative: the signal it died from."""
    stopped: bool
    """A service that was stopped because the work was done."""
    wall_s: float
    log: str

    @property
    def failed(self) -> bool:
        return not self.stopped and self.status != 0

    @property
    def why(self) -> str:
        if self.status is not None and self.status < 0:
            return f"process {self.label!r} died from signal {-self.status}; its log: {self.log}"
        return f"process {self.label!r} ended with exit status {self.status}; its log: {self.log}"


class Processes:
    """All processes of one job; use it as a context, which leaves none behind."""

    def __init__(self, folder: Path, base: Path, env: Mapping[str, str], say: Callable[[str], None]) -> None:
        """`folder` is the artifacts folder, `base` the wrapper's, `env` the wrapper's own variables."""
        self._folder = folder.resolve()
        self._base = base.resolve()
        self._env = env
        self._say = say
        self._running: list[_Running] = []
        self._ended: list[Ended] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def start(self, process: Process) -> None:
        """Starts one and waits until it is ready. Raises `ProcessFailed`."""
        log = self._folder / "logs" / log_name(process.label)
        cwd = self._base / process.working_dir if process.working_dir else Path.cwd()
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            file = log.open("wb")
        except OSError as error:
            raise cannot_write(log, error) from error
        env = {"SIMNET_SUMMARY_DIR": str(self._folder / "summaries"), **os.environ, **self._env, **process.env}
        running = _Running(process, log, file, cwd, env)
        self._running.append(running)
        self._say(f"started {process.label}: {process.program}")
        running.wait_ready()

    def finish(self) -> list[Ended]:
        """Waits for the tasks in the order of their start, then stops the services in reverse; how each ended."""
        for running in list(self._running):
            if not running.process.is_service:
                self._say(f"waiting for {running.process.label}")
                running.wait_end()
                self._close(running)
        self.stop_all()
        return list(self._ended)

    def stop_all(self) -> None:
        """Stops what still runs, last started first."""
        for running in reversed(list(self._running)):
            running.stop()
            self._close(running)

    def _close(self, running: "_Running") -> None:
        self._running.remove(running)
        self._ended.append(running.close())


class _Running:
    """One process and the threads that copy its output to its log."""

    def __init__(self, process: Process, log: Path, file: IO[bytes], cwd: Path, env: Mapping[str, str]) -> None:
        self.process = process
        self._log = log
        self._file = file
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._written = 0
        self._began = time.monotonic()
        self._stopped = False
        if process.ready_log is None:
            self._ready.set()
        try:
            self._popen = subprocess.Popen(  # noqa: S603 - starting what the operator's file names is the point
                _command(process),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            file.close()
            raise ProcessFailed(f"process {process.label!r}: cannot start {process.program!r} in {cwd}: {error}") from error
        self._readers = [self._reader("stdout", self._popen.stdout), self._reader("stderr", self._popen.stderr)]

    def wait_ready(self) -> None:
        timeout = self.process.startup_timeout_ms / 1000
        deadline = time.monotonic() + timeout
        while not self._ready.wait(LOOK_S):
            if not any(reader.is_alive() for reader in self._readers):
                return  # it closed its output: ready, as upstream has it; its exit status is judged later
            if time.monotonic() > deadline:
                raise ProcessFailed(
                    f"process {self.process.label!r}: no {self.process.ready_log!r} in its output within {timeout:g} s; its log: {self._log}"
                )

    def wait_end(self) -> None:
        timeout = self.process.run_timeout_ms / 1000
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ProcessFailed(f"process {self.process.label!r}: still running after {timeout:g} s; its log: {self._log}") from None

    def stop(self) -> None:
        """Ends the process group: first politely."""
        if self._popen.poll() is None:
            self._stopped = True
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(STOP_S)
        # The leader may be gone and its children not.
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def close(self) -> Ended:
        for reader in self._readers:
            reader.join(STOP_S)
        with self._lock:
            self._file.close()
        wall = round(time.monotonic() - self._began, 3)
        process = self.process
        return Ended(process.label, process.program, self._popen.returncode, self._stopped, wall, str(self._log))

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)

    def _reader(self, name: str, stream: IO[bytes] | None) -> threading.Thread:
        assert stream is not None, "both are pipes"
        thread = threading.Thread(target=self._copy, args=(name, stream), daemon=True, name=f"log-{self.process.label}-{name}")
        thread.start()
        return thread

    def _copy(self, name: str, stream: IO[bytes]) -> None:
        prefix = f"[{self.process.label}][{name}] ".encode()
        wanted = None if self.process.ready_log is None else self.process.ready_log.encode()
        with stream:
            while line := stream.readline(READ_BYTES):
                self._write(prefix + line.rstrip(b"\n") + b"\n")
                if wanted is not None and wanted in line:
                    self._ready.set()

    def _write(self, line: bytes) -> None:
        with self._lock:
            if self._file.closed or self._written > LOG_BYTES_MAX:
                return
            self._written += len(line)
            self._file.write(line if self._written <= LOG_BYTES_MAX else b"[simnet] the log ends here: it has reached its limit\n")
            self._file.flush()


def _command(process: Process) -> Sequence[str]:
    """The program and its arguments; `simnet` is this very installation."""
    program = [sys.executable, "-m", "simnet.cli"] if process.program == "simnet" else [process.program]
    return [*program, *process.args]
