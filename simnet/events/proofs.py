"""Proofs that nodes make and verify."""

from simnet.base.units import NodeId, SimTime
from simnet.events.event import Event, event


@event
class ProvingFailed(Event):
    """A node's prover refused the witness that the node gave it."""

    node: NodeId
    backend: str
    circuit: str
    reason: str


@event
class ProofMade(Event):
    """A node's prover finished a proof that the node now uses."""

    node: NodeId
    backend: str
    circuit: str
    proof: str
    """First 16 hex digits of the envelope's Blake2s-256."""
    bytes: int
    queued_at: SimTime
    started_at: SimTime
    finished_at: SimTime
    again: bool
    """The statement replaces a stale one."""


@event
class ProofVerified(Event):
    """A node's verifier answered."""

    node: NodeId
    peer: NodeId
    backend: str
    circuit: str
    proof: str
    accepted: bool
    reason: str
    """`accepted`, or the reject reason."""
    spam: str | None
    """Ground truth that the node does not see: what kind of byzantine copy this was."""
    bytes: int
    queued_at: SimTime
    cost: SimTime
