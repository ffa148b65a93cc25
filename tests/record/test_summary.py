"""The summary of a run whose figures are worked out by hand (see `story.py`)."""

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from simnet.base.errors import ScenarioError
from simnet.events import (
    BlockAggregated,
    BlockProving,
    DirectSent,
    Equivocated,
    Event,
    FaultActed,
    FaultInjected,
    MessageLost,
    ProofMade,
    RunEnded,
    WindowClosed,
    Withheld,
)
from simnet.record.csv import to_csv
from simnet.record.proofs import reported_backends
from simnet.record.resources import ProcessClock
from simnet.record.summary import determinism_sha256, to_json
from tests import fakes
from tests import upstream_contract as contract
from tests.story import committed, delivered, info, n, published, story, t


@pytest.fixture
def summary() -> dict[str, Any]:
    return fakes.summarised(story())


def test_upstream_fields_come_first_in_order(summary: dict[str, Any]) -> None:
    assert list(summary) == [
        "total_publishes",
        "total_receives",
        "duplicates",
        "chunk_retries",
        "replay_guard",
        "propagation",
        "propagation_by_peer_class",
        "propagation_probes",
        "mesh_changes",
        "faults",
        "recovery",
        "peer_traffic",
        "resource_usage",
        "backend",
        "aggregation",
        "byzantine",
        "checks",
        "finality",
        "mempool",
        "proofs",
        "simnet",
    ]
    assert "kind" not in summary


def test_counts_include_spam_and_probes(summary: dict[str, Any]) -> None:
    assert (summary["total_publishes"], summary["total_receives"]) == (5, 8)
    assert summary["duplicates"] == summary["chunk_retries"] == 0


def test_propagation_leaves_out_spam_and_late_repairs(summary: dict[str, Any]) -> None:
    # On time: 10, 30, 60 (message 1), 10 (message 2 at node 1), 20 (the probe). Late: 1950, after the partition.
    assert summary["propagation"] == {"p50_ms": 20.0, "p95_ms": 54.0}
    late = summary["simnet"]["network"]["late_repairs"]
    assert late["count"] == 1
    assert late["delay_ms"]["max"] == 1950.0
    assert summary["propagation_probes"] == {"block": {"p50_ms": 20.0, "p95_ms": 20.0}, "backend": "inprocess"}


def test_class_is_the_forwarding_neighbours(summary: dict[str, Any]) -> None:
    # Through node 1 (untrusted): 30 only. Through nodes 0 and 2 (trusted): 10, 10, 20, 60.
    assert summary["propagation_by_peer_class"]["untrusted"]["p50_ms"] == 30.0
    assert summary["propagation_by_peer_class"]["trusted"]["p50_ms"] == 15.0


def test_a_repeated_id_is_a_duplicate_and_a_drop() -> None:
    found = fakes.summarised([published(0, 1), delivered(5, 1, 1, 0, 0), delivered(9, 1, 1, 0, 0)])
    assert found["duplicates"] == 1
    assert found["replay_guard"]["drops_by_class"] == {"trusted": 1, "untrusted": 0}
    assert found["replay_guard"]["window_fill_ratio_by_class"] == {"trusted": 0.5, "untrusted": 0.0}
    assert found["recovery"] == {"resume_latencies_ms": []}


def test_an_empty_run_leaves_out_what_upstream_leaves_out() -> None:
    found = fakes.summarised([])
    assert found["propagation"] == {"p50_ms": None, "p95_ms": None}
    assert found["mesh_changes"] == found["faults"] == []
    absent = ("replay_guard", "propagation_by_peer_class", "propagation_probes", "recovery", "bandwidth", "peer_traffic")
    assert not set(absent) & set(found)
    to_csv(found)


def test_recovery_and_faults(summary: dict[str, Any]) -> None:
    assert summary["recovery"] == {
        "resume_latencies_ms": [50.0],
        "max_resume_latency_ms": 50.0,
        "mean_resume_latency_ms": 50.0,
    }
    assert summary["faults"][0] == {"kind": "partition_start", "detail": "WEST-EAST", "timestamp_ms": 2000.0}
    (effect,) = [e for e in summary["simnet"]["fault_effects"] if e["kind"] == "partition"]
    assert effect["copies_lost"] == {"link_down": 1}
    assert effect["blocks_committed"] == 0
    assert effect["longest_finality_gap_ms"] == 3800.0
    assert effect["resume_latency_ms"] == effect["first_crossing_ms"] == 50.0


def fault(at: float, kind: str, detail: str) -> FaultInjected:
    return FaultInjected(t(at), kind, detail)


def effects(events: list[Event]) -> dict[str, dict[str, Any]]:
    return {effect["kind"]: effect for effect in fakes.summarised(events)["simnet"]["fault_effects"]}


