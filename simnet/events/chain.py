"""Blocks, votes, and what proves them."""

from simnet.base.units import NodeId, SimTime
from simnet.events.event import Event, event


@event
class Proposed(Event):
    node: NodeId
    height: int
    slot: int
    block: str
    backend: str
    tx_count: int


@event
class VoteCast(Event):
    node: NodeId
    height: int
    slot: int
    phase: str
    """prevote, precommit, commit."""
    block: str | None
    """None: a vote for nil."""


@event
class Endorsed(Event):
    """A member certified a committed block once more, since the votes that decided it prove nothing."""

    node: NodeId
    height: int
    slot: int
    """Whose keys it uses."""
    lane: str
    """endorse: of the block's own slot. recover: of a later one."""
    block: str
    backend: str


@event
class BlockCommitted(Event):
    """A node decided a block: committed finality at this node."""

    node: NodeId
    height: int
    slot: int
    block: str
    parent: str
    backend: str
    proposer: NodeId
    tx_count: int
    proposed_at: SimTime
    caught_up: bool
    """Learnt by synchronisation rather than by voting."""
    joins: int
    heartbeats: int
    claims: int
    """Uptime claims that the block's proofs settle."""


@event
class BlockProven(Event):
    """A node holds a verified consensus proof of a block it committed."""

    node: NodeId
    height: int
    block: str
    backend: str


@event
class ProofTakenOver(Event):
    """A node begins a block's consensus proof because its proposer has brought none in time."""

    node: NodeId
    height: int
    block: str
    proposer: NodeId
    rank: int
    """1: the first substitute."""


@event
class BlockProving(Event):
    """A node begins to make a block's identity, uptime, state, pruning and recursive proofs."""

    node: NodeId
    height: int
    block: str
    backend: str
    rank: int
    """0: the first candidate; k: the k-th substitute, which took over after `turn_of(k)` time-outs."""


@event
class BlockAggregated(Event):
    """A node holds all proofs of a block, the recursive one included, and its parent is aggregated."""

    node: NodeId
    height: int
    block: str
    backend: str
    """In which field."""
    previous: str
    """The parent's aggregated commitment, first 16 hex digits; empty on a chain without recursive proofs."""
    commitment: str
    prover: NodeId | None
    """Who made the recursive proof; None: the block has none."""


@event
class StatementLost(Event):
    """A node cannot say any more what a block that is not aggregated has to prove in a field: nothing can be proved or taken there."""

    node: NodeId
    height: int
    backend: str
    circuit: str


@event
class WindowClosed(Event):
    """A node committed the block that closes an uptime window."""

    node: NodeId
    height: int
    window: int
    beats: int
    """Heartbeats in the window's log."""
    reached: int
    """Registered validators with enough heartbeats: they get a claim."""
    missed: int
