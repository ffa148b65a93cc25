"""How a node takes the proofs of committed blocks and when it counts a block as aggregated.

Order of the checks: size, what the proof claims to be, signature; then, once the block is committed here, whether
the block has such a proof and it is missing; last the verifier, on a statement built here. Only what verifies is
forwarded. A block is aggregated when its consensus proof, all its parts and its recursive proof of one field are
held and its parent is aggregated.
"""

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import NodeId, SimTime
from simnet.events import BlockAggregated, StatementLost
from simnet.net.network import Message, Validation
from simnet.node.aggregates import Aggregates
from simnet.node.block_parts import BlockParts, Part
from simnet.node.chain import OUTCOMES_KEPT, Chain
from simnet.node.facts import Facts
from simnet.node.held import Fate, UntilCommitted
from simnet.node.letters import Committed, Examined, Gossiped, Letterbox, Origin, ProofRefused, Proven
from simnet.node.ports import Ports
from simnet.node.processor import TOO_LARGE, Provers
from simnet.proofs.backend import Verification
from simnet.protocol.messages import BlockProof

RECURSIVE = Part(CircuitId.RECURSIVE, 0)
Job = tuple[int, int, int, int, bytes]
"""Height, backend, circuit, index, digest of the envelope."""


@dataclass(frozen=True, slots=True)
class Incoming(Examined):
    """A block proof under examination."""

    proof: BlockProof
    peer: NodeId
    origin: Origin
    spam: str | None = None

    @property
    def part(self) -> Part:
        return Part(CircuitId(self.proof.circuit), self.proof.index)

    @property
    def field(self) -> BackendId:
        return BackendId(self.proof.backend)


@dataclass(frozen=True, slots=True)
class Kept:
    """A verified proof and since when it has been here."""

    proof: BlockProof
    since: SimTime


