"""`simnet compare`: sides, changes, chance, exit codes."""

import json
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from simnet.analyze.compare import Change, holm, interval, smallest_p
from simnet.cli.main import app


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def summary(seed: int, p95: float, coverage: float = 1.0, scenario: str = "s") -> dict[str, Any]:
    return {
        "propagation": {"p50_ms": 1.0, "p95_ms": p95},
        "duplicates": 3,
        "simnet": {
            "scenario": scenario,
            "scenario_sha256": "ab",
            "seed": seed,
            "cost_model": "calibrated",
            "reproducible": True,
            "network": {"coverage": {"ratio": coverage}},
        },
    }


def run(folder: str, content: dict[str, Any]) -> Path:
    """A run's folder, with what an analysis leaves beside the summary."""
    summaries = Path(folder, "summaries")
    summaries.mkdir(parents=True)
    Path(folder, "run.json").write_text(json.dumps({"scenario_path": "scenarios/mine.toml"}))
    (summaries / "mine.json").write_text(json.dumps(content))
    (summaries / "propagation_alert.json").write_text("{}")
    return Path(folder)


def runs(folder: str, p95s: list[float], first_seed: int = 1) -> Path:
    for number, p95 in enumerate(p95s):
        run(f"{folder}/seed-{number}", summary(first_seed + number, p95))
    return Path(folder)


def compare(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], catch_exceptions=False)


def changes(result: Result) -> dict[str, dict[str, Any]]:
    return {change["metric"]: change for change in json.loads(result.stdout)["changes"]}


P95 = "propagation.p95_ms"
BASE = [100.0, 101.0, 99.0, 102.0, 98.0, 100.5]


@pytest.mark.parametrize(("after", "code", "verdict"), [(110.0, 0, "same"), (111.0, 1, "worse"), (80.0, 0, "better")])
def test_two_single_runs_are_judged_by_the_threshold(after: float, code: int, verdict: str) -> None:
    result = compare(run("a", summary(1, 100.0)), run("b", summary(2, after)), "--format", "json")
    assert result.exit_code == code
    change = changes(result)[P95]
    assert (change["verdict"], change["p"]) == (verdict, None)
    assert change["percent"] == pytest.approx(after - 100.0)
    assert "a single run on a side" in result.stderr
    assert ("ERROR: " in result.stderr) == bool(code)


def test_a_figure_that_should_be_high_regresses_when_it_falls() -> None:
    one, other = run("a", summary(1, 100.0, coverage=1.0)), run("b", summary(2, 100.0, coverage=0.8))
    assert compare(one, other).exit_code == 1
    assert compare(other, one).exit_code == 0
    assert compare(one, other, "--threshold", "20").exit_code == 0


def test_a_figure_that_is_gone_regresses_and_a_new_one_does_not() -> None:
    bare = summary(2, 100.0)
    del bare["propagation"]
    one, other = run("a", summary(1, 100.0)), run("b", bare)
    assert changes(compare(one, other, "--format", "json"))[P95]["verdict"] == "gone"
    assert compare(one, other).exit_code == 1
    assert changes(compare(other, one, "--format", "json"))[P95]["verdict"] == "new"
    assert compare(other, one).exit_code == 0


def test_a_real_shift_over_seeds_is_told_from_chance() -> None:
    before = runs("before", BASE)
    shifted = runs("shifted", [value * 1.2 for value in BASE], 11)
    noisy = runs("noisy", [60.0, 250.0, 70.0, 66.0, 240.0, 90.0], 21)
    result = compare(before, shifted, "--format", "json")
    assert result.exit_code == 1 and changes(result)[P95]["p_holm"] <= 0.05
    result = compare(before, noisy, "--format", "json")
    assert result.exit_code == 0
    assert changes(result)[P95]["verdict"] == "unclear" and changes(result)[P95]["percent"] > 10


def test_the_p_value_is_that_of_all_permutations() -> None:
    one, other = BASE[:4], [103.0, 99.5, 104.0, 105.0]
    result = compare(runs("a", one), runs("b", other, 11), "--format", "json")
    pool = one + other
    observed = fmean(one) - fmean(other)
    splits = [fmean(pool[i] for i in chosen) - fmean(pool[i] for i in range(8) if i not in chosen) for chosen in combinations(range(8), 4)]
    smaller = sum(d <= observed + 1e-9 for d in splits) / len(splits)
    larger = sum(d >= observed - 1e-9 for d in splits) / len(splits)
    assert changes(result)[P95]["p"] == pytest.approx(min(1.0, 2 * min(smaller, larger)))


