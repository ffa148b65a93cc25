"""Folders of finished runs that nobody ran: made-up events, with the summary and the trace that they would have left."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simnet.events import Event
from simnet.events.bus import Bus
from simnet.events.run_info import RunInfo
from simnet.record.frames import Frames, network
from simnet.record.trace import TraceRecorder
from tests.fakes import summarised
from tests.story import info, story

Change = Callable[[dict[str, Any]], None]
RULE = {"metric": "propagation.p95_ms", "actual": 58.5, "limit": "<= 500", "passed": True, "why": "in time", "note": "", "tolerated": False}


def recorded(path: Path, events: Sequence[Event], run: RunInfo | None = None) -> Frames:
    """The frames of a trace of these events."""
    recorder, bus = TraceRecorder(path, network(run or info())), Bus()
    bus.attach(recorder)
    for event in events:
        bus.emit(event)
    recorder.close()
    return Frames(path)


def run_folder(
    folder: Path,
    *,
    events: Sequence[Event] | None = None,
    seed: int = 7,
    name: str = "story",
    scenario: dict[str, Any] | None = None,
    regions: tuple[str, ...] | None = None,
    rules: Sequence[dict[str, Any]] | None = (RULE,),
    exit_code: int | None = 0,
    change: Change = lambda summary: None,
) -> Path:
    """A run's folder; `change` may alter the summary before it is written."""
    run = replace(info(seed), scenario=name, regions=regions or info().regions)
    told = list(story() if events is None else events)
    (folder / "summaries").mkdir(parents=True)
    recorded(folder / "trace.parquet", told, run)
    summary = summarised(told, run)
    change(summary)
    (folder / "summaries/story.json").write_text(json.dumps(summary))
    (folder / "run.json").write_text(json.dumps(_head(seed, name, scenario or {}, exit_code)))
    if rules is not None:
        (folder / "analysis.json").write_text(json.dumps({"verdicts": list(rules)}))
    return folder


def _head(seed: int, name: str, scenario: dict[str, Any], exit_code: int | None) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "scenario_path": "story.toml",
        "scenario_sha256": "ab" * 32,
        "seed": seed,
        "overrides": {},
        "costs": "calibrated",
        "scenario": {"name": name, "sim": {"seed": seed}, **scenario},
        "complete": exit_code in (0, 1),
        "exit_code": exit_code,
        "events": len(story()),
        "trace_sha256": "01" * 32,
        "summary_sha256": "02" * 32,
        "proofs_sha256": "03" * 32,
        "replay": f"simnet run story.toml --seed {seed}",
    }
