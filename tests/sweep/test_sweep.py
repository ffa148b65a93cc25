"""Sweeps on real clusters of processes: the same table, whoever ran what, and whatever died on the way."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from simnet.sweep.keyfiles import key_files
from simnet.sweep.ledger import LEDGER
from tests.runs import command, environment

SCENARIO = """
name = "swept"
sim = { seed = 1, duration_ms = 1500 }
topology = { type = "ring", n = 6, k = 2 }
regions = { assignments = ["STWO", "STWO", "STWO", "PLONKY3", "PLONKY3", "PLONKY3"] }
links = { default = { delay_ms = 20, jitter_ms = 5, loss = 0.0 } }
chain = { enabled = false }
[traffic.tx]
publisher_bias = { type = "uniform" }
payload = { min_bytes = 200, max_bytes = 400 }
phases = [{ duration_ms = 1500, model = "poisson", lambda_per_sec = 20.0 }]
"""
GRID = ("--grid", "links.default.delay_ms=10:50:3", "--grid", "topology.k=2,4", "--seeds", "2")
RUNS = 12
LIMIT_S = 600


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "swept.toml").write_text(SCENARIO)
    return tmp_path / "swept.toml"


def sweep(scenario: Path, out: Path, *words: object, **extra: str) -> subprocess.CompletedProcess[str]:
    call = command("sweep", scenario, "--out", out, *words)
    return subprocess.run(call, cwd=scenario.parent, env=environment(**extra), capture_output=True, text=True, timeout=LIMIT_S, check=False)


def table(out: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = pq.read_table(out / "runs.parquet").to_pydict()
    return found


def test_the_table_has_a_row_for_each_run_and_is_the_same_for_one_worker_and_two(scenario: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        done = sweep(scenario, tmp_path / f"w{workers}", *GRID, "--workers", workers)
        assert done.returncode == 0, done.stderr
        assert f"{RUNS} runs, {RUNS} held, 0 failed" in done.stdout and re.search(r"dashboard: http://127\.0\.0\.1:\d+/status", done.stderr)
    assert (tmp_path / "w1/runs.parquet").read_bytes() == (tmp_path / "w2/runs.parquet").read_bytes()
    columns = table(tmp_path / "w1")
    points = list(zip(columns["param.links.default.delay_ms"], columns["param.topology.k"], columns["seed"], strict=True))
    assert points == [(delay, k, seed) for delay in (10, 30, 50) for k in (2, 4) for seed in (1, 2)]
    delays = columns["propagation.p50_ms"]
    assert delays[0] < delays[4] < delays[8], "slower links, slower gossip"
    assert len(set(columns["trace_sha256"])) == RUNS and columns["complete"] == [True] * RUNS
    assert not [name for name in columns if name.startswith("resource_usage")], "what the machine took differs from run to run"


def test_a_sweep_goes_on_where_it_was_killed(scenario: Path, tmp_path: Path) -> None:
    call = command("sweep", scenario, "--out", tmp_path / "s", *GRID, "--workers", 1)
    running = subprocess.Popen(
        call, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    ledger = tmp_path / "s" / LEDGER
    deadline = time.monotonic() + LIMIT_S
    while not (ledger.is_file() and ledger.read_bytes().count(b"\n") >= 3):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    there = ledger.read_bytes()
    done = sweep(scenario, tmp_path / "s", *GRID, "--workers", 1)
    count = there.count(b"\n")
    assert done.returncode == 0, done.stderr
    assert 3 <= count < RUNS and f"{RUNS} runs, {count} of them there already" in done.stderr and f"of {RUNS - count} runs" in done.stderr
    assert ledger.read_bytes().startswith(there[: there.rindex(b"\n") + 1]), "nothing that was finished is done again"
    whole = sweep(scenario, tmp_path / "whole", *GRID, "--workers", 1)
    assert whole.returncode == 0
    assert (tmp_path / "s/runs.parquet").read_bytes() == (tmp_path / "whole/runs.parquet").read_bytes()
    again = sweep(scenario, tmp_path / "s", *GRID)
    assert again.returncode == 0 and f"{RUNS} of them there already" in again.stderr and "dashboard" not in again.stderr
    more = sweep(scenario, tmp_path / "s", *GRID[:-1], 3)
    assert f"{RUNS * 3 // 2} runs, {RUNS} of them there already" in more.stderr, "another plan takes what it has in common"


def test_a_worker_that_dies_loses_nothing(scenario: Path, tmp_path: Path) -> None:
    call = command("sweep", scenario, "--out", tmp_path / "s", *GRID, "--workers", 2)
    running = subprocess.Popen(call, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    ledger, deadline, killed = tmp_path / "s" / LEDGER, time.monotonic() + LIMIT_S, 0
    while running.poll() is None and killed < 2:
        assert time.monotonic() < deadline
        rows = ledger.read_bytes().count(b"\n") if ledger.is_file() else 0
        if rows > 3 * killed:
            workers = [p for p in psutil.Process(running.pid).children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
            if workers:
                workers[0].kill()
                killed += 1
        time.sleep(0.05)
    said, _ = running.communicate(timeout=LIMIT_S)
    assert running.returncode == 0 and killed == 2, said
    whole = sweep(scenario, tmp_path / "whole", *GRID, "--workers", 1)
    assert whole.returncode == 0
    assert (tmp_path / "s/runs.parquet").read_bytes() == (tmp_path / "whole/runs.parquet").read_bytes()


@contextmanager
def clustered(folder: Path, workers: int) -> Iterator[str]:
    """A scheduler and workers that are processes of their own, each in a folder and with a key cache of its own; its address."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, *words: str) -> subprocess.Popen[str]:
        place = folder / name
        place.mkdir()
        env = environment(SIMNET_CACHE_DIR=str(place / "keys"))
        made = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]], cwd=place, env=env, stderr=subprocess.PIPE, text=True
        )
        started.append(made)
        return made

    try:
        scheduler = start("scheduler", "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        assert scheduler.stderr is not None
        address = next(found[0] for line in scheduler.stderr if (found := re.findall(r"tcp://127\.0\.0\.1:\d+", line)))
        for number in range(workers):
            start(f"worker-{number}", "dask_worker", address, "--nthreads", "1", "--no-dashboard")
        yield address
    finally:
        for process in reversed(started):
            process.kill()
            process.communicate()


def test_a_cluster_elsewhere_gives_the_same_table_and_gets_the_keys_once(scenario: Path, tmp_path: Path) -> None:
    """The runs make no proofs, so keys are in the workers' caches only because they were sent."""
    here = sweep(scenario, tmp_path / "here", *GRID, "--workers", 2)
    assert here.returncode == 0, here.stderr
    keys = cached(tmp_path / "own-keys", **{"stwo-consensus-1-v1.key": b"one", "groth16-consensus-1-v1.key": b"no node here has it"})
    with clustered(tmp_path, 2) as address:
        there = sweep(scenario, tmp_path / "there", *GRID, "--scheduler", address, SIMNET_CACHE_DIR=str(keys))
        assert there.returncode == 0, there.stderr
    assert (tmp_path / "here/runs.parquet").read_bytes() == (tmp_path / "there/runs.parquet").read_bytes()
    for number in range(2):
        sent = {path.name: path.read_bytes() for path in (tmp_path / f"worker-{number}/keys").glob("*.key")}
        assert sent == {"stwo-consensus-1-v1.key": b"one"}


def cached(folder: Path, **files: bytes) -> Path:
    folder.mkdir()
    entries = {}
    for name, content in files.items():
        (folder / name).write_bytes(content)
        entries[name] = {"bytes": len(content), "sha256": "0" * 64, "params_hash": "0" * 64, "vk_id": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(entries))
    return folder


def test_a_key_that_a_worker_has_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path / "worker"))
    sent = key_files(["stwo"], cached(tmp_path / "own", **{"stwo-a.key": b"new", "stwo-b.key": b"new"}))
    assert sent is not None and key_files(["plonky3"], tmp_path / "own") is None and key_files(["stwo"], tmp_path / "none") is None
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker/stwo-a.key").write_bytes(b"old")
    pickle.loads(pickle.dumps(sent)).setup(None)
    assert (tmp_path / "worker/stwo-a.key").read_bytes() == b"old" and (tmp_path / "worker/stwo-b.key").read_bytes() == b"new"


