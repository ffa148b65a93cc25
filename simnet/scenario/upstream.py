"""The sections of a traffic profile as upstream defines them (specification of the scenario files, section 1).

Upper limits that upstream does not have are named constants of `simnet.scenario.base`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from simnet.scenario.base import (
    BYTES_MAX,
    U64_MAX,
    DelayMs,
    DurationMs,
    FileName,
    Probability,
    Rate,
    StartMs,
    Upstream,
)
from simnet.scenario.linkfaults import LINK_FAULTS_MAX, Kbps, LinkFault
from simnet.scenario.nodefaults import NODE_FAULTS_MAX, NodeFault

TopologyType = Literal["ring", "erdos_renyi", "k_regular", "small_world", "scale_free"]
SpamKind = Literal["copy", "flipped_bytes", "other_statement", "wrong_public_inputs", "oversize"]
SPAM_KINDS: tuple[SpamKind, ...] = ("copy", "flipped_bytes", "other_statement", "wrong_public_inputs", "oversize")
KNOWN_MODES = frozenset({"inprocess", "multiprocess", "multi-process", "compare"})
"""Values of `sim.mode`, lowered."""
MULTI_PROCESS = KNOWN_MODES - {"inprocess"}
"""Those that run again in a child process and compare."""


class Sim(Upstream):
    seed: int = Field(ge=0, le=U64_MAX, description="Root of all random streams.")
    duration_ms: DurationMs = Field(description="Length of the traffic clock.")
    mode: str | None = Field(
        default=None, description="`inprocess`; `multiprocess`, `multi-process` or `compare`: again in a child process, and compared."
    )


class Topology(Upstream):
    type: TopologyType = Field(description="Rule by which the edges are drawn.")
    n: int = Field(ge=1, description="Number of nodes.")
    k: int | None = Field(default=None, ge=1, description="Degree, below n: ring, k_regular, small_world; scale_free: 2.")
    p: Probability | None = Field(default=None, description="Edge probability of erdos_renyi.")
    rewire_p: Probability | None = Field(default=None, description="Probability that small_world rewires an edge.")


class Regions(Upstream):
    assignments: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Region of each node, one entry a node. Empty: all nodes in region `default`.",
    )


class Link(Upstream):
    delay_ms: DelayMs = Field(description="Delay of one hop.")
    jitter_ms: DelayMs = Field(description="A hop's delay changes by a whole number of ms, uniform in [-j, +j].")
    loss: Probability = Field(description="Probability that a hop loses a copy.")
    bandwidth_kbps: Kbps | None = Field(
        default=None, description="Ours: each way's bandwidth; copies leave one after another. Absent: no limit."
    )


class ClassLatency(Upstream):
    extra_delay_ms: DelayMs = Field(default=0, description="Added to each hop towards a node of this class.")
    jitter_ms: DelayMs = Field(default=0, description="A second jitter, like the link's.")


class LatencyProfile(Upstream):
    seed: int | None = Field(default=None, ge=0, le=U64_MAX, description="Seed of the jitter streams; absent: from sim.seed.")
    trusted: ClassLatency | None = None
    untrusted: ClassLatency | None = None


class UniformBias(Upstream):
    type: Literal["uniform"]


class ZipfBias(Upstream):
    type: Literal["zipf"]
    s: Rate = Field(description="Exponent: the k-th active node publishes with weight k^-s.")


PublisherBias = Annotated[UniformBias | ZipfBias, Field(discriminator="type")]


class Payload(Upstream):
    min_bytes: int = Field(default=24, ge=1, le=BYTES_MAX, description="Shortest payload.")
    max_bytes: int | None = Field(default=None, ge=1, le=BYTES_MAX, description="Longest payload; absent: min_bytes.")

    @property
    def longest_bytes(self) -> int:
        return self.min_bytes if self.max_bytes is None else self.max_bytes


class PoissonPhase(Upstream):
    name: str | None = None
    duration_ms: DurationMs
    model: Literal["poisson"]
    lambda_per_sec: Rate = Field(description="Publications a second, whole network.")


class BurstyPhase(Upstream):
    name: str | None = None
    duration_ms: DurationMs
    model: Literal["on_off_bursty"]
    on_lambda_per_sec: Rate = Field(description="Publications a second while ON, whole network.")
    on_duration_ms: DurationMs = Field(description="Length of an ON spell; every phase starts with one.")
    off_duration_ms: DurationMs = Field(description="Length of the silence after it.")


Phase = Annotated[PoissonPhase | BurstyPhase, Field(discriminator="model")]


class Tx(Upstream):
    publisher_bias: PublisherBias = Field(default=UniformBias(type="uniform"), description="Who publishes.")
    payload: Payload = Payload()
    phases: tuple[Phase, ...] = Field(min_length=1, strict=False, description="Run one after the other.")


class Traffic(Upstream):
    tx: Tx = Field(description="Also accepted: the keys of `tx` directly below `[traffic]`.")


class Metrics(Upstream):
    json_path: FileName | None = Field(default=None, alias="json", description="Summary file.")
    csv_path: FileName | None = Field(default=None, alias="csv", description="The same as CSV.")
    output: FileName | None = Field(default=None, description="Old name of `json`, used without it.")

    @property
    def summary_json(self) -> Path | None:
        return self.output if self.json_path is None else self.json_path


Group = str | Annotated[tuple[str | Annotated[int, Field(ge=0)], ...], Field(min_length=1, strict=False)]


def group_name(group: str | tuple[str | int, ...]) -> str:
    """One side of a partition in words: a region, or `A,B,#3` for regions and nodes."""
    return group if isinstance(group, str) else ",".join(part if isinstance(part, str) else f"#{part}" for part in group)


def members(group: str | Sequence[object], regions: Sequence[str]) -> frozenset[int]:
    """The nodes of one side of a partition, given the region of each node. What is neither region nor index (in a file that is being
    checked) names nobody."""
    parts = {group} if isinstance(group, str) else {part for part in group if isinstance(part, str | int)}
    return frozenset(node for node, region in enumerate(regions) if region in parts or node in parts)


class Partition(Upstream):
    start_ms: StartMs = Field(description="From 500 ms before traffic zero.")
    duration_ms: DurationMs
    group_a: Group = Field(
        description="A region; ours: or a list of regions and node indices. Edges between the two groups are cut, all others stay."
    )
    group_b: Group

    def names(self) -> tuple[str, str]:
        """Both groups as the run's records name them."""
        return group_name(self.group_a), group_name(self.group_b)


