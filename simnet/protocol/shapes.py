"""The shape of what neighbours send: exact lengths, ranges that the canonical bytes hold, tuples within limits.

A node looks at it before it computes anything from a message. Canonical bytes join fields of fixed length: a field that is too long or
too short would be cut or padded, so that two contents had one hash or one signature, and a number out of range has no bytes at all.
On a wire a strict decoder does this; here messages are objects, so the shape is checked instead.
"""

import hashlib
from collections.abc import Callable
from itertools import chain
from typing import Any

from simnet.blob import Blob
from simnet.protocol.blocks import Block, Body, FieldRoots, Header, Registration
from simnet.protocol.evidence import DoubleSign, FalseProof, InvalidProposal, SignedHeader
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.joins import Join
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import (
    BlockProof,
    Certificate,
    ConsensusProof,
    Endorsement,
    KeyDisclosure,
    Phase,
    ProofsOf,
    Proposal,
    SyncedBlock,
    TxMessage,
    Vote,
    VrfEntry,
)
from simnet.protocol.transfer import Account, Transfer
from simnet.protocol.validators import Lane

LIST_MAX = 65_536
"""Items of any list."""
TRANSFERS_MAX = 1024
"""Transfers of a block: the most that a scenario allows."""
FIELDS_MAX = 8
SIGNATURE, DIGEST, VRF = 64, 32, 96


def _is(x: object, kind: type) -> bool:
    return isinstance(x, kind)


def _is_long(x: tuple[object, ...], length: int) -> bool:
    return len(x) == length


def is_bytes(x: object, length: int) -> bool:
    """Whether this is so many bytes."""
    return type(x) is bytes and len(x) == length


def is_number(x: object, bits: int) -> bool:
    """Whether this is a number of at most so many bits."""
    return isinstance(x, int) and 0 <= x < 1 << bits


def are(x: object, check: Callable[[Any], bool], most: int = LIST_MAX) -> bool:
    """Whether this is a tuple of such items."""
    return type(x) is tuple and len(x) <= most and all(map(check, x))


def _digest(x: object) -> bool:
    return is_bytes(x, DIGEST)


def _digests(*given: object) -> bool:
    return all(type(x) is bytes and len(x) == DIGEST for x in given)


def _u64(*given: object) -> bool:
    return all(isinstance(x, int) and 0 <= x < 1 << 64 for x in given)


def _u16(*given: object) -> bool:
    return all(isinstance(x, int) and 0 <= x < 1 << 16 for x in given)


def _u8(*given: object) -> bool:
    return all(isinstance(x, int) and 0 <= x < 1 << 8 for x in given)


def _maybe_digest(x: object) -> bool:
    return x is None or is_bytes(x, DIGEST)


def blob(x: Any) -> bool:
    """Its digest is its content's, too."""
    return isinstance(x, Blob) and _is(x.data, bytes) and x.digest == hashlib.blake2s(x.data).digest()


# --- votes and blocks ------------------------------------------------------------------------------


def vote(v: Any) -> bool:
    return (
        isinstance(v, Vote)
        and _u64(v.height, v.slot)
        and _is(v.phase, Phase)
        and _maybe_digest(v.block)
        and _u16(v.validator)
        and (v.tag == b"" or is_bytes(v.tag, DIGEST))
        and (v.block is not None or v.tag == b"")
        and is_bytes(v.signature, SIGNATURE)
    )


def field_roots(f: Any) -> bool:
    return isinstance(f, FieldRoots) and _u8(f.backend) and _digests(f.parent, f.state, f.identity, f.transactions)


def header(h: Any) -> bool:
    return (
        isinstance(h, Header)
        and _u64(h.height, h.slot, h.timestamp)
        and _u16(h.proposer, h.tx_count)
        and _u8(h.backend)
        and _digests(h.parent, h.state_root, h.tx_root, h.registrations_root, h.joins_root, h.heartbeats_root)
        and are(h.fields, field_roots, FIELDS_MAX)
    )


def registration(r: Any) -> bool:
    lanes = len(Lane)
    return (
        isinstance(r, Registration)
        and _u16(r.validator)
        and _u64(r.epoch)
        and are(r.otk_roots, lambda lane: are(lane, _digest, FIELDS_MAX) and len(lane) == len(r.otk_roots[0]), lanes)
        and len(r.otk_roots) == lanes
        and is_bytes(r.vrf, VRF)
        and is_bytes(r.signature, SIGNATURE)
    )


def join(j: Any) -> bool:
    return (
        isinstance(j, Join)
        and _u16(j.validator)
        and _digests(j.key, j.vrf_key)
        and is_bytes(j.vrf, VRF)
        and is_bytes(j.signature, SIGNATURE)
    )


def heartbeat(b: Any) -> bool:
    return isinstance(b, Heartbeat) and _u16(b.validator) and _u64(b.t) and _digest(b.head) and is_bytes(b.signature, SIGNATURE)


def body(b: Any) -> bool:
    return (
        isinstance(b, Body)
        and are(b.tx_ids, _digest, TRANSFERS_MAX)
        and are(b.registrations, registration)
        and are(b.joins, join)
        and are(b.heartbeats, heartbeat)
    )


def block(b: Any) -> bool:
    """Its hash is its header's, too."""
    return isinstance(b, Block) and header(b.header) and body(b.body) and b.hash == b.header.hash