def test_without_dask_one_line_says_what_to_install(scenario: Path, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['distributed'] = None; from simnet.cli.entry import main; sys.argv = ['simnet', *sys.argv[1:]]; main()"
    )
    words = [sys.executable, "-c", program, "sweep", str(scenario), "--out", str(tmp_path / "s"), "--quiet"]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr == "error: `simnet sweep` needs dask.distributed: pip install 'simnet[sweep]'\n"


def test_a_cluster_that_is_not_there_is_said(scenario: Path, tmp_path: Path) -> None:
    gone = sweep(scenario, tmp_path / "s", "--scheduler", "tcp://127.0.0.1:9")
    assert gone.returncode == 2 and "--scheduler tcp://127.0.0.1:9" in gone.stderr and "Traceback" not in gone.stderr
    odd = sweep(scenario, tmp_path / "s", "--scheduler", "nonsense://x")
    assert odd.returncode == 2 and "Traceback" not in odd.stderr
    both = sweep(scenario, tmp_path / "s", "--scheduler", "tcp://127.0.0.1:9", "--keep-runs")
    assert both.returncode == 2


def test_points_are_checked_before_anything_runs(scenario: Path, tmp_path: Path) -> None:
    done = sweep(scenario, tmp_path / "s", "--grid", "topology.k=2,99", "--grid", "links.default.delay_ms=10,20")
    assert done.returncode == 2 and "topology.k" in done.stderr and not (tmp_path / "s").exists()
    odd = sweep(scenario, tmp_path / "s", "--grid", "topolgy.k=2,4")
    assert odd.returncode == 2 and "topology" in odd.stderr
    scenario.write_text(SCENARIO.replace("k = 2", "kk = 2"))
    misspelt = sweep(scenario, tmp_path / "s")
    assert misspelt.returncode == 2 and "needs `k`" in misspelt.stderr and "kk" in misspelt.stderr
    scenario.write_text(SCENARIO.replace("loss = 0.0", "loss = 0.0, los = 0.1"))
    told = sweep(scenario, tmp_path / "t", "--seeds", 2, "--workers", 1)
    assert told.returncode == 0 and told.stderr.count("warning: ") == 1 and "los" in told.stderr
    missing = sweep(tmp_path / "none.toml", tmp_path / "s")
    assert missing.returncode == 2 and "none.toml" in missing.stderr


def test_runs_that_fail_are_rows_and_exit_1(scenario: Path, tmp_path: Path) -> None:
    done = sweep(scenario, tmp_path / "s", "--grid", "limits.events_max=100,100000000", "--workers", 1)
    assert done.returncode == 1 and "ERROR: limits.events_max=100, seed 1: exit code 2: more than limits.events_max" in done.stderr
    columns = table(tmp_path / "s")
    assert columns["exit_code"] == [2, 0] and columns["propagation.p50_ms"][0] is None


def test_folders_of_runs_are_kept_when_asked(scenario: Path, tmp_path: Path) -> None:
    done = sweep(scenario, tmp_path / "s", "--seeds", 2, "--keep-runs", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "s/runs").glob("*/run.json"))) == 2
