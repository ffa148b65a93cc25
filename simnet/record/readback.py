"""What is read back of a run: `run.json` as it must be to repeat a run, or to find its summary."""

from pathlib import Path
from typing import Any

from pydantic import Field

from simnet import reading
from simnet.errors import OutputError
from simnet.scenario.base import U64_MAX

RUN_SCHEMA = 1


class RunHead(reading.Read):
    """What tells a `run.json` from other files."""

    schema_version: int = RUN_SCHEMA
    scenario_path: str
    complete: bool = False


class RunRecord(RunHead):
    """A finished run's `run.json`."""

    scenario_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scenario: dict[str, Any]
    seed: int = Field(ge=0, le=U64_MAX)
    overrides: dict[str, str]
    costs: str
    strict: bool = False
    mode: str | None = None
    static_key_seed: str | None = None
    trace_sha256: str
    summary_sha256: str
    proofs_sha256: str


def run_head(path: Path) -> RunHead:
    """A `run.json`, finished or not. Raises `OutputError`."""
    return _known(path, reading.checked(path, reading.json_object(path), RunHead, "a run.json of simnet"))


def run_record(path: Path) -> RunRecord:
    """A finished run's `run.json`. Raises `OutputError`, also for an unfinished run, which it names as such."""
    content = reading.json_object(path)
    head = _known(path, reading.checked(path, content, RunHead, "a run.json of simnet"))
    if not head.complete:
        raise OutputError(f"{path}: the run is incomplete ({_how(content)}): nothing to compare with")
    return reading.checked(path, content, RunRecord, "a finished run's run.json")


def _known(path: Path, head: RunHead) -> RunHead:
    if head.schema_version != RUN_SCHEMA:
        raise OutputError(f"{path}: schema version {head.schema_version}; this simnet reads {RUN_SCHEMA}")
    return head


def _how(content: dict[str, Any]) -> str:
    if content.get("interrupted") is True:
        return "it was interrupted"
    if content.get("exit_code") is None:
        return "it is still going or was killed"
    return "it broke off"
