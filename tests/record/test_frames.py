"""Frames of the made-up run, by hand, and against what its summary says of the same events."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from simnet.base.errors import OutputError
from simnet.events import BlockAggregated, Event
from simnet.events.bus import Bus
from simnet.record.frames import Frames, network, times
from simnet.record.trace import TraceRecorder
from tests.fakes import summarised
from tests.story import info, n, story, t


def recorded(path: Path, events: list[Event], stakes: tuple[int, ...] = (10, 10, 10, 10)) -> Frames:
    recorder, bus = TraceRecorder(path, network(replace(info(), stakes=stakes))), Bus()
    bus.attach(recorder)
    for event in events:
        bus.emit(event)
    recorder.close()
    return Frames(path)


@pytest.fixture
def frames(tmp_path: Path) -> Frames:
    return recorded(tmp_path / "trace.parquet", story())


def test_nodes_and_links_are_those_of_the_run(frames: Frames) -> None:
    assert frames.nodes.index.name == "node" and list(frames.nodes["region"]) == ["WEST", "WEST", "EAST", "EAST"]
    assert list(frames.nodes["backends"]) == list(info().backends) and list(frames.nodes["stake"]) == [10] * 4
    assert frames.edges.to_numpy().tolist() == [[0, 1], [1, 2], [2, 3]]


def test_events_are_all_there_with_times_in_nanoseconds(frames: Frames) -> None:
    assert list(frames.events["event"]) == [type(event).__name__ for event in story()]
    assert list(frames.events["at_ns"]) == [event.at for event in story()]
    assert {"proposed_at_ns", "cost_ns", "late_by_ns"} <= set(frames.events.columns) and "height" in frames.events.columns
    assert not {name for name in frames.events.columns if name.removesuffix("_ns") in times() and not name.endswith("_ns")}


def test_proofs_say_how_long_they_waited_and_took(frames: Frames) -> None:
    first, second = frames.proofs.to_dict("records")
    assert (first["region"], first["backend"], first["circuit"], first["waited_ms"], first["prove_ms"]) == (
        "WEST",
        "stwo",
        "transaction",
        100,
        300,
    )
    assert (second["waited_ms"], second["prove_ms"], second["again"], second["bytes"]) == (400, 50, True, 60_000)


def test_verifications_say_what_the_proof_was(frames: Frames) -> None:
    good, bad = frames.verifications.to_dict("records")
    assert (good["at_ms"], good["verify_ms"], good["waited_ms"], good["accepted"], good["spam"]) == (1015, 3, 2, True, None)
    assert (bad["reason"], bad["spam"], bad["accepted"], bad["waited_ms"]) == ("BadProof", "flipped_bytes", False, 0)


def test_a_message_has_its_delays_copies_and_verdicts(frames: Frames) -> None:
    row = frames.messages.loc[1]
    assert (row["receivers"], row["first_ms"], row["p50_ms"], row["last_ms"]) == (3, 10, 30, 60)
    assert (row["arrived"], row["duplicates"], row["lost"], row["accept"], row["reject"]) == (2, 1, 0, 1, 0)
    assert frames.messages.loc[2, "lost"] == 1 and frames.messages.loc[3, "reject"] == 1 and frames.messages.loc[4, "ignore"] == 1
    assert frames.messages["drop"].sum() == 0 and frames.messages.loc[3, "spam"] == "flipped_bytes"


def test_a_second_reception_is_no_delivery(tmp_path: Path) -> None:
    events = story()
    again = next(event for event in events if type(event).__name__ == "MessageDelivered")
    frames = recorded(tmp_path / "again.parquet", [*events, again])
    assert frames.messages.loc[1, "receivers"] == 3


def test_a_block_is_proven_when_a_quorum_of_the_stake_holds_its_proof(tmp_path: Path) -> None:
    told = [BlockAggregated(t(at), n(node), 1, "b1", "stwo", "", "c", None) for at, node in ((1400, 0), (1410, 0), (1420, 1), (1500, 3))]
    frames = recorded(tmp_path / "trace.parquet", [*story(), *told])
    row = frames.blocks.loc["b1"]
    assert (row["proposed_ms"], row["committed_ms"], row["committed_last_ms"], row["nodes"]) == (1100, 1200, 1260, 3)
    assert row["proven_ms"] == 1350, "two of four nodes are half"
    assert row["aggregated_ms"] == 1500, "one node that says it twice counts once"
    heavy = recorded(tmp_path / "heavy.parquet", story(), stakes=(13, 13, 4, 10)).blocks
    assert heavy.loc["b1", "proven_ms"] == 1350, "26 of 40 are no more than two thirds"
    assert frames.blocks["proven_ms"].isna().to_dict() == {"b1": False, "b2": True}


def test_a_link_has_what_went_over_it_in_each_direction(frames: Frames) -> None:
    rows = {(row["node"], row["peer"]): row for row in frames.links.to_dict("records")}
    assert rows[0, 1]["copies"] == 1 and rows[0, 1]["bytes"] == 100 and (0, 2) not in rows
    assert (rows[1, 2]["copies"], rows[1, 2]["duplicates"], rows[1, 2]["lost"]) == (1, 1, 1)
    assert (rows[1, 2]["region"], rows[1, 2]["peer_region"]) == ("WEST", "EAST")


def test_frames_and_summary_agree(frames: Frames) -> None:
    summary = summarised(story())
    blocks, finality = frames.blocks, summary["finality"]
    assert (blocks["proven_ms"] - blocks["proposed_ms"]).quantile(0.5) == finality["proven_ms"]["p50"]
    assert len(blocks) == finality["blocks"] and blocks["tx_count"].sum() == finality["transactions"]
    assert len(frames.proofs) == sum(f["made"] for circuits in summary["proofs"].values() for f in circuits.values())
    assert frames.verifications["accepted"].sum() == sum(
        f["verified"] for circuits in summary["proofs"].values() for f in circuits.values()
    )
    wire = summary["simnet"]["network"]["wire"]
    assert frames.links["copies"].sum() == wire["copies_arrived"] and frames.links["bytes"].sum() == wire["gossip_bytes"]
    assert frames.links["lost"].sum() == sum(wire["copies_lost"].values())


def rewritten(path: Path, **metadata: str) -> Frames:
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return Frames(path)


def test_what_is_no_trace_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trace.parquet"
    recorded(path, story())
    for text, why in (
        ("[1]", "not a trace of this version"),
        ("{", "not JSON"),
        (json.dumps([{"region": 3}]), "not a trace of this version"),
    ):
        with pytest.raises(OutputError, match=why) as found:
            rewritten(path, nodes=text).nodes  # noqa: B018
        assert "\n" not in str(found.value) and str(path) in str(found.value)
    with pytest.raises(OutputError, match="an older simnet wrote it"):
        rewritten(path).edges  # noqa: B018
    path.write_bytes(b"PAR1 nothing")
    for name in ("events", "blocks", "nodes"):
        with pytest.raises(OutputError, match=str(path)):
            getattr(Frames(path), name)
    with pytest.raises(OutputError, match="No such file"):
        Frames(tmp_path / "none").events  # noqa: B018
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OutputError, match="not a regular file"):
        Frames(tmp_path / "fifo").events  # noqa: B018
