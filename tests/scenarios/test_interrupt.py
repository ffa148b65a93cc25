"""Runs that end before their time: Ctrl-C, and a kill that nothing can catch."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.runs import LIGHT_SEED, LIMIT_S, TINY, TINY_FAULTS, command, environment, run_json, simnet

LONG = ["--set", "sim.duration_ms=600000", "--set", "traffic.tx.phases.0.duration_ms=590000"]
"""Minutes of wall time: such a run never ends by itself within a test."""
SHORT = ["--set", "sim.duration_ms=3000", "--set", "traffic.tx.phases.0.duration_ms=2500"]


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A long run that is well under way: its trace has been opened and its provers have worked for a while."""
    words = command("run", TINY, "--out", folder, "--quiet", *LONG, *arguments)
    process = subprocess.Popen(words, cwd=folder.parent, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + LIMIT_S
        while not list(folder.glob(".trace.parquet.*.partial")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1.5)
        assert process.poll() is None, process.communicate()
    except BaseException:
        process.kill()
        raise
    return process


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    folder = tmp_path_factory.mktemp("interrupt") / "out"
    process = started(folder)
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
    return folder, process.returncode, said


def test_an_interrupt_is_exit_130_and_one_message(interrupted: tuple[Path, int, str]) -> None:
    _, code, said = interrupted
    assert code == 130, said
    assert said.splitlines() == ["interrupted: the finished part is written and marked incomplete"]


def test_an_interrupted_run_is_marked_and_its_finished_part_readable(interrupted: tuple[Path, int, str]) -> None:
    folder, _, _ = interrupted
    run = run_json(folder)
    assert (run["complete"], run["interrupted"], run["exit_code"]) == (False, True, 130)
    summary = json.loads((folder / "summaries" / "tiny.json").read_text())
    assert summary["simnet"]["complete"] is False
    assert summary["total_publishes"] > 0
    trace = pq.read_table(folder / "trace.parquet")
    assert trace.num_rows == run["events"] > 0
    kinds = set(trace["event"].to_pylist())
    assert "ProofMade" in kinds
    assert "RunEnded" not in kinds
    times = trace["at"].to_pylist()
    assert times == sorted(times)
    assert json.loads((folder / "costs.json").read_text())["model"] == "calibrated"
    assert not (folder / "analysis.json").exists()
    assert not [p for p in folder.rglob("*") if p.name.endswith(".partial")]


def test_an_interrupted_run_cannot_be_compared_with(interrupted: tuple[Path, int, str]) -> None:
    folder, _, _ = interrupted
    done = simnet("rerun", folder, cwd=folder.parent)
    assert done.returncode == 2
    assert "the run is incomplete" in done.stderr


def test_a_killed_run_leaves_no_torn_file_and_the_folder_works_again(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert simnet("run", TINY, "--out", folder, "--quiet", *SHORT, cwd=tmp_path).returncode == 0
    process = started(folder, "--force")
    process.kill()
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == -signal.SIGKILL
    run = run_json(folder)
    assert (run["complete"], run["exit_code"]) == (False, None)
    assert run["seed"] == 11
    # What has its final name is whole, and nothing of the earlier run passes for this one's; its costs may be what this
    # one replays. The unfinished trace has another name.
    [unfinished] = folder.glob(".trace.parquet.*.partial")
    assert {p.name for p in folder.rglob("*") if p.is_file()} == {"run.json", "costs.json", unfinished.name}
    json.loads((folder / "costs.json").read_text())

    done = simnet("run", TINY_FAULTS, "--seed", LIGHT_SEED, "--out", folder, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = run_json(folder)
    assert run["complete"]
    assert pq.read_metadata(folder / "trace.parquet").num_rows == run["events"]
    assert not [p for p in folder.rglob("*") if p.name.endswith(".partial")]


def test_a_second_run_into_a_folder_leaves_nothing_of_the_first(interrupted: tuple[Path, int, str]) -> None:
    folder, _, _ = interrupted
    before = (folder / "trace.parquet").stat().st_ino
    done = simnet("run", TINY, "--out", folder, "--quiet", *SHORT, cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    run = run_json(folder)
    assert (run["complete"], run["interrupted"], run["exit_code"]) == (True, False, 0)
    assert (folder / "trace.parquet").stat().st_ino != before
    assert json.loads((folder / "summaries" / "tiny.json").read_text())["simnet"]["complete"] is True


NETWORK_ALONE = ["--set", "chain.enabled=false", "--set", "limits.events_max=1000000000000", "--set", "sim.duration_ms=2000000000"]
ENDLESS = [*NETWORK_ALONE, "--set", "traffic.tx.phases.0.duration_ms=1900000000", "--set", "traffic.tx.phases.0.lambda_per_sec=1000.0"]


def ended(folder: Path, *signals: signal.Signals) -> tuple[int, str]:
    """A long run of the network alone that gets these signals one after the other: exit code and what it said."""
    process = started(folder, *ENDLESS)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.02)
    try:
        _, said = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_polite_signal_ends_a_run_alike(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "out"
    code, said = ended(folder, number)
    assert (code, said.splitlines()) == (130, ["interrupted: the finished part is written and marked incomplete"])
    run = run_json(folder)
    assert (run["complete"], run["interrupted"], run["exit_code"]) == (False, True, 130)
    assert json.loads((folder / "summaries/tiny.json").read_text())["total_receives"] > 0
    assert pq.read_metadata(folder / "trace.parquet").num_rows == run["events"]
    assert not list(folder.rglob("*.partial"))


def test_a_second_interrupt_keeps_what_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    code, said = ended(folder, signal.SIGINT, signal.SIGINT)
    assert code == 130 and "Traceback" not in said
    run = run_json(folder)
    assert (run["complete"], run["interrupted"]) == (False, True)
    assert pq.read_metadata(folder / "trace.parquet").num_rows == run["events"] > 0
    assert not list(folder.rglob("*.partial"))


def test_an_interrupt_while_the_run_is_built_is_marked(tmp_path: Path) -> None:
    large = ["--set", "topology.n=60000", "--set", "regions.assignments=[]", "--set", 'topology.type="ring"', "--set", "topology.k=6"]
    folder = tmp_path / "out"
    words = command("run", TINY, "--out", folder, "--quiet", *NETWORK_ALONE, *large)
    process = subprocess.Popen(words, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + LIMIT_S
    while not (folder / "run.json").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, said.splitlines()[-1]) == (130, "interrupted")
    assert set(said.splitlines()[:-1]) <= {"still writing what there is; once more ends at once"}, "when it came while run.json was written"
    assert (run_json(folder)["interrupted"], run_json(folder)["exit_code"]) == (True, 130)
    assert not list(folder.rglob("*.partial"))


def test_two_processes_never_write_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    process = started(folder, *ENDLESS)
    second = simnet("run", TINY, "--out", folder, "--quiet", "--force", *SHORT, cwd=tmp_path)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT_S)
    assert second.returncode == 2 and "another run is writing into" in second.stderr
    assert run_json(folder)["interrupted"] is True
    third = simnet("run", TINY, "--out", folder, "--quiet", *SHORT, "--set", "chain.enabled=false", "--no-analyze", cwd=tmp_path)
    assert third.returncode == 0, third.stderr
