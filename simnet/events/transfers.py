"""Mempools, wallets, publications."""

from simnet.base.units import NodeId, SimTime
from simnet.events.event import Event, event


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
