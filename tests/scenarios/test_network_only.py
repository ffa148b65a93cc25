"""Runs of the network alone: opaque payloads, no chain, no proofs; with and without faults."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from simnet.base.errors import ScenarioError, SimnetError
from simnet.cli.main import app
from simnet.events import Event, MessagePublished
from simnet.record.files import RunFolder
from simnet.runs import carry_out
from simnet.runs.chain import RunOptions, build
from simnet.runs.opaque import OpaqueRun
from simnet.scenario.load import load_scenario
from tests.netkit import scenario
from tests.runs import HASHES, ROOT, run_json, simnet

MESH = ROOT / "scenarios" / "quiet_mesh.toml"
SHORT = ("--set", "sim.duration_ms=4000", "--set", "traffic.tx.phases=[{duration_ms=4000,model='poisson',lambda_per_sec=8.0}]")
FAULTS = """
[faults.byzantine]
spam_factor = 3
publishers = [0, 1, 2, 3]

[faults.churn]
rate_per_min = 60
restart_after_ms = 500

[[faults.links]]
kind = "duplicate"
start_ms = 1000
duration_ms = 1000
probability = 0.2

[[faults.nodes]]
kind = "pause"
node = 3
start_ms = 2000
duration_ms = 700
"""


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty_mesh.toml"
    path.write_text(MESH.read_text().replace("loss = 0.0", "loss = 0.02") + FAULTS)
    return path


@pytest.mark.parametrize("faults", [False, True])
def test_both_engines_leave_the_same_files(tmp_path: Path, faulty: Path, faults: bool) -> None:
    runs = []
    for engine in ("events", "waves"):
        done = simnet("run", faulty if faults else MESH, *SHORT, "--engine", engine, "--out", tmp_path / engine, "--quiet", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        runs.append(run_json(tmp_path / engine))
    assert {name: runs[0][name] for name in HASHES} == {name: runs[1][name] for name in HASHES}
    assert runs[0]["events"] == runs[1]["events"] > 3000
    assert [run["scenario"]["gossip"]["engine"] for run in runs] == ["events", "waves"]
    judged = json.loads((tmp_path / "events" / "analysis.json").read_text())
    assert "network_thresholds" in json.dumps(judged)


def test_the_summary_is_one_of_a_network(tmp_path: Path) -> None:
    assert simnet("run", MESH, *SHORT, "--out", tmp_path, "--quiet", cwd=tmp_path).returncode == 0
    summary: dict[str, Any] = json.loads((tmp_path / "summaries" / "quiet_mesh.json").read_text())
    assert summary["simnet"]["network_only"] and summary["simnet"]["complete"]
    assert summary["proofs"] == summary["checks"] == {}
    publications, probes = summary["total_publishes"], 4
    assert publications > 10 + probes
    assert summary["total_receives"] == publications * 23, "everybody but the author has everything, once"
    assert summary["simnet"]["network"]["wire"]["copies_arrived"] == publications * (2 * 72 - 23)
    assert summary["finality"]["blocks"] == 0


def test_an_unknown_engine_is_bad_usage(tmp_path: Path) -> None:
    done = simnet("run", MESH, "--engine", "steam", cwd=tmp_path)
    assert done.returncode == 2 and "steam" in done.stderr


def test_byzantine_publishers_repeat_themselves() -> None:
    """Upstream's meaning of spam: the same payload again, as a new message."""
    given = scenario(4, chain={"enabled": False}, faults={"byzantine": {"spam_factor": 3, "publishers": [0, 1, 2, 3]}})
    run, seen = OpaqueRun(given, 1), list[Event]()
    run.bus.attach(SimpleNamespace(handlers={Event: seen.append}))
    run.run()
    published = [event for event in seen if isinstance(event, MessagePublished) and event.kind == "transaction"]
    assert len(published) > 300
    assert [event.spam for event in published[:6]] == [None, "copy", "copy"] * 2


def test_large_networks_need_no_consensus_circuit() -> None:
    assert scenario(500, chain={"enabled": False}).topology.n == 500
    with pytest.raises(ValueError, match="at most 128 with a chain"):
        scenario(500)


def test_the_chains_builder_refuses_it() -> None:
    given = load_scenario(MESH).scenario
    with pytest.raises(SimnetError, match=r"chain\.enabled is false"):
        build(given, 1, RunOptions())


