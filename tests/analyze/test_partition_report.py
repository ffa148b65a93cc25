"""`simnet report snapshot-partition` writes what upstream's script writes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simnet.cli.main import app
from tests import upstream_contract as contract

SUMMARY: dict[str, Any] = {
    "total_publishes": 7,
    "total_receives": 40,
    "duplicates": 25,
    "chunk_retries": 25,
    "propagation": {"p50_ms": 12.5, "p95_ms": 80.25},
    "recovery": {"resume_latencies_ms": [120_000.0], "max_resume_latency_ms": 120_000.0, "mean_resume_latency_ms": 120_000.0},
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def report(summary: object, *options: str) -> Result:
    Path("s.json").write_text(summary if isinstance(summary, str) else json.dumps(summary))
    words = ["report", "snapshot-partition", "--summary", "s.json", "--output", "made/r.json", *options]
    return CliRunner().invoke(app, words, catch_exceptions=False)


@pytest.mark.parametrize(
    "summary", [SUMMARY, {**SUMMARY, "recovery": {"resume_latencies_ms": []}, "propagation": {"p50_ms": None, "p95_ms": None}}]
)
def test_the_keys_are_upstreams_and_sorted(summary: dict[str, Any]) -> None:
    result = report(summary)
    assert result.exit_code == 0, result.stderr
    written = Path("made/r.json").read_text()
    expected = contract.partition_report(summary, Path("s.json"), 2.0, 25)
    assert json.loads(written) == expected
    assert written == json.dumps(expected, indent=2, sort_keys=True) + "\n"


def test_without_recovery_nothing_resumed() -> None:
    assert report({name: value for name, value in SUMMARY.items() if name != "recovery"}).exit_code == 0
    assert json.loads(Path("made/r.json").read_text())["recovery"]["resume_events"] == 0


@pytest.mark.parametrize("options", [("--max-resume-minutes", "1.99"), ("--max-chunk-retries", "24")])
def test_above_a_limit_is_exit_1_and_the_report_is_written(options: tuple[str, str]) -> None:
    result = report(SUMMARY, *options)
    assert result.exit_code == 1
    assert result.stderr.startswith("ERROR: s.json: ") and Path("made/r.json").is_file()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"total_publishes": -1}',
        json.dumps({**SUMMARY, "recovery": 3}),
        json.dumps({**SUMMARY, "propagation": {"p95_ms": "x"}}),
    ],
)
def test_what_is_no_summary_is_exit_2(text: str) -> None:
    result = report(text)
    assert result.exit_code == 2
    assert "s.json" in result.stderr and not Path("made/r.json").exists()
