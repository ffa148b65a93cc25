"""The engine of every run, with a chain or without one: virtual time, and how a run ends."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from simnet.events import RunEnded, TrafficStarted
from simnet.events.bus import Bus
from simnet.events.run_info import RunInfo
from simnet.events.run_result import RunResult, Violation
from simnet.net.clockwork import Clockwork
from simnet.net.faults import SETTLE, run_end
from simnet.runs.timings import timing_report
from simnet.scenario.model import Scenario

Walls = Mapping[tuple[str, str, str], list[int]]
"""Wall nanoseconds of real jobs by (backend, circuit, operation)."""


class BrokenInvariant(Exception):
    """Ends a run at once: an invariant does not hold."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a kind of run knows at its end, beside times."""

    proofs_sha256: str
    violations: tuple[Violation, ...] = ()
    checks: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    costs: Mapping[str, object] = field(default_factory=dict)
    walls: Walls = field(default_factory=dict)
    expectation: Mapping[str, object] | None = None


class Run(ABC):
    """One run. Attach observers to its bus, then `run` once."""

    info: RunInfo

    def __init__(self, clock: Clockwork, scenario: Scenario, bus: Bus) -> None:
        self._clock = clock
        self._scenario = scenario
        self.bus = bus

    def run(self) -> RunResult:
        """Runs to the end, to a broken invariant, or to an interrupt (Ctrl-C)."""
        wall, cpu, main = time.perf_counter(), time.process_time(), time.thread_time()
        whole = interrupted = False
        try:
            self._clock.after(SETTLE, self._begin)
            self._clock.run(until=run_end(self._scenario))
            self._come_to_rest(run_end(self._scenario))
            self.bus.emit(RunEnded(self._clock.now))
            whole = True
        except BrokenInvariant:
            pass
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self._close()
        found = self._findings()
        clocks = (time.perf_counter() - wall, time.process_time() - cpu, time.thread_time() - main)
        held = found.expectation is not None and found.expectation["met"] is True
        return RunResult(
            complete=held or (whole and not found.violations),
            interrupted=interrupted,
            end=self._clock.now,
            violations=found.violations,
            checks=found.checks,
            costs=found.costs,
            timings=timing_report(found.walls, clocks, self._clock.now, self.bus.events),
            proofs_sha256=found.proofs_sha256,
            expectation=found.expectation,
        )

    def _begin(self) -> None:
        self.bus.emit(TrafficStarted(self._clock.now))
        self._start()

    @abstractmethod
    def _start(self) -> None:
        """The traffic clock's zero."""

    @abstractmethod
    def _findings(self) -> Findings:
        """What is to be said of the run, whole or broken off."""

    @abstractmethod
    def _come_to_rest(self, end: int) -> None:
        """Traffic and drain are over at `end`; what still has to happen, happens."""

    @abstractmethod
    def _close(self) -> None:
        """Lets go of everything but the figures."""
