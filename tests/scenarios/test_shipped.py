"""Every shipped scenario runs on the real provers, shortened; at full length they run every night (test_every_job.py)."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simnet.cli.main import app
from simnet.scenario.load import load_scenario
from simnet.scenario.nodefaults import CONDUCT, NodeFault
from simnet.scenario.wrapper_load import load_wrapper
from tests.runs import ROOT, SHIPPED, command, environment, not_held, run_json

WRAPPERS = sorted((ROOT / "scenarios").glob("*.ron"))
PROCESS_ONLY = [path for path in WRAPPERS if load_wrapper(path).wrapper.processes]
OTHERS = [path for path in WRAPPERS if path not in PROCESS_ONLY]
PURPOSES = {
    "mixed_backend_interop", "canary_rolling_restart", "compound_partitioned_backpressure", "consensus_chaos", "epoch_drift",
    "high_density_mesh", "leader_rotation_prover_load", "partition_restart_plan", "partitioned_flood", "ring_poisson",
    "small_world_smoke", "snapshot_partition", "uptime_soak", "validator_set_rotation", "verifier_pause_resume", "wallet_rpc_failover",
}  # fmt: skip
"""The specification's profiles (sections 7.1 and 7.4)."""
NIGHT_S = 1800
PHASE = 'traffic.tx.phases=[{ model = "poisson", duration_ms = 2500, lambda_per_sec = 2.0 }]'


def stem(path: Path) -> str:
    return path.stem


def shortened(path: Path) -> list[str]:
    """Three seconds of a profile, its faults included; Groth16 left out, whose proofs take seconds of wall time."""
    faults = load_scenario(path).scenario.faults
    words = ["sim.duration_ms=3000", PHASE, "chain.slot_ms=1200", "gossip.heartbeat_ms=700"]
    words += ["faults.partition.start_ms=600", "faults.partition.duration_ms=900"] if faults.partition else []
    words += ["faults.churn.start_ms=800", "faults.churn.rate_per_min=60.0", "faults.churn.restart_after_ms=600"] if faults.churn else []
    words += ["faults.byzantine.start_ms=500"] if faults.byzantine else []
    words += [f"faults.nodes=[{', '.join(_early(fault) for fault in faults.nodes)}]"] if faults.nodes else []
    regions = sorted(set(load_scenario(path).scenario.region_of_node))
    words += ['provers.default_backends=["stwo", "plonky3"]', *(f'provers.regions.{r}=["stwo", "plonky3"]' for r in regions)]
    return [part for word in words for part in ("--set", word)]


def _early(fault: NodeFault) -> str:
    """The fault in the shortened profile's time, as TOML."""
    keys = {**fault.model_dump(mode="json"), "start_ms": 600, "duration_ms": 900}
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in keys.items()) + " }"


def ran(folder: Path, *arguments: object, limit_s: int = NIGHT_S) -> subprocess.CompletedProcess[str]:
    words = command("run", *arguments, "--quiet", "--allow-insufficient-resources", "--out", folder / "out")
    return subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True, timeout=limit_s, check=False)


def summary_of(run: Path, path: Path) -> dict[str, Any]:
    content = json.loads((run / "summaries" / f"{path.stem}.json").read_text())
    assert isinstance(content, dict)
    return content


def check(run: Path, path: Path, *, short: bool = False) -> None:
    """Complete, with a block committed and proven or, without a chain, messages received; with the file's faults.

    `short`: the faults may have had no time to act, and the chain none to commit a transfer.
    """
    assert run_json(run)["complete"]
    summary = summary_of(run, path)
    scenario = load_scenario(path).scenario
    checks = {name: told for name, told in summary["checks"].items() if not short or name != "fault_effect"}
    idle = ("no_double_spend", "progress", "proven", "aggregated") if short else ()
    if scenario.expect is None:
        assert not_held(checks, "fault_effect", *idle) == []
    else:
        assert summary["simnet"]["expectation"]["met"]
    if scenario.chain.enabled:
        assert summary["finality"]["blocks"] >= 1
    else:
        assert summary["simnet"]["network_only"] and summary["total_receives"] > summary["total_publishes"] > 0
    faults = scenario.faults
    kinds = {fault["kind"] for fault in summary["faults"]}
    assert ("partition_end" in kinds) == (faults.partition is not None)
    assert ("churn_down" in kinds) == (faults.churn is not None)
    edge = "end" if scenario.expect is None else "start"  # what breaks as expected ends the run
    assert kinds >= {f"{fault.kind}_{edge}" for fault in faults.nodes if fault.kind in CONDUCT}
    if faults.byzantine is None:
        assert "byzantine_spam" not in kinds


