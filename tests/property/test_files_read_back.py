"""Files that are read back, with anything in them: a result or one expected error, never a traceback."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simnet.analyze import alerts, analysis
from simnet.analyze.analysis import analyze_file
from simnet.analyze.compare import Metric, compare, every_number, load_metrics
from simnet.analyze.partition_report import partition_report, passed_limits
from simnet.analyze.report import FORMATS
from simnet.analyze.sides import load_side, one_kind
from simnet.analyze.thresholds import load_thresholds
from simnet.base.errors import SimnetError
from simnet.base.reading import json_object
from simnet.cli.main import app
from simnet.cli.regression import job_errors, load_figures
from simnet.cli.rerun import _recorded
from simnet.proofs.costs import cost_model
from simnet.record.readback import is_finished, owner, run_record
from simnet.record.versions import crates
from simnet.runs.twice import figures as compared_figures
from tests import fakes
from tests.altered import WRONG, altered
from tests.analyze.test_analyze_contract import LOAD
from tests.analyze.test_prover_mix import CPU, SKIPPED
from tests.runs import TINY_FAULTS

MIX = [CPU, SKIPPED]
DRILL = [{"backend": "stwo", "passed": True, "checks": {"a": True, "b": True}}]


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    fakes.install(monkeypatch)
    done = CliRunner().invoke(app, ["run", str(TINY_FAULTS), "--out", "out", "--no-analyze", "--quiet"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return tmp_path / "out"


def survives(action: Callable[[], object]) -> None:
    """One line for each thing that is wrong, or none."""
    try:
        action()
    except SimnetError as error:
        lines = str(error).splitlines()
        assert lines and all(line.strip() and len(line) < 3000 for line in lines)


def judged(path: Path) -> None:
    found = analyze_file(path)
    for form in FORMATS.values():
        form([found])


def compared(one: Path, other: Path, wanted: Sequence[Metric]) -> None:
    sides = load_side([one]), load_side([other])
    one_kind(*sides)
    for change in compare(*sides, wanted, 10.0, 0.05).changes:
        assert change.verdict


@pytest.mark.parametrize("kind", ["network", "load"])
def test_summaries_with_anything_in_them(run_folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Every place of them, one after the other."""
    for module in (analysis, alerts):  # what is written is not looked at, and flushing it takes most of the time
        monkeypatch.setattr(module, "write_json", lambda _path, value: json.dumps(value))
    monkeypatch.setattr(analysis, "load_thresholds", cache(load_thresholds))  # the same few files each time
    summary, other, wanted = run_folder / "summaries/tiny_faults.json", run_folder.parent / "other.json", load_metrics()
    if kind == "load":
        summary.write_text(json.dumps(LOAD))
    for document in altered(json.loads(summary.read_text()), 0):
        other.write_text(json.dumps(document))
        survives(lambda: judged(other))
        survives(lambda: compared(summary, other, wanted))
        survives(lambda: passed_limits(partition_report(other, 2.0, 25)))
        survives(lambda: load_figures(other))
        survives(lambda: compared_figures(other))


def test_every_number_of_an_altered_summary_can_be_shown(run_folder: Path) -> None:
    summary, other = run_folder / "summaries/tiny_faults.json", run_folder.parent / "other.json"
    for document in altered(json.loads(summary.read_text()), 3, 67):
        other.write_text(json.dumps(document))
        survives(lambda: compared(summary, other, every_number([json_object(summary), json_object(other)])))


def test_run_json_with_anything_in_it(run_folder: Path) -> None:
    path = run_folder / "run.json"
    for document in altered(json.loads(path.read_text()), 0):
        path.write_text(json.dumps(document))
        survives(lambda: _recorded(path, run_record(path)))
        survives(lambda: load_side([run_folder]))
        assert is_finished(path) in (True, False)
        assert owner(path) in ("tiny-faults", "text", None, "", "\ud800")


def test_a_run_json_that_is_none_is_not_replaced(run_folder: Path) -> None:
    """Somebody's file with a name like ours; without `--force` nothing goes."""
    (run_folder / "run.json").write_text('{"complete": "nearly"}')
    done = CliRunner().invoke(app, ["run", str(TINY_FAULTS), "--out", "out", "--quiet"], catch_exceptions=False)
    assert done.exit_code == 2 and "--force replaces it" in done.stderr


def test_wrapper_json_with_anything_in_it(tmp_path: Path) -> None:
    path = tmp_path / "wrapper.json"
    for document in altered({"schema_version": 1, "errors": ["a"], "wrapper": {"name": "w"}, "complete": True}, 0):
        path.write_text(json.dumps(document))
        survives(lambda: job_errors(path))
        assert owner(path) in ("w", "text", "", "\ud800", None)


