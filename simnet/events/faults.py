"""What was done to the network and its nodes, and what came of it."""

from simnet.base.units import NodeId, SimTime
from simnet.events.event import Event, event

EDGES = {"start": 1, "down": 1, "end": -1, "up": -1}
"""What the kinds of `FaultInjected` end with."""


@event
class FaultInjected(Event):
    """partition_start, partition_end, churn_down, churn_up, byzantine_spam; crash_down, crash_up, pause_start, pause_end;
    one_way, flapping, duplicate, reorder, corrupt or bandwidth with _start or _end; equivocation, withholding, service_stop,
    clock_skew or a kind of opponent with _start or _end, one a node."""

    kind: str
    detail: str

    @property
    def edge(self) -> tuple[str, int]:
        """The fault, and whether it begins (1) or ends (-1); 0 for copies, which do neither."""
        fault, _, step = self.kind.rpartition("_")
        return (fault, EDGES[step]) if step in EDGES else (self.kind, 0)


@event
class FaultActed(Event):
    """What a fault of links or a pause did in all, told when it ends: copies that it lost, spoiled, delayed or sent twice."""

    kind: str
    """Of the fault: one_way, …, pause."""
    detail: str
    copies: int


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