def test_runs_of_the_same_seeds_are_compared_pair_by_pair() -> None:
    """Seeds that differ a lot hide a change of twelve per cent from everything but the pairs. The order of folders is no matter."""
    spread = [50.0, 220.0, 90.0, 160.0, 75.0, 130.0, 300.0, 110.0]
    before = runs("before", spread)
    for number, value in enumerate(spread):
        run(f"after/{9 - number}", summary(1 + number, value * 1.12))
    result = compare(before, "after", "--format", "json")
    assert json.loads(result.stdout)["paired"] and result.exit_code == 1
    assert changes(result)[P95]["p"] == pytest.approx(2 / 2**8)
    others = compare(before, runs("others", [value * 1.12 for value in spread], 11), "--format", "json")
    assert not json.loads(others.stdout)["paired"] and changes(others)[P95]["verdict"] == "unclear"
    few = compare(runs("few", BASE[:5]), runs("more", [value * 1.5 for value in BASE[:5]]), "--format", "json")
    assert not json.loads(few.stdout)["paired"], "five pairs reach 1/16 at best, ten runs apart 2/252"
    assert few.exit_code == 1


def test_false_alarms_stay_below_alpha() -> None:
    draws = np.random.default_rng(5)
    false = 0
    for trial in range(12):
        one = runs(f"t{trial}/a", list(draws.normal(100, 30, 6)))
        other = runs(f"t{trial}/b", list(draws.normal(100, 30, 6)), 50)
        false += compare(one, other, "--threshold", "0").exit_code
    assert false <= 3, "binomial: four of twelve at 5 % happen once in 500 times"


def test_too_few_runs_to_tell_are_no_error() -> None:
    result = compare(runs("a", BASE[:2]), runs("b", [150.0, 151.0], 11))
    assert result.exit_code == 0
    assert "cannot reach p <= 0.05" in result.stderr
    assert f"note: {P95}: not enough runs to tell: " in result.stderr
    assert "ERROR" not in result.stderr and "p = " not in result.stderr


def test_a_change_comes_with_its_interval() -> None:
    """Student's, worked out by hand: differences 1, 2, 3 have mean 2, deviation 1; t(0.975, 2) = 4.3027."""
    one = runs("a", [100.0, 200.0, 300.0])
    other = runs("b", [101.0, 202.0, 303.0])
    paired = changes(compare(one, other, "--format", "json", "--alpha", "0.05"))[P95]
    welch = changes(compare(one, runs("c", [101.0, 202.0, 303.0], 11), "--format", "json"))[P95]
    assert welch["interval"][0] < -200 and welch["interval"][1] > 200, "seeds differ, so the spread over seeds counts"
    narrow = Change("x", "lower", (100.0, 200.0, 300.0), (101.0, 202.0, 303.0))
    assert interval(narrow, paired=True, alpha=0.05) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3)
    assert paired["interval"] is not None
    assert interval(Change("x", "lower", (1.0,), (2.0, 3.0)), paired=False, alpha=0.05) is None
    assert interval(Change("x", "lower", (1.0, 1.0), (2.0, 2.0)), paired=False, alpha=0.05) == (1.0, 1.0)


def test_intervals_hold_what_is_true_as_often_as_they_say() -> None:
    """Also for six runs of something as crooked as latencies: a bootstrap's hold it in less than nine cases of ten."""
    rng, held = np.random.default_rng(3), 0
    for _ in range(400):
        found = interval(Change("x", "lower", tuple(rng.lognormal(0, 0.7, 6)), tuple(rng.lognormal(0, 0.7, 6))), paired=False, alpha=0.05)
        held += found is not None and found[0] <= 0 <= found[1]
    assert 0.93 <= held / 400 <= 0.995


def test_the_json_has_no_infinity() -> None:
    one = runs("a", [1e-300, 1e-300, 0.0])
    result = compare(one, runs("b", [1e74, 1e75, 1e300], 11), "--format", "json", "--all")
    assert "Infinity" not in result.stdout and "NaN" not in result.stdout
    json.loads(result.stdout, parse_constant=pytest.fail)


def test_the_help_shows_what_a_metrics_file_is() -> None:
    said = CliRunner().invoke(app, ["compare", "--help"]).stdout
    assert "[[metric]]" in said


