"""The search for real: scenarios from seeds, real proofs, worker processes."""

import json
import sys
import time
from pathlib import Path

import pytest

from simnet.fuzz import trial
from simnet.fuzz.generator import scenario_of
from simnet.fuzz.judge import CRASH, HANG
from simnet.fuzz.planted import BUGS
from simnet.fuzz.search import Found, Search, search
from simnet.fuzz.table import names_it
from simnet.fuzz.trial import run_trial
from simnet.fuzz.workers import Task, Workers
from tests.runs import simnet

KNOWN = {"consensus-proof": 1, "two-heights": 1, "vote-signature": 3, "first-vote": 76, "lock-once": 52, "testimony": 14}
"""A seed that finds each of these planted bugs."""


def run_seeds(seeds: range, folder: Path) -> Found:
    with Workers(1) as workers:
        return search(Search(seeds, folder), workers)


@pytest.mark.parametrize("first", [1, 11, 21, 31])
def test_forty_seeds_hold(first: int, tmp_path: Path) -> None:
    found = run_seeds(range(first, first + 10), tmp_path)
    assert not found.failures, [(o.seed, o.failures) for o in found.failures]
    assert found.seeds == 10 and sum(found.kinds.values()) > 10
    assert found.checks["agreement"]["held"] + found.above_third >= 10, "above a third there may be no block at all"


def test_outcomes_do_not_depend_on_the_number_of_processes() -> None:
    tasks = [Task(scenario_of(seed)) for seed in range(41, 47)]
    with Workers(1) as one, Workers(3) as three:
        alone, beside = list(one.run(tasks)), list(three.run(tasks))
    assert alone == beside
    assert [outcome.seed for outcome in alone] == list(range(41, 47))
    assert alone[0] == run_trial(scenario_of(41))


def test_a_process_that_dies_costs_its_own_run_only() -> None:
    tasks = [Task(scenario_of(6), "no such bug"), Task(scenario_of(6))]
    with Workers(1) as workers:
        died, held = workers.run(tasks)
    assert died.broken == (CRASH,) and "exit code 1" in died.failures[0].detail
    assert not held.failures


def test_calls_that_go_deeper_with_each_block_show_in_a_short_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def next_block(left: int) -> None:
        if left:
            next_block(left - 1)

    before = sys.getrecursionlimit()
    monkeypatch.setattr(trial, "carry_out", lambda *_: next_block(trial.DEPTH_MAX))
    outcome = run_trial(scenario_of(6))
    assert outcome.broken == (CRASH,) and "RecursionError" in outcome.failures[0].detail
    assert sys.getrecursionlimit() == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the limit may strike inside a finalizer
def test_a_run_without_end_is_a_failure() -> None:
    assert run_trial(scenario_of(6), limit_s=0.05).broken == (HANG,)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_limit_that_strikes_inside_a_finalizer_strikes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def __del__(self) -> None:
            wait(2)

    def wait(seconds: int) -> None:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    def carry_out(*_: object) -> None:
        made = Slow()
        del made  # What is raised in there is lost.
        went_on.append(True)
        wait(20)
        went_on.append(True)

    went_on: list[bool] = []
    monkeypatch.setattr(trial, "carry_out", carry_out)
    monkeypatch.setattr(trial, "slowness", lambda: 1.0)
    assert run_trial(scenario_of(6), limit_s=1).broken == (HANG,)
    assert went_on == [True]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_slow_machine_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "slowness", lambda: 1e4)
    assert not run_trial(scenario_of(6), limit_s=0.05).failures
    monkeypatch.undo()
    assert trial.slowness() >= 1


@pytest.mark.parametrize(("name", "seed"), KNOWN.items())
def test_a_planted_bug_is_found(name: str, seed: int) -> None:
    """And the same seed holds without it, so that the bug is what is found."""
    data = scenario_of(seed)
    with Workers(1) as workers:
        buggy, sound = workers.run([Task(data, name), Task(data)])
    assert names_it(BUGS[name], buggy), buggy
    assert not sound.failures, sound


def test_the_command_line_tells_the_count(tmp_path: Path) -> None:
    done = simnet("fuzz", "--seeds", "6..7", "--jobs", "1", "--out", "found", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 seeds, 0 failed") and "fault kinds met: partition" in done.stdout and "runs a minute" in done.stdout
    count = json.loads((tmp_path / "found/fuzz.json").read_text())
    assert (count["seeds"], count["held"], count["failures"]) == (2, True, [])


def test_a_planted_failure_is_kept_and_replayed(tmp_path: Path) -> None:
    done = simnet("fuzz", "--seeds", "1..3", "--planted", "two-heights", "--no-shrink", "--jobs", "1", "--out", "found", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "two-heights: found after 1 seeds by keys_once" in done.stdout
    (kept,) = (tmp_path / "found").glob("*.toml")
    assert "# Replay: simnet fuzz --replay found/two-heights-seed-1-keys_once.toml --planted two-heights" in kept.read_text()
    again = simnet("fuzz", "--replay", kept, "--planted", "two-heights", cwd=tmp_path)
    assert again.returncode == 1 and "keys_once: broken" in again.stdout
    without = simnet("fuzz", "--replay", kept, cwd=tmp_path)
    assert without.returncode == 0 and "keys_once: held" in without.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--seeds", "9..3"), "expected A <= B"),
        (("--seeds", "x"), "expected A..B"),
        (("--planted", "no-bug"), "no planted bug 'no-bug'; there are no-locking"),
        (("--replay", "absent.toml"), "no such file"),
    ],
)
def test_bad_usage_is_told(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = simnet("fuzz", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and words in " ".join(done.stderr.replace("│", " ").split())
