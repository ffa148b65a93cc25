"""What is read back of a run: `run.json` as it must be to repeat a run, to find its summary or to be replaced, and `wrapper.json`."""

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from simnet.base import reading
from simnet.base.errors import OutputError
from simnet.scenario.base import U64_MAX

RUN_SCHEMA = 1


class RunHead(reading.Read):
    """What tells a `run.json` from other files."""

    schema_version: int = RUN_SCHEMA
    scenario_path: str
    complete: bool = False
    interrupted: bool = False
    exit_code: int | None = None


class Versions(reading.Read):
    """What a run was made with."""

    simnet: str
    packages: dict[str, str]
    crates: dict[str, str]


class RunRecord(RunHead):
    """A finished run's `run.json`. What older versions did not write may be missing."""

    scenario_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scenario: dict[str, Any]
    seed: int = Field(ge=0, le=U64_MAX)
    overrides: dict[str, str]
    costs: str
    strict: bool = False
    repeats: bool = False
    mode: str | None = None
    """A wrapper's `p2p.mode`, which was put into the scenario."""
    static_key_seed: str | None = None
    """Any text."""
    versions: Versions | None = None
    host: dict[str, Any] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    violations: list[str] = Field(default_factory=list)
    files: list[str] = Field(default_factory=list)
    replay: str = ""
    events: int = Field(default=0, ge=0)
    trace_sha256: str
    summary_sha256: str
    proofs_sha256: str

    @model_validator(mode="after")
    def _agrees(self) -> "RunRecord":
        sim = self.scenario.get("sim")
        own = sim.get("mode") if isinstance(sim, dict) else None
        if self.mode is not None and self.mode != own:
            raise PydanticCustomError("mode", "mode is not the scenario's sim.mode")
        return self


def run_head(path: Path) -> RunHead:
    """A `run.json`, finished or not. Raises `OutputError`."""
    return _known(path, reading.checked(path, reading.json_object(path), RunHead, "a run.json of simnet"))


def run_record(path: Path) -> RunRecord:
    """A finished run's `run.json`. Raises `OutputError`, also for an unfinished run, which it names as such."""
    content = reading.json_object(path)
    head = _known(path, reading.checked(path, content, RunHead, "a run.json of simnet"))
    if not head.complete:
        raise OutputError(f"{path}: the run is incomplete ({_how(head)}): nothing to compare with")
    return reading.checked(path, content, RunRecord, "a finished run's run.json")


def unfinished(summary: Path) -> OutputError | None:
    """Why a run's folder has no such summary, if the run has not got that far."""
    run = summary.parent.parent / "run.json"
    if summary.exists() or not run.exists():
        return None
    head = run_head(run)
    return None if head.complete else OutputError(f"{run}: the run is incomplete ({_how(head)}): it has no summary")


def _known(path: Path, head: RunHead) -> RunHead:
    if head.schema_version != RUN_SCHEMA:
        raise OutputError(f"{path}: schema version {head.schema_version}; this simnet reads {RUN_SCHEMA}")
    return head


def _how(head: RunHead) -> str:
    if head.interrupted:
        return "it was interrupted"
    if head.exit_code is None:
        return "it is still going or was killed"
    return "it broke off"


class JobFile(reading.Read):
    """A finished job's `wrapper.json`."""

    errors: list[str]


class _Named(reading.Read):
    name: str


class _Owned(reading.Read):
    """Whose results a `run.json` or `wrapper.json` is about."""

    scenario: _Named | None = None
    wrapper: _Named | None = None


class _State(RunHead):
    repeats: bool = False


def owner(path: Path) -> str | None:
    """The name of the scenario or wrapper of a `run.json` or `wrapper.json`; None where the file is none."""
    try:
        found = reading.checked(path, reading.json_object(path), _Owned, "a run's or job's file")
    except reading.UnreadableError:
        return None
    named = found.wrapper or found.scenario
    return None if named is None else named.name


def is_finished(run: Path) -> bool:
    """Whether a `run.json` is that of a complete run that was no repetition of another; true of a file that is none: it is somebody's."""
    if not run.is_file():
        return False
    state = _state(run)
    return state is None or (state.complete and not state.repeats)


def is_of_a_run(run: Path) -> bool:
    """Whether a file is a `run.json`, finished or not."""
    return run.is_file() and _state(run) is not None


def is_repetition(run: Path) -> bool:
    """Whether a file is the `run.json` of a run that repeats another one."""
    state = _state(run) if run.is_file() else None
    return state is not None and state.repeats


class Left(reading.Read):
    """What a `run.json` or `wrapper.json` says of other files."""

    scenario_path: str | None = None
    wrapper_path: str | None = None
    files: tuple[str, ...] = Field(default=(), strict=False)


def left_behind(path: Path) -> Left | None:
    """What a folder's run or job says that it has written; None where the file is none of ours."""
    try:
        left = reading.checked(path, reading.json_object(path), Left, "a run's or job's file") if path.is_file() else None
    except reading.UnreadableError:
        return None
    return None if left is None or left.scenario_path is left.wrapper_path is None else left


def _state(run: Path) -> _State | None:
    try:
        return reading.checked(run, reading.json_object(run), _State, "a run.json of simnet")
    except reading.UnreadableError:
        return None
