"""What nodes say to each other about transfers and blocks."""

import hashlib
import struct
from dataclasses import dataclass, replace
from enum import IntEnum

from simnet.base.blob import Blob
from simnet.protocol.blocks import Block, Registration
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.validators import SLOTS_PER_EPOCH, Lane

SIGNATURE_BYTES = 64
DIGEST_BYTES = 32


class Phase(IntEnum):
    """The three voting phases of a slot."""

    PREVOTE = 0
    PRECOMMIT = 1
    COMMIT = 2

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class TxMessage:
    """A transfer with its signature, payload and transaction proof."""

    tx: SignedTransfer
    signature: bytes
    payload: bytes
    backend: int
    envelope: Blob

    def __hash__(self) -> int:
        return hash(self.envelope.digest)  # Cheap; equality looks at everything.

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 194 + SIGNATURE_BYTES + len(self.payload) + 1 + len(self.envelope)


def proposal_signing_bytes(slot: int, valid_slot: int, leader: int, block: bytes) -> bytes:
    """What a leader signs; `block` is the header's hash, so the header alone can be checked, too."""
    return b"SIMNET-PROPOSAL-V1" + struct.pack("<QqH", slot, valid_slot, leader) + block


@dataclass(frozen=True, slots=True)
class Vote:
    """A signed vote of one phase. A vote for a block carries the one-time-key tag of its phase, if its author has such keys."""

    height: int
    slot: int
    phase: Phase
    block: bytes | None
    validator: int
    tag: bytes
    """H[VOTEx](k_x, message) in the block's backend; empty for nil, and where the author has no registered key for the slot."""
    signature: bytes

    def __hash__(self) -> int:
        return hash(self.signature)

    def signing_bytes(self) -> bytes:
        # Says whether a block follows: else a tag could be read as a block.
        head = struct.pack("<QQBH?", self.height, self.slot, self.phase, self.validator, self.block is not None)
        return b"SIMNET-VOTE-V1" + head + (self.block or b"") + self.tag

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 19 + 2 * DIGEST_BYTES + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class RollCall:
    """A validator that does not hear a quorum says which slot it is by its clock. It is no vote and spends no key."""

    validator: int
    slot: int
    height: int
    """The height that it votes on."""
    signature: bytes

    def __hash__(self) -> int:
        return hash(self.signature)

    def signing_bytes(self) -> bytes:
        return b"SIMNET-ROLL-CALL-V1" + struct.pack("<HQQ", self.validator, self.slot, self.height)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 18 + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class Proposal:
    """A leader's block for a slot. `valid_slot` ≥ 0: re-proposed because that slot gathered a prevote quorum for it."""

    slot: int
    block: Block
    valid_slot: int
    leader: int
    signature: bytes
    lock: tuple[Vote, ...] = ()
    """The proof of lock: the prevotes of `valid_slot`, each signed by its own author; the leader's signature does not cover them."""

    def __hash__(self) -> int:
        return hash(self.signature)

    @property
    def bare(self) -> "Proposal":
        """What the leader signed. Of a proof of lock anybody can make others by leaving votes out."""
        return replace(self, lock=())

    def signing_bytes(self) -> bytes:
        return proposal_signing_bytes(self.slot, self.valid_slot, self.leader, self.block.hash)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 18 + self.block.size + SIGNATURE_BYTES + sum(v.size for v in self.lock)


@dataclass(frozen=True, slots=True)
class Endorsement:
    """A member certifies a block that it has committed once more: the votes that decided it can prove nothing.

    Its tags stand for all three phases and come from a lane that serves nothing else.
    """

    height: int
    slot: int
    """Whose keys its tags are made with."""
    lane: Lane
    block: bytes
    backend: int
    """In whose field the tags are."""
    registered: int
    """How many registrations of the slot's epoch the author counts on."""
    validator: int
    tags: tuple[bytes, bytes, bytes]
    signature: bytes

    def signing_bytes(self) -> bytes:
        head = struct.pack("<QQBBHH", self.height, self.slot, self.lane, self.backend, self.registered, self.validator)
        return b"SIMNET-ENDORSEMENT-V1" + head + self.block + b"".join(self.tags)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 22 + 4 * DIGEST_BYTES + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class Certificate:
    """Signed votes, or endorsements, of one slot for one block.

    What decides a block needs precommits of a quorum; what a consensus proof rests on (its *tag set*) needs all three tags
    of each of its members. Every tag stands in a signed message, so its author fixed it before disclosing the key behind it.
    """

    height: int
    slot: int
    block: bytes
    backend: int
    """In whose field the tags are; of votes, the block's."""
    registered: int
    """How many registrations of the slot's epoch its keys are among."""
    votes: tuple[Vote, ...] = ()
    """Sorted by (validator, phase)."""
    endorsements: tuple[Endorsement, ...] = ()
    """Sorted by validator; instead of votes."""

    @property
    def lane(self) -> Lane:
        """Which keys its tags are made with."""
        return self.endorsements[0].lane if self.endorsements else Lane.VOTE

    def voters(self, phase: Phase) -> frozenset[int]:
        """Who voted for the block in a phase."""
        return frozenset(v.validator for v in self.votes if v.phase is phase) | {e.validator for e in self.endorsements}

    def tags(self) -> dict[int, tuple[bytes, bytes, bytes]]:
        """The three tags of every member that gave all of them, ascending by validator."""
        given: dict[int, dict[Phase, bytes]] = {}
        for v in self.votes:
            if v.tag:
                given.setdefault(v.validator, {})[v.phase] = v.tag
        voted = {v: (t[Phase.PREVOTE], t[Phase.PRECOMMIT], t[Phase.COMMIT]) for v, t in given.items() if len(t) == len(Phase)}
        return dict(sorted((voted | {e.validator: e.tags for e in self.endorsements}).items()))

    def why_not_whole(self) -> str | None:
        """Whether its parts belong together, whoever signed them; `None` when they do."""
        if self.votes and self.endorsements:
            return "mixed"
        subject = (self.height, self.slot, self.block)
        if any((v.height, v.slot, v.block) != subject for v in self.votes):
            return "votes"
        place = (*subject, self.backend, self.registered, self.lane)
        if any((e.height, e.slot, e.block, e.backend, e.registered, e.lane) != place or e.lane is Lane.VOTE for e in self.endorsements):
            return "votes"
        places = [(v.validator, v.phase) for v in self.votes] + [(e.validator, Phase.COMMIT) for e in self.endorsements]
        return None if places == sorted(set(places)) else "votes"

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 51 + sum(v.size for v in self.votes) + sum(e.size for e in self.endorsements)


