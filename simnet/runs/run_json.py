"""What `run.json` says: before a run, what was asked; after it, how it ended."""

import os
import shlex

from simnet.base import codes
from simnet.base.errors import SimnetError
from simnet.base.version import VERSION
from simnet.record.proofs import attributed
from simnet.record.readback import RUN_SCHEMA
from simnet.record.resources import host
from simnet.record.summary import Labels, Summary, determinism_sha256
from simnet.record.versions import crates, packages
from simnet.runs.request import STATIC_KEYS, Request
from simnet.scenario.load import LoadedScenario

LABEL = "SIM_BACKEND_LABEL"
"""Environment variable that names the run's backend in its summary."""


def header(request: Request, loaded: LoadedScenario) -> dict[str, object]:
    """What was asked."""
    return {
        "schema_version": RUN_SCHEMA,
        "scenario_path": str(loaded.path),
        "scenario_sha256": loaded.sha256,
        "seed": loaded.scenario.sim.seed,
        "overrides": dict(request.overrides),
        "strict": request.strict,
        "repeats": request.repeats,
        "costs": request.costs,
        "mode": request.mode,
        "static_key_seed": request.static_key_seed,
        "versions": {"simnet": VERSION, "packages": packages(), "crates": crates()},
        "host": host(),
        "warnings": [str(warning) for warning in loaded.warnings],
        "scenario": loaded.scenario.model_dump(mode="json", by_alias=True),
    }


def check_environment() -> None:
    """Refuses what a run would only find out at its end. Raises `SimnetError`."""
    attributed()
    try:
        os.environ.get(LABEL, "").encode()
    except UnicodeEncodeError:
        raise SimnetError(f"environment: {LABEL}: not UTF-8 text") from None


def labels(request: Request, loaded: LoadedScenario) -> Labels:
    """What the summary says of the scenario and the machine."""
    backend = os.environ.get(LABEL) or loaded.scenario.sim.mode or "inprocess"
    # The file's name would tie the summary to a place; its content decides the trace.
    model = request.costs if request.costs in ("calibrated", "measured") else "recorded"
    return Labels(loaded.sha256, model, backend)


def ending(
    summary: Summary, *, complete: bool, code: int, events: int, hashes: tuple[str, str | None], violations: tuple[str, ...]
) -> dict[str, object]:
    """How it ended. `hashes`: of the trace and of the proofs."""
    return {
        "complete": complete,
        "interrupted": code == codes.INTERRUPTED,
        "exit_code": code,
        "events": events,
        "trace_sha256": hashes[0],
        "summary_sha256": determinism_sha256(summary),
        "proofs_sha256": hashes[1],
        "violations": list(violations),
    }


def replay(request: Request, seed: int) -> str:
    """The command that repeats a run."""
    words = ["simnet", "run", str(request.scenario), "--seed", str(seed)]
    if request.costs != "calibrated":
        words += ["--costs", request.costs]
    for key, value in request.overrides.items():
        words += ["--set", f"{key}={value}"]
    line = shlex.join(words)
    if request.static_key_seed is not None:
        return f"{STATIC_KEYS}={shlex.quote(request.static_key_seed)} {line}"
    return line