def test_only_a_first_reception_crosses_a_healed_partition() -> None:
    cut = [fault(0, "partition_start", "WEST-EAST"), fault(10, "partition_end", "WEST-EAST")]
    west, east = 0, next(i for i, region in enumerate(info().regions) if region == "EAST")
    before = [published(0, 1), published(0, 2), delivered(1, 1, east, west, 0)]
    copy, first = delivered(20, 1, east, west, 0), delivered(40, 2, east, west, 0)
    (found,) = effects([*before, *cut, copy, first]).values()
    assert (found["resume_latency_ms"], found["first_crossing_ms"]) == (10.0, 30.0)


def test_a_partitions_own_losses_are_split_from_others() -> None:
    west, east = 0, next(i for i, region in enumerate(info().regions) if region == "EAST")
    lost = [MessageLost(t(5), n(west), n(east), 1, reason) for reason in ("link_down", "loss", "loss")]
    (found,) = effects([published(0, 1), fault(0, "partition_start", "WEST-EAST"), *lost, fault(9, "partition_end", "WEST-EAST")]).values()
    assert found["copies_lost"] == {"link_down": 1, "loss": 2} and found["did"] == {"copies_lost": 1}


def test_every_kind_of_fault_has_its_effect() -> None:
    kinds = ("one_way", "flapping", "duplicate", "reorder", "corrupt", "bandwidth")
    events: list[Event] = [fault(0, f"{kind}_start", "WEST->*") for kind in kinds]
    events += [FaultActed(t(5), kind, "WEST->*", 7) for kind in kinds] + [fault(6, f"{kind}_end", "WEST->*") for kind in kinds]
    conduct = ("equivocation", "withholding", "service_stop", "clock_skew", "pause")
    events += [fault(7, f"{kind}_start", "node:1") for kind in conduct]
    events += [Equivocated(t(8), n(1), 1, 1, "prevote"), Withheld(t(8), n(1), "votes", 1), FaultActed(t(8), "pause", "node:1", 3)]
    events += [fault(9, f"{kind}_end", "node:1") for kind in conduct]
    events += [fault(10, "churn_down", "node:1"), fault(11, "churn_up", "node:1"), fault(12, "crash_down", "node:2")]
    events += [fault(13, "byzantine_spam", "node:1"), fault(15, "byzantine_spam", "node:1")]
    found = effects(events)
    assert set(found) == {*kinds, *conduct, "churn", "crash", "byzantine"}
    assert all(found[kind]["did"] == {"copies": 7} and found[kind]["ended"] for kind in kinds)
    assert (found["equivocation"]["did"], found["withholding"]["did"], found["pause"]["did"]) == (
        {"prevote": 1},
        {"votes": 1},
        {"copies": 3},
    )
    assert (found["byzantine"]["start_ms"], found["byzantine"]["end_ms"]) == (13.0, 15.0)
    assert found["byzantine"]["did"] == {"publications_spammed": 2} and found["crash"]["ended"] is False


def test_queue_overflow_makes_slow_peer_records() -> None:
    events = [published(0, 1), MessageLost(t(10), n(0), n(1), 1, "queue_full"), MessageLost(t(20), n(2), n(1), 1, "queue_full")]
    found = fakes.summarised(events)
    assert found["bandwidth"] == {"throttled_peers": 1, "slow_peer_events": 2}
    assert found["gossip_backpressure"]["queue_full_messages"] == 2
    assert found["gossip_backpressure"]["publish_failures"] == found["gossip_backpressure"]["forward_failures"] == 1
    assert found["slow_peer_records"][0]["timestamp_ms"] == 350.0


def test_peer_traffic_is_sorted_and_counts_the_wire(summary: dict[str, Any]) -> None:
    rows = {row["peer_id"]: (row["bytes_in"], row["bytes_out"]) for row in summary["peer_traffic"]}
    assert list(rows) == ["peer-b", "peer-c", "peer-d"]
    # The copy that a cut link lost had left its sender, peer-c.
    assert rows == {"peer-b": (100, 0), "peer-c": (140, 200), "peer-d": (0, 140)}


def test_a_control_message_that_was_lost_did_not_arrive() -> None:
    def lost(reason: str) -> dict[str, Any]:
        return fakes.summarised([DirectSent(t(5), n(0), n(1), "ihave", 40), MessageLost(t(5), n(0), n(1), -1, reason)])

    (sender,) = lost("loss")["peer_traffic"]
    assert (sender["bytes_in"], sender["bytes_out"]) == (0, 40)
    assert "peer_traffic" not in lost("queue_full"), "it never left"


