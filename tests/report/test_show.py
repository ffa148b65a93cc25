"""Histograms, and `simnet show`."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from simnet.cli.main import app
from simnet.report.histogram import BAR, histogram
from tests.report.test_plots import finished

samples = st.lists(st.floats(min_value=-1e12, max_value=1e12, allow_nan=False), max_size=60)


@given(samples, st.integers(min_value=1, max_value=20))
def test_every_sample_is_counted_once(values: list[float], bins: int) -> None:
    lines = histogram(values, bins=bins, bar="#")
    assert sum(int(line.split()[1]) for line in lines) == len(values)
    assert len(lines) <= bins and all(len(line.split()[2]) <= BAR for line in lines if "#" in line)
    assert not values or max(line.count("#") for line in lines) == BAR, "the fullest bin has the longest bar"


def test_a_bin_says_where_it_begins() -> None:
    assert [line.split()[:2] for line in histogram([0, 1, 2, 3, 4, 4], bins=2)] == [["0", "2"], ["2", "4"]]
    assert [line.split()[:2] for line in histogram([1, 10, 100, 1000], bins=3)] == [["1", "1"], ["10", "1"], ["100", "2"]]
    assert histogram([]) == [] and histogram([5.0, 5.0])[0].split()[:2] == ["5", "2"]


def test_a_count_that_is_small_beside_the_others_still_has_a_bar() -> None:
    first, *_, last = histogram([1.0] * 1000 + [2.0], bar="#")
    assert first.count("#") == BAR and last.count("#") == 1


def test_a_run_is_shown_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(tmp_path / "run", monkeypatch)
    done = CliRunner().invoke(app, ["show", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    for words in (
        "Proofs (virtual times)",
        "WEST-EAST",
        "First reception after publication, ms",
        "Time to prove and wait, stwo, ms",
    ):
        assert words in done.stdout
    bare = CliRunner().invoke(app, ["show", str(tmp_path / "run"), "--no-histograms"])
    assert bare.exit_code == 0 and done.stdout.startswith(bare.stdout) and "First reception" not in bare.stdout
    (tmp_path / "run/trace.parquet").unlink()
    assert CliRunner().invoke(app, ["show", str(tmp_path / "run"), "--no-histograms"]).exit_code == 0, "the summary is enough for tables"
    gone = CliRunner().invoke(app, ["show", str(tmp_path / "run")])
    assert gone.exit_code == 2 and "cannot read" in gone.stderr
