"""A node's view of the chain: committed blocks, the state after the last one, who votes on the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simnet.base.catalogue import BackendId
from simnet.base.units import NodeId, SimTime
from simnet.node.facts import Facts
from simnet.protocol.blocks import GENESIS_PARENT, Block, Body, Header, digests_root, registrations_root, tx_root
from simnet.protocol.heartbeats import Claim
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.messages import Certificate, ConsensusProof
from simnet.protocol.state import ChainState, Outcome, Position
from simnet.protocol.validators import Electorate, Registry

OUTCOMES_KEPT = 64
"""An aggregated block's trees stay with it for so many further blocks: others may still ask for its proofs."""


@dataclass(slots=True)
class CommittedBlock:
    """A block that this node holds final."""

    block: Block
    slot: int
    """The slot that decided it, as this node saw it; others may have seen another one."""
    certificate: Certificate
    """At least a precommit quorum."""
    electorate: Electorate
    """Who voted on its height."""
    claims: tuple[Claim, ...]
    """Uptime claims that the block's proofs settle."""
    outcome: Outcome | None
    """Absent once the block is old."""
    proof: ConsensusProof | None = None
    proven_at: SimTime | None = None
    """When its consensus proof was verified here."""


class Chain:
    """Committed blocks, from height 1 at index 0."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.state: ChainState = facts.genesis.state
        self.committed: list[CommittedBlock] = []
        self.electorate: Electorate = facts.genesis.electorate
        """Who votes on the next height."""
        self._hashes = {GENESIS_PARENT}
        self._proven = 0
        self._outcomes_from = 1
        """Heights before this one have no outcome any more."""

    @property
    def ledger(self) -> Ledger:
        """Balances after the last committed block."""
        return self.state.ledger

    @property
    def registry(self) -> Registry:
        """Registrations in committed blocks and the genesis."""
        return self.electorate.registry

    @property
    def height(self) -> int:
        """Height of the last committed block; 0 at genesis."""
        return len(self.committed)

    @property
    def proven_height(self) -> int:
        """Up to which height every block's consensus proof is here."""
        while self._proven < self.height and self.committed[self._proven].proof is not None:
            self._proven += 1
        return self._proven

    def proven_since(self, limit: SimTime) -> int:
        """Up to which height blocks had been proven at `limit`."""
        height = self.proven_height
        while height and (self.committed[height - 1].proven_at or 0) > limit:
            height -= 1
        return height

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

    def electorate_of(self, height: int) -> Electorate | None:
        """Who votes on a height: of committed ones and the next."""
        committed = self.at(height)
        if committed is not None:
            return committed.electorate
        return self.electorate if height == self.height + 1 else None

    def before(self, height: int) -> "Chain | None":
        """This chain as it was before a height; `None` when it is not that long, or the state of then is gone."""
        if not 1 <= height <= self.height + 1:
            return None
        last = self.at(height - 1)
        if last is not None and last.outcome is None:
            return None
        past = Chain(self._facts)
        past.committed = self.committed[: height - 1]
        past.state = past.state if last is None or last.outcome is None else last.outcome.after
        past.electorate = self.electorate_of(height) or self.electorate
        past._hashes = {GENESIS_PARENT, *(c.block.hash for c in past.committed)}
        return past

    def next_block(
        self, proposer: NodeId, backend: BackendId, slot: int, timestamp: int, body: Body, transfers: Sequence[SignedTransfer]
    ) -> Block:
        """A new block on the head, of a body whose contents all apply; `transfers`: those that it names."""
        at = Position(self.height + 1, slot, timestamp)
        outcome = self._facts.outcome(self.head, self.state, at, body, {tx.id: tx for tx in transfers})
        assert isinstance(outcome, Outcome), outcome
        header = Header(
            height=at.height,
            slot=slot,
            parent=self.head,
            proposer=proposer,
            backend=backend,
            state_root=outcome.after.ledger.root,
            tx_root=tx_root(body.tx_ids),
            timestamp=timestamp,
            tx_count=len(body.tx_ids),
            registrations_root=registrations_root(body.registrations),
            joins_root=digests_root(body.joins),
            heartbeats_root=digests_root(body.heartbeats),
            fields=tuple(f.roots for f in outcome.fields),
        )
        return Block.assemble(header, body)

    def why_unacceptable(self, block: Block, txs: Mapping[bytes, SignedTransfer], slot: int) -> str | None:
        """Whether a block proposed or decided in `slot` may follow the head, given its transfers; `None` when it may."""
        header = block.header
        if header.height != self.height + 1 or header.parent != self.head:
            return "wrong_parent"
        why = self._facts.why_too_large(block) or block.why_malformed() or self._why_not_header(block, slot) or self._why_not_signed(block)
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
        header, facts = block.header, self._facts
        parent = self.committed[-1].block.header if self.committed else None
        # The slot closes uptime windows, so it may neither run ahead nor fall back.
        if header.slot > slot or (parent is not None and header.slot <= parent.slot):
            return "slot"
        if header.proposer != self.electorate.leader(header.slot):
            return "foreign_proposer"
        if header.backend not in facts.backend_ids(header.proposer):
            return "foreign_backend"
        return "timestamp" if parent is not None and header.timestamp < parent.timestamp else None

    def _why_not_signed(self, block: Block) -> str | None:
        """Signatures, VRF proofs and heads of what the block brings."""
        facts, body = self._facts, block.body
        why = self.registry.why_not(body.registrations, block.header.slot, facts.scenario.consensus.key_horizon_epochs)
        if why is not None:
            return why
        if not all(map(facts.registration_valid, body.registrations)):
            return "registration"
        if not all(map(facts.join_valid, body.joins)):
            return "join"
        return None if all(self.has(b.head) and facts.heartbeat_valid(b) for b in body.heartbeats) else "heartbeat"

    def _outcome(self, block: Block, txs: Mapping[bytes, SignedTransfer]) -> Outcome | str:
        header = block.header
        at = Position(header.height, header.slot, header.timestamp)
        return self._facts.outcome(self.head, self.state, at, block.body, txs)

    def append(self, block: Block, slot: int, certificate: Certificate, txs: Mapping[bytes, SignedTransfer]) -> CommittedBlock:
        """Commits an acceptable block."""
        outcome = self._outcome(block, txs)
        assert isinstance(outcome, Outcome)
        committed = CommittedBlock(block, slot, certificate, self.electorate, self.state.uptime.claims(), outcome)
        self.committed.append(committed)
        self.state = outcome.after
        self._hashes.add(block.hash)
        if block.registrations:
            self.electorate = Electorate(self.electorate.members, self.registry.with_new(block.registrations))
        return committed

    def forget_outcomes(self, last: int) -> None:
        """Drops the trees of the blocks up to a height."""
        while self._outcomes_from <= last:
            self.committed[self._outcomes_from - 1].outcome = None
            self._outcomes_from += 1


def backend_of(block: Block) -> BackendId:
    """The proof backend that a block's proposer has chosen."""
    return BackendId(block.header.backend)