@pytest.mark.parametrize("path", SHIPPED, ids=stem)
def test_a_shortened_profile_runs(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # for the files of [metrics]
    monkeypatch.delenv("SIMNET_SEED", raising=False)
    words = ["run", str(path), "--no-analyze", "--quiet", "--out", str(tmp_path / "out"), *shortened(path)]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    if load_scenario(path).scenario.expect is not None:
        assert done.exit_code == 1 and "nothing broke, though" in done.stderr, "three seconds break nothing"
        return
    assert done.exit_code == 0, done.stderr
    check(tmp_path / "out", path, short=True)


def test_a_region_that_was_cut_off_is_level_again(tmp_path: Path) -> None:
    """Nodes judge proposals late here, after catching up: a judgement may decide the height it belongs to."""
    path = ROOT / "scenarios/snapshot_partition.toml"
    done = ran(tmp_path, path)
    assert done.returncode == 0, done.stderr
    finality = summary_of(tmp_path / "out", path)["finality"]
    assert finality["height_min"] == finality["height_max"] >= 10


def test_verifiers_that_stood_still_work_off_their_backlog(tmp_path: Path) -> None:
    path = ROOT / "scenarios/verifier_pause_resume.toml"
    done = ran(tmp_path, path)
    assert done.returncode == 0, done.stderr
    summary = summary_of(tmp_path / "out", path)
    stops = summary["simnet"]["node_faults"]["service_stop"]["verifier"]
    assert stops["stops"] == stops["worked_off"] == 2 and stops["stopped_ms"] == 24000 and stops["refused"] == 0
    assert stops["backlog_max"] > 20 and 11_000 < stops["oldest_age_ms"] <= 12_000
    assert summary["finality"]["height_min"] == summary["finality"]["height_max"] >= 10


@cache
def profile_of(path: Path) -> Path | None:
    profile = load_wrapper(path).profile
    return None if profile is None else profile.path


def test_every_profile_of_the_specification_is_there() -> None:
    names = {path.stem for path in SHIPPED}
    assert names >= PURPOSES
    wrapped = {profile_of(path) for path in OTHERS} - {None}
    assert {p.stem for p in wrapped if p} >= PURPOSES - {"high_density_mesh", "verifier_pause_resume"}


def test_the_smoke_wrapper_runs_with_both_its_parts(tmp_path: Path) -> None:
    path = ROOT / "scenarios/small_world_smoke.ron"
    profile = profile_of(path)
    assert profile is not None
    done = ran(tmp_path, path, "--set", "consensus.runs=2", *shortened(profile), "--no-analyze")
    assert done.returncode == 0, done.stderr
    check(tmp_path / "out", profile, short=True)
    load = json.loads((tmp_path / "out/summaries/small_world_smoke_consensus.json").read_text())
    assert load["kind"] == "consensus-load" and load["simnet"]["verified"] == 2


def test_quorum_stress_holds_its_limits(tmp_path: Path) -> None:
    """Ten of its 120 runs, judged by the shipped thresholds."""
    done = ran(tmp_path, "--profile", "quorum-stress", "--set", "consensus.runs=10")
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = json.loads((tmp_path / "out/summaries/consensus_quorum_stress.analysis.json").read_text())["verdicts"]
    limits = {v["metric"]: v["limit"] for v in verdicts}
    assert (limits["prove_ms.p95"], limits["verify_ms.p95"], limits["tamper_vrf.unexpected_accepts"]) == ("<= 5500", "<= 3200", "<= 0")


def test_the_acceleration_mix_is_a_process_of_its_own(tmp_path: Path) -> None:
    done = ran(tmp_path, "--profile", "prover-acceleration-mix")
    assert done.returncode == 0, done.stderr
    cpu, gpu = json.loads((tmp_path / "out/summaries/cpu_gpu_prover_mix.json").read_text())
    assert cpu["mode"] == "cpu" and gpu["mode"] == "gpu"
    assert "cpu: proved in" in (tmp_path / "out/logs/plonky3-acceleration-regression.log").read_text()
