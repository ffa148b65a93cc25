"""The shape of what comes from the network: lengths of byte strings, ranges of integers, types of parts.

Hashes and signatures are taken over fields of fixed width laid end to end. With a field of another length two different messages
could have the same hash and the same signature, and a relay could put one in the other's place. So nothing is computed from
a message before its shape is known to be right. A table has every type; what is not in it is no message.
"""

from collections.abc import Callable, Mapping

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId
from simnet.protocol.blocks import Block, Body, FieldRoots, Header, Registration
from simnet.protocol.evidence import BrokenLock, DoubleSign, FalseProof, InvalidProposal, SignedHeader
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
    RollCall,
    SyncedBlock,
    TxMessage,
    Vote,
    VrfEntry,
)
from simnet.protocol.testimony import BLOCKS_MAX, HEADERS_MAX, VOTES_MAX, Branch, Testimony
from simnet.protocol.transfer import Account, Transfer
from simnet.protocol.validators import Lane

Check = Callable[[object], bool]
VRF_BYTES = 96
LIST_MAX = 65_536
"""Items of any list."""


def exactly(*sizes: int) -> Check:
    """Bytes of one of these lengths."""
    return lambda value: type(value) is bytes and len(value) in sizes


def below(limit: int) -> Check:
    """A whole number from 0 to below this one; a truth value is none."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value < limit


def from_minus_one(value: object) -> bool:
    """A slot, or -1 for none."""
    return value == -1 or U63(value)


def each(check: Check, count: int | None = None) -> Check:
    """A tuple of such values, of any or of this length."""
    most = LIST_MAX if count is None else count
    return lambda value: type(value) is tuple and len(value) <= most and (count is None or len(value) == count) and all(map(check, value))


def either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


def nothing(value: object) -> bool:
    return value is None


def a(*kinds: type) -> Check:
    """A message part of one of these types, of the right shape itself."""
    return lambda value: type(value) in kinds and is_shaped(value)


def one_of(enumeration: type[Phase] | type[Lane]) -> Check:
    members = frozenset(enumeration)
    return lambda value: type(value) is enumeration and value in members


U8, U16, U63, U64 = (below(1 << bits) for bits in (8, 16, 63, 64))
DIGEST, SIGNATURE, ANY_BYTES = exactly(32), exactly(64), lambda value: type(value) is bytes
VOTE = {"validator": U16, "slot": U63, "height": U63}
SHAPES: Mapping[type, Mapping[str, Check]] = {
    Blob: {"data": ANY_BYTES},
    Account: {"balance": U64, "nonce": U64, "stake": U64, "tier": U8, "last_decay": U64, "rep": DIGEST},
    Transfer: {
        "sender": DIGEST, "receiver": DIGEST, "amount": U64, "fee": U64, "nonce": U64, "required_tier": U8, "timestamp": U64, "memo": DIGEST,
    },
    SignedTransfer: {"transfer": a(Transfer), "account": a(Account), "id": DIGEST},
    TxMessage: {"tx": a(SignedTransfer), "signature": SIGNATURE, "payload": ANY_BYTES, "backend": U8, "envelope": a(Blob)},
    Vote: {**VOTE, "phase": one_of(Phase), "block": either(nothing, DIGEST), "tag": exactly(0, 32), "signature": SIGNATURE},
    RollCall: {**VOTE, "signature": SIGNATURE},
    FieldRoots: {"backend": U8, "parent": DIGEST, "state": DIGEST, "identity": DIGEST, "transactions": DIGEST},
    Header: {
        "height": U63, "slot": U63, "parent": DIGEST, "proposer": U16, "backend": U8, "state_root": DIGEST, "tx_root": DIGEST,
        "timestamp": U63, "tx_count": U16, "registrations_root": DIGEST, "joins_root": DIGEST, "heartbeats_root": DIGEST,
        "fields": each(a(FieldRoots)),
    },
    Registration: {
        "validator": U16, "epoch": U63, "otk_roots": each(each(DIGEST, len(BackendId)), len(Lane)), "vrf": exactly(VRF_BYTES),
        "signature": SIGNATURE,
    },
    Join: {"validator": U16, "key": DIGEST, "vrf_key": DIGEST, "vrf": exactly(VRF_BYTES), "signature": SIGNATURE},
    Heartbeat: {"validator": U16, "t": U63, "head": DIGEST, "signature": SIGNATURE},
    Body: {
        "tx_ids": each(DIGEST), "registrations": each(a(Registration)), "joins": each(a(Join)), "heartbeats": each(a(Heartbeat)),
    },
    Block: {"header": a(Header), "body": a(Body), "hash": DIGEST},
    Proposal: {
        "slot": U63, "block": a(Block), "valid_slot": from_minus_one, "leader": U16, "signature": SIGNATURE, "lock": each(a(Vote)),
    },
    SignedHeader: {"slot": U63, "header": a(Header), "valid_slot": from_minus_one, "leader": U16, "signature": SIGNATURE},
    Endorsement: {
        **VOTE, "lane": one_of(Lane), "block": DIGEST, "backend": U8, "registered": U16, "tags": each(DIGEST, len(Phase)), "signature": SIGNATURE,
    },
    Certificate: {
        "height": U63, "slot": U63, "block": DIGEST, "backend": U8, "registered": U16, "votes": each(a(Vote)),
        "endorsements": each(a(Endorsement)),
    },
    KeyDisclosure: {**VOTE, "lane": one_of(Lane), "backend": U8, "block": DIGEST, "keys": each(DIGEST, 4), "signature": SIGNATURE},
    VrfEntry: {"validator": U16, "output": DIGEST, "key": DIGEST},
    ConsensusProof: {
        "certificate": a(Certificate), "vrf": each(a(VrfEntry)), "prover": U16, "backend": U8, "envelope": a(Blob), "signature": SIGNATURE,
    },
    BlockProof: {
        "height": U63, "block": DIGEST, "circuit": U8, "index": U16, "backend": U8, "envelope": a(Blob), "prover": U16, "signature": SIGNATURE,
    },
    ProofsOf: {"height": U63, "consensus": either(nothing, a(ConsensusProof)), "proofs": each(a(BlockProof))},
    SyncedBlock: {"block": a(Block), "certificate": a(Certificate), "transfers": each(a(TxMessage)), "proofs": a(ProofsOf)},
    DoubleSign: {"first": a(Vote, SignedHeader), "second": a(Vote, SignedHeader)},
    Branch: {"first": U63, "blocks": each(DIGEST)},
    Testimony: {"height": U63, "headers": each(a(Header)), "votes": each(a(Vote))},
    BrokenLock: {"precommit": a(Vote), "prevote": a(Vote), "header": a(Header)},
    FalseProof: {"proof": a(BlockProof, ConsensusProof)},
    InvalidProposal: {"proposal": a(Proposal)},
}  # fmt: skip
"""Every field of every type. Integers are bounded by the width that they are packed in."""
GOSSIP: Mapping[str, tuple[type, ...]] = {
    "transaction": (TxMessage,),
    "vote": (Vote,),
    "roll_call": (RollCall,),
    "endorsement": (Endorsement,),
    "proposal": (Proposal,),
    "tag_set": (Certificate,),
    "key_disclosure": (KeyDisclosure,),
    "consensus_proof": (ConsensusProof,),
    "registration": (Registration,),
    "join": (Join,),
    "heartbeat": (Heartbeat,),
    "block_proof": (BlockProof,),
    "evidence": (DoubleSign, BrokenLock, FalseProof, InvalidProposal),
}
"""What gossip messages of a kind carry."""
DIRECT: Mapping[str, Check] = {
    "votes": each(a(Vote)),
    "block_request": U63,
    "block_response": each(a(SyncedBlock)),
    "proof_response": a(ProofsOf),
    "fork_request": lambda value: type(value) is Branch and len(value.blocks) <= BLOCKS_MAX and is_shaped(value),
    "fork_response": lambda value: (
        type(value) is Testimony and len(value.headers) <= HEADERS_MAX and len(value.votes) <= VOTES_MAX and is_shaped(value)
    ),
    "tx_request": each(DIGEST),
    "tx_response": a(TxMessage),
}
"""The same of point-to-point messages, but for those of a type of their own (`node.sync`)."""


def is_shaped(value: object) -> bool:
    """Whether a value is of a type of the table, all its fields are as they must be, and it is called by its own content's hash."""
    fields = SHAPES.get(type(value))
    if fields is None or not all(check(getattr(value, name)) for name, check in fields.items()):
        return False
    return not isinstance(value, Block) or value.hash == value.header.hash


def fits_gossip(kind: str, payload: object) -> bool:
    """Whether a gossip message carries what its kind says; of a kind that nobody knows it does not matter."""
    return kind not in GOSSIP or (type(payload) in GOSSIP[kind] and is_shaped(payload))


def fits_direct(kind: str, payload: object) -> bool:
    """The same for a point-to-point message."""
    return kind not in DIRECT or DIRECT[kind](payload)