class Aggregation:
    """One node's block proofs."""

    def __init__(self, facts: Facts, ports: Ports, chain: Chain, processor: Provers, letters: Letterbox) -> None:
        self._letters = letters
        self.parts = BlockParts(facts, chain)
        self.aggregates = Aggregates(facts, chain, self.parts)
        self.fields = tuple(BackendId(b) for b in facts.rules.proof_fields)
        """Where block proofs are made, in order of preference."""
        self.height = 0
        """Blocks up to here are aggregated."""
        self.reached_at: list[SimTime] = [SimTime(0)]
        """When each of them was, from genesis."""
        self._facts = facts
        self._ports = ports
        self._node = ports.node
        self._chain = chain
        self._processor = processor
        self._proofs: dict[int, dict[tuple[BackendId, Part], Kept]] = {}
        self._in_hand: set[Job] = set()
        self._until_committed = UntilCommitted[Incoming](ports, chain, "held_block_proofs")

    # --- what this node holds --------------------------------------------------------------------------

    def holds(self, height: int, field: BackendId, part: Part) -> bool:
        """Whether a verified proof of a part is here."""
        return (field, part) in self._proofs.get(height, {})

    def judges(self, proof: BlockProof) -> bool:
        """Whether this very proof is being verified here."""
        return _job(proof) in self._in_hand

    def parts_held(self, height: int, limit: SimTime) -> frozenset[tuple[BackendId, Part]]:
        """Which proofs of a block were here and verified at `limit`."""
        return frozenset(key for key, kept in self._proofs.get(height, {}).items() if kept.since <= limit)

    def proofs_of(self, height: int, known: Collection[tuple[BackendId, Part]] = ()) -> tuple[BlockProof, ...]:
        """Verified proofs of a block, but for those that a neighbour has."""
        return tuple(kept.proof for key, kept in self._proofs.get(height, {}).items() if key not in known)

    def since(self, limit: SimTime) -> int:
        """Up to which height blocks had been aggregated at `limit`."""
        return max(0, bisect_right(self.reached_at, limit) - 1)

    def whole(self, height: int) -> bool:
        """Whether all proofs of a block are here in some field. The recursive one alone is not enough: who made it may be gone
        before its parts have come."""
        return any(self._complete(height, field) for field in self.fields)

    @property
    def _recursive(self) -> bool:
        return self._facts.proves(CircuitId.RECURSIVE)

    def _complete(self, height: int, field: BackendId) -> bool:
        """Whether the block has all its proofs of a field."""
        last = (RECURSIVE,) if self._recursive else ()
        return all(self.holds(height, field, part) for part in (*self.parts.of(height), *last))

    # --- what comes in -----------------------------------------------------------------------------------

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        """A block proof came by gossip."""
        assert isinstance(message.payload, BlockProof)
        self.take(Incoming(message.payload, peer, Gossiped(message), message.spam))

    def take(self, incoming: Incoming) -> None:
        """Examines a proof now, or once its block is committed here."""
        why = self._why_malformed(incoming)
        if why is not None:
            self._letters.answer(incoming.origin, Validation.REJECT, why)
            return
        fate = self._until_committed.hold(incoming.proof.height, (incoming.peer, incoming.proof.prover), incoming)
        if fate is Fate.NOW:
            self._examine(incoming)
        elif fate is Fate.NEVER:
            self._letters.answer(incoming.origin, Validation.DROP, "not_committed")

    def _why_malformed(self, incoming: Incoming) -> str | None:
        """What is wrong with a proof whatever the chain is."""
        proof = incoming.proof
        if proof.backend not in self.fields:
            return "UnknownBackend"
        if proof.circuit not in CircuitId.__members__.values() or not self._facts.proves(CircuitId(proof.circuit)):
            return "UnknownProofKind"
        circuit = self._facts.circuits.of(CircuitId(proof.circuit))
        if self._processor.too_large(incoming.field, circuit, proof.envelope, incoming.peer, incoming.spam):
            return TOO_LARGE
        signed = self._facts.signed_by(proof.prover, proof.signing_bytes(), proof.signature)
        return None if signed else "SignatureInvalid"

    def _examine(self, incoming: Incoming) -> None:
        proof, part, field = incoming.proof, incoming.part, incoming.field
        committed = self._chain.at(proof.height)
        assert committed is not None
        job = _job(proof)
        if committed.block.hash != proof.block:
            self._letters.answer(incoming.origin, Validation.REJECT, "another_block")
        elif part != RECURSIVE and part not in self.parts.of(proof.height):
            self._letters.answer(incoming.origin, Validation.REJECT, "unexpected_proof")
        elif self.holds(proof.height, field, part) or job in self._in_hand:
            self._letters.answer(incoming.origin, Validation.IGNORE, "already_proven")
        else:
            self._verify(incoming, job)

    def _verify(self, incoming: Incoming, job: Job) -> None:
        proof, part, field = incoming.proof, incoming.part, incoming.field
        statement = self.statement(proof.height, field, part)
        if statement is None:
            self._letters.answer(incoming.origin, Validation.IGNORE, "too_old")
            return
        self._in_hand.add(job)
        circuit = self._facts.circuits.of(part.circuit)
        self._processor.verify(field, circuit, statement, proof.envelope, incoming.peer, incoming.spam, incoming)

    def on_verdict(self, incoming: Incoming, verdict: Verification | None) -> None:
        """The verifier has answered."""
        proof = incoming.proof
        self._in_hand.discard(_job(proof))
        if verdict is None:
            self._letters.answer(incoming.origin, Validation.DROP, "verifier_busy")
        elif not verdict.accepted:
            self._letters.post(ProofRefused(proof))
            self._letters.answer(incoming.origin, Validation.REJECT, verdict.reason)
        else:
            self._proofs.setdefault(proof.height, {}).setdefault((incoming.field, incoming.part), Kept(proof, self._ports.now))
            self._letters.answer(incoming.origin, Validation.ACCEPT)
            self._advance()

    def statement(self, height: int, field: BackendId, part: Part) -> bytes | None:
        """What a proof of a committed block has to prove; `None` when the block has no such part or is too old to say."""
        if part != RECURSIVE and part not in self.parts.of(height):
            return None
        if part == RECURSIVE:
            found = self.aggregates.of(height, field)
            statement = None if found is None else found.statement
        else:
            statement = self.parts.statement(height, field, part)
        if statement is None and height > self.height:
            self._ports.emit(StatementLost(self._ports.now, self._node, height, field.label, part.circuit.label))
        return statement

    # --- what the chain brings ---------------------------------------------------------------------------

    def on_commit(self, letter: Committed) -> None:
        """Proofs that came before their block are looked at."""
        for incoming in self._until_committed.release(letter.block.header.height):
            self._examine(incoming)

    def on_proven(self, _letter: Proven) -> None:
        """A block that is not proven is not aggregated."""
        self._advance()

    def _advance(self) -> None:
        """Counts the next blocks as aggregated, as far as everything of theirs is here."""
        while (committed := self._chain.at(self.height + 1)) is not None and committed.proof is not None:
            height = self.height + 1
            field = next((f for f in self.fields if self._complete(height, f)), None)
            if field is None:
                return
            commitments = self._commitments(height, field)
            if commitments is None:
                return
            self.height = height
            self._forget_outcomes()
            self.reached_at.append(self._ports.now)
            kept = self._proofs.get(height, {}).get((field, RECURSIVE))
            self._ports.emit(
                BlockAggregated(
                    self._ports.now,
                    self._node,
                    height,
                    committed.block.hash.hex()[:16],
                    field.label,
                    *commitments,
                    None if kept is None else NodeId(kept.proof.prover),
                )
            )

    def _forget_outcomes(self) -> None:
        """Old aggregated blocks lose their trees, but for those that the next block's pruning window goes back to. Before that every
        field's chain of aggregates, used or not, is brought up to the last block whose window goes back to them."""
        window = self._facts.scenario.chain.pruning_window_blocks
        last = min(self.height + 1 - window, self._chain.height - OUTCOMES_KEPT)
        if self._recursive and last > 0:
            for field in self.fields:
                self.aggregates.value(last + window - 1, field)
        self._chain.forget_outcomes(last)

    def _commitments(self, height: int, field: BackendId) -> tuple[str, str] | None:
        """The parent's and the block's aggregated commitment, as events name them; empty on a chain without recursion."""
        if not self._recursive:
            return "", ""
        before, value = self.aggregates.value(height - 1, field), self.aggregates.value(height, field)
        return None if before is None or value is None else (before.commitment.hex()[:16], value.commitment.hex()[:16])


def _job(proof: BlockProof) -> Job:
    """All that the verdict on a proof depends on."""
    return proof.height, proof.backend, proof.circuit, proof.index, proof.envelope.digest
