"""What a report reads of a run's summary, `run.json` and `analysis.json`, which anybody may have written: types are checked first."""

from typing import Any

from pydantic import Field

from simnet.base.errors import OutputError
from simnet.base.reading import Read, checked, json_object
from simnet.record.readback import RunRecord
from simnet.record.summary_files import Count, Delays, Real
from simnet.runs.finished import FinishedRun

SCHEMA = 3
"""Summaries of before have other figures."""


class Quantiles(Read):
    """A quantile block."""

    min: Real | None
    p50: Real | None
    p90: Real | None
    p95: Real | None
    p99: Real | None
    max: Real | None
    count: Count


class Effect(Read):
    """What one fault did."""

    kind: str
    detail: str
    start_ms: Real
    end_ms: Real
    ended: bool
    copies_lost: dict[str, int]
    blocks_committed: int
    longest_finality_gap_ms: Real | None
    first_crossing_ms: Real | None
    did: dict[str, Real] = Field(default_factory=dict)


class Violation(Read):
    invariant: str
    at_ms: Real
    detail: str


class First(Read):
    """What broke a check first."""

    at_ms: Real
    detail: str


class Check(Read):
    held: bool | None
    status: str
    first: First | None = None

    def figures(self) -> str:
        """The counts behind it."""
        named = (self.model_extra or {}).items()
        return ", ".join(f"{name} {value:g}" for name, value in named if isinstance(value, int | float) and not isinstance(value, bool))


class Circuit(Read):
    """One circuit in one backend."""

    made: Count
    verified: Count
    rejected: dict[str, int]
    rejected_total: Count
    prove_ms: Quantiles
    queue_ms: Quantiles
    verify_ms: Quantiles
    verify_queue_ms: Quantiles
    bytes: Quantiles


class Finality(Read):
    height_max: Count
    height_min: Count
    blocks: Count
    blocks_proven: Count
    transactions: Count
    committed_ms: Quantiles
    proven_ms: Quantiles
    longest_gap_ms: Real


class Mempool(Read):
    size_max: Count


class Security(Read):
    profile: str


class Expectation(Read):
    met: bool
    broken: Any = None


class Verifiers(Read):
    honest_ms: Real
    refused: dict[str, dict[str, Real | None]]


class Peers(Read):
    verifiers: Verifiers | None = None


class Ours(Read):
    """The block `simnet`."""

    schema_version: int
    scenario: str
    scenario_sha256: str
    seed: int
    cost_model: str
    reproducible: bool
    complete: bool
    network_only: bool
    nodes: Count
    end_ms: Real
    events: Count
    fault_effects: list[Effect]
    violations: list[Violation]
    limits_hit: dict[str, int] = Field(default_factory=dict)
    security: Security | None = None
    expectation: Expectation | None = None
    peers: Peers | None = None


class ReportedSummary(Read):
    """A summary as far as a report shows it."""

    total_publishes: Count
    total_receives: Count
    propagation: Delays
    checks: dict[str, Check]
    proofs: dict[str, dict[str, Circuit]]
    finality: Finality | None = None
    mempool: Mempool | None = None
    simnet: Ours


class RuleVerdict(Read):
    metric: str
    actual: Any
    limit: str
    passed: bool
    why: str
    note: str = ""
    tolerated: bool = False


class Verdicts(Read):
    """`analysis.json`."""

    verdicts: list[RuleVerdict]


def summary_of(run: FinishedRun) -> ReportedSummary:
    """Raises `OutputError`, also for one of an older version."""
    path = run.files.summary
    content = json_object(path)
    version = content.get("simnet", {}).get("schema_version") if isinstance(content.get("simnet"), dict) else None
    if version != SCHEMA:
        raise OutputError(f"{path}: schema version {version}; a report reads {SCHEMA}: `simnet rerun` makes the run anew")
    return checked(path, content, ReportedSummary, "a summary that a report can be made of")


def record_of(run: FinishedRun) -> RunRecord:
    """The finished run's `run.json`. Raises `OutputError`."""
    return checked(run.files.run, json_object(run.files.run), RunRecord, "a finished run's run.json")


def verdicts_of(run: FinishedRun) -> list[RuleVerdict] | None:
    """What the analyzer said; None where it was not asked. Raises `OutputError`."""
    path = run.files.analysis
    if not path.exists():
        return None
    return checked(path, json_object(path), Verdicts, "verdicts of the analyzer").verdicts