@pytest.mark.parametrize(("stem", "good"), [("cpu_gpu_prover_mix", MIX), ("slashing_drill", DRILL)])
def test_results_of_drills_with_anything_in_them(tmp_path: Path, stem: str, good: list[Any]) -> None:
    path = tmp_path / f"{stem}.json"
    for number in range(len(WRONG)):
        for document in altered(good, number):
            path.write_text(json.dumps(document))
            survives(lambda: judged(path))


def test_a_lock_file_with_anything_in_it(tmp_path: Path) -> None:
    path = tmp_path / "Cargo.lock"
    for text in ("package = 1", "[[package]]\nname = 1", '[[package]]\nversion = "1"', 'package = [["stwo"]]', "\x00", "[" * 9999):
        path.write_text(text)
        assert crates(path) == {}


def test_costs_with_anything_in_them(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    for number in range(len(WRONG)):
        for document in altered({"model": "calibrated", "table_ns": {"a": 5}, "jobs_ns": {"b": 7}}, number):
            path.write_text(json.dumps(document))
            survives(lambda: cost_model(str(path)))


OTHERS = {
    "empty": b"",
    "truncated": b'{"total_publishes": 12, "propag',
    "deep": b"[" * 100_000,
    "rather deep": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a list": b"[1, 2]",
    "a number": b"7",
    "nan": b'{"total_publishes": NaN}',
    "1e999": b'{"propagation": {"p95_ms": 1e999}}',
    "digits": b'{"total_publishes": ' + b"9" * 5000 + b"}",
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "binary": bytes(range(256)),
    "eslint": b'[{"filePath": "/a.js", "messages": [], "errorCount": 0}]',
    "package.json": b'{"name": "x", "version": "1.0.0", "dependencies": {"left-pad": "^1.0.0"}}',
    "coverage": b'{"meta": {"version": "7"}, "files": {}, "totals": {"percent_covered": 99.5}}',
    "newer": b'{"simnet": {"schema_version": 99}}',
    "negative": b'{"simnet": {"schema_version": -1}}',
}


@pytest.mark.parametrize("name", OTHERS)
def test_files_of_other_tools_are_one_line_and_exit_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.json").write_bytes(OTHERS[name])
    Path("out").mkdir()
    Path("out/run.json").write_bytes(OTHERS[name])
    for words in (
        ["analyze", "f.json"],
        ["compare", "f.json", "out"],
        ["rerun", "out"],
        ["report", "snapshot-partition", "--summary", "f.json", "--output", "r.json"],
        ["run", str(TINY_FAULTS), "--costs", "f.json", "--out", "new"],
        ["analyze", "f.json", "--thresholds", "f.json"],
        ["compare", "f.json", "f.json", "--metrics", "f.json"],
    ):
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 2, (words, done.output)
        assert "Traceback" not in done.output and any(line.startswith("error: ") for line in done.stderr.splitlines())
        assert all(len(line) < 3000 for line in done.stderr.splitlines())


RULES = ["", "threshold = 1", "[[threshold]]", "[threshold]\na = 1", '[[threshold]]\nmetric = ["a"]\nwhy = 1\nmax = inf', "\x00"]


@pytest.mark.parametrize("text", [*RULES, '[[threshold]]\nmetric = "a"\nwhy = "w"\nmax = ' + "9" * 4000, "[peer_bytes]\nmin = nan"])
def test_rules_with_anything_in_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(SimnetError) as caught:
        load_thresholds(path)
    assert all(len(line) < 1000 for line in str(caught.value).splitlines())


def test_every_rule_of_a_metric_is_enforced(tmp_path: Path) -> None:
    """Also where a lower layer has the metric: the upper file's rules take its place, all of them."""
    (tmp_path / "s.json").write_text(json.dumps({"propagation": {"p95_ms": 300.0, "p50_ms": 1.0}, "total_receives": 5}))
    rule = '[[threshold]]\nmetric = "propagation.p95_ms"\nwhy = "w"\n'
    (tmp_path / "rules.toml").write_text(f"{rule}max = 200\n{rule}max = 400\n{rule}min = 350\n")
    verdicts = analyze_file(tmp_path / "s.json", tmp_path / "rules.toml").verdicts
    found = {verdict.limit: verdict.passed for verdict in verdicts if verdict.metric == "propagation.p95_ms"}
    assert found == {"<= 200": False, "<= 400": True, ">= 350": False}
