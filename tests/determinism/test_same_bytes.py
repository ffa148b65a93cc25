"""The same scenario, seed and costs give the same bytes: across processes, hash seeds, cores and repetitions."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simnet.cli.main import app
from tests.runs import HASHES, LIGHT_SEED, LIMIT_S, TINY_FAULTS, command, environment, run_json, simnet


def hashes(run: dict[str, Any]) -> dict[str, str]:
    return {name: run[name] for name in HASHES}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Three finished runs of the scenario with faults, made side by side."""
    root = tmp_path_factory.mktemp("determinism")
    variants = {
        "first": ({"PYTHONHASHSEED": "1"}, []),
        "second": ({"PYTHONHASHSEED": "2", "RAYON_NUM_THREADS": "1"}, []),
        "light": ({"PYTHONHASHSEED": "1"}, ["--seed", LIGHT_SEED]),
    }
    with ExitStack() as stack:
        running = {}
        for name, (extra, arguments) in variants.items():
            words = command("run", TINY_FAULTS, "--out", root / name, "--quiet", *arguments)
            process = subprocess.Popen(words, cwd=root, env=environment(**extra), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            running[name] = stack.enter_context(process)
        for name, process in running.items():
            said, _ = process.communicate(timeout=LIMIT_S)
            assert process.returncode == 0, (name, said.decode())
            assert said == b"", name
        yield {name: root / name for name in variants}


def test_two_processes_with_different_hash_seeds_agree(folders: dict[str, Path]) -> None:
    first, second = (run_json(folders[name]) for name in ("first", "second"))
    assert first["complete"]
    assert hashes(first) == hashes(second)
    assert first["events"] == second["events"] > 1000
    # Not only the hashes: the summaries apart from the machine's figures, and the costs.
    one, two = (json.loads((folders[n] / "summaries" / "tiny_faults.json").read_text()) for n in ("first", "second"))
    for summary in (one, two):
        summary.pop("resource_usage", None)
    assert one == two
    assert (folders["first"] / "costs.json").read_bytes() == (folders["second"] / "costs.json").read_bytes()


def test_another_seed_differs_in_everything(folders: dict[str, Path]) -> None:
    first, other = (run_json(folders[name]) for name in ("first", "light"))
    assert other["seed"] == LIGHT_SEED
    for name in HASHES:
        assert first[name] != other[name], name


@pytest.mark.parametrize("cores", [1, 4])
def test_the_number_of_cores_does_not_matter(folders: dict[str, Path], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIMNET_SEED", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    done = CliRunner().invoke(app, ["run", str(TINY_FAULTS), "--seed", str(LIGHT_SEED), "--out", "out", "--quiet"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert hashes(run_json(Path("out"))) == hashes(run_json(folders["light"]))


def test_recorded_costs_replay_the_trace(folders: dict[str, Path], tmp_path: Path) -> None:
    costs = tmp_path / "costs.json"
    shutil.copy(folders["light"] / "costs.json", costs)
    done = simnet("run", TINY_FAULTS, "--seed", LIGHT_SEED, "--out", "out", "--costs", costs, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    base, again = run_json(folders["light"]), run_json(tmp_path / "out")
    assert again["trace_sha256"] == base["trace_sha256"]
    assert again["proofs_sha256"] == base["proofs_sha256"]
    # And the costs decide: other ones give another trace.
    table = json.loads(costs.read_text())
    table["table_ns"] = {key: ns * 2 for key, ns in table["table_ns"].items()}
    costs.write_text(json.dumps(table))
    slower = simnet("run", TINY_FAULTS, "--seed", LIGHT_SEED, "--out", "slower", "--costs", costs, "--quiet", cwd=tmp_path)
    assert slower.returncode == 0, slower.stderr
    assert run_json(tmp_path / "slower")["trace_sha256"] != base["trace_sha256"]


def test_rerun_finds_the_same_hashes_and_notices_others(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(folders["light"], folder)
    run = run_json(folder)
    wrong = {**run, "proofs_sha256": "0" * 64}
    (folder / "run.json").write_text(json.dumps(wrong))
    done = simnet("rerun", folder, cwd=tmp_path)
    assert done.returncode == 1
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith(HASHES))
    assert {name: lines[name].split()[0] for name in HASHES} == {
        "trace_sha256": "same",
        "summary_sha256": "same",
        "proofs_sha256": "DIFFERENT",
    }
    assert run_json(tmp_path / "run-rerun")["proofs_sha256"] == run["proofs_sha256"]
