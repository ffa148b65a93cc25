"""The nightly workflow's matrix and steps, and a job of it performed here."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.runs import ROOT, environment

GITHUB = ROOT / ".github"
NIGHTLY = GITHUB / "workflows/nightly-simnet.yml"
Entry = dict[str, Any]


@cache
def matrix() -> tuple[Entry, ...]:
    done = subprocess.run([sys.executable, GITHUB / "matrix.py"], capture_output=True, text=True, check=True)
    entries = json.loads(done.stdout)
    assert isinstance(entries, list)
    return tuple(entries)


def steps() -> list[tuple[str, dict[str, Any]]]:
    jobs = yaml.safe_load(NIGHTLY.read_text())["jobs"]
    return [(name, step) for name, job in jobs.items() for step in job["steps"]]


def script(name: str) -> str:
    """What a step of the scenarios' job runs."""
    (found,) = [step["run"] for job, step in steps() if job == "simnet" and step.get("name") == name]
    return str(found)


def left_by(folder: Path, entry: Entry) -> Path:
    """The run's folder of a job that was performed in `folder`."""
    return folder / f"target/simnet/{entry['folder']}-nightly"


def performed(folder: Path, entry: Entry, *shorter: str) -> tuple[int, int, str]:
    """The job's Run and Analyze steps as the workflow has them: both exit codes, and what was said. `shorter`: values to set."""
    (folder / ".venv/bin").mkdir(parents=True)
    stub = folder / ".venv/bin/simnet"
    more = " ".join(f"--set {words}" for words in shorter)
    stub.write_text(f'#!/bin/bash\n[ "$1" = run ] && set -- "$@" {more}\nexec {sys.executable} -m simnet.cli "$@"\n')
    stub.chmod(0o755)
    names = {"LABEL": entry["label"], "RUN": str(left_by(Path(), entry)), "KEPT": f"artifacts/simnet/{entry['folder']}"}
    env = {**environment(), "FILE": str(ROOT / entry["file"]), **names}
    codes, said = [], ""
    for step in (script("Run"), script("Analyze")):
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", step], cwd=folder, env=env, check=False, capture_output=True, text=True)
        codes.append(done.returncode)
        said += done.stdout + done.stderr
    return codes[0], codes[1], said
