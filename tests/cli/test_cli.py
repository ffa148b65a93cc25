"""The command line: exit codes, messages, files; the provers are replaced by a made-up run."""

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simnet.base import interrupts
from simnet.base.units import SimTime
from simnet.cli.main import app
from simnet.events.run_result import Violation
from simnet.record.files import RunFolder
from simnet.record.places import FolderLock
from simnet.record.versions import CRATES, crates
from tests import fakes
from tests.runs import environment
from tests.story import story


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in an empty folder, without the environment's settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("SIMNET_SEED", "SIMNET_BACKEND_ATTRIBUTION", "SIM_BACKEND_LABEL", "RPP_SIM_STATIC_KEY_SEED", "SIMNET_HEALTH_ADDR"):
        monkeypatch.delenv(name, raising=False)


def simnet(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def run_json(folder: str = "out") -> dict[str, Any]:
    content = json.loads(Path(folder, "run.json").read_text())
    assert isinstance(content, dict)
    return content


def test_a_held_run_writes_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    result = simnet("run", str(fakes.SCENARIO), "--out", "out", "--seed", "5", "--no-analyze")
    assert result.exit_code == 0, result.stderr
    assert "Finality, block proofs, mempool, network" in result.stdout
    stem = "mixed_backend_interop"
    for name in ("trace.parquet", "costs.json", "timings.json", f"summaries/{stem}.json", f"summaries/{stem}.csv"):
        assert Path("out", name).is_file(), name
    run = run_json()
    assert (run["complete"], run["exit_code"], run["seed"]) == (True, 0, 5)
    assert run["events"] == len(story())
    assert not Path("target").exists(), "nothing outside --out, whatever [metrics] says"
    assert not list(Path().rglob("*.partial"))


def test_the_default_folder_is_the_scenarios_slug(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    assert simnet("run", str(fakes.SCENARIO), "--quiet", "--no-analyze").stdout == ""
    assert run_json("target/simnet/mixed-backend-interop")["complete"]


def test_seed_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    monkeypatch.setenv("SIMNET_SEED", "99")
    simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze")
    assert run_json()["seed"] == 99


def test_json_output_is_run_json(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    result = simnet("run", str(fakes.SCENARIO), "--out", "out", "--json", "--no-analyze")
    assert json.loads(result.stdout)["trace_sha256"] == run_json()["trace_sha256"]


def test_a_failed_threshold_is_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch, ending=lambda: fakes.result(checks={"agreement": {"held": False}}))
    simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze")
    Path("t.toml").write_text('[[threshold]]\nmetric = "checks.*.held"\nequals = true\nwhy = "w"\n')
    result = simnet("analyze", "out/summaries/mixed_backend_interop.json", "--thresholds", "t.toml")
    assert result.exit_code == 1
    assert "FAIL checks.agreement.held" in result.stdout
    assert json.loads(Path("out/analysis.json").read_text())["passed"] is False


def test_an_unknown_metric_is_exit_2(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze")
    Path("t.toml").write_text('[[threshold]]\nmetric = "checkz.a"\nequals = true\nwhy = "w"\n')
    result = simnet("analyze", "out/summaries/mixed_backend_interop.json", "--thresholds", "t.toml")
    assert result.exit_code == 2
    assert "unknown metric 'checkz.a'" in result.stderr


def test_a_broken_invariant_is_exit_1_with_the_replay_command(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Violation("agreement", SimTime(5), "two blocks at height 1")
    fakes.install(monkeypatch, ending=lambda: fakes.result(complete=False, violations=(broken,)))
    result = simnet("run", str(fakes.SCENARIO), "--out", "out", "--seed", "5", "--set", "topology.k=4")
    assert result.exit_code == 1
    assert "broken invariant: agreement: two blocks at height 1" in result.stderr
    assert f"replay: simnet run {fakes.SCENARIO} --seed 5 --set topology.k=4" in result.stderr
    assert run_json()["exit_code"] == 1


IDLE = {"held": False, "status": "broken", "first": {"at_ms": 1.0, "nodes": [], "detail": "never acted: nodes[0] crash (never began)"}}


@pytest.mark.parametrize(("strict", "code"), [(True, 1), (False, 0)])
def test_a_fault_that_never_acted_is_a_warning_and_with_strict_an_error(monkeypatch: pytest.MonkeyPatch, strict: bool, code: int) -> None:
    fakes.install(monkeypatch, ending=lambda: fakes.result(checks={**fakes.HELD, "fault_effect": IDLE}))
    result = simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze", *(["--strict"] if strict else []))
    assert result.exit_code == run_json()["exit_code"] == code
    assert ("error: broken invariant: fault_effect: never acted: nodes[0] crash" in result.stderr) == strict
    assert ("warning: fault_effect: never acted: nodes[0] crash (never began)" in result.stderr) == (not strict)


def test_an_interrupted_run_is_written_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch, story()[:20], lambda: fakes.result(complete=False, interrupted=True))
    result = simnet("run", str(fakes.SCENARIO), "--out", "out")
    assert result.exit_code == 130
    run = run_json()
    assert (run["complete"], run["interrupted"], run["exit_code"]) == (False, True, 130)
    summary = json.loads(Path("out/summaries/mixed_backend_interop.json").read_text())
    assert summary["simnet"]["complete"] is False
    assert summary["total_publishes"] == 1
    assert Path("out/trace.parquet").is_file()
    assert not Path("out/analysis.json").exists()


def test_nothing_ran_is_exit_3(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch, [])
    result = simnet("run", str(fakes.SCENARIO), "--out", "out")
    assert result.exit_code == 3
    assert "nothing ran" in result.stderr


def test_rerun_compares_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze")
    assert simnet("rerun", "out").exit_code == 0
    fakes.install(monkeypatch, story()[:-5])
    result = simnet("rerun", "out")
    assert result.exit_code == 1
    assert "trace_sha256: DIFFERENT" in result.stdout


def test_analyze_says_of_a_killed_run_that_it_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze")
    simnet("run", str(fakes.SCENARIO), "--out", "other", "--no-analyze", "--seed", "2")
    run = Path("out/run.json")
    run.write_text(json.dumps(json.loads(run.read_text()) | {"complete": False, "exit_code": None}))
    shutil.rmtree("out/summaries")
    result = simnet("analyze", "out", "other")
    assert (
        result.exit_code == 2
        and "out/run.json: the run is incomplete (it is still going or was killed): it has no summary" in result.stderr
    )
    assert "other/summaries" in result.stdout, "the other one is judged"


def test_rerun_needs_run_json_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fakes.install(monkeypatch)
    scenario = tmp_path / "mine.toml"
    scenario.write_text(fakes.SCENARIO.read_text())
    simnet("run", str(scenario), "--out", "out", "--no-analyze", "--set", "topology.k=4")
    scenario.write_text(scenario.read_text() + "\n# a comment\n")
    assert "has changed" not in simnet("rerun", "out").stderr
    scenario.write_text(scenario.read_text().replace("seed = 7771", "seed = 7771\nmode = 'compare'"))
    changed = simnet("rerun", "out")
    assert (changed.exit_code, "mine.toml has changed since the run" in changed.stderr) == (0, True)
    scenario.unlink()
    Path("elsewhere").mkdir()
    Path("out").rename("elsewhere/moved")
    monkeypatch.chdir("elsewhere/moved")
    result = simnet("rerun", ".")
    assert result.exit_code == 0, result.output
    assert json.loads(Path("../moved-rerun/run.json").read_text())["scenario"]["topology"]["k"] == 4
    quiet = simnet("rerun", "../moved", "-q")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"scenario_path": "a.toml", "complete": False, "exit_code": None}, "the run is incomplete (it is still going or was killed)"),
        (
            {"scenario_path": "a.toml", "complete": False, "exit_code": 130, "interrupted": True},
            "the run is incomplete (it was interrupted)",
        ),
        ({"scenario_path": "a.toml", "complete": False, "exit_code": 2}, "the run is incomplete (it broke off)"),
        ({"scenario_path": "a.toml", "complete": True}, "Field required"),
        ({"scenario_path": 7, "complete": True}, "scenario_path"),
        ({"scenario_path": "a.toml", "complete": "yes"}, "complete"),
        ({"scenario_path": "a.toml", "complete": True, "schema_version": 9}, "schema version 9; this simnet reads 1"),
        ([], "not a JSON object"),
    ],
)
def test_rerun_of_what_is_no_finished_run_is_one_line(content: object, words: str) -> None:
    Path("out").mkdir()
    Path("out/run.json").write_text(json.dumps(content))
    result = simnet("rerun", "out")
    assert result.exit_code == 2
    assert words in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_scenario_in_run_json_that_was_tampered_with_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze")
    content = run_json()
    content["scenario"]["topology"]["n"] = 10**19
    Path("out/run.json").write_text(json.dumps(content))
    result = simnet("rerun", "out")
    assert result.exit_code == 2 and "topology.n" in result.stderr


