"""Everything that happens in a run, as dataclasses that nobody changes, and the protocol of those who watch.

The core emits events and knows none of its observers: summaries, traces, checks, metrics and progress
bars are attached from outside. Every event has `at`, the virtual time in nanoseconds.
"""

from dataclasses import dataclass
from typing import Protocol, TypeVar, dataclass_transform

from simnet.units import NodeId, SimTime

C = TypeVar("C")


@dataclass_transform(frozen_default=True)
def event(cls: type[C]) -> type[C]:
    """A frozen dataclass, as far as mypy is concerned. A check at run time would make each of a run's hundred
    thousands of events five times as dear to create."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@event
class Event:
    """Base of all events."""

    at: SimTime


class Observer(Protocol):
    """Watches a run. Must not change it."""

    def on_event(self, event: Event) -> None:
        """Called once per event, in order."""


# --- the run -----------------------------------------------------------------------------------


@event
class TrafficStarted(Event):
    """The traffic clock's zero (after settling)."""


@event
class RunEnded(Event):
    """The last event of a complete run."""


# --- network -----------------------------------------------------------------------------------


@event
class MessagePublished(Event):
    """A node gave a gossip message to the network."""

    node: NodeId
    message: int
    topic: str
    kind: str
    """transaction, block_probe, transaction_probe, proposal, vote, endorsement, tag_set, key_disclosure, consensus_proof, registration, join,
    heartbeat, block_proof, evidence."""
    bytes: int
    spam: str | None
    """None, or the kind of byzantine copy: copy, flipped_bytes, other_statement, wrong_public_inputs, oversize; of an opponent
    `<kind>.<what>`."""


@event
class MessageArrived(Event):
    """A copy of a gossip message came over a link (duplicates too): the wire's view."""

    node: NodeId
    peer: NodeId
    message: int
    bytes: int
    duplicate: bool


@event
class MessageDelivered(Event):
    """First reception of a gossip message: the application's view, before validation."""

    node: NodeId
    peer: NodeId
    message: int
    topic: str
    kind: str
    published_at: SimTime
    bytes: int
    repaired: bool
    """Came through lazy repair (IHAVE/IWANT) or reconnection, not the eager push."""


@event
class MessageLost(Event):
    """A copy that a link did not deliver."""

    node: NodeId
    peer: NodeId
    """Where it was going."""
    message: int
    reason: str
    """loss, link_down, queue_full, corrupt, one_way, flapping."""


@event
class MessageValidated(Event):
    """The application's verdict on a delivered gossip message: accept (forwarded), ignore, reject, or drop (not judged, and forgotten)."""

    node: NodeId
    peer: NodeId
    message: int
    verdict: str
    reason: str


@event
class DirectSent(Event):
    """A point-to-point message between neighbours: ihave, iwant, status, votes, block_request, block_response, tx_request, tx_response,
    proof_request, proof_response."""

    node: NodeId
    peer: NodeId
    kind: str
    bytes: int


@event
class PeerConnected(Event):
    """A neighbour's subscription was learnt (two per link: one for each end)."""

    node: NodeId
    peer: NodeId


@event
class PeerDisconnected(Event):
    """A link went down (two per link)."""

    node: NodeId
    peer: NodeId
    why: str
    """partition, churn, crash or ban."""


@event
class FaultInjected(Event):
    """partition_start, partition_end, churn_down, churn_up, byzantine_spam; crash_down, crash_up, pause_start, pause_end;
    one_way, flapping, duplicate, reorder, corrupt or bandwidth with _start or _end; equivocation, withholding, service_stop,
    clock_skew or a kind of opponent with _start or _end, one a node."""

    kind: str
    detail: str


@event
class FaultActed(Event):
    """What a fault of links or a pause did in all, told when it ends: copies that it lost, spoiled, delayed or sent twice."""

    kind: str
    """Of the fault: one_way, …, pause."""
    detail: str
    copies: int


# --- proofs ------------------------------------------------------------------------------------


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


# --- mempool and wallets -------------------------------------------------------------------------


@event
class TxAdmitted(Event):
    node: NodeId
    tx: str


@event
class TxRefused(Event):
    node: NodeId
    tx: str
    reason: str


@event
class TxEvicted(Event):
    """Left a mempool: committed, stale, or in conflict with another one of its sender."""

    node: NodeId
    tx: str
    reason: str


@event
class TransferStale(Event):
    """A wallet found that its pending transfer no longer fits its account and proves it again."""

    node: NodeId
    tx: str


@event
class TransferLate(Event):
    """A transfer was published after its due time because its proof was not ready."""

    node: NodeId
    late_by: SimTime


@event
class PublicationSkipped(Event):
    """A due publication did not happen: no active node, no free lane, no peer, or no room in the own mempool."""

    node: NodeId | None
    reason: str


# --- chain ---------------------------------------------------------------------------------------


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
    """0: the first candidate; k: it took over after k time-outs."""


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


# --- misconduct ----------------------------------------------------------------------------------


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
    """forged_votes, forged_proofs, invalid_blocks, double_spend, split, amnesia, lying_sync, poison, flood."""
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
    """invalid_proof, duplicate_proof, proof_pipeline_error, invalid_vrf_submission, invalid_timetoke_delta, proof_relay_missed, invalid_vote,
    invalid_block, invalid_evidence."""
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
    """A node holds a signed message that convicts its author by itself; one piece for each kind, height and slot."""

    node: NodeId
    validator: NodeId
    height: int
    slot: int
    """Of a proposal; 0 for a proof."""
    what: str
    """false_proof, invalid_proposal."""
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


@event
class ClockSkewed(Event):
    """How wrong a node's clock is: told when that changes, and at each of its slots."""

    node: NodeId
    error: int
    """Nanoseconds ahead of true time; negative: behind."""


@event
class Untimely(Event):
    """A message that a node with a right clock would not have sent then, or received in another state.

    Told of proposals and votes only while the clock of author or receiver is wrong.
    """

    node: NodeId
    author: NodeId
    kind: str
    """proposal, vote, heartbeat."""
    outcome: str
    """kept: early, and held until its slot begins. refused: beyond `consensus.clock_precision_ms`. late: after the receiver gave
    up waiting for it."""
    by: SimTime
    """How early or late by the receiver's clock; of refused heartbeats, beyond the precision."""


@event
class ServiceResumed(Event):
    """A node's prover, verifier or wallet goes on after a stop."""

    node: NodeId
    service: str
    stopped_for: SimTime
    waiting: int
    """Jobs: proofs or verifications queued or under way; publications and renewals of a wallet."""
    oldest_age: SimTime
    """Of the job that has waited longest."""


@event
class BacklogWorkedOff(Event):
    """All that waited when a service came back is done (a wallet: handed to its prover)."""

    node: NodeId
    service: str
    depth_max: int
    """Most jobs at once since the stop."""
    refused: int
    """Jobs that the limit kept out meanwhile."""
    took: SimTime
    """Since the service came back."""


@event
class LimitReached(Event):
    """A limit of the scenario was hit; never a silent drop."""

    node: NodeId
    what: str
