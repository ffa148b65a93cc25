"""Wrappers as processes with the real provers: order, files, exit codes, interrupts."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from simnet.scenario.wrapper_load import load_wrapper
from simnet.wrappers.job import JobOptions, run_job
from simnet.wrappers.screen import DarkJob
from tests.runs import DATA, LIMIT_S, TINY, command, environment, simnet

WRAPPERS = DATA / "wrappers"
DETERMINISTIC = WRAPPERS / "deterministic_consensus.ron"


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def wrapper(folder: Path, **parts: Any) -> Path:
    path = folder / "job.ron"
    path.write_text(json.dumps({"name": "The Job", **parts}))
    return path


def node(label: str, code: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "program": sys.executable, "args": ["-c", code], **more}


def test_the_seeded_load_repeats_and_is_written(tmp_path: Path) -> None:
    proofs = []
    for out in ("a", "b"):
        done = simnet("run", DETERMINISTIC, "--artifacts-dir", out, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        summary = read(tmp_path / out / "summaries/deterministic_consensus.json")
        assert (summary["runs"], summary["seed"], summary["failures"]) == (3, 99, [])
        assert summary["tamper_vrf"] == summary["tamper_quorum"] == {"attempts": 2, "rejected": 2, "unexpected_accepts": 0}
        assert summary["summary_path"] == f"{out}/summaries/deterministic_consensus.json"
        text = (tmp_path / out / "summaries/deterministic_consensus.csv").read_text()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["run"] for row in rows] == ["0", "1", "2"]
        proofs.append(summary["simnet"]["proofs_sha256"])
    assert proofs[0] == proofs[1]
    job = read(tmp_path / "a/wrapper.json")
    assert job["complete"] and job["exit_code"] == 0 and job["errors"] == []


def test_a_job_needs_no_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loaded = load_wrapper(wrapper(tmp_path, nodes=[node("a", "raise SystemExit(3)")], duration_secs=1))
    job = run_job(loaded, JobOptions(lambda _: None, artifacts=tmp_path / "o"), DarkJob())
    assert job.exit_code == 1 and job.content == read(job.folder / "wrapper.json") and "a" in job.content["errors"][0]
    assert capfd.readouterr() == ("", "")


def test_seed_and_backend_come_from_outside(tmp_path: Path) -> None:
    done = simnet("run", DETERMINISTIC, "--out", "o", "--backend", "stwo", "--set", "consensus.runs=1", cwd=tmp_path, SIMNET_SEED="5")
    assert done.returncode == 0, done.stderr
    summary = read(tmp_path / "o/summaries/deterministic_consensus.json")
    assert (summary["seed"], summary["runs"], summary["simnet"]["backend"]) == (5, 1, "stwo")


@pytest.mark.parametrize(
    ("stem", "words"),
    [
        ("invalid_zero_peers", "topology must include at least one peer"),
        ("invalid_link_loss", "link 'default' loss must be between 0 and 1 inclusive"),
        ("invalid_consensus", "consensus.runs must be greater than zero"),
        ("insufficient_resources", "host resources below scenario guidance"),
    ],
)
def test_bad_wrappers_are_refused_before_anything_is_written(tmp_path: Path, stem: str, words: str) -> None:
    done = simnet("run", WRAPPERS / f"{stem}.ron", "--out", "o", cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_small_host_is_only_a_warning_when_allowed(tmp_path: Path) -> None:
    done = simnet("run", WRAPPERS / "insufficient_resources.ron", "--out", "o", "--allow-insufficient-resources", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "resource guidance" in done.stderr


def test_network_processes_and_load_in_one_job(tmp_path: Path) -> None:
    """The node is up before the network runs, the wallet ends by itself afterwards; both summaries are there."""
    service = node("node", "import time; print('listening', flush=True); time.sleep(100)", ready_log="listening")
    wallet = node("wallet", "import os, time; time.sleep(1); print(os.environ['FLAVOUR'])")
    (tmp_path / "tiny.toml").write_text(TINY.read_text())
    load = {"runs": 1, "validators": 3, "witness_commitments": 2, "tamper": {}}
    parts = {"nodes": [service], "wallets": [wallet], "env": {"FLAVOUR": "salt"}, "p2p": {"scenario_path": "tiny.toml"}, "consensus": load}
    shorter = ["--set", "sim.duration_ms=3000", "--set", "traffic.tx.phases.0.duration_ms=2500"]
    done = simnet("run", wrapper(tmp_path, **parts), *shorter, "--no-analyze", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "target/simnet/the-job"
    assert read(folder / "run.json")["complete"] is True
    network, own = (read(folder / f"summaries/{name}.json") for name in ("the-job", "tiny"))
    assert network == own and "kind" not in network
    assert read(folder / "summaries/the-job_consensus.json")["kind"] == "consensus-load"
    job = read(folder / "wrapper.json")
    assert [(p["label"], p["stopped"], p["failed"]) for p in job["processes"]] == [("wallet", False, False), ("node", True, False)]
    assert (folder / "logs/wallet.log").read_text() == "[wallet][stdout] salt\n"
    repeated = simnet("rerun", folder, "--quiet", cwd=tmp_path)
    assert repeated.returncode == 0, repeated.stdout + repeated.stderr


def test_a_failed_process_fails_the_job(tmp_path: Path) -> None:
    done = simnet("run", wrapper(tmp_path, nodes=[node("bad", "raise SystemExit(7)")]), "--out", "o", cwd=tmp_path)
    assert done.returncode == 1
    assert "process 'bad' ended with exit status 7" in done.stderr
    assert read(tmp_path / "o/wrapper.json")["exit_code"] == 1


def test_an_earlier_loads_results_do_not_pass_for_a_new_ones(tmp_path: Path) -> None:
    load = {"runs": 1, "validators": 3, "witness_commitments": 2, "csv_path": "load.csv"}
    assert simnet("run", wrapper(tmp_path, consensus=load), "--out", "o", cwd=tmp_path).returncode == 0
    results = [
        tmp_path / "o" / name for name in ("load.csv", "summaries/the-job_consensus.json", "summaries/the-job_consensus.analysis.json")
    ]
    assert all(path.is_file() for path in results)
    broken = wrapper(tmp_path, consensus=load, nodes=[{"label": "x", "program": "no-such-program"}])
    assert simnet("run", broken, "--out", "o", cwd=tmp_path).returncode == 1
    assert not any(path.exists() for path in results)


def test_a_process_that_never_gets_ready_ends_the_job(tmp_path: Path) -> None:
    slow = node("slow", "import time; time.sleep(100)", ready_log="up", startup_timeout_ms=500)
    load = {"runs": 1, "validators": 3, "witness_commitments": 2}
    done = simnet("run", wrapper(tmp_path, nodes=[slow], consensus=load), "--out", "o", cwd=tmp_path)
    assert done.returncode == 1
    assert "no 'up' in its output within 0.5 s" in done.stderr
    assert not (tmp_path / "o/summaries").exists(), "the work did not begin"


def test_an_empty_wrapper_ran_nothing(tmp_path: Path) -> None:
    done = simnet("run", wrapper(tmp_path), "--out", "o", cwd=tmp_path)
    assert done.returncode == 3 and "nothing ran" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_processes(tmp_path: Path, number: signal.Signals) -> None:
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); print('up', flush=True); time.sleep(100)"
    load = {"runs": 100_000, "validators": 3, "witness_commitments": 2}
    path = wrapper(tmp_path, nodes=[node("node", code, ready_log="up")], consensus=load)
    words = command("run", path, "--out", "o")
    job = subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + LIMIT_S
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < deadline and job.poll() is None
        time.sleep(0.05)
    time.sleep(2)
    job.send_signal(number)
    _, said = job.communicate(timeout=LIMIT_S)
    assert job.returncode == 130, said
    assert "Traceback" not in said
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
    assert read(tmp_path / "o/wrapper.json")["exit_code"] == 130
    summary = read(tmp_path / "o/summaries/the-job_consensus.json")
    assert summary["simnet"]["complete"] is False and summary["simnet"]["runs_done"] > 0


def test_keep_alive_and_duration_are_real_waits(tmp_path: Path) -> None:
    path = wrapper(tmp_path, duration_secs=2)
    began = time.monotonic()
    assert simnet("run", path, "--out", "o", "--quiet", cwd=tmp_path).returncode == 0
    assert time.monotonic() - began >= 2
    words = command("run", wrapper(tmp_path, nodes=[node("bad", "raise SystemExit(7)")]), "--out", "o", "--keep-alive")
    job = subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert job.stderr is not None
    while line := job.stderr.readline():
        if "kept alive" in line:
            break
    time.sleep(0.5)
    assert job.poll() is None
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=LIMIT_S)
    assert job.returncode == 130