@dataclass(frozen=True, slots=True)
class KeyDisclosure:
    """A validator's one-time keys of a slot and lane, disclosed once its tags are in a certificate."""

    height: int
    slot: int
    lane: Lane
    backend: int
    block: bytes
    validator: int
    keys: tuple[bytes, bytes, bytes, bytes]
    signature: bytes

    def signing_bytes(self) -> bytes:
        head = struct.pack("<QQBBH", self.height, self.slot, self.lane, self.backend, self.validator)
        return b"SIMNET-DISCLOSURE-V2" + head + self.block + b"".join(self.keys)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 20 + 5 * DIGEST_BYTES + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class VrfEntry:
    """One validator's in-circuit VRF entry of a slot."""

    validator: int
    output: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class ConsensusProof:
    """The consensus proof of a committed block, with the lists that its public inputs commit to.

    The witness commitments and reputation roots are not sent: every node derives them from the block.
    """

    certificate: Certificate
    vrf: tuple[VrfEntry, ...]
    prover: int
    backend: int
    envelope: Blob
    signature: bytes
    """The prover's: who sends a proof that does not hold answers for it."""

    def signing_bytes(self) -> bytes:
        c = self.certificate
        parts = hashlib.blake2s(b"".join(v.signature for v in c.votes) + b"".join(e.signature for e in c.endorsements))
        parts.update(b"".join(struct.pack("<H", e.validator) + e.output + e.key for e in self.vrf))
        head = struct.pack("<QQBHBH", c.height, c.slot, c.backend, c.registered, self.backend, self.prover)
        return b"SIMNET-CONSENSUS-PROOF-V1" + head + c.block + parts.digest() + self.envelope.digest

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.certificate.size + 66 * len(self.vrf) + 3 + len(self.envelope) + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class BlockProof:
    """One of the proofs that a committed block carries beside its consensus proof.

    The statement is not sent: every node builds it from its own chain.
    """

    height: int
    block: bytes
    circuit: int
    index: int
    """Which of the block's proofs of this circuit, from 0."""
    backend: int
    envelope: Blob
    prover: int
    signature: bytes

    def signing_bytes(self) -> bytes:
        head = struct.pack("<QBHBH", self.height, self.circuit, self.index, self.backend, self.prover)
        return b"SIMNET-BLOCK-PROOF-V1" + head + self.block + self.envelope.digest

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 14 + DIGEST_BYTES + SIGNATURE_BYTES + len(self.envelope)


@dataclass(frozen=True, slots=True)
class ProofsOf:
    """The proofs of one committed block, for a neighbour that lacks some."""

    height: int
    consensus: ConsensusProof | None
    proofs: tuple[BlockProof, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        consensus = self.consensus.size if self.consensus else 0
        return 8 + consensus + sum(p.size for p in self.proofs)


@dataclass(frozen=True, slots=True)
class SyncedBlock:
    """A committed block for a node that missed it: the block, its certificate, its transfers, its proofs as far as there are any."""

    block: Block
    certificate: Certificate
    transfers: tuple[TxMessage, ...]
    proofs: ProofsOf

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.block.size + self.certificate.size + sum(t.size for t in self.transfers) + self.proofs.size


def registration_size(registration: Registration) -> int:
    """Bytes on the wire; with all public one-time keys of the epoch, which travel beside the roots."""
    trees = sum(len(lane) for lane in registration.otk_roots)
    return registration.size + trees * SLOTS_PER_EPOCH * 4 * DIGEST_BYTES
