"""The nightly workflow: its matrix has every scenario once, its shell steps are shell, its commands exist."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from simnet.cli.main import app
from simnet.scenario.wrapper_load import load_wrapper
from tests import fakes
from tests.workflow import GITHUB, matrix, performed, script, steps

WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))


def test_every_scenario_has_one_job() -> None:
    entries = matrix()
    files = [fakes.ROOT / entry["file"] for entry in entries]
    wrapped = [load_wrapper(path).profile for path in files if path.suffix == ".ron"]
    covered = list({profile.path.name for profile in wrapped if profile is not None})
    covered += [path.name for path in files if path.suffix == ".toml"]
    assert sorted(covered) == sorted(path.name for path in (fakes.ROOT / "scenarios").glob("*.toml"))
    assert {path.name for path in files if path.suffix == ".ron"} == {path.name for path in (fakes.ROOT / "scenarios").glob("*.ron")}
    labels = [entry["label"] for entry in entries]
    assert len(set(labels)) == len(labels) and all(re.fullmatch(r"[a-z0-9-]+", label) for label in labels)
    assert {"mixed-backend", "prover-acceleration", "leader-rotation-prover", "uptime-soak"} <= set(labels)
    folders = {entry["label"]: entry["folder"] for entry in entries}
    assert folders["mixed-backend"] == "mixed-backend-interop" and folders["prover-acceleration"] == "prover-acceleration-mix"
    assert len(set(folders.values())) == len(entries)
    assert {entry["minutes"] for entry in entries if entry["label"] == "uptime-soak"} == {420}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_shell_steps_parse(path: Path) -> None:
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        for step in job["steps"]:
            done = subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr


def test_commands_of_simnet_parse() -> None:
    root: Any = typer.main.get_command(app)
    found = 0
    for _, step in steps():
        for line in re.findall(r"\.venv/bin/simnet ([^\n;]*)", step.get("run", "").replace("\\\n", " ")):
            name, *words = shlex.split(line)
            command = root.commands[name]
            if hasattr(command, "commands"):
                command, words = command.commands[words[0]], words[1:]
            command.make_context(name, words, resilient_parsing=False)
            found += 1
    assert found == 5


def test_what_a_run_left_is_kept_when_it_failed() -> None:
    uploads = [step for _, step in steps() if str(step.get("uses", "")).startswith("actions/upload-artifact")]
    assert len(uploads) == 3 and all(step["if"] == "always()" for step in uploads)


def collect(folder: Path) -> None:
    env = {"RUN": "run", "KEPT": "kept", "LABEL": f"test-{folder.name}", "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-eo", "pipefail", "-c", script("Collect")], cwd=folder, env=env, check=True, capture_output=True)


def test_logs_are_redacted_and_packed(tmp_path: Path) -> None:
    (tmp_path / "run/logs").mkdir(parents=True)
    kept = ("run.json", "timings.json", "costs.json", "trace.parquet", "slashing.log", "analysis.json")
    for name in kept:
        (tmp_path / "run" / name).write_text("{}")
    (tmp_path / "run/logs/node.log").write_text("starting\nAPI_TOKEN=abc123 then\nheight 7\n")
    collect(tmp_path)
    assert (tmp_path / "kept/logs/node.log").read_text() == "starting\nAPI_TOKEN=(redacted) then\nheight 7\n"
    assert all((tmp_path / "kept" / name).is_file() for name in kept)
    assert (tmp_path / f"kept/simnet-test-{tmp_path.name}.tar.gz").stat().st_size > 0


def test_a_run_that_left_nothing_is_no_error(tmp_path: Path) -> None:
    collect(tmp_path)


SHORTER: dict[str, tuple[str, ...]] = {
    "consensus-slashing-backends": (),
    "prover-acceleration": (),
    "consensus-quorum-stress": ("consensus.runs=1", "consensus.validators=4", "consensus.witness_commitments=4"),
}
"""Jobs that take seconds with these values."""


@pytest.mark.parametrize("label", SHORTER)
def test_a_job_that_runs_no_network_is_green(tmp_path: Path, label: str) -> None:
    (entry,) = [entry for entry in matrix() if entry["label"] == label]
    run, analyze, said = performed(tmp_path, entry, *SHORTER[label])
    assert (run, analyze) == (0, 0), said
    assert "leaves no summary" not in said


def test_the_gpu_job_writes_a_step_summary_in_both_cases(tmp_path: Path) -> None:
    scripts = [step for job, step in steps() if job == "prover-accelerator" and "GITHUB_STEP_SUMMARY" in step.get("run", "")]
    assert [step.get("if") for step in scripts] == [None, "steps.gpu.outputs.present == 'true'"]
    out, summary = tmp_path / "out", tmp_path / "summary"
    env = {"GITHUB_OUTPUT": str(out), "GITHUB_STEP_SUMMARY": str(summary), "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-eo", "pipefail", "-c", scripts[0]["run"]], cwd=tmp_path, env=env, check=True, capture_output=True)
    assert "present=" in out.read_text() and "### Prover accelerator" in summary.read_text()
