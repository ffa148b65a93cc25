"""Summaries that are read back, of network runs and of consensus loads.

Those of other tools have fewer fields; those that are there must have the right types. Nothing asks a summary for a field but through
these models and, for figures at any place, through rules that say what they name.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from simnet.base import reading
from simnet.base.errors import OutputError
from simnet.record.consensus import KIND

SUMMARY_SCHEMAS = (1, 2, 3)
"""Versions of `simnet.schema_version` that are read."""
Real = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class SimnetBlock(reading.Read):
    """What commands look at in the block `simnet`."""

    schema_version: int = SUMMARY_SCHEMAS[0]
    network_only: bool = False
    scenario: str = "?"
    scenario_sha256: str = ""
    cost_model: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    seed: int | None = None
    reproducible: bool = False
    complete: bool | None = None


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


class Bandwidth(reading.Read):
    throttled_peers: Count | None = None
    slow_peer_events: Count | None = None


class Backpressure(reading.Read):
    events: Count | None = None
    unique_peers: Count | None = None
    queue_full_messages: Count | None = None


class SummaryFile(reading.Read):
    """A summary of a network run or of a consensus load."""

    kind: str | None = None
    total_publishes: Count | None = None
    total_receives: Count | None = None
    duplicates: Count | None = None
    chunk_retries: Count | None = None
    backend: str | None = None
    simnet: SimnetBlock | None = None
    propagation: Delays | None = None
    propagation_by_peer_class: dict[str, Delays] | None = None
    propagation_probes: Probes | None = None
    faults: list[FaultEntry] | None = None
    recovery: Recovery | None = None
    bandwidth: Bandwidth | None = None
    gossip_backpressure: Backpressure | None = None
    peer_traffic: list[PeerRow] | None = None

    @property
    def is_load(self) -> bool:
        """Of a consensus load, not of a network run."""
        return self.kind == KIND

    @property
    def ours(self) -> SimnetBlock:
        """The block `simnet`, or what holds without it."""
        return self.simnet or SimnetBlock()


@dataclass(frozen=True, slots=True)
class ReadSummary:
    """A summary that was read."""

    path: Path
    content: dict[str, Any]
    """As it stands in the file: rules name figures at any place."""
    known: SummaryFile


def summary_file(path: Path) -> ReadSummary:
    """A summary, its types checked. Raises `OutputError`."""
    content = reading.json_object(path)
    known = reading.checked(path, content, SummaryFile, "a summary")
    if known.ours.schema_version not in SUMMARY_SCHEMAS:
        raise OutputError(f"{path}: schema version {known.ours.schema_version}; this simnet reads {', '.join(map(str, SUMMARY_SCHEMAS))}")
    return ReadSummary(path, content, known)


FIELDS = frozenset(SummaryFile.model_fields) - {"kind", "backend"} | {"replay_guard", "mesh_changes", "slow_peer_records", "resource_usage"}
"""One of them at least is in every summary of a network run."""


def refuse_other_files(summary: ReadSummary) -> None:
    """Raises `OutputError` for JSON that is no summary at all: everything in one may be missing, but not all of it."""
    if not summary.known.is_load and FIELDS.isdisjoint(summary.content):
        raise OutputError(f"{summary.path}: not a summary: it has neither a `simnet` block nor any figure of a network run")


class Spread(reading.Read):
    p95: Real


class LoadFile(reading.Read):
    """A consensus load's summary, as the report on several wrappers quotes it."""

    runs: Count
    validators: Count
    witness_commitments: Count
    prove_ms: Spread
    verify_ms: Spread
    proof_bytes: Spread
    tamper_vrf: dict[str, int] | None
    tamper_quorum: dict[str, int] | None
    failures: list[str]


class Compared(reading.Read):
    """What two runs of one scenario must agree on."""

    total_publishes: Count
    total_receives: Count
    duplicates: Count
    propagation: Delays
