"""The trace, atomic files and the run folder."""

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from simnet.base import interrupts
from simnet.base.errors import OutputError
from simnet.events import Event
from simnet.events.bus import Bus
from simnet.record import trace as trace_module
from simnet.record.atomic import write_atomic
from simnet.record.files import RunFolder
from simnet.record.places import slug
from simnet.record.trace import TraceRecorder
from tests.story import published, story


def recording(path: Path, **metadata: str) -> tuple[TraceRecorder, Bus]:
    recorder, bus = TraceRecorder(path, metadata), Bus()
    bus.attach(recorder)
    return recorder, bus


def record(path: Path, events: list[Event]) -> str:
    recorder, bus = recording(path, seed="7")
    for event in events:
        bus.emit(event)
    return recorder.close()


def test_keeps_every_event_in_order(tmp_path: Path) -> None:
    events = story()
    record(tmp_path / "trace.parquet", events)
    table = pq.read_table(tmp_path / "trace.parquet")
    assert table["event"].to_pylist() == [type(event).__name__ for event in events]
    assert table["at"].to_pylist() == [event.at for event in events]
    assert table["spam"].to_pylist().count("flipped_bytes") == 2
    assert table.schema.metadata[b"seed"] == b"7"
    assert os.listdir(tmp_path) == ["trace.parquet"]


def test_hash_sees_every_value_and_the_order(tmp_path: Path) -> None:
    base = record(tmp_path / "a", story())
    assert base == record(tmp_path / "b", story())
    assert base != record(tmp_path / "c", story()[::-1])
    assert base != record(tmp_path / "d", [*story(), published(1, 99)])
    assert record(tmp_path / "e", [published(1, 99)]) != record(tmp_path / "f", [published(1, 99, spam="copy")])


def test_batches_keep_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "BATCH", 7)
    events = story()
    record(tmp_path / "trace.parquet", events)
    assert pq.read_table(tmp_path / "trace.parquet")["at"].to_pylist() == [event.at for event in events]


def test_an_interrupt_while_a_batch_is_written_waits_until_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "BATCH", 7)
    monkeypatch.setattr(interrupts, "_asked", 0)
    handler = signal.signal(signal.SIGTERM, interrupts._on_signal)
    events = story()[:7]
    recorder, bus = recording(tmp_path / "trace.parquet")
    joined = trace_module._Layout.joined

    def disturbed(self: Any, pieces: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        monkeypatch.setattr(trace_module._Layout, "joined", joined)
        return joined(self, pieces)

    monkeypatch.setattr(trace_module._Layout, "joined", disturbed)
    try:
        for event in events[:6]:
            bus.emit(event)
        with pytest.raises(KeyboardInterrupt):
            bus.emit(events[6])
    finally:
        signal.signal(signal.SIGTERM, handler)
    recorder.close()
    assert pq.read_table(tmp_path / "trace.parquet").num_rows == recorder.rows == 7


def test_an_abandoned_trace_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), TraceRecorder(tmp_path / "trace.parquet", {}):
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_a_trace_that_lost_rows_is_never_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "BATCH", 7)
    recorder, bus = recording(tmp_path / "trace.parquet")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "_writer", type("Full", (), {"write_table": full, "close": recorder._writer.close})())
        for event in story()[:6]:
            bus.emit(event)
        with pytest.raises(OutputError, match="No space left"):
            bus.emit(story()[6])
    with pytest.raises(OutputError, match="No space left"):
        recorder.close()
    recorder.abandon()
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_an_output_error_and_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.json"
    write_atomic(path, "old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"summary\.json: No space left on device"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["summary.json"]


def test_a_file_in_the_folders_place_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_atomic(tmp_path / "run" / "run.json", "{}")
    with pytest.raises(OutputError, match="cannot write"):
        TraceRecorder(tmp_path / "run" / "trace.parquet", {})


def test_metrics_paths_inside_the_folder_are_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(Path("out"), "story")
    summary = {
        "total_publishes": 0,
        "total_receives": 0,
        "duplicates": 0,
        "chunk_retries": 0,
        "propagation": {"p50_ms": None, "p95_ms": None},
        "mesh_changes": [],
        "faults": [],
    }
    written = folder.write_summary(dict(summary), Path("out/summaries/story.json"), Path("elsewhere/story.csv"))
    assert written == [folder.summary, folder.csv, Path("elsewhere/story.csv")]
    assert Path("elsewhere/story.csv").read_text() == folder.csv.read_text()


def test_a_new_run_removes_the_old_results_but_keeps_the_costs(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "story")
    for path in (folder.summary, folder.trace, folder.analysis, folder.costs):
        write_atomic(path, "old")
    with pytest.raises(OutputError, match="is there and of no run"):
        folder.begin({"seed": 7})
    folder.begin({"seed": 7}, force=True)
    assert not folder.summary.exists() and not folder.trace.exists() and not folder.analysis.exists()
    assert folder.costs.exists()
    assert '"complete": false' in folder.run.read_text()


def test_slug() -> None:
    assert slug("mixed_backend_interop") == "mixed-backend-interop"
    assert slug("Größe 2") == "gr--e-2"
