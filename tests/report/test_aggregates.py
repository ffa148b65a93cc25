"""What a report takes out of the made-up run, by hand, and against what the summary says of the same events."""

from pathlib import Path

import numpy as np
import pytest

from simnet.events import BlockCommitted, FaultInjected, PeerConnected, PeerDisconnected, PenaltyBooked, ProofMade, ProofVerified, Proposed
from simnet.record.frames import Frames
from simnet.report import data, faults, incidents, proofs, propagation, replay, timeline, topology
from simnet.report.axis import Axis
from simnet.report.part import part_of
from simnet.report.reads import Effect, Violation, summary_of
from simnet.runs.finished import FinishedRun, load
from tests.fakes import summarised
from tests.report.made import recorded, run_folder
from tests.story import n, published, story, t

AXIS = Axis(100, 116)


@pytest.fixture
def frames(tmp_path: Path) -> Frames:
    return recorded(tmp_path / "trace.parquet", story())


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    return load(run_folder(tmp_path / "run"))


def test_the_finality_gap_grows_until_the_next_height(frames: Frames) -> None:
    """Traffic begins at 500 ms, heights 1 and 2 are first committed at 1200 and 5000, the run ends at 11 500."""
    [gap] = timeline.gap(frames, AXIS)
    assert np.isnan(gap.mid[4]) and gap.mid[5] == 0.1 and gap.mid[11] == 0.7
    assert gap.mid[12] == 0.7, "the gap that ends there"
    assert gap.mid[49] == pytest.approx(3.8) and gap.mid[51] == pytest.approx(0.2)
    assert np.nanmax(gap.mid) * 1000 == summarised(story())["finality"]["longest_gap_ms"] == 6500


def test_heights_go_from_the_slowest_node_to_the_fastest(frames: Frames) -> None:
    [heights] = timeline.heights(frames, AXIS)
    assert (heights.high[12], heights.high[50], heights.low[-1]) == (1, 2, 1)
    assert heights.high[-1] == summarised(story())["finality"]["height_max"]


def test_pools_are_as_full_as_the_summary_says(frames: Frames) -> None:
    [pools] = timeline.mempools(frames, AXIS)
    assert pools.high[10] == 1 and pools.high[-1] == 1 and pools.low.max() == 0
    assert pools.high.max() == summarised(story())["mempool"]["size_max"]


def test_jobs_wait_and_run_from_their_queueing_to_their_end(frames: Frames) -> None:
    """Two proofs are queued at 500 and done at 900 and 950."""
    whole, stwo = timeline.provers(frames, AXIS)
    assert stwo.mid[4:11].tolist() == [0, 2, 2, 2, 2, 2, 0] and np.array_equal(whole.mid, stwo.mid)
    verifying = timeline.verifiers(frames, AXIS)[0]
    assert (verifying.mid[10], verifying.mid[60], verifying.mid.sum()) == (1, 1, 2)


def test_one_job_ends_before_the_next_begins_at_that_instant(tmp_path: Path) -> None:
    made = [
        ProofMade(t(end), n(0), "stwo", "transaction", "00", 1, t(begin), t(begin), t(end), False)
        for begin, end in ((100, 200), (200, 350))
    ]
    whole, _ = timeline.provers(recorded(tmp_path / "trace.parquet", made), AXIS)
    assert whole.mid[:5].tolist() == [0, 1, 1, 1, 0]


def test_bytes_are_per_second_and_by_purpose(frames: Frames) -> None:
    series = {one.name: one.mid for one in timeline.sent(frames, AXIS)}
    assert set(series) == {timeline.WHOLE, "transfers", timeline.DIRECT}
    assert series["transfers"][10] == 2000, "two copies of 100 bytes in a tenth of a second"
    assert series[timeline.DIRECT][71] == 400 and series[timeline.WHOLE].sum() == 2400


def test_every_chart_agrees_with_the_summary(run: FinishedRun) -> None:
    summary = summary_of(run)
    part = part_of(run, summary, AXIS)
    assert set(part.series) == {chart.key for chart in timeline.CHARTS}
    found = data.of_parts([part], AXIS)
    facts = {fact["name"]: fact["values"][0][0] for fact in found["facts"]}
    assert facts["blocks proven"] == len(run.blocks["proven_ms"].dropna()) == 1
    assert facts["proposal to proven, median"] == (run.blocks["proven_ms"] - run.blocks["proposed_ms"]).median() == 250
    assert facts["height"] == max(found["timeline"][1]["series"][0]["high"]) == 2
    assert facts["largest mempool"] == max(found["timeline"][2]["series"][0]["high"]) == 1
    assert facts["longest finality gap"] == 1000 * max(value for value in found["timeline"][0]["series"][0]["mid"] if value is not None)


