"""`simnet.run` and `simnet.load`: a run without a terminal, and its files read back."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import simnet
from simnet.base.errors import OutputError, ScenarioError, SimnetError
from tests.runs import TINY

SMALL: dict[str, Any] = {"topology.n": 30}
MANY: dict[str, Any] = {"topology.n": "many"}
SHORT: dict[str, Any] = {"sim.duration_ms": 2000, "traffic.tx.phases": [{"model": "poisson", "duration_ms": 2000, "lambda_per_sec": 4.0}]}


def test_a_shipped_profile_runs_by_name_and_is_read_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = simnet.run("quiet-mesh", seed=5, out=tmp_path / "run", **SHORT, **SMALL)
    assert run.exit_code == 0 and run.complete and run.folder == tmp_path / "run"
    assert run.run["seed"] == 5 and run.summary["simnet"]["nodes"] == 30
    assert capfd.readouterr() == ("", ""), "it says nothing"
    published = run.events[run.events.event == "MessagePublished"]
    assert len(published) == run.summary["total_publishes"] > 0
    again = simnet.load(tmp_path / "run")
    assert again.run == run.run and again.summary == run.summary
    repeated = simnet.run("quiet-mesh", seed=5, out=tmp_path / "again", **SHORT, **SMALL)
    assert repeated.run["trace_sha256"] == run.run["trace_sha256"]
    with pytest.raises(SimnetError, match="--force"):
        simnet.run("quiet-mesh", seed=5, out=tmp_path / "run", force=False, **SHORT)


def test_what_cannot_run_says_why(tmp_path: Path) -> None:
    with pytest.raises(SimnetError, match=r"no profile 'quite-mesh'.*quiet-mesh"):
        simnet.run("quite-mesh")
    with pytest.raises(ScenarioError, match=r"topology\.n"):
        simnet.run("quiet-mesh", out=tmp_path / "run", **MANY)
    with pytest.raises(OutputError, match="No such file"):
        simnet.load(tmp_path / "nothing")
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "run.json").write_text('{"schema_version": 1, "scenario_path": "x.toml", "exit_code": null}')
    with pytest.raises(OutputError, match="has not ended"):
        simnet.load(tmp_path / "killed")


def test_there_are_no_other_public_names() -> None:
    assert {name: getattr(simnet, name).__name__ for name in simnet.__all__} == {
        name: name for name in ("FinishedRun", "load", "plot", "run")
    }
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        simnet.walk  # noqa: B018


def test_a_run_imports_nothing_that_only_notebooks_need(tmp_path: Path) -> None:
    """pandas alone takes half a second, and Arrow imports it at the first list or array that it is given."""
    program = "import sys, simnet; simnet.run(sys.argv[1], out=sys.argv[2]); print(sorted({'pandas', 'matplotlib'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program, TINY, tmp_path / "run"], check=False, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
