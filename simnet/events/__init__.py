"""Everything that happens in a run, as dataclasses that nobody changes, a file for each subject.

The core emits events and knows none of its observers: summaries, traces, checks, metrics and progress
bars are attached from outside. Every event has `at`, the virtual time in nanoseconds.
"""

from simnet.events.chain import (
    BlockAggregated,
    BlockCommitted,
    BlockProven,
    BlockProving,
    Endorsed,
    ProofTakenOver,
    Proposed,
    StatementLost,
    VoteCast,
    WindowClosed,
)
from simnet.events.event import Event, Handler, Handlers, Observer, event
from simnet.events.faults import BacklogWorkedOff, ClockSkewed, FaultActed, FaultInjected, LimitReached, ServiceResumed, Untimely
from simnet.events.misconduct import (
    DoubleSignFound,
    Equivocated,
    EvidenceTaken,
    MisconductFound,
    OpponentActed,
    PeerBanned,
    PeerScored,
    PenaltyBooked,
    SlashingSettled,
    Withheld,
)
from simnet.events.network import (
    DirectSent,
    MessageArrived,
    MessageDelivered,
    MessageLost,
    MessagePublished,
    MessageValidated,
    PeerConnected,
    PeerDisconnected,
)
from simnet.events.proofs import ProofMade, ProofVerified, ProvingFailed
from simnet.events.run import RunEnded, TrafficStarted
from simnet.events.transfers import PublicationSkipped, TransferLate, TransferStale, TxAdmitted, TxEvicted, TxRefused

__all__ = [
    "BacklogWorkedOff",
    "BlockAggregated",
    "BlockCommitted",
    "BlockProven",
    "BlockProving",
    "ClockSkewed",
    "DirectSent",
    "DoubleSignFound",
    "Endorsed",
    "Equivocated",
    "Event",
    "EvidenceTaken",
    "FaultActed",
    "FaultInjected",
    "Handler",
    "Handlers",
    "LimitReached",
    "MessageArrived",
    "MessageDelivered",
    "MessageLost",
    "MessagePublished",
    "MessageValidated",
    "MisconductFound",
    "Observer",
    "OpponentActed",
    "PeerBanned",
    "PeerConnected",
    "PeerDisconnected",
    "PeerScored",
    "PenaltyBooked",
    "ProofMade",
    "ProofTakenOver",
    "ProofVerified",
    "Proposed",
    "ProvingFailed",
    "PublicationSkipped",
    "RunEnded",
    "ServiceResumed",
    "SlashingSettled",
    "StatementLost",
    "TrafficStarted",
    "TransferLate",
    "TransferStale",
    "TxAdmitted",
    "TxEvicted",
    "TxRefused",
    "Untimely",
    "VoteCast",
    "WindowClosed",
    "Withheld",
    "event",
]
