"""What a new run removes from its folder: what an earlier run has written there, and nothing of anybody else."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simnet.cli.main import app
from tests.cli.test_odd_files import network


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simnet(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def ran(*arguments: str) -> None:
    done = simnet("run", *arguments, "-q", "--no-analyze")
    assert done.exit_code == 0, done.output


def files(root: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}


def edit(path: str, **changes: Any) -> None:
    Path(path).write_text(json.dumps({**json.loads(Path(path).read_text()), **changes}))


OWN = ("run.json", "costs.json", "timings.json", "trace.parquet", "summaries/{stem}.json", "summaries/{stem}.csv")


def own(stem: str) -> set[str]:
    return {f"r/{name.format(stem=stem)}" for name in OWN}


# --- only what an earlier run wrote ----------------------------------------------------------------------


@pytest.mark.parametrize("earlier", ["finished", "unfinished"])
def test_files_of_nobodys_run_stay_and_links_lead_nowhere(earlier: str) -> None:
    Path("user").mkdir()
    Path("user/precious.json").write_text("mine")
    ran(network(), "--out", "r")
    if earlier == "unfinished":
        edit("r/run.json", complete=False, exit_code=None)
    mine = ("r/summaries/notes.csv", "r/summaries/of_another.json", "r/notes.txt", "r/.mine.partial", "r/multi_process/mine")
    Path("r/multi_process").mkdir()
    for path in mine:
        Path(path).write_text("mine")
    Path("r/summaries/mine.json").symlink_to("../../user/precious.json")
    ran(network(), "--out", "r", *(["--force"] if earlier == "finished" else []))
    assert Path("user/precious.json").read_text() == "mine" and Path("r/summaries/mine.json").is_symlink()
    assert all(Path(path).read_text() == "mine" for path in mine)


def test_a_run_of_another_scenario_leaves_nothing_of_the_first() -> None:
    assert simnet("run", network("one"), "--out", "r", "-q").exit_code == 0
    Path("r/.trace.parquet.abcdefgh.partial").write_text("killed")
    Path("r/summaries/.one.json.abcdefgh.partial").write_text("killed")
    assert {"r/analysis.json", "r/summaries/propagation_alert.json"} < files("r").keys() - own("one")
    ran(network("two"), "--out", "r", "--force")
    assert files("r").keys() == own("two")


def test_a_copy_inside_the_folder_goes_with_its_run_and_one_outside_stays() -> None:
    folder = "target/simnet/net"
    ran(network(more=f'metrics = {{ json = "{folder}/copies/a.json", csv = "outside.csv" }}\n'))
    edit(f"{folder}/run.json", files=[*json.loads(Path(folder, "run.json").read_text())["files"], "/etc/hostname", "a\0b"])
    ran(network(), "--force")
    assert not Path(folder, "copies/a.json").exists() and Path("outside.csv").exists() and Path("/etc/hostname").exists()


def test_the_list_of_a_run_names_nothing_of_a_run_below_it() -> None:
    ran(network(), "--out", "r")
    ran(network(), "--out", "other")
    Path("other").rename("r/below")
    before = files("r/below")
    edit("r/run.json", files=sorted(before))
    ran(network(), "--out", "r", "--force")
    assert files("r/below") == before


def test_a_child_process_leaves_nothing_and_another_run_in_its_place_stays() -> None:
    ran(network(), "--out", "r", "--set", 'sim.mode="compare"')
    assert Path("r/multi_process/trace.parquet").is_file()
    ran(network(), "--out", "r", "--force")
    assert not Path("r/multi_process").exists()
    ran(network(), "--out", "other")
    Path("other").rename("r/multi_process")
    before = files("r/multi_process")
    ran(network(), "--out", "r", "--force")
    assert files("r/multi_process") == before


def job(name: str = "w") -> str:
    Path(f"{name}.ron").write_text(json.dumps({"name": name, "p2p": {"scenario_path": network()}}))
    return f"{name}.ron"


def test_a_job_removes_what_an_earlier_one_wrote_and_nothing_else() -> None:
    ran(job("one"), "--out", "r")
    Path("r/summaries/notes.csv").write_text("mine")
    assert Path("r/summaries/one.json").is_file()
    ran(job("two"), "--out", "r", "--force")
    assert files("r").keys() == own("net") | {"r/wrapper.json", "r/summaries/two.json", "r/summaries/notes.csv"}


@pytest.mark.parametrize("name", ["trace.parquet", "summaries/w.json", "wrapper.json"])
def test_a_job_replaces_no_file_of_no_job(name: str) -> None:
    Path("r/summaries").mkdir(parents=True)
    Path("r", name).write_text("{}")
    done = simnet("run", job(), "--out", "r", "-q")
    assert done.exit_code == 2 and f"r/{name} is there and of no run in r" in done.stderr
    assert files("r") == {f"r/{name}": b"{}"}
    ran(job(), "--out", "r", "--force")


@pytest.mark.parametrize("name", ["run.json", "wrapper.json", "trace.parquet"])
def test_a_job_removes_nothing_behind_a_link(name: str) -> None:
    Path("precious").write_text("mine")
    Path("r").mkdir()
    Path("r", name).symlink_to("../precious")
    done = simnet("run", job(), "--out", "r", "-q", "--force")
    assert done.exit_code == 2 and "is a link, a folder or a device" in done.stderr
    assert Path("precious").read_text() == "mine" and Path("r", name).is_symlink()


# --- a refusal leaves everything ---------------------------------------------------------------------------


def spoil(how: str) -> None:
    if how == "summaries":
        Path("r/summaries").rename("moved")
        Path("r/summaries").write_text("a file")
    else:
        Path("r", how).unlink(missing_ok=True)
        Path("r", how).mkdir()


@pytest.mark.parametrize("how", ["summaries", "summaries/net.csv", "slashing.log", "costs.json", "summaries/chaos_alert.json"])
@pytest.mark.parametrize("kind", ["run", "job"])
def test_what_is_refused_has_removed_nothing(kind: str, how: str) -> None:
    scenario = network() if kind == "run" else job()
    ran(scenario, "--out", "r")
    spoil(how)
    before = files("r")
    done = simnet("run", scenario, "--out", "r", "-q", "--force")
    assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1, done.output
    assert files("r") == before


def test_a_folder_that_is_no_result_is_in_nobodys_way() -> None:
    ran(network(), "--out", "r")
    Path("r/summaries/d.json").mkdir()
    ran(network(), "--out", "r", "--force")
    assert Path("r/summaries/d.json").is_dir()


def test_a_folder_that_nobody_may_change_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    ran(network(), "--out", "r")
    before = files("r")
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "summaries")  # root may do everything
    done = simnet("run", network(), "--out", "r", "-q", "--force")
    assert done.exit_code == 2 and "Permission denied" in done.stderr
    assert files("r") == before


def test_a_job_whose_network_cannot_run_has_removed_nothing() -> None:
    ran(job(), "--out", "r")
    before = files("r")
    done = simnet("run", job(), "--out", "r", "-q", "--force", "--costs", "none.json")
    assert done.exit_code == 2 and "none.json" in done.stderr
    assert files("r") == before
