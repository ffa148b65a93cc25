"""Messages, links and neighbours."""

from simnet.base.units import NodeId, SimTime
from simnet.events.event import Event, event

CONSENSUS_TOPIC, TX_TOPIC = "/rpp/sim/consensus", "/rpp/sim/tx"
"""The topics of gossip."""


@event
class MessagePublished(Event):
    """A node gave a gossip message to the network."""

    node: NodeId
    message: int
    topic: str
    kind: str
    """transaction, block_probe, transaction_probe, proposal, vote, roll_call, endorsement, tag_set, key_disclosure, consensus_proof, registration, join,
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
    proof_request, proof_response, fork_request, fork_response."""

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
