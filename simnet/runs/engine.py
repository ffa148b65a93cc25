"""The engine of every run, with a chain or without one: virtual time, who is told of what happens, and how a run ends."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simnet.base.errors import SimnetError
from simnet.events import Event, Observer, RunEnded, TrafficStarted
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


class Bus:
    """Takes what parts of a run emit to those who watch, in the order in which they were attached."""

    def __init__(self, events_max: int) -> None:
        self.events = 0
        self._most = events_max
        self._tell: list[Callable[[Event], None]] = []
        self._judges: list[Observer] = []

    def attach(self, observer: Observer) -> None:
        """Adds an observer; it sees every event from now on."""
        self._tell.append(observer.on_event)

    def attach_judge(self, judge: Observer) -> None:
        """Adds one that is told after all observers, and may end the run."""
        self._judges.append(judge)

    def emit(self, event: Event) -> None:
        """Tells everybody. Raises SimnetError when there are more events than the scenario allows."""
        for tell in self._tell:
            tell(event)
        self.events += 1
        for judge in self._judges:
            judge.on_event(event)
        if self.events > self._most:
            raise SimnetError(f"more than limits.events_max = {self._most} events")


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
    """One run. Attach observers, then `run` once."""

    info: RunInfo

    def __init__(self, clock: Clockwork, scenario: Scenario, bus: Bus) -> None:
        self._clock = clock
        self._scenario = scenario
        self._bus = bus

    def attach(self, observer: Observer) -> None:
        """Adds an observer; it sees every event from now on."""
        self._bus.attach(observer)

    def emit(self, event: Event) -> None:
        """Tells all observers."""
        self._bus.emit(event)

    def run(self) -> RunResult:
        """Runs to the end, to a broken invariant, or to an interrupt (Ctrl-C)."""
        wall, cpu, main = time.perf_counter(), time.process_time(), time.thread_time()
        whole = interrupted = False
        try:
            self._clock.after(SETTLE, self._begin)
            self._clock.run(until=run_end(self._scenario))
            self._come_to_rest(run_end(self._scenario))
            self.emit(RunEnded(self._clock.now))
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
            timings=timing_report(found.walls, clocks, self._clock.now, self._bus.events),
            proofs_sha256=found.proofs_sha256,
            expectation=found.expectation,
        )

    def _begin(self) -> None:
        self.emit(TrafficStarted(self._clock.now))
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
