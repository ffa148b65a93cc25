"""The command line as a process, for tests of whole runs with the real provers."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "scenarios" / "data"
TINY, TINY_FAULTS, TINY_BLOCKS = DATA / "tiny.toml", DATA / "tiny_faults.toml", DATA / "tiny_blocks.toml"
SHIPPED = sorted((ROOT / "scenarios").glob("*.toml"))
TINY_NODES = DATA / "tiny_nodes.toml"
LIMIT_S = 900
"""Seconds after which a command hangs, on the slowest machine."""
STEERING = ("SIMNET_SEED", "SIMNET_BACKEND_ATTRIBUTION", "SIM_BACKEND_LABEL", "RPP_SIM_STATIC_KEY_SEED", "SIMNET_HEALTH_ADDR")
LIGHT_SEED = 28
"""With this seed no leader of tiny_faults proves with Groth16, whose consensus proof takes longer than all the rest."""
HASHES = ("trace_sha256", "summary_sha256", "proofs_sha256")


def environment(**extra: str) -> dict[str, str]:
    """The process's environment without the settings that steer simnet."""
    inherited = {k: v for k, v in os.environ.items() if k not in STEERING}
    return {**inherited, "PYTHONPATH": str(ROOT), **extra}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "simnet.cli", *map(str, arguments)]


def simnet(*arguments: object, cwd: Path, limit_s: int = LIMIT_S, **extra: str) -> subprocess.CompletedProcess[str]:
    """Runs `simnet …` to its end."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment(**extra), capture_output=True, text=True, timeout=limit_s, check=False
    )


def not_held(checks: Mapping[str, Mapping[str, object]], *idle: str) -> list[str]:
    """Names of the checks that did not hold; those in `idle`, and accusations, may have had nothing to look at."""
    fine = {name: {"held", "not_exercised"} if name in (*idle, "accusations") else {"held"} for name in checks}
    return [name for name, check in checks.items() if check["status"] not in fine[name]]


def run_json(folder: Path) -> dict[str, Any]:
    content = json.loads((folder / "run.json").read_text())
    assert isinstance(content, dict)
    return content
