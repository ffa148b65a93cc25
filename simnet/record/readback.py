"""What is read back of a run: `run.json` as it must be to repeat a run or to find its summary, and summaries.

Summaries of other tools have fewer fields; those that are there must have the right types.
"""

from pathlib import Path
from typing import Annotated, Any

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


SUMMARY_SCHEMAS = (1, 2, 3)
"""Versions of `simnet.schema_version` that are read."""
Real = Annotated[float, Field(allow_inf_nan=False)]


class SimnetBlock(reading.Read):
    """What commands look at in the block `simnet`."""

    schema_version: int = SUMMARY_SCHEMAS[0]
    network_only: bool = False
    scenario: str = "?"
    scenario_sha256: str = ""
    cost_model: str = ""
    seed: int | None = None
    reproducible: bool = False


class FaultEntry(reading.Read):
    kind: str


class PeerRow(reading.Read):
    peer_id: str
    bytes_in: Real
    bytes_out: Real


class Recovery(reading.Read):
    resume_latencies_ms: list[Real] | None = None
    max_resume_latency_ms: Real | None = None
    mean_resume_latency_ms: Real | None = None


class Delays(reading.Read):
    p50_ms: Real | None = None
    p95_ms: Real | None = None


class Probes(reading.Read):
    block: Delays | None = None
    transaction: Delays | None = None
    backend: str | None = None


class SummaryFile(reading.Read):
    """A summary of a network run or of a consensus load."""

    kind: str | None = None
    backend: str | None = None
    simnet: SimnetBlock | None = None
    propagation: Delays | None = None
    propagation_by_peer_class: dict[str, Delays] | None = None
    propagation_probes: Probes | None = None
    faults: list[FaultEntry] | None = None
    recovery: Recovery | None = None
    bandwidth: dict[str, Any] | None = None
    gossip_backpressure: dict[str, Any] | None = None
    peer_traffic: list[PeerRow] | None = None


def summary_file(path: Path) -> dict[str, Any]:
    """A summary as it stands in its file, its types checked. Raises `OutputError`."""
    content = reading.json_object(path)
    block = reading.checked(path, content, SummaryFile, "a summary").simnet
    if block is not None and block.schema_version not in SUMMARY_SCHEMAS:
        raise OutputError(f"{path}: schema version {block.schema_version}; this simnet reads {', '.join(map(str, SUMMARY_SCHEMAS))}")
    return content