def test_what_a_late_receiver_passes_on_is_late_too() -> None:
    heal = [FaultInjected(t(100), "partition_start", "WEST-EAST"), FaultInjected(t(900), "partition_end", "WEST-EAST")]
    events = [published(50, 1), delivered(60, 1, 1, 0, 50), *heal, delivered(950, 1, 2, 1, 50, repaired=True), delivered(990, 1, 3, 2, 50)]
    found = fakes.summarised(events)
    assert found["propagation"] == {"p50_ms": 10.0, "p95_ms": 10.0}
    assert found["simnet"]["network"]["late_repairs"]["count"] == 2


def test_content_that_comes_again_is_counted_by_the_class_that_passed_it_on(summary: dict[str, Any]) -> None:
    # Node 0 (trusted) sent message 1 and its copy to node 1, and a spoiled one.
    assert summary["simnet"]["network"]["content_replays"] == {
        "trusted": {"judged": 3, "replays": 1, "ratio": 0.333333},
        "untrusted": {"judged": 0, "replays": 0, "ratio": None},
    }
    assert summary["replay_guard"]["drops_by_class"] == {"trusted": 0, "untrusted": 0}, "ids, not contents"


def test_resources_are_those_of_the_run() -> None:
    clock = ProcessClock()
    begun = time.perf_counter()
    while time.perf_counter() - begun < 0.2:
        pass
    usage = clock.usage()
    assert 0.2 <= usage["wall_time_secs"] < 5 and usage["cpu_time_secs"] < 5, "not since the process began"
    assert usage["avg_cpu_percent"] == pytest.approx(100 * usage["cpu_time_secs"] / usage["wall_time_secs"], rel=1e-3)
    assert usage["max_rss_bytes"] > 2**20


def test_memory_is_the_programs_own_not_its_starters() -> None:
    ballast = bytearray(os.urandom(2**20)) * 600
    code = "from simnet.record.resources import ProcessClock; print(ProcessClock().usage()['max_rss_bytes'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=fakes.ROOT, capture_output=True, text=True, check=True)
    assert len(ballast) > 500 * 2**20 > int(done.stdout)


def test_proofs(summary: dict[str, Any]) -> None:
    stwo = summary["proofs"]["stwo"]["transaction"]
    assert (stwo["made"], stwo["made_again"], stwo["verified"]) == (2, 1, 1)
    assert stwo["rejected"] == {"BadProof": 1}
    assert stwo["prove_ms"]["max"] == 300.0
    assert stwo["queue_ms"]["max"] == 400.0
    assert stwo["verify_queue_ms"]["max"] == 2.0
    assert summary["proofs"]["groth16"]["transaction"]["made"] == 0


def test_security_is_stated_to_a_tenth_of_a_bit(summary: dict[str, Any]) -> None:
    bits = {"stwo": {"transaction": {"conjectured": 100.0, "proven": 57.8}}}
    assert summary["simnet"]["security"] == {"profile": "standard", "bits": bits}


def test_finality(summary: dict[str, Any]) -> None:
    finality = summary["finality"]
    assert (finality["height_max"], finality["height_min"]) == (2, 0 + 1)
    assert (finality["blocks"], finality["blocks_proven"], finality["blocks_not_proven"]) == (2, 1, 1)
    assert finality["committed_ms"]["count"] == 4
    # Three of four equal stakes are more than two thirds; two are not.
    assert finality["proven_ms"]["max"] == 250.0
    assert finality["gap_ms"]["max"] == 3800.0
    assert finality["longest_gap_ms"] == 6500.0
    assert finality["caught_up"] == 1
    assert finality["by_backend"]["stwo"]["blocks"] == 2


def test_mempool(summary: dict[str, Any]) -> None:
    pool = summary["mempool"]
    assert (pool["admitted"], pool["refused"], pool["evicted"]) == (2, {"pool_full": 1}, {"committed": 1})
    assert (pool["size_max"], pool["stale"], pool["late"]) == (1, 1, 1)
    assert pool["late_ms"]["max"] == 25.0
    assert pool["skipped"] == {"no_active_node": 1}


def test_byzantine(summary: dict[str, Any]) -> None:
    block = summary["byzantine"]
    assert (block["invalid_published"], block["invalid_accepted"]) == (1, 0)
    flipped = block["by_kind"]["flipped_bytes"]
    assert flipped["rejected"] == {"BadProof": 1}
    assert (flipped["rejected_by"], flipped["first_hop_share"], flipped["honest_verify_ms"]) == (1, 1.0, 2.0)
    assert block["by_kind"]["copy"]["ignored"] == {"replay": 1}


def test_coverage_counts_honest_publications_only(summary: dict[str, Any]) -> None:
    coverage = summary["simnet"]["network"]["coverage"]
    assert (coverage["delivered"], coverage["reachable"]) == (6, 9)


