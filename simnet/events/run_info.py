"""What is known about a run before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass

from simnet.base.units import NodeId, SimTime


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What observers may know."""

    scenario: str
    seed: int
    duration: SimTime
    """Length of the traffic clock."""
    regions: tuple[str, ...]
    """Region of each node."""
    backends: tuple[tuple[str, ...], ...]
    """Proof backends of each node, in turn order."""
    peer_ids: tuple[str, ...]
    classes: tuple[str, ...]
    """trusted or untrusted, per node."""
    stakes: tuple[int, ...]
    edges: tuple[tuple[NodeId, NodeId], ...]
    reproducible: bool
    """False under the `measured` cost model."""
    security: str
    """Profile of the STARKs."""
    security_bits: Mapping[str, Mapping[str, tuple[float, float]]]
    """Conjectured and proven bits of the run's proofs, by backend and circuit."""
    heartbeat: SimTime
    """Between two rounds of lazy gossip."""
    slashing: bool = False
    """Whether nodes book penalties."""

    @property
    def nodes(self) -> int:
        return len(self.regions)