class Churn(Upstream):
    start_ms: StartMs = Field(default=0, description="From 500 ms before traffic zero.")
    rate_per_min: Rate = Field(description="One node goes down every 60000 / rate ms after the last one came back.")
    restart_after_ms: DurationMs = Field(description="How long a node stays down.")


class Byzantine(Upstream):
    start_ms: StartMs = Field(default=0, description="From traffic zero.")
    spam_factor: int = Field(ge=1, le=10_000, description="How often a publisher sends each publication.")
    publishers: tuple[Annotated[int, Field(ge=0)], ...] = Field(strict=False, description="Node indices.")
    spam_kinds: tuple[SpamKind, ...] = Field(
        default=SPAM_KINDS, min_length=1, strict=False, description="Ours: what the extra copies are, in turn."
    )


class Faults(Upstream):
    partition: Partition | None = None
    churn: Churn | None = None
    byzantine: Byzantine | None = None
    links: tuple[LinkFault, ...] = Field(
        default=(), max_length=LINK_FAULTS_MAX, strict=False, description="Ours: rules on what links carry, in this order."
    )
    nodes: tuple[NodeFault, ...] = Field(
        default=(),
        max_length=NODE_FAULTS_MAX,
        strict=False,
        description="Ours: what single nodes do or fail to do; a node and kind of fault at a time is recorded as `node:<index>`.",
    )
