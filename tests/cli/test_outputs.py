"""Where results go and what may stand in them: hostile names and paths, links, devices, streams that close."""

import csv
import io
import json
import os
import shlex
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simnet.base.errors import OutputError
from simnet.base.plain import printable
from simnet.cli.main import app
from simnet.record.atomic import check_writable, clear, write_atomic
from simnet.record.csv import to_csv
from simnet.record.places import default_folder, summary_stem
from simnet.record.trace import TraceRecorder
from simnet.scenario.load import load_scenario
from tests import fakes
from tests.runs import command, environment

NETWORK = """
[sim]
seed = 1
duration_ms = 2000
[topology]
type = "ring"
n = 6
k = 4
[regions]
assignments = {regions}
[traffic.tx]
[[traffic.tx.phases]]
model = "poisson"
duration_ms = 2000
lambda_per_sec = 5.0
[faults.partition]
start_ms = 700
duration_ms = 500
group_a = {a}
group_b = {b}
[chain]
enabled = false
"""
HOSTILE = ("[/x]", "[red]", "=1+1", "\x1b[31mred", "a\nERROR: b", "-5", "@x", "+", "東京")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simnet(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def network(path: Path, one: str = "A", other: str = "B", more: str = "") -> Path:
    regions = json.dumps([one] * 3 + [other] * 3)
    path.write_text(NETWORK.format(regions=regions, a=json.dumps(one), b=json.dumps(other)) + more)
    return path


@pytest.mark.parametrize("region", HOSTILE)
def test_a_regions_name_is_data(region: str) -> None:
    scenario = network(Path("hostile.toml"), region, "B-C")
    result = simnet("run", str(scenario), "--out", "out", "--no-analyze")
    assert result.exit_code == 0, result.output
    shown = "".join(c if c.isprintable() else "�" for c in region)
    assert f"{shown}-B-C" in result.stdout
    assert not any(c in result.output for c in "\x1b\x07") and "\nERROR: b" not in result.output
    summary = json.loads(Path("out/summaries/hostile.json").read_text())
    assert summary["simnet"]["fault_effects"][0]["detail"] == f"{region}-B-C"


def test_problems_and_verdicts_stay_on_one_line() -> None:
    Path("x.toml").write_text('[sim]\n"a\\u001b[31m\\nERROR: forged" = 1\n[topology]\n[traffic]\n')
    result = simnet("validate", "--strict", "x.toml")
    assert result.exit_code == 2 and "\x1b" not in result.output
    assert not any(line.startswith("ERROR: forged") for line in result.output.splitlines())


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", '=a\rb\n\tc,"d'])
def test_text_in_the_csv_is_no_formula(text: str) -> None:
    summary: dict[str, Any] = {
        "total_publishes": 0, "total_receives": 0, "duplicates": 0, "chunk_retries": 0, "mesh_changes": [], "faults": [],
        "propagation": {"p50_ms": -1.5, "p95_ms": None}, "propagation_probes": {"backend": text}, "simnet": {"scenario": text, "k": -3},
    }  # fmt: skip
    rows = dict(csv.reader(io.StringIO(to_csv(summary), newline="")))
    assert rows["propagation_probe_backend"] == rows["simnet.scenario"] == "'" + printable(text)
    assert (rows["propagation_p50_ms"], rows["simnet.k"]) == ("-1.500", "-3"), "numbers stay numbers"


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "en_US.ISO-8859-1"])
def test_paths_that_are_no_utf_8_in_any_locale(tmp_path: Path, locale: str) -> None:
    scenario = network(tmp_path / os.fsdecode(b"sc\xffn.toml"), "東京", "B")
    out = tmp_path / os.fsdecode(b"o\xffut")
    env = {**environment(), "LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = [os.fsencode(w) for w in (*command("run"), str(scenario), "--out", str(out))]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert json.loads((out / "run.json").read_bytes())["complete"] is True
    again = subprocess.run([os.fsencode(w) for w in (*command("rerun"), str(out))], cwd=tmp_path, env=env, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr


def test_costs_and_thresholds_may_have_any_path(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xfe")
    odd.mkdir()
    rules = odd / os.fsdecode(b"r\xff.toml")
    rules.write_text('alone = true\n[[threshold]]\nmetric = "seconds"\nmax = 1\nwhy = "w"\n')
    summary = odd / "s.json"
    summary.write_text('{"seconds": 5}')
    result = simnet("analyze", str(summary), "--thresholds", str(rules))
    assert result.exit_code == 1 and "seconds is 5" in result.stderr
    costs = simnet("run", str(fakes.SCENARIO), "--costs", str(odd / "none.json"))
    assert costs.exit_code == 2 and "cannot read" in costs.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["schema", "--out", "."],
        ["schema", "--out", ""],
        ["schema", "--out", "/"],
        ["schema", "--out", ".."],
        ["schema", "--out", "a\0b"],
        ["validate", "a\0b.toml"],
        ["run", "a\0b.toml"],
        ["run", str(fakes.SCENARIO), "--out", "a\0b"],
        ["analyze", "a\0b.json"],
        ["analyze", "."],
        ["compare", "a\0b", "."],
        ["rerun", "a\0b"],
        ["report", "snapshot-partition", "--summary", ".", "--output", "x"],
        ["new", "x", "--in", "a\0b"],
    ],
)
def test_empty_dot_and_null_paths_are_one_line(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    result = simnet(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.strip() and "Traceback" not in result.output


@pytest.mark.parametrize("path", ["", ".", "sub/", "a\\u0000b", "x.toml", "target/simnet/x/run.json", "target/simnet/x/trace.parquet"])
@pytest.mark.parametrize("key", ["json", "csv", "output"])
def test_a_place_of_metrics_that_is_none_is_refused_before_the_run(key: str, path: str) -> None:
    Path("sub").mkdir()
    network(Path("x.toml"), more=f'[metrics]\n{key} = "{path}"\n')
    before = Path("x.toml").read_bytes()
    result = simnet("run", "x.toml", "--no-analyze")
    assert result.exit_code == 2, result.output
    assert Path("x.toml").read_bytes() == before
    assert not Path("target").exists() or not list(Path("target").rglob("*.json"))


def test_places_of_metrics_differ_from_each_other() -> None:
    network(Path("x.toml"), more='[metrics]\njson = "same"\ncsv = "./same"\n')
    result = simnet("run", "x.toml", "--no-analyze")
    assert result.exit_code == 2 and "metrics.csv = 'same' would overwrite metrics.json" in result.stderr
    os.link("x.toml", "hard.toml")
    network(Path("y.toml"), more='[metrics]\njson = "to_x"\n')
    Path("to_x").symlink_to("y.toml")
    assert "would overwrite the scenario" in simnet("run", "y.toml", "--no-analyze").stderr


def wrapper(**parts: Any) -> Path:
    path = Path("w.ron")
    path.write_text(json.dumps({"name": "w", "p2p": {"scenario_path": "x.toml"}, **parts}))
    network(Path("x.toml"))
    return path


@pytest.mark.parametrize(
    "place", ["w.ron", "x.toml", "o/wrapper.json", "o/run.json", "o/trace.parquet", "o/summaries/x.csv", "o/logs/a.log", "", "."]
)
@pytest.mark.parametrize("absolute", [True, False])
def test_a_wrappers_paths_overwrite_nothing(place: str, absolute: bool) -> None:
    where = str(Path(place).resolve()) if absolute else os.path.relpath(place or ".", "o") if place else ""
    path = wrapper(p2p={"scenario_path": "x.toml", "summary_path": where})
    before = (path.read_bytes(), Path("x.toml").read_bytes())
    result = simnet("run", str(path), "--out", "o", "--no-analyze")
    assert result.exit_code == 2, result.output
    assert (path.read_bytes(), Path("x.toml").read_bytes()) == before


def test_a_wrappers_results_differ_from_each_other() -> None:
    load = {"runs": 1, "summary_path": "summaries/w.json"}
    result = simnet("run", str(wrapper(consensus=load)), "--out", "o", "--no-analyze")
    assert result.exit_code == 2 and "would overwrite p2p.summary_path" in result.stderr
    outside = wrapper(consensus={"runs": 1, "csv_path": "../load.csv"})
    assert "lies outside" in simnet("run", str(outside), "--out", "o").stderr


def test_two_names_never_share_a_default_folder(tmp_path: Path) -> None:
    names = ["東京", "大阪", "run A", "run-a", "run_a", "Run-A", "---", "", "a/b", "a\\b", "..", "analysis"]
    found: dict[str, Path] = {}
    for name in names:
        folder = default_folder(name, tmp_path)
        assert folder.parent == tmp_path and folder not in found.values()
        found[name] = folder
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps({"scenario": {"name": name}}))
    assert {name: default_folder(name, tmp_path) for name in names} == found, "each finds its own again"


@pytest.mark.parametrize("stem", ["analysis", "x.analysis", "propagation_alert", "chaos_alert", "cpu_gpu_prover_mix"])
def test_a_scenarios_stem_is_no_products(stem: str) -> None:
    scenario = network(Path(f"{stem}.toml"))
    assert simnet("run", str(scenario), "--out", "out", "--no-analyze").exit_code == 0
    (summary,) = Path("out/summaries").glob("*.json")
    assert summary.stem == summary_stem(scenario) == f"{stem}_summary"
    judged = simnet("analyze", str(summary))
    assert judged.exit_code == 0 and "left out" not in judged.stderr
    assert json.loads(summary.read_text())["simnet"]["complete"] is True
    assert simnet("compare", "out", "out").exit_code == 0
    assert simnet("rerun", "out").exit_code == 0
    assert simnet("compare", "out", "out-rerun").exit_code == 0


def test_outputs_follow_links(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    (tmp_path / "dangling.json").symlink_to("later.json")
    write_atomic(tmp_path / "link.json", "new")
    write_atomic(tmp_path / "dangling.json", "made")
    assert (tmp_path / "real.json").read_text() == "new" and (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "later.json").read_text() == "made" and (tmp_path / "dangling.json").is_symlink()
    assert simnet("schema", "--out", "/dev/null").exit_code == 0 and Path("/dev/null").is_char_device()
    clear(Path("/dev/null"))
    check_writable(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()
    (tmp_path / "around").symlink_to("around")
    with pytest.raises(OutputError):
        write_atomic(tmp_path / "around", "x")


def test_outputs_write_through_pipes_and_full_devices(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="cannot write"):
        write_atomic(pipe, "nobody reads")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    content = "x" * 300_000
    while True:
        try:
            write_atomic(pipe, content)
            break
        except OutputError:
            continue
    reader.join()
    assert read == [content] and pipe.is_fifo()
    full = simnet("schema", "--out", "/dev/full")
    assert full.exit_code == 2 and "No space left" in full.stderr and Path("/dev/full").is_char_device()


def test_standard_output_by_its_name_is_written_through(tmp_path: Path) -> None:
    words, env = [*command("schema"), "--out", "/dev/stdout"], environment()
    piped = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, check=False)
    assert (piped.returncode, piped.stderr) == (0, b"") and "properties" in json.loads(piped.stdout)
    with tempfile.TemporaryFile() as nameless:
        assert subprocess.run(words, cwd=tmp_path, env=env, stdout=nameless, check=False).returncode == 0
        nameless.seek(0)
        assert nameless.read() == piped.stdout
    done = subprocess.run(["bash", "-c", f"{shlex.join(words)} > named"], cwd=tmp_path, env=env, check=False)
    assert done.returncode == 0 and (tmp_path / "named").read_bytes() == piped.stdout
    assert os.listdir(tmp_path) == ["named"]


@pytest.mark.parametrize("product", ["run.json", "trace.parquet", "costs.json", "summaries/x.json", "timings.json"])
def test_a_run_replaces_no_link_of_its_folder(product: str) -> None:
    scenario = network(Path("x.toml"))
    Path("out/summaries").mkdir(parents=True)
    Path("precious").write_text("mine")
    Path("out", product).symlink_to(Path("precious").resolve())
    result = simnet("run", str(scenario), "--out", "out", "--no-analyze")
    assert result.exit_code == 2 and "is a link, a folder or a device" in result.stderr
    assert Path("precious").read_text() == "mine" and Path("out", product).is_symlink()


def test_a_trace_does_not_write_through_a_planted_partial(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    """Nobody knows its name before it is there, and a file that is there is never opened as a new one."""
    with pytest.MonkeyPatch.context() as patch:
        names = iter(["planted", "fresh"])
        patch.setattr("tempfile._get_candidate_names", lambda: names)
        (tmp_path / ".trace.parquet.planted.partial").symlink_to("precious")
        recorder = TraceRecorder(tmp_path / "trace.parquet", {})
    assert (tmp_path / ".trace.parquet.fresh.partial").is_file()
    recorder.close()
    assert (tmp_path / "precious").read_text() == "mine" and (tmp_path / "trace.parquet").is_file()


def ended(words: str, cwd: Path) -> tuple[int, str]:
    """A shell line with simnet in it: simnet's exit code, and what it said on standard error."""
    line = words.replace("simnet", " ".join(command()), 1)
    done = subprocess.run(["bash", "-c", line], cwd=cwd, env=environment(), capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_reader_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    network(tmp_path / "x.toml")
    code, said = ended("simnet run x.toml --out good --no-analyze | head -1 > /dev/null; exit ${PIPESTATUS[0]}", tmp_path)
    assert (code, said.count("Traceback"), said.count("Broken pipe")) == (0, 0, 0)
    assert json.loads((tmp_path / "good/run.json").read_text())["complete"] is True
    rules = '[[threshold]]\nmetric = "total_receives"\nmax = 0\nwhy = "w"\n'
    (tmp_path / "rules.toml").write_text(rules)
    code, _ = ended("simnet analyze good/summaries/x.json --thresholds rules.toml | true; exit ${PIPESTATUS[0]}", tmp_path)
    assert code == 1
    assert json.loads((tmp_path / "good/analysis.json").read_text())["passed"] is False


@pytest.mark.parametrize("where", ["> /dev/full", ">&-"])
def test_an_output_that_takes_nothing_is_exit_2_and_one_line(tmp_path: Path, where: str) -> None:
    network(tmp_path / "x.toml")
    code, said = ended(f"simnet run x.toml --out out --no-analyze {where}", tmp_path)
    assert code == 2
    assert said.splitlines()[-1].startswith("error: cannot write standard output: ") and "Traceback" not in said
    assert json.loads((tmp_path / "out/run.json").read_text())["complete"] is True
    assert ended(f"simnet run x.toml --out quiet --no-analyze --quiet {where}", tmp_path) == (0, "")
    code, said = ended(f"simnet schema {where}", tmp_path)
    assert code == 2 and len(said.splitlines()) == 1


def test_a_scenario_with_a_byte_order_mark_loads() -> None:
    path = network(Path("x.toml"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    load_scenario(path)
    Path("s.json").write_bytes(b"\xef\xbb\xbf" + b'{"seconds": 5}')
    Path("r.toml").write_bytes(b"\xef\xbb\xbf" + b'alone = true\n[[threshold]]\nmetric = "seconds"\nmax = 9\nwhy = "w"\n')
    assert simnet("analyze", "s.json", "--thresholds", "r.toml").exit_code == 0
