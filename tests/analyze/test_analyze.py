"""Thresholds: wildcards, unknown metrics, limits, formats."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from simnet.analyze.analysis import LOAD_RULES, LOAD_SAFETY, NETWORK_RULES, RUN_SAFETY
from simnet.analyze.report import FORMATS, Analysis
from simnet.analyze.thresholds import Threshold, find_thresholds, load_thresholds
from simnet.analyze.verdicts import judge
from simnet.base.errors import ThresholdError
from simnet.checks import CHECKS
from tests import fakes

SUMMARY = {
    "propagation": {"p95_ms": 120.5, "p50_ms": None},
    "proofs": {"stwo": {"transaction": {"made": 3}}, "groth16": {"transaction": {"made": 0}}},
    "checks": {"agreement": {"held": True}},
    "limits": {"a.b": 4},
    "list": [{"x": 1}, {"x": 2}],
}


def rule(metric: str, **limits: object) -> Threshold:
    return Threshold(metric, "why", **limits)  # type: ignore[arg-type]


def passed(*rules: Threshold) -> list[bool]:
    return [verdict.passed for verdict in judge(SUMMARY, rules)]


def test_limits_are_inclusive() -> None:
    assert passed(rule("propagation.p95_ms", max=120.5), rule("propagation.p95_ms", max=120.4)) == [True, False]
    assert passed(rule("propagation.p95_ms", min=120.5), rule("propagation.p95_ms", min=1, max=100)) == [True, False]


def test_a_star_judges_each() -> None:
    verdicts = judge(SUMMARY, [rule("proofs.*.transaction.made", min=1)])
    assert [(v.metric, v.passed) for v in verdicts] == [
        ("proofs.stwo.transaction.made", True),
        ("proofs.groth16.transaction.made", False),
    ]
    assert passed(rule("list.*.x", max=2)) == [True, True]


def test_a_key_may_contain_dots() -> None:
    assert passed(rule("limits.a.b", equals=4)) == [True]


def test_an_unknown_metric_is_an_error_not_a_pass() -> None:
    with pytest.raises(ThresholdError, match=r"unknown metric 'propagation\.p59_ms'; propagation has: p95_ms, p50_ms"):
        passed(rule("propagation.p59_ms", max=1))
    with pytest.raises(ThresholdError, match="unknown metric"):
        passed(rule("missing.*.held", equals=True))


def test_an_optional_metric_may_be_absent_but_is_judged_when_there() -> None:
    assert passed(rule("recovery.max", max=1, optional=True), rule("propagation.p95_ms", max=1, optional=True)) == [True, False]


def test_null_fails() -> None:
    (verdict,) = judge(SUMMARY, [rule("propagation.p50_ms", max=500)])
    assert (verdict.passed, verdict.note) == (False, "no samples")


def test_truth_values_are_not_numbers() -> None:
    assert passed(rule("checks.agreement.held", equals=True), rule("checks.agreement.held", equals=1)) == [True, False]
    with pytest.raises(ThresholdError, match="not a number"):
        passed(rule("checks.agreement.held", min=1))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no \\[\\[threshold\\]\\]"),
        ("[[threshold]]\nmetric = 'a'\nwhy = 'b'\n", "needs one of"),
        ("[[threshold]]\nmetric = 'a'\nmax = 1\n", "why must be a text"),
        ("[[threshold]]\nmetric = 'a'\nwhy = 'b'\nmaxx = 1\nmax = 1\n", "unknown key 'maxx'"),
        ("[[threshold]]\nmetric = 'a'\nwhy = 'b'\nmax = true\n", "not a number"),
        ("[[threshold]]\nmetric = 'a'\nwhy = 'b'\nmax = 1\nequals = 1\n", "excludes"),
        ("[[threshold]\n", "thresholds.toml"),
    ],
)
def test_bad_thresholds_files(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text(text)
    with pytest.raises(ThresholdError, match=why):
        load_thresholds(path)


def test_shipped_files_load_and_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = find_thresholds("mixed_backend_interop")
    assert own is not None and load_thresholds(own).thresholds
    assert find_thresholds("another") is None
    for path in (NETWORK_RULES, LOAD_RULES, RUN_SAFETY, LOAD_SAFETY, *(fakes.ROOT / "analysis/thresholds").glob("*.toml")):
        assert load_thresholds(path).thresholds


def test_formats_say_the_same() -> None:
    rules = [rule("propagation.p95_ms", max=100), rule("checks.*.held", equals=True)]
    analyses = [Analysis(Path("s.json"), (Path("t.toml"),), tuple(judge(SUMMARY, rules)))]
    assert "FAIL propagation.p95_ms" in FORMATS["text"](analyses)
    assert json.loads(FORMATS["json"](analyses))[0]["failed"] == 1
    suite = ET.fromstring(FORMATS["junit"](analyses)).find("testsuite")
    assert suite is not None and suite.get("failures") == "1"
    assert FORMATS["github"](analyses).startswith("::error title=propagation.p95_ms::s.json: propagation.p95_ms is 120.500, wanted <= 100")


def test_what_a_rule_tolerates_passes_with_a_warning() -> None:
    summary = {"checks": {name: {"status": name} for name in ("held", "broken", "not_exercised")}}
    verdicts = judge(summary, [rule("checks.*.status", equals="held", tolerates=("not_exercised",))])
    assert [(v.actual, v.passed, v.tolerated) for v in verdicts] == [
        ("held", True, False),
        ("broken", False, False),
        ("not_exercised", True, True),
    ]
    words = [line.split()[0] for line in FORMATS["text"]([Analysis(Path("s"), (), tuple(verdicts))]).splitlines()[1:4]]
    assert words == ["FAIL", "warn", "ok"]


@pytest.mark.parametrize("entry", ['tolerates = "x"\nequals = "y"', 'tolerates = ["x"]\nmax = 1', 'tolerates = [1]\nequals = "y"'])
def test_tolerates_is_for_texts(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(f'[[threshold]]\nmetric = "a"\nwhy = "w"\n{entry}\n')
    with pytest.raises(ThresholdError, match="tolerates"):
        load_thresholds(path)


@pytest.mark.parametrize("check", CHECKS)
def test_the_default_rules_judge_every_check(check: str) -> None:
    """A broken one fails but for `fault_effect`; one that was not exercised fails where the question needs it."""
    (found,) = [r for r in load_thresholds(RUN_SAFETY).thresholds if r.metric == f"checks.{check}.status"]
    status = {s: judge({"checks": {check: {"status": s}}}, [found])[0].passed for s in ("held", "broken", "not_exercised")}
    may_lack = check in ("no_double_spend", "aggregated", "accusations", "fault_effect")
    assert status == {"held": True, "broken": check == "fault_effect", "not_exercised": may_lack}
    assert not judge({"checks": {}}, [found])[0].passed, "absent"
