"""Files that nobody expects: too deep, too long, of other tools, in each other's place, or not to be written at all."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simnet.base import reading, tomltext
from simnet.base.errors import OutputError, ScenarioError
from simnet.cli.main import app
from simnet.record.files import RunFolder
from simnet.scenario.load import load_scenario

NETWORK = """
name = "{name}"
sim = {{ seed = 1, duration_ms = 1000 }}
topology = {{ type = "ring", n = 4, k = 2 }}
regions = {{ assignments = ["A", "A", "B", "B"] }}
traffic = {{ tx = {{ phases = [{{ model = "poisson", duration_ms = 1000, lambda_per_sec = 5.0 }}] }} }}
chain = {{ enabled = false }}
"""
DEEP = "a." * 40_000 + "a"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simnet(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def network(name: str = "net", more: str = "") -> str:
    Path(f"{name}.toml").write_text(NETWORK.format(name=name) + more)
    return f"{name}.toml"


# --- syntax ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [f"{DEEP} = 1", f"[{DEEP}]", f"x = {{ {DEEP} = 1 }}", f'x = {{ "{"b".join([""] * 9)}" = 1, {DEEP} = 1 }}'])
def test_a_deep_key_costs_nothing(text: str) -> None:
    with pytest.raises(tomltext.TomlError, match="nested too deeply: more than 64 levels"):
        tomltext.tables(text)
    Path("x.toml").write_text(text)
    with pytest.raises(ScenarioError, match=r"x\.toml:1:\d+: not valid TOML: nested too deeply"):
        load_scenario("x.toml")
    with pytest.raises(reading.UnreadableError, match="nested too deeply"):
        reading.toml_tables(Path("x.toml"), text)


def test_what_only_looks_deep_is_read() -> None:
    dots = ".".join(["a"] * 60)
    text = f'host = "{".".join(["127"] * 60)}"\nnumber = 1.5\n{dots} = 1\n'
    assert list(tomltext.tables(text)) == ["host", "number", "a"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.toml", "x = " + "9" * 5000, r"a\.toml:1:5: not valid TOML: a number with too many digits"),
        ("a.toml", 'y = "[["  # [[\nx = ' + "[" * 20_000, r"a\.toml:2:69: not valid TOML: nested too deeply: more than 64 levels"),
        ("a.toml", "a = 1\nx = " + "[" * 40 + "]" * 40, r"a\.toml:2:37: nested too deeply: more than 32 levels"),
        ("a.toml", "a = 1\nx = {\n", r"a\.toml:2:6: not valid TOML"),
        ("a.toml", "a = 1\nx = [1,\n", r"a\.toml:2:8: not valid TOML"),
        ("a.json", '{"a": "[",\n' + "[" * 100_000, r"a\.json:2:1: not valid JSON: Expecting property name"),
        ("a.json", '{"a": "[\\"[",\n"x": ' + "[" * 100_000, r"a\.json:2:37: not valid JSON: nested too deeply: more than 32 levels"),
        ("a.json", '{"y": "9",\n "x": ' + "9" * 45_000 + "}", r"a\.json:2:7: not valid JSON: a number with too many digits"),
        ("a.json", '{"y": "NaN",\n "x": NaN}', r"a\.json:2:7: not valid JSON: NaN is no JSON number"),
        ("a.json", '{"y": "NaN",\n "x": [1, Infinity]}', r"a\.json:2:11: not valid JSON: Infinity is no JSON number"),
        ("a.json", '{"y": -2,\n "x": -Infinity}', r"a\.json:2:7: not valid JSON: -Infinity is no JSON number"),
        ("a.json", '{"a": 1,\n "x": "\\ud800"}', r"a\.json:2:2: a text holds half a character"),
        ("a.json", '{"sim": {"seed": 010}}', r"a\.json:1:19: not valid JSON"),
        ("a.json", '{"sim": {"seed": 1u64}}', "not valid JSON"),
        ("a.json", '{"sim": {"seed": 1,}}', "not valid JSON"),
        ("a.ron", '(name: "\\u{D800}")', r"a\.ron:1:9: not valid RON or JSON: unknown escape"),
        ("a.yaml", 'a: 1\nname: "\\UFFFFFFFF"', r"a\.yaml:2:\d+: not valid YAML: an escape of no character"),
        ("a.yaml", "a: 1\nname: \x01", r"a\.yaml:2:7: not valid YAML: character .* is not allowed"),
    ],
)
def test_syntax_is_refused_with_its_own_words(name: str, text: str, why: str) -> None:
    Path(name).write_text(text)
    with pytest.raises(ScenarioError, match=why):
        load_scenario(name)


@pytest.mark.parametrize(
    ("name", "text"), [("a.json", '{\n "x": NaN}'), ("a.json", '{\n "x": ' + "[" * 9999), ("a.toml", "\nx = " + "[" * 9999)]
)
def test_a_caret_points_at_what_is_refused(name: str, text: str) -> None:
    Path(name).write_text(text)
    problem, line, caret = simnet("validate", name).stderr.splitlines()
    column = int(problem.split(":")[3])
    assert problem.startswith(f"error: {name}:2:{column}: not valid ")
    assert line.startswith("  2 | ") and line[caret.index("^")] == text.split("\n")[1][column - 1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"y": "NaN",\n "x": NaN}', "2:7: not JSON: NaN is no JSON number"),
        ('{"y": 1.5e3,\n "x": [1e999]}', "2:8: not JSON: 1e999 is no JSON number"),
        ('{"y": 12,\n "x": ' + "9" * 45_000 + "}", f"2:7: not JSON: {'9' * 80}… is no JSON number"),
        ('{"y": "y: {",\n "x": [{"y": 1}, {"y": 2}],\n "y": 3}', "3:2: not JSON: the key 'y' is there twice"),
        ('{"y": "[[",\n "x": ' + "[" * 99_999, "2:70: not JSON: nested too deeply: more than 64 levels"),
        ('{"y": "[[",\n "x": ' + "[" * 70 + "]" * 70 + "}", "2:70: not JSON: nested too deeply: more than 64 levels"),
    ],
)
def test_json_that_is_read_back_is_refused_with_its_place(text: str, why: str) -> None:
    Path("s.json").write_text(text)
    with pytest.raises(reading.UnreadableError) as caught:
        reading.json_value(Path("s.json"))
    assert str(caught.value) == f"s.json:{why}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a = 1\nx = = 1", "2:5: not TOML: Invalid value"),
        ("a = 1\r\nx = = 1", "2:5: not TOML: Invalid value"),
        ("a = 1\nx = " + "9" * 5000, "2:5: not TOML: a number with too many digits"),
        ("a = '[['\nx = " + "[" * 9999, "2:69: not TOML: nested too deeply: more than 64 levels"),
    ],
)
def test_toml_that_is_read_back_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(reading.UnreadableError) as caught:
        reading.toml_tables(Path("c.toml"), text)
    assert str(caught.value) == f"c.toml:{why}"


@pytest.mark.parametrize(
    "words", [("--set", f"{'a.' * 1500}a=1"), ("--set", f"topology.n={{{'a.' * 1500}a=1}}"), ("--set", f"sim.seed={'[' * 200}{']' * 200}")]
)
def test_deep_overrides_are_refused(words: tuple[str, str]) -> None:
    done = simnet("run", network(), *words)
    assert done.exit_code == 2 and "set on the command line" in done.stderr


def test_a_pipe_is_no_scenario() -> None:
    os.mkfifo("f.toml")
    with pytest.raises(ScenarioError, match="not a regular file"):
        load_scenario("f.toml")


# --- one in another's place ----------------------------------------------------------------------------


def test_other_tools_files_are_not_removed() -> None:
    Path("al/summaries").mkdir(parents=True)
    for name in ("run.json", "summaries/results.json", "summaries/data.csv"):
        Path("al", name).write_text('{"tool": "another"}')
    assert simnet("run", network(), "--out", "al", "-q").exit_code == 2
    assert simnet("run", network(), "--out", "al", "-q", "--force").exit_code == 0
    assert Path("al/summaries/results.json").exists() and Path("al/summaries/data.csv").exists()


@pytest.mark.parametrize("name", ["analysis.json", "timings.json", "trace.parquet"])
def test_a_product_of_no_run_is_not_replaced(name: str) -> None:
    Path("al").mkdir()
    Path("al", name).write_text("mine")
    done = simnet("run", network(), "--out", "al", "-q")
    assert done.exit_code == 2 and f"al/{name} is there and of no run in al" in done.stderr
    assert Path("al", name).read_text() == "mine"


@pytest.mark.parametrize(
    ("key", "path"), [("csv", "summaries/q.json"), ("json", "summaries/q.csv"), ("json", "trace.parquet"), ("csv", "costs.json")]
)
def test_a_copy_is_not_written_over_another_product(key: str, path: str) -> None:
    done = simnet("run", network("q", f'metrics = {{ {key} = "target/simnet/q/{path}" }}\n'), "-q")
    assert done.exit_code == 2 and f"would overwrite the run's own {Path(path).name}" in done.stderr
    assert not Path("target").exists()


def test_a_copy_may_be_what_it_is_a_copy_of() -> None:
    more = 'metrics = { json = "target/simnet/q/summaries/q.json", csv = "target/simnet/q/summaries/q.csv" }\n'
    assert simnet("run", network("q", more), "-q").exit_code == 0


def test_results_do_not_replace_what_they_are_made_of() -> None:
    Path("w.json").write_text("{}")
    done = simnet("proof", "prove", "w.json", "--backend", "stwo", "--circuit", "transaction", "--out", "w.json")
    assert done.exit_code == 2 and "would overwrite the witness" in done.stderr
    done = simnet("report", "snapshot-partition", "--summary", "w.json", "--output", "w.json")
    assert done.exit_code == 2 and "would overwrite the summary" in done.stderr
    assert Path("w.json").read_text() == "{}"


# --- what cannot be written -----------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["folder", "n" * 300])
def test_a_copy_that_cannot_be_written_is_refused_before_the_run(place: str) -> None:
    Path("folder").mkdir()
    done = simnet("run", network("q", f'metrics = {{ json = "{place}" }}\n'), "-q")
    assert done.exit_code == 2 and f"cannot write {place}" in done.stderr
    assert not Path("target").exists()


def test_a_copy_that_fails_costs_no_other_file() -> None:
    done = simnet("run", network("q", 'metrics = { json = "/dev/full" }\n'), "-q")
    assert done.exit_code == 2 and "cannot write /dev/full: No space left on device" in done.stderr
    folder = RunFolder(Path("target/simnet/q"), "q")
    for path in (folder.summary, folder.csv, folder.costs, folder.timings, folder.trace):
        assert path.is_file(), path
    run = json.loads(folder.run.read_text())
    assert (run["exit_code"], run["complete"], len(run["trace_sha256"])) == (2, False, 64)


def test_names_that_no_file_can_have_are_one_line() -> None:
    done = simnet("new", "n" * 300)
    assert done.exit_code == 2 and done.stderr.startswith("error: cannot write nnn")
    assert simnet("run", network(), "--out", "r", "-q").exit_code == 0
    run = json.loads(Path("r/run.json").read_text())
    for path in ("x" * 5000, "\ud800", "a\0b"):
        Path("r/run.json").write_text(json.dumps({**run, "scenario_path": path}))
        done = simnet("rerun", "r", "-q")
        assert done.exit_code == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr


def test_a_working_directory_that_is_gone_is_one_line(tmp_path: Path) -> None:
    scenario = tmp_path / network()
    Path("gone").mkdir()
    os.chdir("gone")
    Path("../gone").resolve().rmdir()
    done = simnet("run", str(scenario))
    assert done.exit_code == 2 and "No such file or directory" in done.stderr


# --- what is read back ---------------------------------------------------------------------------------


def test_costs_of_a_network_alone_are_read_back() -> None:
    assert simnet("run", network(), "--out", "a", "-q", "--costs", "measured").exit_code == 0
    assert simnet("rerun", "a", "-q").exit_code == 0
    assert simnet("run", network(), "--out", "b", "-q", "--costs", "a/costs.json").exit_code == 0


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("mode", "bogus", "mode is not the scenario's sim.mode"),
        ("mode", 3, "mode: "),
        ("versions", 3, "versions: "),
        ("versions", {"simnet": "1", "packages": {"numpy": 2}, "crates": {}}, "versions.packages.numpy: "),
        ("host", [], "host: "),
        ("warnings", [1], "warnings.0: "),
        ("violations", "none", "violations: "),
        ("files", {"a": 1}, "files: "),
        ("events", -1, "events: "),
        ("repeats", "no", "repeats: "),
        ("replay", None, "replay: "),
        ("static_key_seed", 5, "static_key_seed: "),
    ],
)
def test_every_field_of_run_json_is_what_it_should_be(key: str, value: object, words: str) -> None:
    assert simnet("run", network(), "--out", "r", "-q", "--no-analyze").exit_code == 0
    run = json.loads(Path("r/run.json").read_text())
    Path("r/run.json").write_text(json.dumps({**run, key: value}))
    done = simnet("rerun", "r", "-q")
    assert done.exit_code == 2 and f"r/run.json: not a finished run's run.json: {words}" in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1 and not Path("r-rerun").exists()


def test_a_wrappers_mode_is_read_back() -> None:
    network()
    Path("w.ron").write_text('{"name": "w", "p2p": {"scenario_path": "net.toml", "mode": "of another tool"}}')
    assert simnet("run", "w.ron", "--out", "r", "-q", "--no-analyze").exit_code == 0
    assert json.loads(Path("r/run.json").read_text())["mode"] == "of another tool"
    assert simnet("rerun", "r", "-q").exit_code == 0


def test_only_summaries_are_compared() -> None:
    assert simnet("run", network(), "--out", "a", "-q").exit_code == 0
    Path("empty.json").write_text("{}")
    for other in ("a/run.json", "a/timings.json", "empty.json"):
        done = simnet("compare", other, "a")
        assert done.exit_code == 2 and "not a summary" in done.stderr, other


def test_a_run_that_broke_off_is_named_when_it_is_compared() -> None:
    for name, seed in (("a", "1"), ("b", "2")):
        assert simnet("run", network(), "--seed", seed, "--out", name, "-q").exit_code == 0
    summary = Path("b/summaries/net.json")
    content = json.loads(summary.read_text())
    summary.write_text(json.dumps({**content, "simnet": {**content["simnet"], "complete": False}}))
    assert f"note: {summary}: the run broke off before its end" in simnet("compare", "a", "b").stderr


def test_a_rule_that_nothing_can_hold_is_a_fault_of_the_file() -> None:
    assert simnet("run", network(), "--out", "a", "-q").exit_code == 0
    Path("rules.toml").write_text('[[threshold]]\nmetric = "duplicates"\nwhy = "x"\nmin = 100\nmax = 1\n')
    done = simnet("analyze", "a/summaries/net.json", "--thresholds", "rules.toml")
    assert done.exit_code == 2 and "rules.toml:5:1" in done.stderr and "max = 1 is below min = 100: nothing can hold" in done.stderr


@pytest.mark.parametrize(("name", "value"), [("SIM_BACKEND_LABEL", "\udcff"), ("SIMNET_BACKEND_ATTRIBUTION", "foo,,")])
def test_a_bad_environment_is_refused_before_the_run(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    done = simnet("run", network(), "--out", "a", "-q")
    assert done.exit_code == 2 and name in done.stderr and not Path("a").exists()


def test_an_output_error_of_the_trace_is_noted_in_run_json(monkeypatch: pytest.MonkeyPatch) -> None:
    from simnet.record.trace import TraceRecorder

    def full(_self: TraceRecorder) -> str:
        raise OutputError("cannot write trace.parquet: No space left on device")

    monkeypatch.setattr(TraceRecorder, "close", full)
    done = simnet("run", network(), "--out", "a", "-q")
    assert done.exit_code == 2 and "No space left" in done.stderr
    assert json.loads(Path("a/run.json").read_text())["exit_code"] == 2
    assert sorted(p.name for p in Path("a").iterdir()) == ["costs.json", "run.json", "summaries", "timings.json"]
