"""The sections that simnet adds to a traffic profile. All have defaults, so that upstream's files run unmodified."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from simnet.base.catalogue import BACKENDS, BackendId, BackendName
from simnet.scenario.base import BYTES_MAX, DelayMs, DurationMs, Ours, Probability, merged

BlockProof = Literal["identity", "state", "pruning", "recursive", "uptime"]
BackendTurn = Annotated[tuple[BackendName, ...], Field(min_length=1, strict=False)]
CpuFactor = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
REGION_BACKENDS: dict[str, tuple[BackendName, ...]] = {**{b.name: (b.label,) for b in BackendId}, "MIXED": BACKENDS}
VALIDATOR_CAPACITIES = (8, 32, 64, 128)
"""Sizes of the consensus circuit."""
BLOCK_CAPACITIES = (16, 64, 256, 512)
"""Transfers of a block that the pruning and recursive circuits hold."""
HEARTBEATS_MAX = 32
"""Heartbeats that the uptime circuit counts."""
BLOCK_PROOFS: tuple[BlockProof, ...] = ("identity", "state", "pruning", "recursive", "uptime")
BLOCK_PROOF_BACKENDS: tuple[BackendName, ...] = tuple(b.label for b in BackendId if b.is_stark)
AMOUNT_MAX = 2**48


class Chain(Ours):
    enabled: bool = Field(default=True, description="false: the network alone, with opaque payloads and no proofs.")
    slot_ms: DurationMs = Field(default=6000, description="Time from one block proposal to the next.")
    block_transactions_max: int = Field(default=256, ge=1, le=1024)
    mempool_transactions_max: int = Field(default=8192, ge=1, le=1_000_000)
    lanes_per_wallet: int = Field(default=256, ge=1, le=65_536, description="Accounts of a wallet; one pending transfer each.")
    lane_balance: int = Field(default=1_000_000_000, ge=1, le=AMOUNT_MAX, description="Balance of each lane at the start.")
    transfer_amount_max: int = Field(default=1000, ge=1, le=AMOUNT_MAX)
    fee: int = Field(default=1, ge=0, le=AMOUNT_MAX)
    required_tier: int = Field(default=1, ge=0, le=5, description="Tier that a transfer demands; lanes start at this tier.")
    prepare_ahead_ms: DelayMs = Field(default=500, description="Proving of a transfer starts this long before it is due.")
    sync_blocks_max: int = Field(default=16, ge=1, le=1024, description="Blocks in one answer to a node that catches up.")
    block_proofs: Annotated[tuple[BlockProof, ...], Field(strict=False)] = Field(
        default=BLOCK_PROOFS,
        description="Proofs that a block carries beside the consensus proof; an empty list: none, and neither joins nor heartbeats.",
    )
    block_proof_backends: BackendTurn = Field(
        default=BLOCK_PROOF_BACKENDS, description="Backends that may make them, in order of preference."
    )
    block_proof_timeout_slots: int = Field(
        default=2, ge=1, le=1024, description="The next candidate proves a block when this many more slots brought no recursive proof."
    )
    pruning_window_blocks: int = Field(default=4, ge=2, le=32, description="Blocks that a pruning proof covers: a power of two.")
    uptime_window_slots: int = Field(default=8, ge=1, le=100_000, description="Slots of one uptime window.")
    heartbeats_per_window: int = Field(default=32, ge=1, le=HEARTBEATS_MAX, description="Heartbeats that a node sends in a window.")
    heartbeats_min: int = Field(default=24, ge=1, le=HEARTBEATS_MAX, description="Heartbeats in the log that make an uptime claim.")


class Consensus(Ours):
    weight_min: int = Field(default=5, ge=1, le=1_000_000, description="Smallest vote weight of a validator.")
    weight_max: int = Field(default=24, ge=1, le=1_000_000, description="Largest vote weight.")
    validator_capacity: int | None = Field(
        default=None, description="Size of the consensus circuit: 8, 32, 64 or 128; absent: the smallest that holds n."
    )
    witness_capacity: int = Field(default=256, ge=1, le=1024, description="Transfers that a consensus proof names: a power of two.")
    reputation_capacity: int = Field(default=4, ge=1, le=64, description="Reputation roots that it names: a power of two.")
    proof_takeover_slots: int = Field(
        default=2,
        ge=1,
        le=1024,
        description="A substitute begins on a block's consensus proof, and members endorse the block again, when so many slots brought none.",
    )
    key_horizon_epochs: int = Field(
        default=2,
        ge=1,
        le=64,
        description="One-time keys are registered up to so many epochs of 32 slots ahead, half an epoch before they are the last ones.",
    )
    proven_within_slots: int = Field(
        default=8,
        ge=1,
        le=1024,
        description="While it is calm a committed block is proven, and aggregated, within so many slots (docs/checks.md).",
    )
    clock_precision_ms: DelayMs | None = Field(
        default=None,
        description="By how much clocks may differ: a proposal further in the future by the receiver's clock is refused, a nearer one kept. "
        "Absent: 500, or a sixth of a slot if that is less.",
    )
    slashing: bool | None = Field(
        default=None,
        description="Whether nodes book penalties; absent: when [[faults.nodes]] has nodes that cheat (ADR 8).",
    )


class Provers(Ours):
    regions: dict[str, BackendTurn] = Field(
        default=REGION_BACKENDS,
        description="Backends of a region's nodes, in turn order. Entries add to the default table.",
    )
    assignments: tuple[BackendTurn, ...] = Field(
        default=(), strict=False, description="Backends of each node, one list a node. Empty: by region."
    )
    nodes: dict[str, BackendTurn] = Field(default={}, description="Backends of single nodes, by index: they win over all else.")
    default_backends: BackendTurn = Field(default=BACKENDS, description="Backends of the nodes of any other region.")
    cpu_factor: CpuFactor = Field(default=1.0, description="A node's proving and verifying time, as a multiple of the table's.")
    cpu_factor_by_region: dict[str, CpuFactor] = Field(default={}, description="Replaces cpu_factor in a region.")
    security: Literal["standard", "high"] = Field(
        default="standard", description="Strength of the STARKs: 100 conjectured bits, or what their fields allow."
    )
    workers: int = Field(default=1, ge=1, le=1024, description="Proofs that a node makes at once.")
    proof_bytes_max: int = Field(default=4_194_304, ge=1, le=BYTES_MAX, description="Larger proofs are refused unread.")
    queue_jobs_max: int = Field(default=1024, ge=1, le=1_000_000, description="Jobs that wait for a node's provers.")
    refused_share_max: Probability = Field(
        default=0.02,
        description="Share of its verifier's time that a node spends on refused proofs of one neighbour; beyond it they go unread.",
    )
    refused_burst_ms: DurationMs = Field(
        default=1000, description="Verifying time that a neighbour may cost at once, before the share counts."
    )

    @field_validator("regions", mode="before")
    @classmethod
    def _over_the_default_table(cls, given: Any) -> object:
        return merged(REGION_BACKENDS, given)

    def backends_of(self, region: str) -> tuple[BackendName, ...]:
        return self.regions.get(region, self.default_backends)

    def backends_at(self, node: int, region: str) -> tuple[BackendName, ...]:
        """Of one node: its own, else the list's, else its region's."""
        listed = self.assignments[node] if self.assignments else self.backends_of(region)
        return self.nodes.get(str(node), listed)

    def cpu_factor_of(self, region: str) -> float:
        return self.cpu_factor_by_region.get(region, self.cpu_factor)


class Gossip(Ours):
    heartbeat_ms: DurationMs = Field(default=700, description="A node advertises what it has once in this time.")
    history_windows: int = Field(default=5, ge=1, le=1000, description="Heartbeats for which an advertised message is served.")
    advertised_windows: int = Field(default=3, ge=1, le=1000, description="Heartbeats for which a message is advertised.")
    lazy_peers: int = Field(default=6, ge=0, le=1024, description="Neighbours told at one heartbeat; 0: no repair.")
    duplicate_cache_ms: DurationMs = Field(default=60_000, description="How long a node remembers a message id.")
    queue_messages_max: int = Field(default=5000, ge=1, le=1_000_000, description="Copies on the way over one hop.")
    iwant_timeout_ms: DurationMs = Field(default=3000, description="Then the next advertiser is asked.")
    peer_score_max: float = Field(
        default=20.0,
        gt=1,
        le=1_000_000,
        allow_inf_nan=False,
        description="Score of a neighbour at the start, and the most it can have. Below 0.1 its link is cut.",
    )
    peer_ban_ms: DurationMs = Field(default=180_000, description="For how long.")
    engine: Literal["auto", "events", "waves"] = Field(
        default="auto",
        description="Floods: copy by copy (`events`) or, where that gives the same, computed at once (`waves`).",
    )


class Limits(Ours):
    events_max: int = Field(default=50_000_000, ge=1, le=10**12, description="A run that emits more is stopped.")
    proofs_max: int = Field(default=100_000, ge=1, le=10**9, description="A run that makes more proofs is stopped.")


class Expect(Ours):
    """A run that is to break: more byzantine stake than any protocol bears. Green when it does, and the evidence says who."""

    broken: tuple[Literal["agreement", "finality"], ...] = Field(
        min_length=1,
        strict=False,
        description="Checks that break, none other before them. The run ends two slots after that and after the last fault that cuts links or stops nodes.",
    )
    accused: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        min_length=1,
        strict=False,
        description="Whom the evidence that honest nodes hold by then must name, and nobody else: more than a third of the stake.",
    )
