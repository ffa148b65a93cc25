"""Blocks and their canonical bytes.

A block lists transfers by id (their proofs travel once, with gossip, as in compact block relay, BIP 152).
Its hash is Blake2s-256 of the header; each proof backend has, beside it, the header's digest in its own field,
made of the in-field roots that the header carries.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from simnet.protocol.heartbeats import HEARTBEAT_BYTES, Heartbeat
from simnet.protocol.joins import JOIN_BYTES, JOINS_MAX, Join

GENESIS_PARENT = bytes(32)
EMPTY_TX_ROOT = hashlib.blake2s(b"SIMNET-EMPTY-TX").digest()
_HEADER = struct.Struct("<QQ32sHB32s32sQH32s32s32sB")
_FIELD = struct.Struct("<B32s32s32s32s")


def merkle_root(leaves: list[bytes], empty: bytes) -> bytes:
    """Binary Blake2s-256 Merkle root of 32-byte leaves, padded with `empty` to a power of two."""
    level = leaves or [empty]
    while len(level) > 1:
        if len(level) % 2:
            level = [*level, empty]
        level = [hashlib.blake2s(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
    return level[0]


@dataclass(frozen=True, slots=True)
class FieldRoots:
    """What one backend's circuits see of a block, as digests of the backend's field."""

    backend: int
    parent: bytes
    """H[HEADER] of the parent block; Lift of 32 zero bytes at genesis."""
    state: bytes
    """Root of the account tree after the block."""
    identity: bytes
    """Root of the identity tree after the block."""
    transactions: bytes
    """ROOT of the transfers' digests, padded to the block circuits' capacity."""

    def encode(self) -> bytes:
        """Canonical bytes."""
        return _FIELD.pack(self.backend, self.parent, self.state, self.identity, self.transactions)


@dataclass(frozen=True, slots=True)
class Header:
    """What validators vote on, by its hash."""

    height: int
    slot: int
    """The slot in which the block was first proposed."""
    parent: bytes
    proposer: int
    """Index of the validator in the genesis list."""
    backend: int
    """Proof backend of the block's consensus proof."""
    state_root: bytes
    """State after the block."""
    tx_root: bytes
    timestamp: int
    """Seconds of virtual time."""
    tx_count: int
    registrations_root: bytes
    joins_root: bytes
    heartbeats_root: bytes
    fields: tuple[FieldRoots, ...]
    """By backend, ascending; empty on a chain without block proofs."""

    def field(self, backend: int) -> FieldRoots | None:
        """The roots in one backend's field."""
        return next((f for f in self.fields if f.backend == backend), None)

    @property
    def hash(self) -> bytes:
        """The block's hash."""
        return hashlib.blake2s(b"SIMNET-HEADER-V1" + self.encode()).digest()

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return _HEADER.size + _FIELD.size * len(self.fields)

    def encode(self) -> bytes:
        """Canonical bytes."""
        return _HEADER.pack(
            self.height,
            self.slot,
            self.parent,
            self.proposer,
            self.backend,
            self.state_root,
            self.tx_root,
            self.timestamp,
            self.tx_count,
            self.registrations_root,
            self.joins_root,
            self.heartbeats_root,
            len(self.fields),
        ) + b"".join(f.encode() for f in self.fields)


@dataclass(frozen=True, slots=True)
class Registration:
    """A validator's keys for one epoch: one-time-key roots for each lane and backend, and its VRF output with proof."""

    validator: int
    epoch: int
    otk_roots: tuple[tuple[bytes, ...], ...]
    """By lane, then by backend, ascending."""
    vrf: bytes
    """32-byte output, 64-byte proof over the epoch's VRF input."""
    signature: bytes

    def signing_bytes(self) -> bytes:
        head = struct.pack("<HQ", self.validator, self.epoch)
        return b"SIMNET-REGISTRATION-V2" + head + b"".join(root for lane in self.otk_roots for root in lane) + self.vrf

    @property
    def size(self) -> int:
        """Bytes of a block: without the public one-time keys, which travel with gossip (`messages.registration_size`)."""
        return 10 + sum(len(root) for lane in self.otk_roots for root in lane) + len(self.vrf) + len(self.signature)


@dataclass(frozen=True, slots=True)
class Body:
    """What a block brings: the ids of its transfers in order, registrations, joins, heartbeats."""

    tx_ids: tuple[bytes, ...] = ()
    registrations: tuple[Registration, ...] = ()
    """For the block's epoch or later ones."""
    joins: tuple[Join, ...] = ()
    heartbeats: tuple[Heartbeat, ...] = ()
    """Ascending by (validator, time)."""


@dataclass(frozen=True, slots=True)
class Block:
    """A header and what it commits to."""

    header: Header
    body: Body
    hash: bytes

    @staticmethod
    def assemble(header: Header, body: Body) -> "Block":
        """The block of these parts, with its hash."""
        return Block(header, body, header.hash)

    @property
    def tx_ids(self) -> tuple[bytes, ...]:
        return self.body.tx_ids

    @property
    def registrations(self) -> tuple[Registration, ...]:
        return self.body.registrations

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        lists = 32 * len(self.tx_ids) + sum(registration.size for registration in self.body.registrations)
        lists += JOIN_BYTES * len(self.body.joins) + HEARTBEAT_BYTES * len(self.body.heartbeats)
        return self.header.size + lists

    def why_malformed(self) -> str | None:
        """Whether body and header belong together; `None` when they do."""
        header, body = self.header, self.body
        if len(body.tx_ids) != header.tx_count or len(set(body.tx_ids)) != len(body.tx_ids):
            return "tx_count"
        if tx_root(body.tx_ids) != header.tx_root:
            return "tx_root"
        if registrations_root(body.registrations) != header.registrations_root:
            return "registrations_root"
        if len(body.joins) > JOINS_MAX or len({j.key for j in body.joins}) != len(body.joins):
            return "joins"
        if digests_root(body.joins) != header.joins_root:
            return "joins_root"
        places = [b.place for b in body.heartbeats]
        if any(later <= earlier for earlier, later in pairwise(places)):
            return "heartbeats"
        if digests_root(body.heartbeats) != header.heartbeats_root:
            return "heartbeats_root"
        return None


def tx_root(tx_ids: tuple[bytes, ...]) -> bytes:
    """Merkle root of the transfer ids."""
    return merkle_root(list(tx_ids), EMPTY_TX_ROOT)


def registrations_root(registrations: tuple[Registration, ...]) -> bytes:
    """Merkle root of the registrations' digests."""
    leaves = [hashlib.blake2s(r.signing_bytes() + r.signature).digest() for r in registrations]
    return merkle_root(leaves, EMPTY_TX_ROOT)


def digests_root(items: Iterable[Join] | Iterable[Heartbeat]) -> bytes:
    """Merkle root of joins or heartbeats."""
    return merkle_root([item.digest for item in items], EMPTY_TX_ROOT)
