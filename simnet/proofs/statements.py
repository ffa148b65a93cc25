"""Statements and witnesses of the consensus circuit.

Everything here is computed from chain data that every node has: the header, the epoch's validator set, the
certificate's signed votes and the disclosed VRF entries.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs import native
from simnet.proofs.layouts import encode, encode_witness

ZERO = bytes(32)
lift = lru_cache(maxsize=1 << 16)(native.lift)
"""Lift of a 32-byte hash into a field: transfers and block hashes are lifted by every statement that names them."""


@dataclass(frozen=True, slots=True)
class CommitteeMember:
    """A validator as one proof backend sees it."""

    key: bytes
    weight: int
    tier: int
    timetoke_hours: int
    otk_root: bytes


@dataclass(frozen=True, slots=True)
class Committee:
    """An epoch's validators in circuit order, as one proof backend sees them."""

    backend: BackendId
    capacity: int
    members: tuple[CommitteeMember, ...]


@dataclass(frozen=True, slots=True)
class BlockStatement:
    """What the consensus circuit says about a block, before votes."""

    digest: bytes
    """H[HEADER] in the committee's field."""
    slot: int
    """The slot that decided; its round has the same number."""
    epoch: int
    witnesses: tuple[bytes, ...]
    """32-byte commitments, lifted here."""
    reputation_roots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MemberVotes:
    """One member's part: its three tags, and its VRF entry. All empty when it is not in the certificate."""

    tags: tuple[bytes, bytes, bytes] | None
    vrf: tuple[bytes, bytes] | None
    """(output, key)."""


@lru_cache(maxsize=1024)
def committee_records(committee: Committee) -> tuple[bytes, ...]:
    """The validator records of the consensus statement."""
    return tuple(
        encode(
            CircuitId.CONSENSUS,
            "Validator",
            addr=native.address(committee.backend, m.key),
            weight=m.weight,
            tier=m.tier,
            otk_root=m.otk_root,
            tier_seed=tier_seed(committee.backend, m.key, m.timetoke_hours),
        )
        for m in committee.members
    )


@lru_cache(maxsize=4096)
def tier_seed(backend: BackendId, key: bytes, hours: int) -> bytes:
    """H[TIERSEED](addr, timetoke hours)."""
    return native.tier_seed(backend, native.address(backend, key), hours)


@lru_cache(maxsize=1024)
def set_root(committee: Committee) -> bytes:
    """validator_set_root."""
    return native.validator_set_root(committee.backend, committee.capacity, b"".join(committee_records(committee)))


@lru_cache(maxsize=1024)
def vote_message(committee: Committee, block: BlockStatement) -> bytes:
    """What a slot's tags are computed over."""
    return native.vote_message(committee.backend, block.digest, block.slot, block.epoch, block.slot, set_root(committee))


def consensus_statement(committee: Committee, block: BlockStatement, votes: tuple[MemberVotes, ...]) -> bytes:
    """The consensus statement; `votes` in the committee's order."""
    backend = committee.backend
    return encode(
        CircuitId.CONSENSUS,
        "Statement",
        block_hash=block.digest,
        round=block.slot,
        epoch=block.epoch,
        slot=block.slot,
        validators=committee_records(committee),
        ballots=[_ballot(v) for v in votes],
        witness_commitments=[lift(backend, c) for c in block.witnesses],
        reputation_roots=[lift(backend, r) for r in block.reputation_roots],
    )


def consensus_witness(
    statement: bytes, votes: tuple[MemberVotes, ...], opened: Mapping[int, tuple[tuple[bytes, ...], bytes, bytes]]
) -> bytes:
    """The statement followed by every member's keys: position -> (k0..k3, K0..K3, path).

    A member that is not in the certificate needs its public keys and path too: its leaf is in the tree.
    """
    openings = []
    for position in range(len(votes)):
        keys, public, path = opened[position]
        disclosed = keys[:3] if votes[position].tags is not None else (ZERO, ZERO, ZERO)
        openings.append({"keys": disclosed, "public": public, "path": path})
    return encode_witness(CircuitId.CONSENSUS, statement, openings=openings)


def _ballot(votes: MemberVotes) -> dict[str, object]:
    output, key = votes.vrf or (ZERO, ZERO)
    flags = (("prevote", "precommit", "commit") if votes.tags else ()) + (("vrf",) if votes.vrf else ())
    return {"votes": flags, "tags": votes.tags or (ZERO, ZERO, ZERO), "vrf_output": output, "vrf_key": key}


def reputation_root(members: tuple[CommitteeMember, ...]) -> bytes:
    """One 32-byte commitment to the members' tiers and timetoke hours."""
    packed = b"".join(m.key + struct.pack("<BQ", m.tier, m.timetoke_hours) for m in members)
    return hashlib.blake2s(b"SIMNET-REPUTATION-V1" + packed).digest()