def test_the_hash_covers_virtual_time_only() -> None:
    one, other = fakes.summarised(story()), fakes.summarised(story())
    one["resource_usage"]["wall_time_secs"] = 1e6
    assert determinism_sha256(one) == determinism_sha256(other)
    other["total_publishes"] += 1
    assert determinism_sha256(one) != determinism_sha256(other)


def test_json_is_upstreams_form(summary: dict[str, Any]) -> None:
    text = to_json(summary)
    assert text.startswith('{\n  "total_publishes": 5,\n')
    assert not text.endswith("\n")


def test_csv_has_upstreams_rows_then_ours(summary: dict[str, Any]) -> None:
    lines = to_csv(summary).split("\n")
    assert lines[:7] == [
        "metric,value",
        "total_publishes,5",
        "total_receives,8",
        "duplicates,0",
        "chunk_retries,0",
        "replay_guard_drops_trusted,0",
        "replay_guard_drops_untrusted,0",
    ]
    names = [line.partition(",")[0] for line in lines if line]
    first_ours = next(i for i, name in enumerate(names) if name.startswith("simnet."))
    assert names[first_ours - 3 : first_ours] == ["recovery_resume_events", "recovery_max_resume_ms", "recovery_mean_resume_ms"]
    assert all(name.startswith("simnet.") for name in names[first_ours:])
    assert "propagation_p95_ms,54.000" in lines
    assert "simnet.proofs.stwo.transaction.made,2" in lines
    assert lines[-1] == ""


def test_attribution_chooses_the_backends() -> None:
    assert reported_backends(info(), {}) == ("stwo", "plonky3", "groth16")
    assert reported_backends(info(), {"SIMNET_BACKEND_ATTRIBUTION": "groth16, stark"}) == ("stwo", "groth16")
    with pytest.raises(ScenarioError, match="no such backend"):
        reported_backends(info(), {"SIMNET_BACKEND_ATTRIBUTION": "stwoo"})


def test_aggregation_counts_a_quorum_and_who_proved() -> None:
    def aggregated(ms: float, node: int, prover: int | None = 1) -> Event:
        return BlockAggregated(t(ms), n(node), 1, "b1", "plonky3", "p", "c", None if prover is None else n(prover))

    events: list[Event] = [
        committed(1000, 0, 1, 900),
        committed(1100, 1, 1, 900),
        committed(1200, 2, 1, 900),
        BlockProving(t(1100), n(1), 1, "b1", "plonky3", 0),
        BlockProving(t(5100), n(3), 1, "b1", "stwo", 1),
        ProofMade(t(1500), n(1), "plonky3", "state", "00", 90_000, t(1100), t(1200), t(1500), False),
        ProofMade(t(1600), n(1), "plonky3", "recursive", "01", 90_000, t(1100), t(1500), t(1600), False),
        aggregated(1600, 1),
        aggregated(1700, 0),
        aggregated(1800, 2),
        WindowClosed(t(2000), n(0), 2, 0, 96, 3, 1),
        WindowClosed(t(2010), n(1), 2, 0, 96, 3, 1),
        published(2000, 7, kind="heartbeat"),
        RunEnded(t(4000)),
    ]
    found = fakes.summarised(events)["aggregation"]
    assert (found["blocks"], found["blocks_aggregated"], found["taken_over"]) == (1, 1, 1)
    # Three of four equal stakes are more than two thirds; from the first commit to the third aggregate.
    assert found["aggregated_ms"]["max"] == 800.0
    assert found["node_ms"]["count"] == 3
    assert found["node_ms"]["max"] == 700.0
    assert found["by_backend"]["plonky3"]["blocks_aggregated"] == 1
    assert [found["by_backend"][b]["started"] for b in ("stwo", "plonky3", "groth16")] == [1, 1, 0]
    assert found["provers"] == {"node:1": 1}
    assert found["proofs"] == {"recursive": 1, "state": 1}
    assert found["uptime_windows"] == [{"window": 0, "height": 2, "heartbeats": 96, "reached": 3, "missed": 1}]
    assert found["heartbeats"] == {"published": 1, "logged": 0}
    # 400 of 4000 ms at node 1; node 3 has the backend too and was idle.
    assert found["prover_load"]["plonky3"]["block"]["max"] == 0.1
    assert found["prover_load"]["plonky3"]["block"]["min"] == 0.0
    assert found["prover_load"]["stwo"]["block"]["max"] == 0.0


def test_fields_and_rows_are_those_of_the_independent_reading(summary: dict[str, Any]) -> None:
    assert contract.network_shape(summary) == []
    rows = [tuple(line.split(",", 1)) for line in to_csv(summary).splitlines()[1:]]
    assert [row for row in rows if not row[0].startswith("simnet.")] == contract.network_csv(summary)
