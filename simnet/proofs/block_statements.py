"""Statements and witnesses of the circuits that prove a block.

Digests come in, bytes go out. Everything in a statement is chain data, so that every node builds it itself; what only the
prover needs follows in the witness.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.base.catalogue import CircuitId
from simnet.proofs.layouts import encode, encode_witness
from simnet.proofs.statements import ZERO

SCHEMA_VERSION = PARAMETER_VERSION = 1
"""Of the pruning envelope."""
FAMILIES = 7


# --- identity ------------------------------------------------------------------------------------


def identity_statement(keys: tuple[bytes, bytes, bytes], before: bytes, state_root: bytes, nonce: bytes, after: bytes) -> bytes:
    """`keys`: public key, VRF public key, VRF output. `before`, `after`: identity roots around the join.

    `state_root`: account root before the block.
    """
    public_key, vrf_public_key, vrf_output = keys
    return encode(
        CircuitId.IDENTITY,
        "Statement",
        public_key=public_key,
        vrf_public_key=vrf_public_key,
        vrf_output=vrf_output,
        identity_root_before=before,
        state_root=state_root,
        epoch_nonce=nonce,
        identity_root_after=after,
    )


# --- state ---------------------------------------------------------------------------------------


def state_statement(
    before: bytes, after: bytes, timestamp: int, opened: Sequence[tuple[bytes, bytes]], transfers: Sequence[bytes]
) -> bytes:
    """`opened`: (public key, commitment) of joins; `transfers`: transaction statements; both in block order."""
    return encode(
        CircuitId.STATE,
        "Statement",
        prev_state_root=before,
        new_state_root=after,
        block_time=timestamp,
        identities=[{"public_key": key, "commitment": commitment} for key, commitment in opened],
        transfers=transfers,
    )


@dataclass(frozen=True, slots=True)
class TransferPaths:
    """What the prover adds to a transfer: the receiver's account before it and both authentication paths."""

    receiver: Mapping[str, Any]
    """The fields of `Receiver` by name."""
    sender_path: bytes
    receiver_path: bytes
    """After the sender's update."""


def state_witness(statement: bytes, opened_paths: Sequence[bytes], transfers: Sequence[TransferPaths]) -> bytes:
    """The statement, the paths of opened accounts, then each transfer's part. Receivers are never new on this chain."""
    receipts = [
        {"r_is_new": False, "receiver": t.receiver, "sender_path": t.sender_path, "receiver_path": t.receiver_path} for t in transfers
    ]
    return encode_witness(CircuitId.STATE, statement, identity_paths=opened_paths, receipts=receipts)


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
    return encode(
        CircuitId.PRUNING,
        "Statement",
        first_parent=first_parent,
        start_height=start_height,
        schema_version=SCHEMA_VERSION,
        parameter_version=PARAMETER_VERSION,
        headers=[
            {
                "state_root": block.state_root,
                "timestamp": block.timestamp,
                "transactions": [{"digest": m, "removed": block.removed} for m in block.digests],
            }
            for block in blocks
        ],
    )


# --- recursive -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Roots:
    """The six roots that an aggregate carries. Only the first and the fifth are trees of this chain."""

    state: bytes
    identity: bytes
    reputation: bytes = ZERO

    def named(self) -> dict[str, bytes]:
        """By the names of the circuit's layout."""
        carried = {"global_state": self.state, "zsi": self.identity, "reputation": self.reputation}
        return {"utxo": ZERO, "timetoke": ZERO, "proof": ZERO} | carried

    def pack(self) -> bytes:
        """In the order of the circuit's layout."""
        return encode(CircuitId.RECURSIVE, "Roots", **self.named())


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

    def opening(self) -> dict[str, object]:
        """What the next block's statement says of this aggregate."""
        return {
            "previous_commitment": self.previous,
            "state_proof": self.state_proof,
            "roots": self.roots.named(),
            "pruning_fold": self.pruning_fold,
            "activity": self.activity,
            "height": self.height,
        }


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
    """The statement of a block's aggregate, which is its witness too. `parent`: in-field digest of the parent header.

    Raises `ValueError` unless there is a key id for each family.
    """
    if len(vk_ids) != FAMILIES:
        raise ValueError(f"{len(vk_ids)} key ids for {FAMILIES} circuit families")
    return encode(
        CircuitId.RECURSIVE,
        "Statement",
        vk_ids=vk_ids,
        previous=previous.opening(),
        roots=roots.named(),
        header={"parent": parent, "height": height, "timestamp": timestamp},
        identities=vectors.identity,
        transactions=vectors.transaction,
        uptimes=vectors.uptime,
        decisions=vectors.decision,
        states=vectors.state,
        pruning=vectors.pruning,
    )
