"""Whether an accusation holds: a node judges it by its own chain and its own verifier, whoever brings it.

The verifier's time for it is the neighbour's that brought it, unless the accusation holds. So that nobody has the same said of itself with one
spoiled proof after the other, before the first is found out, one proof at a time is looked into for an offence.
"""

from dataclasses import dataclass

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import NodeId
from simnet.net.network import Message, Validation
from simnet.node.aggregation import Aggregation
from simnet.node.block_parts import Part
from simnet.node.chain import Chain
from simnet.node.facts import Facts
from simnet.node.finality import Finality
from simnet.node.letters import Examined
from simnet.node.ports import Ports
from simnet.node.processor import Provers
from simnet.node.timing import dated_ahead, latest_slot
from simnet.node.transactions import Transactions
from simnet.proofs.backend import Circuit, Verification
from simnet.protocol.evidence import Claim, FalseProof, InvalidProposal, Offence
from simnet.protocol.messages import BlockProof, ConsensusProof

NOT_HERE = frozenset({"another_block", "registrations", "slot"})
"""Why a proof cannot be judged here and now."""
Ruling = tuple[Validation, str]
"""ACCEPT: it holds. REJECT: it does not. DROP: this node cannot say, and another copy may come when it can."""


@dataclass(frozen=True, slots=True)
class Accused(Examined):
    """A proof that somebody is accused of."""

    message: Message
    """What brought the accusation."""
    offence: Offence

    def was_right(self, *, accepted: bool) -> bool:
        return not accepted


@dataclass(frozen=True, slots=True)
class Brought:
    """An accusation, and how it came."""

    claim: FalseProof
    message: Message
    peer: NodeId


class Court:
    """One node's judgement."""

    def __init__(
        self,
        facts: Facts,
        ports: Ports,
        chain: Chain,
        transactions: Transactions,
        processor: Provers,
        finality: Finality,
        aggregation: Aggregation,
    ) -> None:
        self._facts = facts
        self._ports = ports
        self._chain = chain
        self._transactions = transactions
        self._processor = processor
        self._finality = finality
        self._aggregation = aggregation
        self._in_hand: set[Offence] = set()
        """Offences about which a proof is being verified."""

    def judge(self, claim: Claim, message: Message, peer: NodeId) -> Ruling | None:
        """Judges an accusation whose signatures hold. None: the verifier is asked, from whose verdict on the `Accused` it follows."""
        if isinstance(claim, InvalidProposal):
            return self._judge_proposal(claim)
        if claim.offence in self._in_hand:
            return Validation.DROP, "in_hand"
        proof, brought = claim.proof, Brought(claim, message, peer)
        return self._judge_block_proof(proof, brought) if isinstance(proof, BlockProof) else self._judge_consensus_proof(proof, brought)

    def rule(self, accused: Accused, verdict: Verification | None) -> Ruling:
        """What the verifier's verdict on an accused proof means for the accusation."""
        self._in_hand.discard(accused.offence)
        if verdict is None:
            return Validation.DROP, "verifier_busy"
        return (Validation.REJECT, "proof_holds") if verdict.accepted else (Validation.ACCEPT, verdict.reason)

    # --- proposals -----------------------------------------------------------------------------------

    def _judge_proposal(self, claim: InvalidProposal) -> Ruling:
        proposal, block = claim.proposal, claim.proposal.block
        if proposal.slot > latest_slot(self._facts, self._ports) or dated_ahead(self._facts, self._ports, block.header.timestamp):
            return Validation.DROP, "slot"  # What it makes of the windows until then would take as long as there are windows.
        electorate, before = self._chain.electorate_of(claim.height), self._chain.before(claim.height)
        if electorate is None or before is None:
            return Validation.DROP, "not_committed"
        if proposal.leader != electorate.leader(proposal.slot):
            return Validation.REJECT, "foreign_leader"
        if block.header.parent != before.head:
            return Validation.DROP, "another_parent"  # Where the chain has forked this convicts nobody.
        verified = self._transactions.verified
        if any(i not in verified for i in block.tx_ids):
            return Validation.DROP, "unknown_transfers"
        why = before.why_unacceptable(block, {i: verified[i].tx for i in block.tx_ids}, proposal.slot)
        return (Validation.REJECT, "block_holds") if why is None else (Validation.ACCEPT, why)

    # --- proofs --------------------------------------------------------------------------------------

    def _judge_consensus_proof(self, proof: ConsensusProof, brought: Brought) -> Ruling | None:
        committed = self._chain.at(proof.certificate.height)
        if committed is None:
            return Validation.DROP, "not_committed"
        why = self._finality.why_unrelated(proof, committed)
        if why is not None:
            return Validation.DROP if why in NOT_HERE else Validation.REJECT, why
        self._verify(proof, self._facts.circuits.consensus, self._finality.statement_of(proof, committed), brought)
        return None

    def _judge_block_proof(self, proof: BlockProof, brought: Brought) -> Ruling | None:
        committed, known = self._chain.at(proof.height), proof.circuit in CircuitId.__members__.values()
        if committed is None or committed.block.hash != proof.block:
            return Validation.DROP, "not_committed"
        if not known or proof.backend not in self._aggregation.fields:
            return Validation.REJECT, "UnknownProofKind"
        part = Part(CircuitId(proof.circuit), proof.index)
        statement = self._aggregation.statement(proof.height, BackendId(proof.backend), part)
        if statement is None:
            return Validation.DROP, "too_old"
        self._verify(proof, self._facts.circuits.of(part.circuit), statement, brought)
        return None

    def _verify(self, proof: BlockProof | ConsensusProof, circuit: Circuit, statement: bytes, brought: Brought) -> None:
        backend, offence = BackendId(proof.backend), brought.claim.offence
        self._in_hand.add(offence)
        self._processor.verify(backend, circuit, statement, proof.envelope, brought.peer, None, Accused(brought.message, offence))