def test_propagation_is_the_summarys(frames: Frames) -> None:
    """Message 1 after 10, 30 and 60 ms, message 2 after 10 and late, a probe after 20; forgeries do not count."""
    found = propagation.delays(frames)
    assert sorted(found["delay_ms"]) == [10, 10, 20, 30, 60]
    summary = summarised(story())
    assert found["delay_ms"].quantile(0.5) == summary["propagation"]["p50_ms"]
    assert found["delay_ms"].quantile(0.95) == pytest.approx(summary["propagation"]["p95_ms"])
    curves = propagation.curves(found)
    assert {name: part.tolist() for name, part in curves["peer_class"].items()} == {"trusted": [10, 10, 20, 60], "untrusted": [30]}
    assert set(curves["backend"]) == {"stwo", "groth16"} and set(curves["region"]) == {"EAST", "WEST"}
    by_class = summary["propagation_by_peer_class"]
    assert {name: propagation.quantiles(part)["p50"] for name, part in curves["peer_class"].items()} == {
        name: by_class[name]["p50_ms"] for name in curves["peer_class"]
    }


def test_what_a_late_receiver_passes_on_is_late_too(tmp_path: Path) -> None:
    from tests.story import delivered

    passed_on = delivered(4070, 2, 3, 2, 2100)
    at = next(index for index, event in enumerate(story()) if event.at > t(4050))
    told = [*story()[:at], passed_on, *story()[at:]]
    found = propagation.delays(recorded(tmp_path / "late.parquet", told))
    assert sorted(found["delay_ms"]) == [10, 10, 20, 30, 60]
    assert summarised(told)["simnet"]["network"]["late_repairs"]["count"] == 2


def test_a_curve_is_the_share_within_each_delay() -> None:
    assert propagation.shares(np.array([1.0, 2.0, 2.0, 4.0]), np.array([0.0, 1.0, 2.0, 3.0, 4.0])).tolist() == [0, 0.25, 0.75, 0.75, 1]
    at = propagation.grid([{"backend": {"stwo": np.array([1.0, 9.2])}}])
    assert (at[0], at[-1], len(at)) == (0, 10, propagation.POINTS)


def test_proofs_have_boxes_and_the_summarys_figures(frames: Frames, run: FinishedRun) -> None:
    """300 and 50 ms of proving."""
    boxes = proofs.boxes(frames)
    assert boxes["prove_ms"] == {"stwo transaction": [62.5, 112.5, 175, 237.5, 287.5]} and boxes["verify_ms"]["stwo transaction"][2] == 2.5
    [row] = proofs.figures(summary_of(run).proofs)
    assert (row["made"], row["verified"], row["rejected"], row["prove_ms"]) == (2, 1, 1, [175, 287.5, 300])


def test_a_refused_proof_costs_who_verified_it(frames: Frames) -> None:
    assert proofs.rejected(frames) == [
        {"spam": "flipped_bytes", "reason": "BadProof", "count": 1, "nodes": 1, "senders": 1, "ms": 2, "paid": {"WEST": 2}}
    ]


def test_an_honest_proof_that_is_refused_is_called_so_and_the_dearest_comes_first(tmp_path: Path) -> None:
    refused = ProofVerified(t(11_000), n(2), n(0), "stwo", "transaction", "03", False, "Late", None, 1, t(10_990), t(9))
    rows = proofs.rejected(recorded(tmp_path / "trace.parquet", [*story()[:-1], refused, story()[-1]]))
    assert [(row["spam"], row["ms"], row["paid"]) for row in rows] == [(proofs.HONEST, 9, {"EAST": 9}), ("flipped_bytes", 2, {"WEST": 2})]


def test_bands_are_united_where_faults_of_a_kind_overlap() -> None:
    found = faults.bands([effect("churn", 1, 3), effect("partition", 2, 9), effect("churn", 2, 5), effect("churn", 7, 8)])
    assert found == [{"kind": "churn", "spans": [[1, 5, 2], [7, 8, 1]]}, {"kind": "partition", "spans": [[2, 9, 1]]}]


def effect(kind: str, start: float, end: float) -> Effect:
    told = {"kind": kind, "detail": "x", "start_ms": start, "end_ms": end, "ended": True, "copies_lost": {"loss": 2}, "blocks_committed": 0}
    return Effect.model_validate({**told, "longest_finality_gap_ms": None, "first_crossing_ms": None})


def test_a_table_of_faults_has_an_end_only_where_one_ended() -> None:
    table = faults.table([effect("churn", 1, 3).model_copy(update={"ended": False})] * (faults.TABLE_MAX + 2))
    assert table["left_out"] == 2 and table["rows"][0]["end_ms"] is None and table["rows"][0]["lost"] == 2


