"""What a chain is after a block, and how a block changes it: ledger, in-field trees, heartbeat log."""

from collections.abc import Mapping
from dataclasses import dataclass

from simnet.protocol.blocks import Body
from simnet.protocol.heartbeats import Closed, UptimeState, Windows
from simnet.protocol.ledger import Ledger, SignedTransfer, Transition
from simnet.protocol.roots import FieldBlock, FieldState, apply_block


@dataclass(frozen=True, slots=True)
class Rules:
    """What the scenario fixes for all blocks."""

    windows: Windows
    capacity: int
    """Transfers of a block in the block circuits."""
    proof_fields: tuple[int, ...]
    """Backends in which block proofs are made; empty: blocks carry none."""
    joins: bool
    heartbeats: bool


@dataclass(frozen=True, slots=True)
class ChainState:
    """The chain after a block. Shared by every node that holds this block."""

    ledger: Ledger
    fields: tuple[FieldState, ...]
    """By backend, ascending."""
    uptime: UptimeState
    registered: Mapping[int, bytes]
    """Validators with an identity, with their public keys."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a block stands."""

    height: int
    slot: int
    timestamp: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a block makes of the state before it."""

    after: ChainState
    fields: tuple[FieldBlock, ...]
    transitions: tuple[Transition, ...]
    closed: tuple[Closed, ...]

    def field(self, backend: int) -> FieldBlock:
        """The effect in one backend's field. Raises StopIteration for a field that the chain does not have."""
        return next(f for f in self.fields if f.before.backend == backend)


def advance(before: ChainState, rules: Rules, at: Position, body: Body, txs: Mapping[bytes, SignedTransfer]) -> Outcome | str:
    """The outcome of a block, or why its contents do not apply. Signatures are the caller's business."""
    why = _why_not_joins(before, rules, body) or _why_not_heartbeats(before, rules, at, body)
    if why is not None:
        return why
    keys = [j.key for j in body.joins]
    chosen = [txs[i] for i in body.tx_ids]
    if any(tx.transfer.timestamp > at.timestamp for tx in chosen):
        return "transfer_dated_ahead"  # The state circuit refuses it, too (S9).
    ledger, refused = before.ledger.apply(chosen)
    if refused:
        return "inapplicable_transfer"
    transitions = tuple(before.ledger.transitions(chosen)) if before.fields else ()
    head = (at.height, at.timestamp)
    fields = tuple(
        apply_block(f, body.joins, transitions, head, rules.capacity, chunked=f.backend in rules.proof_fields) for f in before.fields
    )
    registered = {**before.registered, **{j.validator: j.key for j in body.joins}} if keys else before.registered
    uptime, closed = before.uptime, tuple[Closed, ...]()
    if rules.heartbeats:
        uptime, closed = uptime.after(body.heartbeats, at.slot, registered, rules.windows)
    after = ChainState(ledger.with_opened(keys, at.timestamp), tuple(f.after for f in fields), uptime, registered)
    return Outcome(after, fields, transitions, closed)


def _why_not_joins(before: ChainState, rules: Rules, body: Body) -> str | None:
    if not body.joins:
        return None
    if not rules.joins:
        return "unexpected_join"
    fresh = all(j.validator not in before.registered for j in body.joins)
    free = fresh and all(f.has_room(j.key for j in body.joins) for f in before.fields)
    return None if free else "inapplicable_join"


def _why_not_heartbeats(before: ChainState, rules: Rules, at: Position, body: Body) -> str | None:
    if not body.heartbeats:
        return None
    if not rules.heartbeats:
        return "unexpected_heartbeat"
    latest = heartbeat_limit(at.timestamp)
    fit = before.uptime.fitting(body.heartbeats, rules.windows, latest) == body.heartbeats
    return None if fit else "inapplicable_heartbeat"


def heartbeat_limit(timestamp: int) -> int:
    """Heartbeats in a block are earlier than this (ms): nothing is dated after the block's second."""
    return (timestamp + 1) * 1000
