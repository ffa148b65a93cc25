"""A whole scenario: upstream's sections, ours, and what follows from several of them at once."""

from typing import Self

from pydantic import Field, model_validator

from simnet.scenario.base import Upstream
from simnet.scenario.crossfield import DEFAULT_REGION, conflicts
from simnet.scenario.opponents import MISCONDUCT, Opponent
from simnet.scenario.ours import BLOCK_CAPACITIES, VALIDATOR_CAPACITIES, Chain, Consensus, Expect, Gossip, Limits, Provers
from simnet.scenario.upstream import Faults, LatencyProfile, Link, Metrics, Regions, Sim, Topology, Traffic

DEFAULT_LINK = "default"
NAME_MAX = 200
PHASES_OF_SLOT = 6


class Scenario(Upstream):
    """Everything that a run needs but its seed. Build it with `simnet.scenario.load.load_scenario`."""

    name: str = Field(min_length=1, max_length=NAME_MAX, description="Default: the file's stem.")
    test_only: bool = Field(default=False, description="Allows mock proofs.")
    sim: Sim
    topology: Topology
    regions: Regions = Regions()
    links: dict[str, Link] = Field(default={}, description="By region pair `X-Y`, `intra`, or `default`.")
    latency_profile: LatencyProfile | None = None
    traffic: Traffic
    metrics: Metrics = Metrics()
    faults: Faults = Faults()
    chain: Chain = Chain()
    consensus: Consensus = Consensus()
    provers: Provers = Provers()
    gossip: Gossip = Gossip()
    limits: Limits = Limits()
    expect: Expect | None = None

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        found = conflicts(self.model_dump(by_alias=True))
        if found:
            raise ValueError("; ".join(f"{c.dotted}: {c.why}" for c in found))
        return self

    @property
    def region_of_node(self) -> tuple[str, ...]:
        """Region of each node."""
        return self.regions.assignments or (DEFAULT_REGION,) * self.topology.n

    @property
    def validator_capacity(self) -> int:
        """Size of the consensus circuit."""
        chosen = self.consensus.validator_capacity
        return chosen or next(size for size in VALIDATOR_CAPACITIES if size >= self.topology.n)

    @property
    def block_capacity(self) -> int:
        """Transfers of a block in the pruning and recursive circuits."""
        return next((size for size in BLOCK_CAPACITIES if size >= self.chain.block_transactions_max), BLOCK_CAPACITIES[-1])

    @property
    def block_proof_backends(self) -> tuple[str, ...]:
        """Backends that make block proofs: those of the setting that some node has; none when block proofs are off."""
        used = {label for labels in self.backends_of_node for label in labels}
        return tuple(b for b in self.chain.block_proof_backends if b in used) if self.chain.block_proofs else ()

    def proves(self, circuit: str) -> bool:
        """Whether blocks carry proofs of this circuit."""
        return bool(self.block_proof_backends) and circuit in self.chain.block_proofs

    @property
    def backends_of_node(self) -> tuple[tuple[str, ...], ...]:
        """Proof backends of each node, in turn order."""
        return tuple(self.provers.backends_at(node, region) for node, region in enumerate(self.region_of_node))

    @property
    def opponents(self) -> frozenset[int]:
        """Nodes that are byzantine at some time, apart from the publishers of copies."""
        return frozenset(node for fault in self.faults.nodes if isinstance(fault, Opponent) for node in fault.nodes)

    @property
    def clock_precision_ms(self) -> int:
        """By how much clocks may differ. A sixth of a slot is half of the time for a phase: with more, deadlines pass before votes come."""
        given = self.consensus.clock_precision_ms
        return min(500, self.chain.slot_ms // PHASES_OF_SLOT) if given is None else given

    @property
    def slashing(self) -> bool:
        """Whether nodes book penalties."""
        cheating = any(fault.kind in MISCONDUCT for fault in self.faults.nodes)
        return cheating if self.consensus.slashing is None else self.consensus.slashing

    def link(self, lower: str, higher: str) -> Link:
        """Link values between the region of an edge's lower node and that of its higher node.

        Same region: `X-X`, `intra`, `default`. Two regions: `X-Y`, `Y-X`, `default`.
        """
        labels = (f"{lower}-{lower}", "intra") if lower == higher else (f"{lower}-{higher}", f"{higher}-{lower}")
        for label in (*labels, DEFAULT_LINK):
            if label in self.links:
                return self.links[label]
        return Link(delay_ms=0, jitter_ms=0, loss=0.0)
