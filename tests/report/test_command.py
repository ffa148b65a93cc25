"""`simnet report`: where the page goes, what is refused, and the other report beside it."""

import webbrowser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simnet.base import codes
from simnet.cli.main import app
from simnet.record.earlier import leftovers
from tests import fakes
from tests.report.made import run_folder


def report(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, words)])


def test_one_runs_page_lies_in_its_folder(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    done = report(folder)
    assert done.exit_code == codes.HELD, done.output
    assert done.stdout == f"written to {folder / 'report.html'}\n"
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert report(folder).exit_code == codes.HELD, "an earlier page is replaced"


def test_several_runs_page_lies_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert report(*(run_folder(tmp_path / f"run{seed}", seed=seed) for seed in (1, 2))).exit_code == codes.HELD
    assert (tmp_path / "report.html").exists() and not (tmp_path / "run1/report.html").exists()


def test_out_comes_before_or_after_the_runs(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    assert (
        report("--out", tmp_path / "new/a.html", folder).exit_code == report(folder, "--out", tmp_path / "b.html").exit_code == codes.HELD
    )
    assert (tmp_path / "new/a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.parametrize("taken", ["run.json", "trace.parquet", "summaries/story.json", "analysis.json"])
def test_a_runs_own_files_are_not_overwritten(tmp_path: Path, taken: str) -> None:
    folder = run_folder(tmp_path / "run")
    before = (folder / taken).read_bytes()
    done = report(folder, "--out", folder / taken)
    assert done.exit_code == codes.USAGE and "would overwrite the run's own" in done.stderr
    assert (folder / taken).read_bytes() == before


def test_a_run_that_has_not_ended_or_is_none_is_one_line(tmp_path: Path) -> None:
    going = report(run_folder(tmp_path / "going", exit_code=None))
    assert going.exit_code == codes.USAGE and "has not ended" in going.stderr and going.stderr.count("\n") == 1
    none = report(tmp_path)
    assert none.exit_code == codes.USAGE and none.stderr.startswith("error: cannot read") and none.stderr.count("\n") == 1


def test_a_trace_that_is_missing_is_one_line_and_leaves_no_page(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    (folder / "trace.parquet").unlink()
    done = report(folder)
    assert done.exit_code == codes.USAGE and "trace.parquet" in done.stderr and done.stderr.count("\n") == 1
    assert not (folder / "report.html").exists()


def test_odd_places_are_refused(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    for out in ("", f"{tmp_path}/"):
        assert report(folder, "--out", out).exit_code == codes.USAGE
    assert report("").exit_code == codes.USAGE


def test_open_shows_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def opens(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", opens)
    folder = run_folder(tmp_path / "run")
    assert report(folder, "--open").exit_code == codes.HELD and opened == [(folder / "report.html").resolve().as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    done = report(folder, "--open")
    assert done.exit_code == codes.HELD and "no browser could be opened" in done.stderr


def test_the_other_report_keeps_its_name_and_help_tells_both() -> None:
    assert "--max-resume-minutes" in report("snapshot-partition", "--help").stdout
    shown = report("--help").stdout
    assert "snapshot-partition" in shown and "simnet report RUN" in shown
    assert report("snapshot-partition").exit_code == codes.USAGE


def test_a_page_is_a_runs_file_and_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a new run the page of the old one would lie."""
    fakes.install(monkeypatch)
    run = ["run", str(fakes.SCENARIO), "--quiet", "--no-analyze", "--out", str(tmp_path / "run")]
    assert CliRunner().invoke(app, run).exit_code == 0
    assert report(tmp_path / "run").exit_code == codes.HELD and tmp_path / "run/report.html" in leftovers(tmp_path / "run")
    assert CliRunner().invoke(app, run).exit_code == codes.USAGE and (tmp_path / "run/report.html").exists()
    assert CliRunner().invoke(app, [*run, "--force"]).exit_code == 0 and not (tmp_path / "run/report.html").exists()
