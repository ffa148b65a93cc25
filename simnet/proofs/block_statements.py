"""Statements and witnesses of the circuits that prove a block, packed as the native module takes them.

Pure packing: digests come in, bytes go out. Layouts are those of `simnet/_zk.pyi`. Everything in a statement is
chain data, so that every node builds it itself; what only the prover needs follows in the witness.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from simnet.proofs.statements import ZERO

SCHEMA_VERSION = PARAMETER_VERSION = 1
"""Of the pruning envelope."""
FAMILIES = 7


def pack_list(items: Sequence[bytes]) -> bytes:
    """u16 count, then the items."""
    return struct.pack("<H", len(items)) + b"".join(items)


# --- identity ------------------------------------------------------------------------------------


def identity_statement(keys: tuple[bytes, bytes, bytes], before: bytes, state_root: bytes, nonce: bytes, after: bytes) -> bytes:
    """`keys`: public key, VRF public key, VRF output. `before`, `after`: identity roots around the join.

    `state_root`: account root before the block.
    """
    return b"".join([*keys, before, state_root, nonce, after])


# --- state ---------------------------------------------------------------------------------------


def state_statement(
    before: bytes, after: bytes, timestamp: int, opened: Sequence[tuple[bytes, bytes]], transfers: Sequence[bytes]
) -> bytes:
    """`opened`: (public key, commitment) of joins; `transfers`: transaction statements; both in block order."""
    head = before + after + struct.pack("<Q", timestamp)
    return head + pack_list([key + commitment for key, commitment in opened]) + pack_list(transfers)


@dataclass(frozen=True, slots=True)
class TransferPaths:
    """What the prover adds to a transfer: the receiver's account before it and both authentication paths."""

    receiver: bytes
    """Balance, nonce, stake, tier, last decay (33 bytes), reputation digest."""
    sender_path: bytes
    receiver_path: bytes
    """After the sender's update."""


def state_witness(statement: bytes, opened_paths: Sequence[bytes], transfers: Sequence[TransferPaths]) -> bytes:
    """The statement, the paths of opened accounts, then each transfer's part. Receivers are never new on this chain."""
    return b"".join([statement, *opened_paths, *(b"\0" + t.receiver + t.sender_path + t.receiver_path for t in transfers)])


# --- pruning -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrunedBlock:
    """One block of a pruning window."""

    state_root: bytes
    timestamp: int
    digests: tuple[bytes, ...]
    removed: bool
    """Whether its transfers are removed."""


def pruning_statement(first_parent: bytes, start_height: int, blocks: Sequence[PrunedBlock]) -> bytes:
    """The statement of a window of blocks, which is its witness too."""
    parts = [first_parent, struct.pack("<QHH", start_height, SCHEMA_VERSION, PARAMETER_VERSION)]
    for block in blocks:
        flag = bytes([block.removed])
        parts += [block.state_root, struct.pack("<Q", block.timestamp), pack_list([m + flag for m in block.digests])]
    return b"".join(parts)


# --- uptime --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UptimeClaim:
    """A claim as the circuit sees it. Times share one unit, milliseconds on this chain."""

    key: bytes
    clock: int
    epoch: int
    """Number of the window, from 1: the circuit refuses 0."""
    head: bytes
    """Of the last heartbeat, lifted."""
    start: int
    end: int
    identity_root: bytes
    log_root: bytes
    threshold: int
    count: int


def uptime_statement(claim: UptimeClaim) -> bytes:
    """The statement of a claim."""
    times = struct.pack("<QQ", claim.start, claim.end)
    roots = claim.identity_root + claim.log_root
    return (
        claim.key
        + struct.pack("<QQ", claim.clock, claim.epoch)
        + claim.head
        + times
        + roots
        + struct.pack("<HH", claim.threshold, claim.count)
    )


@dataclass(frozen=True, slots=True)
class LoggedBeat:
    """One counted heartbeat with its path in the log."""

    t: int
    head: bytes
    signature_digest: bytes
    index: int
    path: bytes


def uptime_witness(statement: bytes, commitment: bytes, identity_path: bytes, beats: Sequence[LoggedBeat]) -> bytes:
    """The statement, the identity's commitment and path, then the heartbeats."""
    rows = [struct.pack("<Q", b.t) + b.head + b.signature_digest + struct.pack("<I", b.index) + b.path for b in beats]
    return b"".join([statement, commitment, identity_path, *rows])


# --- recursive -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Roots:
    """The six roots that an aggregate carries. Only the first and the fifth are trees of this chain."""

    state: bytes
    identity: bytes
    reputation: bytes = ZERO

    def pack(self) -> bytes:
        """Global state, utxo, reputation, timetoke, zsi, proof."""
        return b"".join([self.state, ZERO, self.reputation, ZERO, self.identity, ZERO])


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What a block adds up to in one field, opened by the next block's aggregate."""

    previous: bytes
    """The commitment before it."""
    state_proof: bytes
    roots: Roots
    pruning_fold: bytes
    activity: bytes
    height: int
    commitment: bytes

    @staticmethod
    def of(previous: bytes, roots: Roots, height: int, digests: bytes) -> "Aggregate":
        """From the four digests that the native module computes: state proof, activity, fold, commitment."""
        state_proof, activity, fold, commitment = (digests[i : i + 32] for i in range(0, 128, 32))
        return Aggregate(previous, state_proof, roots, fold, activity, height, commitment)

    def pack(self) -> bytes:
        """The opening."""
        parts = [self.previous, self.state_proof, self.roots.pack(), self.pruning_fold, self.activity]
        return b"".join(parts) + struct.pack("<Q", self.height)


@dataclass(frozen=True, slots=True)
class Vectors:
    """What a block's proofs say, by circuit, in block order: public-input vectors, and the block's decision.

    A decision is `native.decision_vector(backend, block digest D, digest of the members, total power, threshold)`.
    It follows from the chain, not from a consensus proof, so every block has exactly one in every field.
    """

    identity: Sequence[bytes]
    transaction: Sequence[bytes]
    uptime: Sequence[bytes]
    decision: Sequence[bytes]
    state: Sequence[bytes]
    pruning: Sequence[bytes]


def recursive_statement(
    vk_ids: Sequence[bytes], previous: Aggregate, roots: Roots, parent: bytes, height: int, timestamp: int, vectors: Vectors
) -> bytes:
    """The statement of a block's aggregate, which is its witness too. `parent`: in-field digest of the parent header."""
    if len(vk_ids) != FAMILIES:
        raise ValueError(f"{len(vk_ids)} key ids for {FAMILIES} circuit families")
    header = parent + struct.pack("<QQ", height, timestamp)
    v = vectors
    lists = (v.identity, v.transaction, v.uptime, v.decision, v.state, v.pruning)
    return b"".join([*vk_ids, previous.pack(), roots.pack(), header, *map(pack_list, lists)])
