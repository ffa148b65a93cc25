"""A node's view of the chain: committed blocks, the ledger after the last one, validator sets."""

from collections.abc import Mapping
from dataclasses import dataclass

from simnet.node.identity import registration_valid
from simnet.node.world import World
from simnet.proofs.backend import BackendId
from simnet.proofs.statements import BlockStatement, Committee, CommitteeMember, reputation_root
from simnet.protocol.blocks import GENESIS_PARENT, Block
from simnet.protocol.consensus import SetsOf
from simnet.protocol.heartbeats import Claim
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.messages import Certificate, ConsensusProof, Phase
from simnet.protocol.roots import header_digest
from simnet.protocol.state import ChainState, Outcome, Position
from simnet.protocol.validators import EpochSet, epoch_of

OUTCOMES_KEPT = 64
"""A block's trees stay with it for so many further blocks: nobody proves older ones."""


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
    claims: tuple[Claim, ...]
    """Uptime claims that the block's proofs settle."""
    outcome: Outcome | None
    """Absent once the block is old."""
    proof: ConsensusProof | None = None


class Chain:
    """Committed blocks, from height 1 at index 0."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.state: ChainState = world.genesis.state
        self.committed: list[CommittedBlock] = []
        self.sets: dict[int, EpochSet] = {0: world.genesis.epoch}
        self._hashes = {GENESIS_PARENT}

    @property
    def ledger(self) -> Ledger:
        """Balances after the last committed block."""
        return self.state.ledger

    @property
    def height(self) -> int:
        """Height of the last committed block; 0 at genesis."""
        return len(self.committed)

    @property
    def proven_height(self) -> int:
        """Up to which height every block's consensus proof is here."""
        return next((i for i, c in enumerate(self.committed) if c.proof is None), len(self.committed))

    @property
    def head(self) -> bytes:
        """Hash of the last committed block."""
        return self.committed[-1].block.hash if self.committed else GENESIS_PARENT

    def at(self, height: int) -> CommittedBlock | None:
        """The committed block of a height."""
        return self.committed[height - 1] if 1 <= height <= len(self.committed) else None

    def has(self, block: bytes) -> bool:
        """Whether a block of this hash is committed here; the genesis parent counts."""
        return block in self._hashes

    def sets_of_next(self) -> SetsOf:
        """The epoch sets that are fixed for the next height."""
        return SetsOf(dict(self.sets))

    def why_unacceptable(self, block: Block, txs: Mapping[bytes, SignedTransfer], slot: int) -> str | None:
        """Whether a block proposed or decided in `slot` may follow the head, given its transfers; `None` when it may."""
        header = block.header
        if header.height != self.height + 1 or header.parent != self.head:
            return "wrong_parent"
        why = block.why_malformed() or self._why_not_header(block, slot) or self._why_not_signed(block)
        if why is not None:
            return why
        outcome = self._outcome(block, txs)
        if isinstance(outcome, str):
            return outcome
        if header.fields != tuple(f.roots for f in outcome.fields):
            return "field_roots"
        return None if outcome.after.ledger.root == header.state_root else "state_root"

    def _why_not_header(self, block: Block, slot: int) -> str | None:
        """The rules of a header on its parent's."""
        header, world = block.header, self._world
        if len(block.tx_ids) > world.scenario.chain.block_transactions_max:
            return "too_many_transactions"
        if header.backend not in world.backend_ids(header.proposer):
            return "foreign_backend"
        parent = self.committed[-1].block.header if self.committed else None
        # The slot closes uptime windows, so it may neither run ahead nor fall back.
        if header.slot > slot or (parent is not None and header.slot <= parent.slot):
            return "slot"
        return "timestamp" if parent is not None and header.timestamp < parent.timestamp else None

    def _why_not_signed(self, block: Block) -> str | None:
        """Signatures, VRF proofs and heads of what the block brings."""
        world, body = self._world, block.body
        genesis = world.genesis
        if not all(registration_valid(r, genesis.validators, genesis.chain_id) for r in body.registrations):
            return "registration"
        if not all(map(world.join_valid, body.joins)):
            return "join"
        return None if all(self.has(b.head) and world.heartbeat_valid(b) for b in body.heartbeats) else "heartbeat"

    def _outcome(self, block: Block, txs: Mapping[bytes, SignedTransfer]) -> Outcome | str:
        header = block.header
        at = Position(header.height, header.slot, header.timestamp)
        return self._world.outcome(self.head, self.state, at, block.body, txs)

    def append(self, block: Block, slot: int, certificate: Certificate, txs: Mapping[bytes, SignedTransfer]) -> CommittedBlock:
        """Commits an acceptable block."""
        outcome = self._outcome(block, txs)
        assert isinstance(outcome, Outcome)
        members = self.sets[epoch_of(slot)]
        committed = CommittedBlock(block, slot, certificate, members, self.state.uptime.claims(), outcome)
        self.committed.append(committed)
        self.state = outcome.after
        self._hashes.add(block.hash)
        old = self.at(self.height - OUTCOMES_KEPT)
        if old is not None:
            old.outcome = None
        self._register(block)
        return committed

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
    return BlockStatement(
        digest=header_digest(committee.backend, block.header),
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
