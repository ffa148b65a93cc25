"""A node's view of the chain: committed blocks, the ledger after the last one, validator sets."""

from collections.abc import Mapping
from dataclasses import dataclass

from simnet.node.identity import registration_valid
from simnet.node.world import World
from simnet.proofs.backend import BackendId
from simnet.proofs.statements import BlockStatement, Committee, CommitteeMember, reputation_root
from simnet.protocol.blocks import GENESIS_PARENT, Block
from simnet.protocol.consensus import SetsOf
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.messages import Certificate, ConsensusProof, Phase
from simnet.protocol.validators import EpochSet, epoch_of


@dataclass(slots=True)
class CommittedBlock:
    """A block that this node holds final."""

    block: Block
    slot: int
    """The slot that decided it."""
    certificate: Certificate
    """At least a precommit quorum."""
    members: EpochSet
    """The validators of the deciding slot."""
    proof: ConsensusProof | None = None


class Chain:
    """Committed blocks, from height 1 at index 0."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ledger: Ledger = world.genesis.ledger
        self.committed: list[CommittedBlock] = []
        self.sets: dict[int, EpochSet] = {0: world.genesis.epoch}

    @property
    def height(self) -> int:
        """Height of the last committed block; 0 at genesis."""
        return len(self.committed)

    @property
    def head(self) -> bytes:
        """Hash of the last committed block."""
        return self.committed[-1].block.hash if self.committed else GENESIS_PARENT

    def at(self, height: int) -> CommittedBlock | None:
        """The committed block of a height."""
        return self.committed[height - 1] if 1 <= height <= len(self.committed) else None

    def sets_of_next(self) -> SetsOf:
        """The epoch sets that are fixed for the next height."""
        return SetsOf(dict(self.sets))

    def why_unacceptable(self, block: Block, txs: Mapping[bytes, SignedTransfer]) -> str | None:
        """Whether a block may follow the head, given all its transfers; `None` when it may."""
        header = block.header
        world = self._world
        if header.height != self.height + 1 or header.parent != self.head:
            return "wrong_parent"
        malformed = block.why_malformed()
        if malformed is not None:
            return malformed
        if len(block.tx_ids) > world.scenario.chain.block_transactions_max:
            return "too_many_transactions"
        if header.backend not in world.backend_ids(header.proposer):
            return "foreign_backend"
        if self.committed and header.timestamp < self.committed[-1].block.header.timestamp:
            return "timestamp"
        for r in block.registrations:
            if not registration_valid(r, world.genesis.validators, world.genesis.chain_id):
                return "registration"
        after, all_applied = world.ledger_after(self.head, self.ledger, block, txs)
        if not all_applied:
            return "inapplicable_transfer"
        return None if after.root == header.state_root else "state_root"

    def append(self, block: Block, slot: int, certificate: Certificate, txs: Mapping[bytes, SignedTransfer]) -> None:
        """Commits an acceptable block."""
        self.ledger, _ = self._world.ledger_after(self.head, self.ledger, block, txs)
        self.committed.append(CommittedBlock(block, slot, certificate, self.sets[epoch_of(slot)]))
        self._register(block)

    def _register(self, block: Block) -> None:
        """Registrations of a block count for the epoch after the one it was proposed in."""
        epoch = epoch_of(block.header.slot) + 1
        new = [r for r in block.registrations if r.epoch == epoch]
        if not new:
            return
        known = self.sets.get(epoch)
        added = EpochSet.of(epoch, self._world.genesis.validators, new)
        members = {m.validator.index: m for m in (*added.members, *(known.members if known else ()))}
        self.sets[epoch] = EpochSet(epoch, tuple(sorted(members.values(), key=lambda m: m.validator.key)))

    def registered(self, epoch: int) -> frozenset[int]:
        """Validators whose registration for an epoch is in the chain."""
        known = self.sets.get(epoch)
        return frozenset(m.validator.index for m in known.members) if known else frozenset()


def committee_of(members: EpochSet, backend: BackendId, capacity: int) -> Committee:
    """An epoch set in one backend's terms."""
    return Committee(
        backend,
        capacity,
        tuple(
            CommitteeMember(m.validator.key, m.validator.weight, m.validator.tier, m.validator.timetoke_hours, m.otk_roots[backend - 1])
            for m in members.members
        ),
    )


def block_statement(block: Block, slot: int, committee: Committee) -> BlockStatement:
    """What the consensus circuit says about a block decided in `slot`.

    Witness commitments name the transfers whose proofs the block rests on (the block itself when it is empty).
    """
    header = block.header
    return BlockStatement(
        parent=header.parent,
        height=header.height,
        state_root=header.state_root,
        tx_root=header.tx_root,
        timestamp=header.timestamp,
        tx_count=header.tx_count,
        slot=slot,
        epoch=epoch_of(slot),
        witnesses=block.tx_ids or (block.hash,),
        reputation_roots=(reputation_root(committee.members),),
    )


def certificate_weight(certificate: Certificate, phase: Phase, members: EpochSet) -> int:
    """Stake of the members that voted for the certificate's block in a phase, each counted once."""
    voters = {v.validator for v in certificate.votes if v.phase is phase}
    return sum(members.weights.get(v, 0) for v in voters)


def certificate_matches(certificate: Certificate) -> bool:
    """Whether all votes are for the certificate's block, height and slot, and none occurs twice."""
    subject = (certificate.height, certificate.slot, certificate.block)
    if any((v.height, v.slot, v.block) != subject for v in certificate.votes):
        return False
    return len({(v.validator, v.phase) for v in certificate.votes}) == len(certificate.votes)
