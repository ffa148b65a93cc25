"""Plots of the made-up run: what is drawn is what the events say."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import simnet
from simnet.base.errors import SimnetError
from simnet.cli.main import app
from simnet.record.places import PICTURES
from simnet.report import pictures
from simnet.runs.finished import FinishedRun
from tests import fakes, story
from tests.fakes import SCENARIO


def finished(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FinishedRun:
    fakes.install(monkeypatch)
    done = CliRunner().invoke(app, ["run", str(SCENARIO), "--out", str(folder), "--quiet", "--no-analyze"])
    assert done.exit_code == 0, done.output
    return simnet.load(folder)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FinishedRun:
    return finished(tmp_path / "run", monkeypatch)


def points(line: Any) -> list[tuple[float, float]]:
    return [(round(float(x), 3), round(float(y), 3)) for x, y in zip(*line.get_data(), strict=True)]


def axes_of(run: FinishedRun, what: str) -> list[Any]:
    return list(simnet.plot(run, what).axes)


def labels(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_heights_and_gaps_are_those_of_the_commits(run: FinishedRun) -> None:
    heights, latencies, gaps = axes_of(run, "finality")
    highest, lowest = heights.get_lines()[:2]
    assert points(highest) == [(0, 0), (1.2, 1), (1.22, 1), (1.26, 1), (5.0, 2), (5.6, 2), (11.5, 2)]
    assert max(y for _, y in points(lowest)) == 1, "nodes 1 and 2 never committed the second block"
    assert points(lowest)[:5] == [(0, 0), (1.2, 0), (1.22, 0), (1.26, 0), (5.0, 0)]
    first, second, third = (points(line) for line in gaps.get_lines())
    assert first == [(0.5, 0), (1.2, 0.7), (1.2, 0)] and second[1] == (5.0, 3.8) and third[1] == (11.5, 6.5)
    assert labels(latencies) == ["committed, stwo", "proven, stwo"], "nothing was aggregated"
    offsets = [at for drawn in latencies.collections for at in drawn.get_offsets().tolist() if None not in at]
    assert [[round(value, 3) for value in at] for at in offsets] == [[1.1, 0.1], [4.8, 0.2], [1.1, 0.25]]


def test_every_fault_is_a_band(run: FinishedRun) -> None:
    effects = run.summary["simnet"]["fault_effects"]
    heights, *_ = axes_of(run, "finality")
    spans = [(round(patch.get_x(), 3), round(patch.get_x() + patch.get_width(), 3)) for patch in heights.patches]
    assert spans == [(e["start_ms"] / 1000, e["end_ms"] / 1000) for e in effects] and (2.0, 4.0) in spans
    rows, lost = axes_of(run, "faults")
    assert [tick.get_text() for tick in rows.get_yticklabels()] == ["partition WEST-EAST", "byzantine node:0"]
    assert labels(lost) == ["link_down (1)"]


def test_curves_of_propagation_hold_every_first_reception(run: FinishedRun) -> None:
    author, receiver, kind = axes_of(run, "propagation")
    assert labels(author) == ["EAST (1)", "WEST (7)"] and labels(kind) == ["block_probe (1)", "transaction (7)"]
    assert labels(receiver) == ["trusted (2)", "untrusted (6)"]
    curve = dict(points(author.get_lines()[1]))
    assert curve[10] == pytest.approx(4 / 7, abs=0.001) and curve[60] == pytest.approx(6 / 7, abs=0.001) and curve[1950] == 1


def test_proofs_have_a_row_for_each_backend_and_circuit(run: FinishedRun) -> None:
    prove, wait, verify, size = axes_of(run, "proofs")
    assert [tick.get_text() for tick in prove.get_yticklabels()] == ["stwo transaction"]
    medians = [points(axes.get_lines()[-1])[0][0] for axes in (prove, wait, verify, size)]
    assert medians == [175, 250, 3, pytest.approx(55_000 / 1024, abs=0.001)]


def test_the_network_shows_its_backends_and_the_cut(run: FinishedRun) -> None:
    (axes,) = axes_of(run, "topology")
    assert labels(axes) == ["groth16 (1)", "plonky3 (1)", "stwo (1)", "stwo + plonky3 (1)"]
    assert axes.get_title(loc="left") == "4 nodes, 3 links, 1 of them cut by a partition (dashed)"
    assert [line.get_linestyle() for line in axes.get_lines()] == ["-", "--", "-"]
    assert sorted(text.get_text() for text in axes.texts) == ["0", "1", "2", "3"]


def test_the_same_run_gives_the_same_bytes(run: FinishedRun, tmp_path: Path) -> None:
    for picture in ("png", "svg"):
        first = pictures.write(run, "topology", tmp_path / "a", picture).read_bytes()
        assert first == pictures.write(simnet.load(run.folder), "topology", tmp_path / "b", picture).read_bytes()


def test_names_are_drawn_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = ("$\\frac$", "_hidden", "東京", "東京")
    there = story.info
    monkeypatch.setattr(fakes, "info", lambda seed=7: replace(there(seed), regions=odd))
    run = finished(tmp_path / "run", monkeypatch)
    (axes, *_) = axes_of(run, "propagation")
    assert labels(axes) == ["$\\frac$ (7)", "東京 (1)"]
    for what in PICTURES:
        assert pictures.write(run, what, tmp_path, "svg").stat().st_size > 1000


def test_what_there_is_nothing_of_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(
        monkeypatch, [event for event in story.story() if type(event).__name__ in ("TrafficStarted", "RunEnded", "PeerConnected")]
    )
    folder = tmp_path / "run"
    done = CliRunner().invoke(app, ["run", str(SCENARIO), "--out", str(folder), "--quiet", "--no-analyze"])
    assert done.exit_code == 0, done.output
    run = simnet.load(folder)
    for what, why in (("finality", "no block"), ("propagation", "nothing was delivered"), ("proofs", "no proofs"), ("faults", "no faults")):
        with pytest.raises(SimnetError, match=why):
            simnet.plot(run, what)
    with pytest.raises(SimnetError, match=r"no plot 'finalty'; there are finality, "):
        simnet.plot(run, "finalty")
    drawn = CliRunner().invoke(app, ["plot", str(folder)])
    assert drawn.exit_code == 0 and drawn.stdout.splitlines() == [str(folder / "plots/topology.png")]
    assert drawn.stderr.count("note: ") == 4
    asked = CliRunner().invoke(app, ["plot", str(folder), "--what", "proofs"])
    assert asked.exit_code == 2 and "the run made no proofs" in asked.stderr


def test_pictures_are_written_beside_the_run_and_go_with_it(run: FinishedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    own = run.folder / "plots/mine.png"
    done = CliRunner().invoke(app, ["plot", str(run.folder), "--what", "finality, topology", "--format", "svg"])
    assert done.exit_code == 0, done.output
    own.write_text("somebody's")
    assert sorted(path.name for path in own.parent.iterdir()) == ["finality.svg", "mine.png", "topology.svg"]
    again = CliRunner().invoke(app, ["run", str(SCENARIO), "--out", str(run.folder), "--quiet", "--no-analyze", "--force"])
    assert again.exit_code == 0, again.output
    assert [path.name for path in own.parent.iterdir()] == ["mine.png"], "a picture of another run would mislead"


def test_bad_words_are_refused(run: FinishedRun, tmp_path: Path) -> None:
    for words in (["--what", "finality,fault"], ["--format", "pdf"], ["--out", ""]):
        done = CliRunner().invoke(app, ["plot", str(run.folder), *words])
        assert done.exit_code == 2 and "Traceback" not in done.output
    missing = CliRunner().invoke(app, ["plot", str(tmp_path / "none")])
    assert missing.exit_code == 2 and missing.stderr.startswith("error: cannot read")