def test_figures_that_never_differ_cost_no_certainty() -> None:
    """Six runs on each side reach 2/924; twenty-three such figures would not, were the constant ones counted."""
    constant = {f"c{number}": 1.0 for number in range(30)}
    wanted = "".join(f"[[metric]]\npath = '{path}'\nbetter = 'lower'\n" for path in (P95, *constant))
    Path("m.toml").write_text(wanted)
    for folder, factor, first in (("a", 1.0, 1), ("b", 1.3, 11)):
        for number, value in enumerate(BASE):
            run(f"{folder}/{number}", {**summary(first + number, value * factor), **constant})
    result = compare("a", "b", "--metrics", "m.toml", "--format", "json")
    assert changes(result)[P95]["p_holm"] == pytest.approx(2 / 924) and changes(result)["c0"]["p"] is None
    assert result.exit_code == 1


def test_holm_is_his_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert smallest_p(3, 3) == pytest.approx(0.1) and smallest_p(50, 50) == 2 / 10_000


def test_a_repetition_is_no_second_sample() -> None:
    run("a/one", summary(1, 100.0))
    run("a/again", summary(1, 100.0))
    result = compare("a", run("b", summary(2, 100.0)))
    assert result.exit_code == 2
    assert "are the same run (seed 1)" in result.stderr


def test_sides_may_be_files_folders_and_more_of_both() -> None:
    one, two = run("a", summary(1, 100.0)), run("b", summary(2, 100.0))
    Path("flat").mkdir()
    for seed in (3, 4):
        Path(f"flat/{seed}.json").write_text(json.dumps(summary(seed, 100.0)))
    Path("flat/mine.analysis.json").write_text("[]")
    result = compare(one / "summaries/mine.json", "flat", "--before", two, "--format", "json")
    document = json.loads(result.stdout)
    assert document["before"] == ["a/summaries/mine.json", "b/summaries/mine.json"]
    assert document["after"] == ["flat/3.json", "flat/4.json"]
    assert result.exit_code == 0


@pytest.mark.parametrize("bad", ["missing", "empty", "text.json"])
def test_what_is_no_side_is_exit_2(bad: str) -> None:
    Path("empty").mkdir()
    Path("text.json").write_text("[1]")
    result = compare(run("a", summary(1, 100.0)), bad)
    assert result.exit_code == 2 and bad in result.stderr


def test_a_run_that_was_killed_is_named_as_such() -> None:
    Path("killed").mkdir()
    Path("killed/run.json").write_text(
        json.dumps({"schema_version": 1, "scenario_path": "mine.toml", "exit_code": None, "complete": False})
    )
    result = compare("killed", run("b", summary(2, 100.0)))
    assert result.exit_code == 2 and "still going or was killed" in result.stderr


def test_kinds_are_not_mixed_and_scenarios_are_noted() -> None:
    Path("load.json").write_text(json.dumps({"kind": "consensus-load", "prove_ms": {"p95": 1.0}}))
    result = compare(run("a", summary(1, 100.0)), "load.json")
    assert result.exit_code == 2 and "cannot be compared" in result.stderr
    result = compare("a", run("b", summary(2, 100.0, scenario="other")))
    assert result.exit_code == 0 and "different scenarios: other, s" in result.stderr


def test_the_formats_say_the_same() -> None:
    one, other = run("a", summary(1, 100.0)), run("b", summary(2, 150.0))
    assert "worse" in compare(one, other).stdout and "+50.0 %" in compare(one, other).stdout
    suite = ET.fromstring(compare(one, other, "--format", "junit").stdout).find("testsuite")
    assert suite is not None and suite.get("failures") == "1"
    assert compare(one, other, "--format", "github").stdout.startswith(f"::error title={P95}::")
    everything = compare(one, other, "--all").stdout
    assert "duplicates" in everything and "duplicates" not in compare(one, other).stdout


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[metric]]\npath = 'a'\n",
        "[[metric]]\npath = 'a'\nbetter = 'big'\n",
        "[[metric]\n",
        "x = 1\n[[metric]]\npath = 'a'\nbetter = 'lower'\n",
    ],
)
def test_bad_metrics_files(text: str) -> None:
    Path("m.toml").write_text(text)
    result = compare(run("a", summary(1, 1.0)), run("b", summary(2, 1.0)), "--metrics", "m.toml")
    assert result.exit_code == 2 and "m.toml" in result.stderr


def test_any_number_of_sides_is_compared_with_the_first() -> None:
    for folder, p95, first in (("a", 100.0, 1), ("b", 101.0, 2), ("c", 150.0, 3)):
        run(folder, summary(first, p95))
    result = compare("a", "b", "c")
    assert result.exit_code == 1 and result.stderr.count("ERROR: ") == 1
    assert "a/summaries/mine.json -> b/summaries/mine.json" in result.stdout and "-> c/summaries/mine.json" in result.stdout
    document = json.loads(compare("a", "b", "c", "--format", "json").stdout)
    assert [one["after"] for one in document["comparisons"]] == [["b/summaries/mine.json"], ["c/summaries/mine.json"]]
    assert compare("a", "b", "c", "--after", "c").exit_code == 2 and compare("a").exit_code == 2


