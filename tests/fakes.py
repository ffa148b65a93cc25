"""A simulation that replays a made-up run, in place of the one with provers."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from simnet.base.units import from_ms
from simnet.checks.verdicts import CHECKS
from simnet.events import Event
from simnet.events.bus import Bus
from simnet.events.run_info import RunInfo
from simnet.record.summary import SummaryRecorder
from tests.story import LABELS, info, story

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "scenarios" / "mixed_backend_interop.toml"


class FakeSimulation:
    def __init__(self, info: RunInfo, events: Iterable[Event], ending: Callable[[], SimpleNamespace]) -> None:
        self.info = info
        self._events = events
        self._ending = ending
        self.bus = Bus()

    def run(self) -> SimpleNamespace:
        for event in self._events:
            self.bus.emit(event)
        return self._ending()


def summarised(events: Iterable[Event], run: RunInfo | None = None) -> dict[str, Any]:
    """The summary of a complete run with these events."""
    recorder, bus = SummaryRecorder(run or info(), LABELS), Bus()
    bus.attach(*recorder.collectors)
    for event in events:
        bus.emit(event)
    return recorder.summary(result(), bus)  # type: ignore[arg-type]


HELD = {name: {"held": True, "status": "held", "longest_gap_slots": 1.0} for name in CHECKS}


def result(**changes: object) -> SimpleNamespace:
    plain = {
        "complete": True,
        "interrupted": False,
        "end": from_ms(11_500),
        "violations": (),
        "checks": HELD,
        "costs": {"transaction": 1},
        "timings": {"wall_s": 0.1},
        "proofs_sha256": "cd" * 32,
        "expectation": None,
    }
    made = {**plain, **changes}
    return SimpleNamespace(**made, as_expected=not made["violations"])


def install(monkeypatch: pytest.MonkeyPatch, events: Iterable[Event] | None = None, ending: Callable[[], SimpleNamespace] = result) -> None:
    """Makes `simnet.runs.chain` a module whose runs are the story, or `events`."""
    module = ModuleType("simnet.runs.chain")
    chosen = story() if events is None else events
    module.RunOptions = SimpleNamespace  # type: ignore[attr-defined]
    module.build = lambda scenario, seed, options, provers: FakeSimulation(info(seed), chosen, ending)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simnet.runs.chain", module)
