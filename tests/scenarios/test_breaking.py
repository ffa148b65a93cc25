"""Profiles that are to break: they do, the evidence names the culprits, and a run of them that holds has failed."""

from pathlib import Path

import pytest

from simnet.scenario.load import load_scenario
from tests.runs import SHIPPED, run_json
from tests.scenarios.test_shipped import PHASE, ran, stem, summary_of

BREAKING = [path for path in SHIPPED if load_scenario(path).scenario.expect is not None]


@pytest.mark.parametrize("path", BREAKING, ids=stem)
def test_it_breaks_and_the_evidence_names_the_culprits(tmp_path: Path, path: Path) -> None:
    done = ran(tmp_path, path)
    assert done.returncode == 0, done.stdout + done.stderr
    summary, expect = summary_of(tmp_path / "out", path), load_scenario(path).scenario.expect
    assert run_json(tmp_path / "out")["complete"] and summary["checks"]["agreement"]["held"] is False and expect is not None
    named = summary["simnet"]["expectation"]
    assert named["met"] and set(named["accused"]) == {f"node:{node}" for node in expect.accused}


@pytest.mark.parametrize("path", BREAKING, ids=stem)
def test_a_run_that_holds_has_failed(tmp_path: Path, path: Path) -> None:
    words = ("--set", "faults.nodes=[]", "--set", "sim.duration_ms=5000", "--set", PHASE)
    done = ran(tmp_path, path, *words)
    assert done.returncode == 1 and "expectation: nothing broke, though agreement was to" in done.stderr


def test_there_are_two() -> None:
    assert [path.stem for path in BREAKING] == ["amnesia_above_third", "colluders_above_third"]
