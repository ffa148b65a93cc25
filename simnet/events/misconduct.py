"""What byzantine nodes do, and what others make of it."""

from simnet.base.units import NodeId, SimTime
from simnet.events.event import Event, event


@event
class Equivocated(Event):
    """A node signed and sent two different messages where one is allowed: what really happened."""

    node: NodeId
    height: int
    slot: int
    what: str
    """proposal, prevote, precommit."""


@event
class Withheld(Event):
    """A node kept to itself what others wait for: what really happened."""

    node: NodeId
    what: str
    """proposals, votes, proofs, blocks."""
    height: int


@event
class OpponentActed(Event):
    """A byzantine node did one thing of its kind: what really happened."""

    node: NodeId
    kind: str
    """forged_votes, forged_proofs, invalid_blocks, double_spend, split, amnesia, lying_sync, poison, false_evidence, flood."""
    what: str
    message: int
    """The gossip message that carries it; -1: none does."""
    subject: str
    """First 16 hex digits of the proof, block or transfer that it is about, or the slot that has not begun; empty: about none."""


@event
class PeerScored(Event):
    """A node took points from a neighbour's score."""

    node: NodeId
    peer: NodeId
    cause: str
    """invalid_proof, duplicate_proof, proof_pipeline_error, invalid_vrf_submission, invalid_timetoke_delta, invalid_vote, invalid_block, invalid_evidence."""
    thousandths: int
    left: int
    """What the score is now, in thousandths."""


@event
class PeerBanned(Event):
    """A node cut its link with a neighbour whose score was used up."""

    node: NodeId
    peer: NodeId
    cause: str
    """Of the last points."""
    until: SimTime


@event
class DoubleSignFound(Event):
    """A node holds two contradicting signed messages of a validator; one piece for each height and slot."""

    node: NodeId
    validator: NodeId
    height: int
    slot: int
    what: str
    """proposal, prevote, precommit, commit."""
    heard: bool
    """Another node found it and told."""


@event
class MisconductFound(Event):
    """A node holds signed messages that convict their author by themselves; one piece for each kind, height and slot."""

    node: NodeId
    validator: NodeId
    height: int
    slot: int
    """Of a proposal; 0 for a proof or a broken lock."""
    what: str
    """false_proof, invalid_proposal, amnesia."""
    heard: bool
    """Another node found it and told."""


@event
class EvidenceTaken(Event):
    """A node's slashing books hold a new piece of evidence, which raises an alarm."""

    node: NodeId
    validator: NodeId
    evidence: str
    """double_sign, false_proof, censorship, vote_withholding, inactivity."""
    detail: str


@event
class PenaltyBooked(Event):
    """A node's books took time tokens from a validator. Nothing else is cut: the ledger has no part in it."""

    node: NodeId
    height: int
    backend: str
    validator: NodeId
    penalty: int
    """Time tokens."""
    evidence: str
    detail: str


@event
class SlashingSettled(Event):
    """A block's verified consensus proof settled what a node's books had waiting."""

    node: NodeId
    height: int
    penalties: int
    withheld: int
    """Time tokens of rewards that flagged validators did not get."""
    cleared: int
    """Alarms."""
