"""The page itself: what it holds, that data stays data, and that the same runs give the same bytes."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from simnet.base.errors import OutputError
from simnet.report import data as report_data
from simnet.report import library
from simnet.report.page import SCRIPTS, embedded, html
from tests.report.made import run_folder

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def told(page: str) -> dict[str, Any]:
    """The data of a page."""
    [block] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    found: dict[str, Any] = json.loads(block)
    return found


def test_the_library_is_the_one_that_is_named() -> None:
    content = (library.ASSETS / library.FILE).read_bytes()
    assert hashlib.sha256(content).hexdigest() == library.SHA256
    assert f'version="{library.VERSION}"'.encode() in content
    assert (
        "Apache License" in (library.ASSETS / "echarts.LICENSE").read_text() and "Apache" in (library.ASSETS / "echarts.NOTICE").read_text()
    )


def test_every_script_is_in_the_page_and_none_is_left_out() -> None:
    own = {path.name for path in library.ASSETS.glob("*.js")} - {library.FILE}
    assert own == set(SCRIPTS)


def test_scripts_put_text_into_the_page_as_text() -> None:
    for name in SCRIPTS:
        source = (library.ASSETS / name).read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", source), name
        assert len(source.splitlines()) <= 250


def test_a_page_asks_for_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = html([run_folder(tmp_path / "run")])
    own = page.replace((library.ASSETS / library.FILE).read_text(encoding="utf-8"), "")
    assert len(own) < len(page) < 3_000_000, "the library is in the page"
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=|https?://", own) and "default-src 'none'" in own


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    runs = [run_folder(tmp_path / f"run{seed}", seed=seed) for seed in (1, 2)]
    assert html(runs) == html(runs)


def test_what_a_run_calls_itself_ends_no_script(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", name=HOSTILE, regions=(HOSTILE, "a\x00b\x1b[2J", "\u202egnp", "WEST"))
    page = html([folder])
    assert HOSTILE not in page and "\x1b" not in page
    run = told(page)["runs"][0]
    assert run["scenario"] == HOSTILE
    assert [node["region"] for node in run["topology"]["nodes"]] == [HOSTILE, "a�b�[2J", "�gnp", "WEST"]


def test_no_lower_than_sign_is_left_in_embedded_data() -> None:
    text = embedded({"<a>": ["<!--", {"b": "</script>"}]})
    assert "<" not in text and json.loads(text) == {"<a>": ["<!--", {"b": "</script>"}]}


def test_several_runs_of_a_scenario_are_one_group_with_a_band(tmp_path: Path) -> None:
    page = told(html([run_folder(tmp_path / f"run{seed}", seed=seed) for seed in (1, 2)]))
    assert [group["runs"] for group in page["groups"]] == [[0, 1]] and [run["seed"] for run in page["runs"]] == ["1", "2"]
    assert {row["of"] for row in page["verdicts"]} == {2}


def test_stages_are_left_out_where_there_is_no_room_but_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_data, "STAGES_MAX", 10)
    page = told(html([run_folder(tmp_path / f"run{seed}", seed=seed) for seed in (1, 2)]))
    assert ["messages" in run for run in page["runs"]] == [True, False]


def network_only(summary: dict[str, Any]) -> None:
    summary["simnet"]["network_only"] = True
    summary["proofs"] = {}


def test_a_run_without_a_chain_has_no_figures_of_one(tmp_path: Path) -> None:
    page = told(html([run_folder(tmp_path / "run", change=network_only)]))
    assert page["network_only"] and [chart["key"] for chart in page["timeline"]] == ["bytes"]
    assert not {fact["name"] for fact in page["facts"]} & {"height", "proofs made"} and page["proofs"]["table"] == []


def test_a_run_without_verdicts_of_the_analyzer_says_so(tmp_path: Path) -> None:
    page = told(html([run_folder(tmp_path / "run", rules=None)]))
    assert page["judged"] is False and not [row for row in page["verdicts"] if row["what"].startswith("rule")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda summary: summary["simnet"].update(schema_version=2), "schema version 2; a report reads 3"),
        (lambda summary: summary["simnet"].update(events="many"), "not a summary that a report can be made of: simnet.events"),
        (lambda summary: summary.update(checks=[1]), "not a summary that a report can be made of: checks"),
        (lambda summary: summary.clear(), "schema version None"),
    ],
)
def test_a_summary_of_another_kind_is_one_line(tmp_path: Path, change: Any, why: str) -> None:
    with pytest.raises(OutputError, match=re.escape(why)) as caught:
        html([run_folder(tmp_path / "run", change=change)])
    assert "\n" not in str(caught.value)


def test_too_many_runs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_data, "RUNS_MAX", 1)
    with pytest.raises(OutputError, match="2 runs; a report shows at most 1"):
        html([Path("a"), Path("b")])
