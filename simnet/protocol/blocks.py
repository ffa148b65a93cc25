"""Blocks and their canonical bytes.

A block lists transfers by id (their proofs travel once, with gossip, as in compact block relay, BIP 152).
Its hash is Blake2s-256 of the header; each proof backend has, beside it, the header's digest in its own field.
"""

import hashlib
import struct
from dataclasses import dataclass

GENESIS_PARENT = bytes(32)
EMPTY_TX_ROOT = hashlib.blake2s(b"SIMNET-EMPTY-TX").digest()
_HEADER = struct.Struct("<QQ32sHB32s32sQH32s")


def merkle_root(leaves: list[bytes], empty: bytes) -> bytes:
    """Binary Blake2s-256 Merkle root of 32-byte leaves, padded with `empty` to a power of two."""
    level = leaves or [empty]
    while len(level) > 1:
        if len(level) % 2:
            level = [*level, empty]
        level = [hashlib.blake2s(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
    return level[0]


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
        )


@dataclass(frozen=True, slots=True)
class Registration:
    """A validator's keys for one epoch: one-time-key roots for every backend, and its VRF output with proof."""

    validator: int
    epoch: int
    otk_roots: tuple[bytes, ...]
    """By backend id, 1-based: stwo, plonky3, groth16."""
    vrf: bytes
    """32-byte output, 64-byte proof over the epoch's VRF input."""
    signature: bytes

    def signing_bytes(self) -> bytes:
        head = struct.pack("<HQ", self.validator, self.epoch)
        return b"SIMNET-REGISTRATION-V1" + head + b"".join(self.otk_roots) + self.vrf


@dataclass(frozen=True, slots=True)
class Block:
    """A header, the ids of its transfers in order, and registrations for the next epoch."""

    header: Header
    tx_ids: tuple[bytes, ...]
    registrations: tuple[Registration, ...]
    hash: bytes

    @staticmethod
    def assemble(header: Header, tx_ids: tuple[bytes, ...], registrations: tuple[Registration, ...]) -> "Block":
        """The block of these parts, with its hash."""
        return Block(header, tx_ids, registrations, hashlib.blake2s(b"SIMNET-HEADER-V1" + header.encode()).digest())

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return _HEADER.size + 32 * len(self.tx_ids) + 260 * len(self.registrations)

    def why_malformed(self) -> str | None:
        """Whether body and header belong together; `None` when they do."""
        if len(self.tx_ids) != self.header.tx_count or len(set(self.tx_ids)) != len(self.tx_ids):
            return "tx_count"
        if tx_root(self.tx_ids) != self.header.tx_root:
            return "tx_root"
        if registrations_root(self.registrations) != self.header.registrations_root:
            return "registrations_root"
        return None


def tx_root(tx_ids: tuple[bytes, ...]) -> bytes:
    """Merkle root of the transfer ids."""
    return merkle_root(list(tx_ids), EMPTY_TX_ROOT)


def registrations_root(registrations: tuple[Registration, ...]) -> bytes:
    """Merkle root of the registrations' digests."""
    leaves = [hashlib.blake2s(r.signing_bytes() + r.signature).digest() for r in registrations]
    return merkle_root(leaves, EMPTY_TX_ROOT)
