"""Who proves a committed block, when, and in which field.

Candidates are the members in the leader order of the block's slot that have one of the scenario's
`block_proof_backends`. The first begins at commit; after each time-out without a proof as many again do (`turn_of`).
All proofs of a block are made in one field; the recursive one, which rests on all others, comes last.
"""

from dataclasses import dataclass, field

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import NodeId
from simnet.events import BlockProving
from simnet.node.aggregation import RECURSIVE, Aggregation
from simnet.node.block_parts import Part
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.conduct import Conduct
from simnet.node.facts import Facts
from simnet.node.keyring import Keyring
from simnet.node.letters import Committed, Letter, Letterbox, ProofSigned
from simnet.node.ports import Ports
from simnet.node.processor import Provers, Ticket
from simnet.protocol.certification import turn_of
from simnet.protocol.messages import BlockProof


@dataclass(slots=True)
class Work:
    """A block that this node proves."""

    backend: BackendId
    begun: set[Part] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class TurnDue(Letter):
    """It is this node's turn to prove a block, unless it is proved by now."""

    height: int
    rank: int


@dataclass(frozen=True, slots=True)
class PartDue(Letter):
    """The prover may have room again for a proof."""

    height: int
    part: Part


@dataclass(frozen=True, slots=True)
class BlockProofReady(Letter):
    """A block proof is made."""

    height: int
    part: Part
    ticket: Ticket


class BlockProver:
    """One node's part in proving blocks."""

    def __init__(
        self, facts: Facts, ports: Ports, keyring: Keyring, chain: Chain, processor: Provers, aggregation: Aggregation, conduct: Conduct,
        letters: Letterbox,
    ) -> None:  # fmt: skip
        node = NodeId(keyring.node)
        self._letters = letters
        self._conduct = conduct
        self._facts = facts
        self._ports = ports
        self._node = node
        self._chain = chain
        self._processor = processor
        self._aggregation = aggregation
        self._keyring = keyring
        self._backends = tuple(b for b in aggregation.fields if b in facts.backend_ids(node))
        self._work: dict[int, Work] = {}
        self._timeout = facts.slots.length * facts.scenario.chain.block_proof_timeout_slots

    def on_commit(self, letter: Committed) -> None:
        """Waits for its turn; a block learnt late may have been proved long ago, so its proofs get a time-out to arrive."""
        height = letter.block.header.height
        committed = self._chain.at(height)
        assert committed is not None
        if not self._backends:
            return
        candidates = block_provers(self._facts, committed)
        if self._node in candidates:
            rank = candidates.index(self._node)
            self._letters.post_after((turn_of(rank) + letter.caught_up) * self._timeout, TurnDue(height, rank))

    def on_turn_due(self, letter: TurnDue) -> None:
        """Starts on a block, unless it has been proved meanwhile."""
        height, rank = letter.height, letter.rank
        if self._aggregation.whole(height) or self._conduct.keeps("proofs", height):
            return
        committed = self._chain.at(height)
        assert committed is not None
        work = self._work[height] = Work(self._choose(committed))
        name = committed.block.hash.hex()[:16]
        self._ports.emit(BlockProving(self._ports.now, self._node, height, name, work.backend.label, rank))
        for part in (*self._aggregation.parts.of(height), RECURSIVE):
            self.on_part_due(PartDue(height, part))

    def _choose(self, committed: CommittedBlock) -> BackendId:
        """The block's own field where this node has it; else the node's backends take turns."""
        header = committed.block.header
        own = BackendId(header.backend)
        return own if own in self._backends else self._backends[header.height % len(self._backends)]

    def on_part_due(self, letter: PartDue) -> None:
        """Starts one proof, unless an earlier candidate's is here; tried again after a slot when the queue is full."""
        height, part, work = letter.height, letter.part, self._work[letter.height]
        if part in work.begun or self._aggregation.holds(height, work.backend, part):
            return
        if part == RECURSIVE:
            self._prove_recursive(height, work)
        else:
            self._prove(height, work, part)

    def _prove(self, height: int, work: Work, part: Part) -> None:
        if self._aggregation.statement(height, work.backend, part) is not None:  # Else it was aggregated long ago.
            self._start(height, work, part, self._aggregation.parts.witness(height, work.backend, part))

    def _prove_recursive(self, height: int, work: Work) -> None:
        if not self._facts.proves(CircuitId.RECURSIVE):
            return
        if self._aggregation.whole(height):
            return
        statement = self._aggregation.statement(height, work.backend, RECURSIVE)
        if statement is not None:
            self._start(height, work, RECURSIVE, statement)

    def _start(self, height: int, work: Work, part: Part, witness: bytes) -> None:
        ticket = self._processor.prove(work.backend, self._facts.circuits.of(part.circuit), witness)
        if ticket is None:
            self._letters.post_after(self._facts.slots.length, PartDue(height, part))
            return
        work.begun.add(part)
        ticket.when_ready(BlockProofReady(height, part, ticket))

    def on_proof_ready(self, letter: BlockProofReady) -> None:
        """Signs an own proof."""
        height, part, ticket = letter.height, letter.part, letter.ticket
        committed = self._chain.at(height)
        assert committed is not None
        unsigned = BlockProof(height, committed.block.hash, part.circuit, part.index, ticket.backend, ticket.take(), self._node, b"")
        self._letters.post(ProofSigned(self._keyring.signed(unsigned)))


def block_provers(facts: Facts, committed: CommittedBlock) -> tuple[int, ...]:
    """The validators that may prove a block, first candidate first."""
    leaders = committed.electorate.leaders(committed.block.header.slot)
    return tuple(v for v in leaders if any(b in facts.rules.proof_fields for b in facts.backend_ids(v)))