def test_the_limit_on_events_holds() -> None:
    with pytest.raises(SimnetError, match="events_max"):
        OpaqueRun(scenario(4, chain={"enabled": False}, limits={"events_max": 100}), 1).run()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ('[[faults.links]]\nkind = "one_way"\nduration_ms = 5\nsauce = "A"', "did you mean `source`"),
        ('[[faults.nodes]]\nkind = "pause"\nduration_ms = 5\nnod = 1', "did you mean `node`"),
        ('[[faults.links]]\nkind = "wormhole"\nduration_ms = 5', "one_way"),
        ("[[faults.links]]\nduration_ms = 5", "kind"),
        ("[faults]\nlinks = 7", "faults.links"),
        ("[faults]\nlinks = [7]", "faults.links"),
    ],
)
def test_bad_faults_are_reported_with_their_keys(tmp_path: Path, fault: str, why: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(f"{MESH.read_text()}\n{fault}\n")
    with pytest.raises(ScenarioError, match=why):
        load_scenario(path)


def test_a_wrapper_passes_the_engine_to_its_profile(tmp_path: Path) -> None:
    wrapper = tmp_path / "quiet.ron"
    wrapper.write_text(f'(name: "quiet", p2p: (scenario_path: "{MESH}"))')
    done = simnet("run", wrapper, *SHORT, "--engine", "events", "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run_json(tmp_path / "out")["scenario"]["gossip"]["engine"] == "events"


def test_static_keys_replace_the_seed_s() -> None:
    given = scenario(4, chain={"enabled": False})
    peers = [OpaqueRun(given, seed, text).info.peer_ids for seed, text in ((1, "a"), (2, "a"), (1, "b"), (1, None))]
    assert peers[0] == peers[1] and len(set(peers)) == 3


def test_a_multi_process_mode_runs_again_in_a_child_and_compares(tmp_path: Path) -> None:
    done = simnet("run", MESH, *SHORT, "--set", "sim.mode='Multi-Process'", "--out", "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out/summaries/quiet_mesh.json").read_text())
    assert list(summary).index("comparison") == list(summary).index("backend") + 1
    block = summary["comparison"]
    assert block["in_process"] == block["multi_process"] and block["in_process"]["total_receives"] == summary["total_receives"] > 0
    assert set(block["deltas"].values()) == {0} and len(block["deltas"]) == 5
    child = run_json(tmp_path / "out/multi_process")
    assert child["complete"] and {name: child[name] for name in HASHES} == {name: run_json(tmp_path / "out")[name] for name in HASHES}
    assert "same" in (tmp_path / block["log_directory"] / "multi_process.log").read_text()
    assert simnet("rerun", "out", "--quiet", cwd=tmp_path).returncode == 0, "a repetition has no child of its own"
    assert not (tmp_path / "out-rerun/multi_process").exists()
    assert simnet("compare", "out", "out-rerun", cwd=tmp_path).returncode == 0, "the child is no second sample"


def test_processes_that_disagree_fail_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def other(folder: RunFolder) -> bool:
        child = folder.root / "multi_process" / "summaries" / folder.summary.name
        child.parent.mkdir(parents=True)
        summary = json.loads(folder.summary.read_text())
        child.write_text(json.dumps({**summary, "total_receives": summary["total_receives"] - 3}))
        return False

    monkeypatch.setattr(carry_out, "run_again", other)
    done = CliRunner().invoke(app, ["run", str(MESH), *SHORT, "--set", "sim.mode='compare'", "--out", "out", "--quiet"])
    assert done.exit_code == 1 and "process_independence" in done.stderr
    assert run_json(tmp_path / "out")["exit_code"] == 1
    assert json.loads((tmp_path / "out/summaries/quiet_mesh.json").read_text())["comparison"]["deltas"]["total_receives"] == -3


@pytest.mark.parametrize(("k", "told"), [(2, True), (16, False)])
def test_a_partition_that_cuts_nothing_is_told(tmp_path: Path, k: int, told: bool) -> None:
    """On a ring of four regions, opposite ones have a link only when it is dense."""
    ring = ["topology.type='ring'", f"topology.k={k}", f"regions.assignments={['A'] * 6 + ['X'] * 6 + ['B'] * 6 + ['X'] * 6}"]
    partition = "faults.partition={start_ms=900,duration_ms=900,group_a='A',group_b='B'}"
    sets = [part for word in (*ring, partition) for part in ("--set", word)]
    done = simnet("run", MESH, *SHORT, *sets, "--out", "out", "--no-analyze", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ("with seed 2401 no link joins A and B: nothing is cut" in done.stderr) == told
    faults = json.loads((tmp_path / "out/summaries/quiet_mesh.json").read_text())["faults"]
    assert bool(faults) != told
