"""What neighbours tell each other about themselves now and then, and what such messages look like."""

from collections.abc import Mapping
from dataclasses import dataclass

from simnet.base.catalogue import BackendId
from simnet.node.block_parts import Part
from simnet.protocol.messages import Phase
from simnet.protocol.shapes import DIGEST, U8, U63, below, each, either, fits_direct, nothing
from simnet.protocol.votes import TOLD_MAX, Holding

STATUS_BYTES, HOLDING_BYTES, PART_BYTES, PROOFS_HELD_BYTES = 48, 60, 4, 10
PROOFS_MAX = 256
"""Proofs of one block that are looked at in an answer."""
PROOFS_TOLD = 8
"""Blocks, from the first one that is not aggregated, whose proofs neighbours tell each other about."""
_VOTERS = below(1 << (1 << 16))
"""A bit set of validators."""


@dataclass(frozen=True, slots=True)
class ProofsHeld:
    """Which verified proofs of a block a node holds."""

    height: int
    consensus: bool
    parts: frozenset[tuple[BackendId, Part]]

    def lacks(self, other: "ProofsHeld") -> bool:
        """Whether the other one holds something more."""
        return (other.consensus and not self.consensus) or bool(other.parts - self.parts)


@dataclass(frozen=True, slots=True)
class Told:
    """What a neighbour said last of the proofs that it has."""

    aggregated: int
    held: Mapping[int, ProofsHeld]
    """By height."""

    def has_more(self, own: ProofsHeld) -> bool:
        """Whether it has proofs of a block that this node lacks."""
        return own.height <= self.aggregated or (own.height in self.held and own.lacks(self.held[own.height]))


@dataclass(frozen=True, slots=True)
class Status:
    """What a node tells its neighbours about itself now and then."""

    height: int
    votes: tuple[Holding, ...]
    """Of the height after it."""
    transfers: tuple[bytes, ...]
    """Pending ones that it has held for a while."""
    aggregated: int
    """Blocks up to here it has held aggregated, or proven where blocks carry no other proofs, for a while."""
    proofs: tuple[ProofsHeld, ...]
    """Of the first blocks after those."""
    head: bytes
    """The hash of the block at `height`."""

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        parts = sum(PROOFS_HELD_BYTES + PART_BYTES * len(p.parts) for p in self.proofs)
        return STATUS_BYTES + HOLDING_BYTES * len(self.votes) + 32 * len(self.transfers) + parts


def fits(kind: str, payload: object) -> bool:
    """Whether a point-to-point message has the shape of its kind."""
    match kind:
        case "status":
            return _fits_status(payload)
        case "proof_request":
            return _fits_proofs_held(payload)
    return fits_direct(kind, payload)


def _fits_status(x: object) -> bool:
    if not isinstance(x, Status) or len(x.votes) > TOLD_MAX or len(x.proofs) > PROOFS_TOLD:
        return False
    return (
        U63(x.height)
        and U63(x.aggregated)
        and each(_fits_holding)(x.votes)
        and each(DIGEST)(x.transfers)
        and each(_fits_proofs_held)(x.proofs)
        and DIGEST(x.head)
    )


def _fits_holding(h: object) -> bool:
    return isinstance(h, Holding) and U63(h.slot) and h.phase in Phase and either(nothing, DIGEST)(h.block) and _VOTERS(h.voters)


def _fits_proofs_held(p: object) -> bool:
    if not isinstance(p, ProofsHeld) or not U63(p.height) or len(p.parts) > PROOFS_MAX:
        return False
    return all(U8(field) for field, _ in p.parts) and {type(part) for _, part in p.parts} <= {Part}