@pytest.mark.parametrize(
    ("gate", "after", "code"),
    [
        (f"{P95}:+10%", 110.0, 0),
        (f"{P95}:+10%", 110.1, 1),
        (f"{P95}:+10%", 20.0, 0),
        (f"{P95}:-5%", 95.0, 0),
        (f"{P95}:-5%", 94.9, 1),
        (f"{P95}:+3", 103.5, 1),
        (f"{P95}:+3.5", 103.5, 0),
        ("simnet.network.*.ratio:-1%", 500.0, 0),
        ("duplicates:+0", 100.0, 0),
    ],
)
def test_a_gate_decides_alone(gate: str, after: float, code: int) -> None:
    """A change of 500 % is no failure unless the gate says so."""
    result = compare(run("a", summary(1, 100.0)), run("b", summary(2, after)), "--fail-on", gate)
    assert result.exit_code == code, result.stderr
    assert (f"ERROR: --fail-on {gate.split(':', maxsplit=1)[0]}" in result.stderr) == bool(code)


def test_from_zero_any_rise_is_more_than_any_percentage() -> None:
    one, other = run("a", summary(1, 0.0)), run("b", summary(2, 0.1))
    assert compare(one, other, "--fail-on", f"{P95}:+1000%").exit_code == 1
    assert compare(other, one, "--fail-on", f"{P95}:+1000%").exit_code == 0


@pytest.mark.parametrize(
    "gate", ["", P95, f"{P95}:10%", f"{P95}:+x%", f"{P95}:+10%%", f":{P95}:+", f"{P95}:+inf", "no.such.figure:+10%", f"{P95}:+" + "9" * 400]
)
def test_a_gate_that_could_never_fail_is_refused(gate: str) -> None:
    result = compare(run("a", summary(1, 100.0)), run("b", summary(2, 500.0)), "--fail-on", gate)
    assert result.exit_code == 2 and "--fail-on" in result.stderr and "Traceback" not in result.output


def test_a_gate_needs_its_figure_on_both_sides() -> None:
    bare = summary(2, 100.0)
    del bare["propagation"]
    for sides in (("a", "b"), ("b", "a")):
        for name, content in (("a", summary(1, 100.0)), ("b", bare)):
            if not Path(name).exists():
                run(name, content)
        result = compare(*sides, "--fail-on", f"{P95}:+10%")
        assert result.exit_code == 2 and "one side has no" in result.stderr


def test_gates_are_in_every_format() -> None:
    one, other = run("a", summary(1, 100.0)), run("b", summary(2, 150.0))
    gate = ("--fail-on", f"{P95}:+10%")
    (told,) = json.loads(compare(one, other, "--format", "json", *gate).stdout)["gates"]
    assert told == {"metric": P95, "limit": "+10 %", "percent": 50.0, "passed": False}
    suite = ET.fromstring(compare(one, other, "--format", "junit", *gate).stdout).find("testsuite")
    assert suite is not None and (suite.get("tests"), suite.get("failures")) == ("1", "1")


def test_runs_that_differ_in_costs_or_versions_are_noted() -> None:
    other = summary(2, 100.0)
    other["simnet"] |= {"cost_model": "measured", "versions": {"simnet": "9.9.9"}}
    one = summary(1, 100.0)
    one["simnet"]["versions"] = {"simnet": "0.2.0"}
    result = compare(run("a", one), run("b", other))
    assert "different costs: calibrated, measured" in result.stderr and "different versions of simnet: 0.2.0, 9.9.9" in result.stderr
    assert "different costs" not in compare("a", run("c", {**one, "simnet": {**one["simnet"], "seed": 3}})).stderr


def test_an_outlier_is_named_with_its_run() -> None:
    """Folders are not in the order of seeds: what is named is the run, not the place."""
    values = [100.0, 101.0, 900.0, 99.0, 100.5, 101.5]
    for number, value in enumerate(values):
        run(f"a/{9 - number}", summary(1 + number, value))
    result = compare("a", runs("b", BASE))
    assert f"{P95}: a/7/summaries/mine.json is an outlier: 900" in result.stderr and result.stderr.count("is an outlier") == 1
    assert "is an outlier" not in compare("b", runs("c", BASE, 11)).stderr
