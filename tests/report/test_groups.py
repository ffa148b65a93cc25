"""Which runs are one group, what a group is called, and what is told of verdicts on several runs."""

from pathlib import Path
from typing import Any

import pytest

from simnet.report.groups import Group, groups
from simnet.report.reads import record_of, summary_of
from simnet.report.verdicts import FAILED, HELD, NOT_EXERCISED, WARNED, merged, rows
from simnet.runs.finished import load
from tests.report.made import RULE, run_folder


def grouped(tmp_path: Path, *wanted: dict[str, Any]) -> list[Group]:
    folders = [run_folder(tmp_path / f"run{number}", seed=number, **options) for number, options in enumerate(wanted)]
    return groups([record_of(load(folder)) for folder in folders], [folder.name for folder in folders])


def test_runs_that_differ_by_their_seed_are_one_group(tmp_path: Path) -> None:
    assert grouped(tmp_path, {}, {}, {}) == [Group("story", (0, 1, 2))]


def test_groups_have_the_names_of_their_scenarios(tmp_path: Path) -> None:
    assert grouped(tmp_path, {"name": "a"}, {"name": "b"}, {"name": "a"}) == [Group("a", (0, 2)), Group("b", (1,))]


def test_groups_of_one_scenario_are_named_by_what_differs(tmp_path: Path) -> None:
    found = grouped(tmp_path, *({"scenario": {"topology": {"k": k, "n": 4}}} for k in (4, 6)))
    assert [group.name for group in found] == ["story · topology.k=4", "story · topology.k=6"]


def test_a_check_that_broke_comes_first_with_its_moment(tmp_path: Path) -> None:
    def broken(summary: dict[str, Any]) -> None:
        first = {"at_ms": 1250.0, "nodes": [1], "detail": "two blocks at height 1"}
        summary["checks"]["agreement"] = {"held": False, "status": "broken", "blocks": 3, "first": first}
        summary["checks"]["supply"] = {"held": None, "status": "not_exercised"}

    whole = load(run_folder(tmp_path / "whole", seed=1))
    spoiled = load(run_folder(tmp_path / "spoiled", change=broken))
    judged = [rows(summary_of(run), (), {}) for run in (whole, spoiled)]
    found = merged(judged)
    assert found[0] == {
        "what": "check agreement",
        "status": FAILED,
        "told": "two blocks at height 1 (blocks 3)",
        "at_ms": 1250,
        "run": 1,
        "runs": 1,
        "of": 2,
    }
    assert [row["status"] for row in found].count(NOT_EXERCISED) == 1 and found[-1]["status"] == HELD


@pytest.mark.parametrize(
    ("rule", "status"),
    [({}, HELD), ({"passed": False}, FAILED), ({"tolerated": True}, WARNED)],
)
def test_a_rule_says_what_was_found_and_wanted(tmp_path: Path, rule: dict[str, Any], status: str) -> None:
    run = load(run_folder(tmp_path / "run", rules=[{**RULE, **rule}]))
    from simnet.report.reads import verdicts_of

    [found] = [row for row in rows(summary_of(run), verdicts_of(run), {str(RULE["metric"]): 77.0}) if row.what.startswith("rule")]
    assert (found.status, found.told, found.at_ms) == (status, "58.5, wanted <= 500: in time", 77)


def test_a_run_that_broke_off_and_limits_are_told(tmp_path: Path) -> None:
    def change(summary: dict[str, Any]) -> None:
        summary["simnet"]["complete"] = False
        summary["simnet"]["expectation"] = {"met": False}

    found = {row.what: row for row in rows(summary_of(load(run_folder(tmp_path / "run", change=change))), None, {})}
    assert found["the run came to its end"].status == FAILED and found["the run came to its end"].at_ms == 11_500
    assert found["limit pool"].status == WARNED and found["it broke as the scenario expects"].status == FAILED