def test_incidents_are_counted_the_gravest_first(tmp_path: Path) -> None:
    penalty = PenaltyBooked(t(8000), n(1), 2, "stwo", n(0), 5, "double_sign", "")
    frames = recorded(tmp_path / "trace.parquet", [*story()[:-1], penalty, penalty, story()[-1]])
    broken = Violation(invariant="agreement", at_ms=1250, detail="two blocks")
    found = incidents.incidents(frames, AXIS, [broken])
    assert [(row["kind"], row["total"], row["points"]) for row in found[:2]] == [
        (incidents.BROKEN, 1, [[12, 1]]),
        ("penalties booked", 2, [[80, 2]]),
    ]
    assert [row["kind"] for row in found[2:]] == ["proofs refused by a verifier", "limits reached", "transfers late", "transfers stale"]


def test_a_link_is_down_from_the_first_end_that_says_so(frames: Frames) -> None:
    found = topology.topology(frames, 11_500)
    assert found is not None
    assert found["edges"] == [[0, 1], [1, 2, [2000, 11_501, 0]], [2, 3]] and found["down"] == {}
    assert [node["backend"] for node in found["nodes"]] == ["stwo", "plonky3", "groth16", "stwo+plonky3"]
    assert {axis: [min(place), max(place)] for axis, place in enumerate(zip(*(node["at"] for node in found["nodes"]), strict=True))} == {
        0: [0, 1000],
        1: [0, 1000],
    }


def test_outages_and_absences_end_where_they_end(tmp_path: Path) -> None:
    told = [
        FaultInjected(t(100), "churn_down", "node:2"),
        PeerDisconnected(t(100), n(1), n(2), "churn"),
        PeerDisconnected(t(101), n(2), n(1), "churn"),
        FaultInjected(t(300), "churn_up", "node:2"),
        PeerConnected(t(300), n(1), n(2)),
        PeerConnected(t(301), n(2), n(1)),
        FaultInjected(t(400), "crash_down", "node:0"),
    ]
    found = topology.topology(recorded(tmp_path / "trace.parquet", told), 500)
    assert found is not None and found["edges"][1] == [1, 2, [100, 300, 1]] and found["down"] == {"2": [[100, 300]], "0": [[400, 501]]}


def test_a_network_too_large_to_be_seen_is_not_drawn(frames: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "NODES_MAX", 3)
    assert topology.topology(frames, 1) is None


def test_a_replayed_message_has_its_way_and_its_verdicts(frames: Frames) -> None:
    found = {
        round(message["at"]): message for message in replay.messages(frames) if message["kind"] == "transaction" and not message["spam"]
    }
    assert found[1000]["hops"] == [1, 0, 10, 1, 2, 1, 30, 0, 3, 2, 60, 0]
    forged = [message for message in replay.messages(frames) if message["spam"] == "flipped_bytes"]
    assert forged[0]["hops"] == [1, 0, 10, 3] and forged[0]["node"] == 0


def test_blocks_are_replayed_before_all_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [*story()[:-1], published(8000, 9, "proposal"), Proposed(t(8000), n(0), 3, 3, "b3", "stwo", 5), story()[-1]]
    frames = recorded(tmp_path / "trace.parquet", told)
    assert [message["label"] for message in replay.messages(frames) if message["kind"] == "proposal"] == ["block 3, stwo"]
    monkeypatch.setattr(replay, "MESSAGES_MAX", 1)
    assert [message["kind"] for message in replay.messages(frames)] == ["proposal"]


def test_a_nodes_view_adds_up_to_what_it_had(frames: Frames) -> None:
    figures = replay.views(frames, 11_500, network_only=False)["figures"]
    assert [sum(changes) for changes in figures["committed height"]] == [2, 1, 1, 2]
    assert [sum(changes) for changes in figures["transfers in the pool"]] == [0, 0, 1, 0]
    assert [sum(changes) for changes in figures["proofs made"]] == [2, 0, 0, 0]
    assert [sum(changes) for changes in figures["proofs verified"]] == [0, 2, 0, 0]
    assert [sum(changes) for changes in figures["proofs refused"]] == [0, 1, 0, 0]
    assert [sum(changes) for changes in figures["messages received"]] == [0, 4, 2, 2]
    assert set(replay.views(frames, 11_500, network_only=True)["figures"]) == {"messages received"}


def test_a_run_without_a_commit_has_a_gap_from_its_beginning(tmp_path: Path) -> None:
    told = [event for event in story() if not isinstance(event, BlockCommitted)]
    [gap] = timeline.gap(recorded(tmp_path / "trace.parquet", told), AXIS)
    assert np.nanmax(gap.mid) == 11