def proposal(p: Any) -> bool:
    return (
        isinstance(p, Proposal)
        and _u64(p.slot)
        and _is(p.valid_slot, int)
        and -1 <= p.valid_slot < 1 << 63
        and _u16(p.leader)
        and block(p.block)
        and is_bytes(p.signature, SIGNATURE)
        and are(p.lock, vote)
    )


def endorsement(e: Any) -> bool:
    return (
        isinstance(e, Endorsement)
        and _u64(e.height, e.slot)
        and _is(e.lane, Lane)
        and _digest(e.block)
        and _u8(e.backend)
        and _u16(e.registered, e.validator)
        and are(e.tags, _digest)
        and _is_long(e.tags, len(Phase))
        and is_bytes(e.signature, SIGNATURE)
    )


def certificate(c: Any) -> bool:
    return (
        isinstance(c, Certificate)
        and _u64(c.height, c.slot)
        and _digest(c.block)
        and _u8(c.backend)
        and _u16(c.registered)
        and are(c.votes, vote)
        and are(c.endorsements, endorsement)
    )


def key_disclosure(d: Any) -> bool:
    return (
        isinstance(d, KeyDisclosure)
        and _u64(d.height, d.slot)
        and _is(d.lane, Lane)
        and _u8(d.backend)
        and _digest(d.block)
        and _u16(d.validator)
        and are(d.keys, _digest)
        and _is_long(d.keys, 4)
        and is_bytes(d.signature, SIGNATURE)
    )


# --- proofs and transfers ----------------------------------------------------------------------------


def _vrf_entry(e: Any) -> bool:
    return isinstance(e, VrfEntry) and _u16(e.validator) and _digests(e.output, e.key)


def consensus_proof(p: Any) -> bool:
    return (
        isinstance(p, ConsensusProof)
        and certificate(p.certificate)
        and are(p.vrf, _vrf_entry)
        and _u16(p.prover)
        and _u8(p.backend)
        and blob(p.envelope)
        and is_bytes(p.signature, SIGNATURE)
    )


def block_proof(p: Any) -> bool:
    return (
        isinstance(p, BlockProof)
        and _u64(p.height)
        and _digest(p.block)
        and _u8(p.circuit, p.backend)
        and _u16(p.index, p.prover)
        and blob(p.envelope)
        and is_bytes(p.signature, SIGNATURE)
    )


def _account(a: Any) -> bool:
    return isinstance(a, Account) and _u64(a.balance, a.nonce, a.stake, a.last_decay) and _u8(a.tier) and _digest(a.rep)


def _transfer(t: Any) -> bool:
    return (
        isinstance(t, Transfer)
        and _digests(t.sender, t.receiver, t.memo)
        and _u64(t.amount, t.fee, t.nonce, t.timestamp)
        and _u8(t.required_tier)
    )


def transaction(m: Any) -> bool:
    return (
        isinstance(m, TxMessage)
        and _is(m.tx, SignedTransfer)
        and _transfer(m.tx.transfer)
        and _account(m.tx.account)
        and _digest(m.tx.id)
        and is_bytes(m.signature, SIGNATURE)
        and _is(m.payload, bytes)
        and _u8(m.backend)
        and blob(m.envelope)
    )


def _signed(m: Any) -> bool:
    if isinstance(m, Vote):
        return vote(m)
    return (
        isinstance(m, SignedHeader)
        and _u64(m.slot)
        and _is(m.valid_slot, int)
        and -1 <= m.valid_slot < 1 << 63
        and header(m.header)
        and _u16(m.leader)
        and is_bytes(m.signature, SIGNATURE)
    )


def evidence(claim: Any) -> bool:
    match claim:
        case DoubleSign():
            return _signed(claim.first) and _signed(claim.second)
        case FalseProof():
            return block_proof(claim.proof) or consensus_proof(claim.proof)
        case InvalidProposal():
            return proposal(claim.proposal)
    return False


# --- answers between neighbours ------------------------------------------------------------------------


def proofs_of(p: Any) -> bool:
    return (
        isinstance(p, ProofsOf) and _u64(p.height) and (p.consensus is None or consensus_proof(p.consensus)) and are(p.proofs, block_proof)
    )


def synced_block(s: Any) -> bool:
    return (
        isinstance(s, SyncedBlock)
        and block(s.block)
        and certificate(s.certificate)
        and are(s.transfers, transaction, TRANSFERS_MAX)
        and proofs_of(s.proofs)
    )


def synced_blocks(x: object) -> bool:
    return are(x, synced_block, TRANSFERS_MAX)


def ids(x: object) -> bool:
    return are(x, _digest)


def votes(x: object) -> bool:
    return are(x, vote)


GOSSIP: dict[str, Callable[[Any], bool]] = {
    "transaction": transaction,
    "vote": vote,
    "endorsement": endorsement,
    "proposal": proposal,
    "tag_set": certificate,
    "key_disclosure": key_disclosure,
    "consensus_proof": consensus_proof,
    "registration": registration,
    "join": join,
    "heartbeat": heartbeat,
    "block_proof": block_proof,
    "evidence": evidence,
}
"""Kind of gossip message -> whether a payload has its shape."""
DIRECT: dict[str, Callable[[Any], bool]] = {
    "votes": votes,
    "block_request": lambda x: is_number(x, 64),
    "block_response": synced_blocks,
    "proof_response": proofs_of,
    "tx_request": ids,
    "tx_response": transaction,
}
"""Kind of point-to-point message -> the same. What nodes tell about themselves is `node.sync`'s."""
assert not set(chain(GOSSIP)) & set(DIRECT)
