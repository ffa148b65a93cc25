"""Where a run's folder may be: not inside another run's, and not among what is no run's; and what counts as a run."""

import json
from pathlib import Path

import pytest

from simnet.analyze.sides import summaries_in
from simnet.base.errors import OutputError
from simnet.record.earlier import refuse_others
from tests.cli.test_odd_files import _elsewhere, network, simnet  # noqa: F401
from tests.cli.test_replacing import files, job, ran


@pytest.mark.parametrize("place", ["x/y/z", "x/summaries", "x/multi_process", "link/y"])
@pytest.mark.parametrize("kind", ["run", "job", "rerun"])
def test_no_run_goes_into_the_folder_of_another(kind: str, place: str) -> None:
    ran(network(), "--out", "x")
    Path("link").symlink_to("x")
    before = files("x")
    words = ["rerun", "x"] if kind == "rerun" else ["run", network() if kind == "run" else job()]
    done = simnet(*words, "--out", place, "-q", *([] if kind == "rerun" else ["--force"]))
    if (kind, place) == ("rerun", "x/multi_process"):  # what the run itself does in the multi-process modes
        assert done.exit_code == 0
        return
    assert done.exit_code == 2 and "lies in the folder of another run" in done.stderr and len(done.stderr.splitlines()) == 1
    assert files("x") == before and not Path("x/y").exists()


def test_several_jobs_go_into_no_runs_folder() -> None:
    ran(network(), "--out", "x")
    before = files("x")
    done = simnet("regression", "--artifacts-root", "x", "--scenario", job())
    assert done.exit_code == 2 and "lies in the folder of another run" in done.stderr
    assert files("x") == before


def test_a_run_json_of_another_tool_makes_no_run_of_what_is_below() -> None:
    Path("run.json").write_text('{"tool": "another"}')
    ran(network(), "--out", "x")


def test_what_lies_in_a_runs_folder_is_no_other_run() -> None:
    ran(network(), "--out", "all/x")
    ran(network(), "--seed", "2", "--out", "all/y")
    ran(network(), "--seed", "3", "--out", "z")
    Path("z").rename("all/x/z")
    assert summaries_in(Path("all/x")) == [Path("all/x/summaries/net.json")]
    assert summaries_in(Path("all")) == [Path("all/x/summaries/net.json"), Path("all/y/summaries/net.json")]
    told = json.loads(simnet("compare", "all/x", "all/y", "--format", "json").stdout)
    assert told["before"] == ["all/x/summaries/net.json"]


def test_a_folder_of_summaries_that_is_a_run_is_not_written_into() -> None:
    """As earlier versions allowed."""
    ran(network(), "--out", "z")
    ran(network(), "--out", "other")
    Path("z/summaries").rename("moved")
    Path("other").rename("z/summaries")
    before = files("z")
    done = simnet("run", network(), "--out", "z", "-q", "--force")
    assert done.exit_code == 2 and "z/summaries is the folder of another run" in done.stderr
    assert files("z") == before


# --- what is no run's --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["run", "job"])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_runs_files_are_not_scattered_among_others(kind: str, force: list[str]) -> None:
    Path("here").mkdir()
    Path("here/mine").touch()
    scenario = str(Path(network() if kind == "run" else job()).resolve())
    before = sorted(Path().iterdir())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("here")
        for place, name in ((".", "mine"), ("..", "../here")):
            done = simnet("run", scenario, "--out", place, "-q", *force)
            assert done.exit_code == 2 and f"{name} is in the way" in done.stderr, done.output
            assert len(done.stderr.splitlines()) == 1
    assert sorted(Path().iterdir()) == before
    with pytest.raises(OutputError, match=r"is in the way: / is not the folder of a run"):
        refuse_others(Path("/"))


@pytest.mark.parametrize("name", [".gitkeep", "summaries/x.txt", "logs/x.log", "run.json", "wrapper.json"])
def test_what_runs_and_jobs_leave_is_in_nobodys_way(name: str) -> None:
    Path("r", name).parent.mkdir(parents=True)
    Path("r", name).write_text("{}")
    if name in ("run.json", "wrapper.json"):  # Whoever's it is: there --force decides.
        Path("r/more.txt").touch()
    assert simnet("run", network(), "--out", "r", "-q", "--force", "--no-analyze").exit_code == 0


def test_a_run_goes_where_only_a_job_was() -> None:
    ran(job(), "--out", "r")
    Path("r/run.json").unlink()
    Path("r/notes.txt").touch()
    ran(network(), "--out", "r", "--force")


def test_what_is_no_folder_is_called_so() -> None:
    Path("dangling").symlink_to("nowhere")
    Path("file").touch()
    for place, what in (
        ("dangling", "dangling is a link to what is not there"),
        ("file", "file is no folder"),
        ("file/x", "file is no folder"),
    ):
        done = simnet("run", network(), "-q", "--out", place)
        assert done.exit_code == 2 and what in done.stderr, done.stderr
    done = simnet("schema", "--out", "dangling/s.json")
    assert done.exit_code == 2 and "dangling is a link to what is not there" in done.stderr
