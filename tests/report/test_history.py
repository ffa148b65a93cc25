"""`simnet history`: figures over commits."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from simnet.analyze.compare import Metric
from simnet.base.errors import OutputError
from simnet.cli.main import app
from simnet.record.summary_files import summary_file
from simnet.report import history
from simnet.report.history import Entry, append, entries, lines, read

P95 = "finality.proven_ms.p95"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", "/")
    monkeypatch.delenv("GIT_DIR", raising=False)


def summary(name: str, p95: float, seed: int = 1, **simnet: Any) -> Path:
    ours = {"scenario": "s", "scenario_sha256": "ab" * 32, "seed": seed, "cost_model": "calibrated", "versions": {"simnet": "0.2.0"}}
    content = {"finality": {"proven_ms": {"p95": p95}}, "simnet": {**ours, **simnet}}
    Path(name).write_text(json.dumps(content))
    return Path(name)


def call(*words: object) -> Result:
    return CliRunner().invoke(app, ["history", *map(str, words)], catch_exceptions=False)


def test_figures_are_kept_over_commits_and_shown_with_their_spread() -> None:
    for commit, values in (("c1", (100.0, 110.0)), ("c2", (200.0, 220.0))):
        for seed, p95 in enumerate(values, 1):
            done = call("add", summary(f"{commit}-{seed}.json", p95, seed), "--commit", commit)
            assert done.exit_code == 0, done.output
    shown = call("show", "--metric", P95)
    assert shown.stdout.splitlines() == [
        f"{P95}  (s abab, calibrated)",
        f"  {'c1':20} {105:14.3f}  100.000 .. 110.000 (2)",
        f"  {'c2':20} {210:14.3f}  200.000 .. 220.000 (2)",
    ]
    header, first, *_ = Path("simnet-history.csv").read_text().splitlines()
    assert header == "commit,scenario,scenario_sha256,seed,cost_model,simnet,metric,value"
    assert first == f"c1,s,abababababab,1,calibrated,0.2.0,{P95},100.0"


def test_a_run_that_is_added_again_counts_once_and_as_it_was_last() -> None:
    for p95 in (100.0, 130.0):
        call("add", summary("a.json", p95), "--commit", "c1")
    call("add", summary("b.json", 90.0, scenario_sha256="cd" * 32), "--commit", "c1")
    courses = lines(read(Path("simnet-history.csv")))
    assert {line[2][:2]: [point.values for point in points] for line, points in courses.items()} == {"ab": [(130.0,)], "cd": [(90.0,)]}
    assert len(Path("simnet-history.csv").read_text().splitlines()) == 4, "rows are only ever appended"


def test_it_is_drawn(tmp_path: Path) -> None:
    for number, p95 in enumerate((100.0, 130.0, 90.0)):
        call("add", summary("a.json", p95), "--commit", f"$c{number}")
    axes, *_ = history.picture(lines(read(Path("simnet-history.csv")))).axes
    (curve,) = axes.get_lines()
    assert list(curve.get_ydata()) == [100.0, 130.0, 90.0]  # type: ignore[arg-type]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["$c0", "$c1", "$c2"]
    for name in ("h.png", "h.svg"):
        assert call("show", "--plot", name).exit_code == 0 and Path(name).stat().st_size > 1000
    refused = call("show", "--plot", "h.pdf")
    assert refused.exit_code == 2 and ".png or .svg" in refused.stderr


def test_the_commit_is_gits_unless_it_is_named() -> None:
    file = summary("a.json", 1.0)
    alone = call("add", file)
    assert alone.exit_code == 2 and "--commit NAME" in alone.stderr and not Path("simnet-history.csv").exists()
    os.system("git init -q . && git -c user.name=n -c user.email=e commit -q --allow-empty -m x && git add a.json")
    assert call("add", file).exit_code == 0
    (entry,) = read(Path("simnet-history.csv"))
    assert len(entry.commit) == len("-dirty") + 12 and entry.commit.endswith("-dirty"), "a file is staged"
    os.system("git -c user.name=n -c user.email=e commit -q -m y")
    assert call("add", file).exit_code == 0
    assert len(read(Path("simnet-history.csv"))[1].commit) == 12


def test_runs_that_broke_off_are_not_kept() -> None:
    done = call("add", summary("a.json", 1.0, complete=False), "--commit", "c")
    assert done.exit_code == 2 and "broke off" in done.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", ""),
        ("x,y\n", ":1: not a row of a history"),
        ("{HEAD}\na,b\n", ":2: not a row of a history"),
        ("{HEAD}\nc,s,ab,1,k,v,m,nan\n", ":2: not a row"),
        ("{HEAD}\nc,s,ab,1,k,v,m,much\n", ":2: not a row"),
        ('{HEAD}\n"c,s', "not CSV"),
    ],
)
def test_a_file_that_is_no_history_is_refused_and_left_as_it_is(content: str, why: str) -> None:
    path, whole = Path("h.csv"), content.replace("{HEAD}", ",".join(history.HEAD))
    path.write_text(whole)
    done = call("add", summary("a.json", 1.0), "--commit", "c", "--file", path)
    assert done.exit_code == (2 if why else 0) and why in done.stderr and "Traceback" not in done.output
    assert not why or path.read_text() == whole
    assert call("show", "--file", path).exit_code == (2 if why else 0)


def test_an_unknown_figure_is_an_error() -> None:
    call("add", summary("a.json", 1.0), "--commit", "c")
    done = call("show", "--metric", "finality.proven")
    assert done.exit_code == 2 and P95 in done.stderr
    assert call("show", "--file", "none.csv").exit_code == 2


def test_what_cannot_be_written_leaves_the_file_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("h.csv")
    append(path, entries(summary_file(summary("a.json", 1.0)), "c1", [Metric(P95, "lower")]))
    before = path.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        append(path, entries(summary_file(summary("b.json", 2.0)), "c2", [Metric(P95, "lower")]))
    assert path.read_bytes() == before


words = st.text(max_size=12)


@settings(deadline=None)  # it writes files
@given(st.lists(st.tuples(words, words, words, st.floats(allow_nan=False, allow_infinity=False)), max_size=6))
def test_what_is_written_is_read(rows: list[tuple[str, str, str, float]]) -> None:
    """Whatever names are made of: line ends, quotes, formulas."""
    path = Path("any.csv")
    path.unlink(missing_ok=True)
    new = [
        e for c, s, k, v in rows for e in entries(summary_file(summary("a.json", v, scenario=s, cost_model=k)), c, [Metric(P95, "lower")])
    ]
    append(path, new)
    last: dict[tuple[str, ...], Entry] = {(e.commit, e.scenario, e.scenario_sha256, e.seed, e.cost_model, e.metric): e for e in new}
    assert read(path) == list(last.values())
