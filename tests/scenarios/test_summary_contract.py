"""Summaries and CSV files of real runs against upstream's tables of fields, and against what its analyzer makes of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import upstream_contract as contract
from tests.runs import DATA, LIGHT_SEED, ROOT, TINY_FAULTS, simnet

MESH = ROOT / "scenarios" / "quiet_mesh.toml"
SHORT = ("--set", "sim.duration_ms=3000", "--set", "traffic.tx.phases=[{duration_ms=3000,model='poisson',lambda_per_sec=20.0}]")
LIMIT_S = 3600
"""A minute where nothing else runs."""
OURS = ("aggregation", "byzantine", "checks", "finality", "mempool", "proofs", "simnet")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The summary of a small run with a partition, churn and spam."""
    folder = tmp_path_factory.mktemp("drill")
    done = simnet("run", TINY_FAULTS, "--seed", LIGHT_SEED, "--out", folder, "--quiet", "--no-analyze", cwd=folder, limit_s=LIMIT_S)
    assert done.returncode == 0, done.stderr
    return folder / "summaries/tiny_faults.json"


@pytest.fixture(scope="module")
def summary(path: Path) -> dict[str, Any]:
    return read(path)


def read(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text())
    assert isinstance(content, dict)
    return content


def test_the_fields_are_those_of_the_table(path: Path, summary: dict[str, Any]) -> None:
    assert contract.network_shape(summary) == []
    there = [name for name in contract.NETWORK_FIELDS if name in summary]
    assert there == [n for n in contract.NETWORK_FIELDS if n not in ("bandwidth", "gossip_backpressure", "slow_peer_records", "comparison")]
    assert [name for name in summary if name not in contract.NETWORK_FIELDS] == list(OURS)
    assert path.read_text() == json.dumps(summary, indent=2, ensure_ascii=False), "two spaces, order kept, no newline at the end"


def test_the_csv_has_the_rows_of_the_table(path: Path, summary: dict[str, Any]) -> None:
    assert contract.csv_rows(path) == contract.network_csv(summary)


def test_the_figures_agree_with_each_other(summary: dict[str, Any]) -> None:
    kinds = [fault["kind"] for fault in summary["faults"]]
    assert kinds.count("partition_start") == kinds.count("partition_end") == len(summary["recovery"]["resume_latencies_ms"]) == 1
    edges = summary["simnet"]["links"]
    reconnects = sum(summary["simnet"]["faults"]["links_down"].values())
    assert 2 * edges <= len(summary["mesh_changes"]) <= 2 * edges + reconnects
    peers = {row["peer_id"]: row["peer_class"] for row in summary["peer_traffic"]}
    assert len(peers) == summary["simnet"]["nodes"] == 7 and set(peers.values()) == {"trusted", "untrusted"}
    assert {row["node"] for row in summary["mesh_changes"]} == set(peers)
    wire = summary["simnet"]["network"]["wire"]
    assert sum(row["bytes_in"] for row in summary["peer_traffic"]) >= wire["gossip_bytes"] > 0
    assert sum(row["bytes_out"] for row in summary["peer_traffic"]) >= sum(row["bytes_in"] for row in summary["peer_traffic"])
    replays = summary["simnet"]["network"]["content_replays"]
    ignored = sum(kind["ignored"].get("replay", 0) for kind in summary["byzantine"]["by_kind"].values())
    assert sum(group["replays"] for group in replays.values()) >= ignored > 0


def test_upstreams_analyzer_would_accept_it_and_so_does_ours(path: Path, summary: dict[str, Any]) -> None:
    assert contract.crashes(summary) == []
    assert contract.failures(summary, path.stem) == []
    done = simnet("analyze", path, cwd=path.parent)
    assert done.returncode == 0, done.stderr
    assert read(path.with_name("propagation_alert.json"))["status"] == "resolved"


def test_the_same_holds_of_a_run_whose_queues_overflow(tmp_path: Path) -> None:
    words = (*SHORT, "--set", "gossip.queue_messages_max=1", "--set", "links.default.jitter_ms=9")
    done = simnet("run", MESH, *words, "--out", tmp_path, "--quiet", "--no-analyze", cwd=tmp_path, limit_s=LIMIT_S)
    assert done.returncode == 0, done.stderr
    found = tmp_path / "summaries/quiet_mesh.json"
    summary = read(found)
    assert summary["gossip_backpressure"]["queue_full_messages"] > 0 and summary["slow_peer_records"]
    assert contract.network_shape(summary) == []
    assert contract.crashes(summary) == []
    assert not [name for name in contract.failures(summary, "quiet_mesh") if "bandwidth" in name or "backpressure" in name]
    assert contract.csv_rows(found) == contract.network_csv(summary)


def test_a_consensus_load_has_every_key_and_its_csv_a_row_for_each_proof(tmp_path: Path) -> None:
    done = simnet("run", DATA / "wrappers/deterministic_consensus.ron", "--out", tmp_path, "--quiet", cwd=tmp_path, limit_s=LIMIT_S)
    assert done.returncode == 0, done.stderr
    found = tmp_path / "summaries/deterministic_consensus.json"
    summary = read(found)
    assert contract.load_shape(summary) == []
    assert [name for name in summary if name not in contract.LOAD_FIELDS] == ["simnet"]
    assert contract.crashes(summary) == contract.failures(summary, found.stem) == []
    lines = found.with_suffix(".csv").read_text().splitlines()
    assert lines[0] == "run,prove_ms,verify_ms,proof_bytes"
    for number, line in enumerate(lines[1:]):
        run, prove, verify, size = line.split(",")
        assert int(run) == number and len(prove.partition(".")[2]) == 6
        assert repr(float(verify)) == verify and str(int(size)) == size
    assert len(lines) - 1 == summary["runs"] == 3
