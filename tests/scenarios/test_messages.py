"""What a user is told, end to end: bad scenarios, a broken invariant, a folder that cannot be written."""

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simnet.checks import Checks, Violation
from simnet.cli.main import app
from simnet.events import BlockCommitted
from tests.runs import LIGHT_SEED, STEERING, TINY, TINY_FAULTS, command, environment, run_json, simnet


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in STEERING:
        monkeypatch.delenv(name, raising=False)


def in_process(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def changed(name: str, old: str, new: str) -> tuple[Path, int]:
    """A copy of the tiny scenario with one line changed, and that line's number."""
    text = TINY.read_text()
    assert text.count(old) == 1
    path = Path(name)
    path.write_text(text.replace(old, new))
    return path, text[: text.index(old)].count("\n") + 1


BAD = {
    "wrong type": ("n = 5", 'n = "five"', ["topology.n", "'five'", "must be a valid integer"]),
    "unknown topology": ('type = "ring"', 'type = "torus"', ["topology.type", "'torus'", "ring", "small_world", "scale_free"]),
    "loss of 2": (
        "default = { delay_ms = 20, jitter_ms = 5, loss = 0.0 }",
        "default = { delay_ms = 20, jitter_ms = 5, loss = 2 }",
        ["links.default.loss", "= 2", "link 'default' loss must be between 0 and 1 inclusive"],
    ),
    "not TOML": ("n = 5", "n = = 5", ["not valid TOML"]),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_bad_scenario_is_one_error_at_its_line(case: str, command: str) -> None:
    old, new, words = BAD[case]
    path, line = changed("bad.toml", old, new)
    done = in_process(command, path)
    assert done.exit_code == 2
    message, *place = done.stderr.splitlines()
    assert len(place) == (2 if command == "validate" else 0), "validate shows the place"
    assert re.match(rf"error: {path}:{line}:\d+: ", message), message
    for word in words:
        assert word in message, message
    assert done.stdout == ""
    assert not Path("target").exists(), "nothing is written for a scenario that cannot run"


def test_a_partition_without_regions_is_one_error_at_its_line() -> None:
    text = re.sub(r"\[regions\]\n.*\n", "", TINY.read_text())
    text += '\n[faults.partition]\nstart_ms = 1\nduration_ms = 1\ngroup_a = "A"\ngroup_b = "B"\n'
    Path("bad.toml").write_text(text)
    line = text[: text.index("[faults.partition]")].count("\n") + 1
    done = in_process("run", "bad.toml")
    assert done.exit_code == 2
    assert done.stderr == f"error: bad.toml:{line}:1: faults.partition: a partition needs [regions] assignments\n"


def test_a_missing_file_is_one_error() -> None:
    done = in_process("run", "nowhere.toml")
    assert (done.exit_code, done.stderr, done.stdout) == (2, "error: nowhere.toml: no such file\n", "")


def test_the_process_says_the_same_without_a_traceback(tmp_path: Path) -> None:
    path, line = changed("bad.toml", "seed = 11", "seed = -1")
    done = simnet("run", path, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: bad.toml:{line}:1: sim.seed = -1: ")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_several_faults_are_all_reported_in_the_files_order() -> None:
    text = TINY.read_text().replace("seed = 11", "seed = -1").replace("n = 5", "n = 0").replace("loss = 0.0", "loss = 2")
    Path("bad.toml").write_text(text)
    done = in_process("run", "bad.toml")
    assert done.exit_code == 2
    lines = [int(found) for found in re.findall(r"^error: bad\.toml:(\d+):", done.stderr, re.MULTILINE)]
    assert len(lines) == len(done.stderr.splitlines()) >= 3
    assert lines == sorted(lines)


def test_a_broken_invariant_ends_the_run_with_exit_1_and_a_replay_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real run; only the check is made to object to its second block."""
    check = Checks._on_committed

    def objecting(self: Checks, e: BlockCommitted) -> None:
        check(self, e)
        if e.height == 2 and not self.violations:
            self.violations.append(Violation("agreement", e.at, "made up by a test"))

    monkeypatch.setattr(Checks, "_on_committed", objecting)
    arguments = ["--seed", str(LIGHT_SEED), "--set", "chain.fee=2"]
    done = in_process("run", TINY_FAULTS, "--out", "out", "--quiet", *arguments)
    assert done.exit_code == 1
    broken, replay = done.stderr.splitlines()
    assert broken == "error: broken invariant: agreement: made up by a test"
    assert replay == f"replay: simnet run {TINY_FAULTS} --seed {LIGHT_SEED} --set chain.fee=2"
    run = run_json(Path("out"))
    assert (run["complete"], run["exit_code"]) == (False, 1)
    assert run["violations"] == ["agreement: made up by a test"]
    # The replay command breaks the same way, at the same event.
    words = replay.removeprefix("replay: simnet ").split()
    again = in_process(*words, "--out", "again", "--quiet")
    assert again.exit_code == 1
    assert run_json(Path("again"))["trace_sha256"] == run["trace_sha256"]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    yield folder
    folder.chmod(stat.S_IRWXU)


def test_an_output_folder_below_a_file_is_one_error() -> None:
    Path("file").write_text("")
    done = in_process("run", TINY, "--out", "file/out")
    assert done.exit_code == 2
    (message,) = done.stderr.splitlines()
    assert message.startswith("error: cannot ")
    assert "file/out" in message
    assert "Not a directory" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_folder_is_one_error(read_only: Path) -> None:
    done = in_process("run", TINY, "--out", read_only / "out")
    assert done.exit_code == 2
    (message,) = done.stderr.splitlines()
    assert message.startswith("error: cannot ")
    assert str(read_only) in message
    assert "Permission denied" in message


def test_a_cost_file_without_an_entry_names_it_and_the_remedy() -> None:
    Path("costs.toml").write_text("[costs_us]\n")
    done = in_process("run", TINY, "--out", "out", "--costs", "costs.toml", "--quiet")
    assert done.exit_code == 2
    assert "costs.toml" in done.stderr
    assert "simnet calibrate" in done.stderr
    assert run_json(Path("out"))["complete"] is False


@pytest.mark.parametrize(
    "surroundings", [{"COLUMNS": "30"}, {"TERM": "dumb"}, {"LC_ALL": "C"}, {"HOME": "/nonexistent"}, {"USER": "nobody"}]
)
def test_messages_are_whole_in_any_surroundings(tmp_path: Path, surroundings: dict[str, str]) -> None:
    """No box, no wrapping inside words or paths, whatever the terminal, the locale, the user or the length of the path."""
    deep = tmp_path / "/".join("a rather long folder's name" for _ in range(6))
    deep.mkdir(parents=True)
    scenario = deep / "tiny.toml"
    scenario.write_text(TINY.read_text())

    def said(*words: object) -> subprocess.CompletedProcess[str]:
        env = environment(**surroundings)
        return subprocess.run(command(*words), cwd=deep, env=env, capture_output=True, text=True, check=False)

    done = said("run", scenario, "--keep-alive")
    assert done.returncode == 2
    assert f"--backend and --keep-alive are for wrappers; {scenario} is a profile" in done.stderr
    assert not set("╭╮╰╯│─") & set(done.stderr)
    listed = said("validate", scenario, deep / "none.toml")
    assert f"{scenario}: ok, a profile" in listed.stdout
    assert listed.stderr == f"error: {deep / 'none.toml'}: no such file\n"