def test_a_finished_run_is_only_replaced_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    assert simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze", "--seed", "1").exit_code == 0
    refused = simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze", "--seed", "2")
    assert refused.exit_code == 2 and "out holds a finished run; --force replaces it" in refused.stderr
    assert run_json()["seed"] == 1
    assert simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze", "--seed", "2", "--force").exit_code == 0
    assert run_json()["seed"] == 2
    assert simnet("rerun", "out").exit_code == 0
    assert simnet("rerun", "out").exit_code == 0, "a repetition may be replaced"


def test_a_folder_that_is_being_written_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    with FolderLock(Path("out")):
        result = simnet("run", str(fakes.SCENARIO), "--out", "out", "--force")
    assert result.exit_code == 2 and "another run is writing into out" in result.stderr
    assert list(Path("out").iterdir()) == []
    assert simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze").exit_code == 0


def test_a_signal_while_the_folder_is_made_ready_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes just when the first run.json is there, which then says so."""
    fakes.install(monkeypatch)
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(interrupts, "_asked", 0)
    signal.signal(signal.SIGTERM, interrupts._on_signal)
    begin = RunFolder.begin

    def disturbed(self: RunFolder, *words: Any, **more: Any) -> FolderLock | None:
        lock = begin(self, *words, **more)
        os.kill(os.getpid(), signal.SIGTERM)
        return lock

    monkeypatch.setattr(RunFolder, "begin", disturbed)
    try:
        result = simnet("run", str(fakes.SCENARIO), "--out", "out")
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert result.exit_code == 130
    assert (run_json()["interrupted"], run_json()["exit_code"]) == (True, 130)


def test_a_second_run_leaves_the_first_ones_summary_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    assert simnet("run", str(fakes.SCENARIO), "--no-analyze").exit_code == 0
    first = Path("target/simnet/mixed-backend-interop/summaries/mixed_backend_interop.json")
    before = first.read_bytes()
    fakes.install(monkeypatch, story()[:-5])
    assert simnet("run", str(fakes.SCENARIO), "--no-analyze", "--out", "second").exit_code == 0
    assert first.read_bytes() == before != Path("second/summaries/mixed_backend_interop.json").read_bytes()


def test_run_json_lists_the_crates(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    simnet("run", str(fakes.SCENARIO), "--out", "out", "--no-analyze")
    assert set(run_json()["versions"]["crates"]) == set(CRATES)
    locked = tomllib.loads((fakes.ROOT / "Cargo.lock").read_text())["package"]
    assert {"name": "stwo", "version": crates()["stwo"]} in [{"name": p["name"], "version": p["version"]} for p in locked]


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "missing.toml"],
        ["run", str(fakes.SCENARIO), "--set", "nonsense"],
        ["run", str(fakes.SCENARIO), "--set", "topology.k=0"],
        ["run", str(fakes.SCENARIO), "--quiet", "--json"],
        ["run"],
        ["validate", "missing.toml"],
        ["analyze", "missing.json"],
        ["analyze", str(fakes.SCENARIO)],
        ["rerun", "missing"],
        ["frobnicate"],
    ],
)
def test_bad_usage_is_exit_2_without_a_traceback(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    fakes.install(monkeypatch)
    result = simnet(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    assert result.stderr.strip()


def test_a_misspelt_backend_is_bad_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    monkeypatch.setenv("SIMNET_BACKEND_ATTRIBUTION", "stwoo")
    result = simnet("run", str(fakes.SCENARIO), "--out", "out")
    assert result.exit_code == 2
    assert "SIMNET_BACKEND_ATTRIBUTION" in result.stderr


def test_an_unwritable_folder_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    Path("file").write_text("")
    result = simnet("run", str(fakes.SCENARIO), "--out", "file/out")
    assert result.exit_code == 2
    assert "error: cannot" in result.stderr


def test_the_module_runs_as_a_process(tmp_path: Path) -> None:
    scenario = tmp_path / "bad.toml"
    scenario.write_text("[sim]\nseed = 1\nduration_ms = 0\n")
    command = [sys.executable, "-m", "simnet.cli", "validate", str(scenario)]
    done = subprocess.run(command, cwd=fakes.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{scenario}:3" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a knob of glibc")
def test_the_process_keeps_two_arenas(tmp_path: Path) -> None:
    code = """
import contextlib, ctypes, re, sys, threading
from simnet.cli.entry import main
sys.argv = ["simnet", "--version"]
with contextlib.suppress(SystemExit):
    main()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
gate = threading.Barrier(8)
def work():
    libc.malloc(64)
    gate.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
libc.fopen.restype = ctypes.c_void_p
out = libc.fopen(b"info.xml", b"w")
libc.malloc_info(0, ctypes.c_void_p(out))
libc.fclose(ctypes.c_void_p(out))
print(len(re.findall("<heap nr", open("info.xml").read())))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "2"
