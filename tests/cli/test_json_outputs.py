"""JSON that simnet writes or prints has no token that JSON lacks: a number without a value is null."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import simnet
from simnet.base.jsontext import json_text
from simnet.cli.main import app
from tests import fakes
from tests.runs import TINY_FAULTS

PACKAGE = Path(simnet.__file__).parent
SUMMARY: dict[str, Any] = {
    "total_publishes": 7, "total_receives": 40, "duplicates": 25, "chunk_retries": 25, "propagation": {"p50_ms": 12.5, "p95_ms": 80.25},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def strictly(text: str) -> Any:
    return json.loads(text, parse_constant=pytest.fail)


def command(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_without_a_value_are_null(value: float) -> None:
    given = {"a": value, "b": [1.5, (value, {"c": value})], "d": "Infinity", "e": Path("x")}
    assert strictly(json_text(given)) == {"a": None, "b": [1.5, [None, {"c": None}]], "d": "Infinity", "e": "x"}


def test_all_else_is_as_the_standard_library_writes_it() -> None:
    given = {"é": [1, 2.5, None, True], "a": {}}
    assert json_text(given) == json.dumps(given, indent=2)
    assert json_text(given, sort_keys=True, ascii_only=False) == json.dumps(given, indent=2, sort_keys=True, ensure_ascii=False)


def test_nothing_else_in_the_package_writes_json() -> None:
    """But for summaries and a report's data, which refuse such numbers, and for texts that hold none: payloads, quoted words, names of CPU
    features, what tells groups of runs apart."""
    refusing = {"record/summary.py", "report/page.py"}
    allowed = {"base/jsontext.py", "runs/arrivals.py", "scenario/text.py", "cli/doctor.py", "cli/run.py", "report/groups.py", *refusing}
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if re.search(r"json\.dumps?\(", path.read_text())}
    assert found == allowed
    assert all("allow_nan=False" in (PACKAGE / name).read_text() for name in refusing)


def test_a_comparison_without_a_threshold() -> None:
    for name, publishes in (("a", 7), ("b", 9)):
        Path(f"{name}.json").write_text(json.dumps({**SUMMARY, "total_publishes": publishes}))
    found = strictly(command("compare", "a.json", "b.json", "--threshold", "inf", "--format", "json", "--all").stdout)
    assert found["threshold_percent"] is None and found["changes"]


def test_a_report_without_a_limit() -> None:
    Path("s.json").write_text(json.dumps(SUMMARY))
    done = command("report", "snapshot-partition", "--summary", "s.json", "--output", "r.json", "--max-resume-minutes", "inf")
    assert done.exit_code == 0
    assert strictly(Path("r.json").read_text())["thresholds"]["max_resume_latency_ms"] is None


def test_verdicts_without_limits() -> None:
    Path("flood.json").write_text(json.dumps({**SUMMARY, "peer_traffic": [{"peer_id": "a", "bytes_in": 1, "bytes_out": 2}]}))
    limits = ["--max-propagation-p95", "inf", "--max-cpu-percent", "inf", "--peer-bytes-multiplier", "inf"]
    assert strictly(command("analyze", "flood.json", "--format", "json", *limits).stdout)
    for path in Path().glob("*.json"):
        strictly(path.read_text())


@pytest.mark.parametrize("words", [("compare", "a", "b", "--threshold"), ("compare", "a", "b", "--alpha"), ("analyze", "a", "--max-cpu-percent"),
                                   ("report", "snapshot-partition", "--summary", "a", "--output", "b", "--max-resume-minutes"), ("calibrate", "--seconds")])  # fmt: skip
def test_an_option_that_is_no_number_is_bad_usage(words: tuple[str, ...]) -> None:
    assert command(*words, "nan").exit_code == 2


def test_every_file_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real costs and times may be anything: an infinite wall time stands for them."""
    fakes.install(monkeypatch, ending=lambda: fakes.result(timings={"wall_s": math.inf, "cpu": {"x": math.nan}}, costs={"a": math.inf}))
    done = command("run", str(TINY_FAULTS), "--out", "out", "--no-analyze", "--json")
    assert done.exit_code == 0
    strictly(done.stdout)
    found = sorted(Path("out").rglob("*.json"))
    assert {path.name for path in found} >= {"run.json", "costs.json", "timings.json", "tiny_faults.json"}
    assert [strictly(path.read_text()) for path in found]
    assert strictly(Path("out/timings.json").read_text()) == {"wall_s": None, "cpu": {"x": None}}
