"""Whether an accusation holds: a node judges it by its own chain and its own verifier, whoever brings it."""

from collections.abc import Callable

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import NodeId
from simnet.net.network import Verdict
from simnet.node.aggregation import Aggregation
from simnet.node.block_parts import Part
from simnet.node.chain import Chain
from simnet.node.finality import Finality
from simnet.node.processor import Processor
from simnet.node.transactions import Transactions
from simnet.node.world import World
from simnet.proofs.backend import Verdict as ProofVerdict
from simnet.protocol.evidence import Claim, FalseProof, InvalidProposal
from simnet.protocol.messages import BlockProof, ConsensusProof

NOT_HERE = frozenset({"another_block", "registrations", "slot"})
"""Why a proof cannot be judged here and now."""
Then = Callable[[Verdict, str], None]
"""ACCEPT: it holds. REJECT: it does not. DROP: this node cannot say, and another copy may come when it can."""


class Court:
    """One node's judgement."""

    def __init__(
        self,
        world: World,
        node: NodeId,
        chain: Chain,
        transactions: Transactions,
        processor: Processor,
        finality: Finality,
        aggregation: Aggregation,
    ) -> None:
        self._world = world
        self._node = node
        self._chain = chain
        self._transactions = transactions
        self._processor = processor
        self._finality = finality
        self._aggregation = aggregation

    def judge(self, claim: Claim, then: Then) -> None:
        """Judges an accusation whose signatures hold; a proof takes the verifier's time."""
        match claim:
            case InvalidProposal():
                then(*self._judge_proposal(claim))
            case FalseProof(BlockProof() as proof):
                self._judge_block_proof(proof, then)
            case FalseProof(ConsensusProof() as proof):
                self._judge_consensus_proof(proof, then)

    # --- proposals -----------------------------------------------------------------------------------

    def _judge_proposal(self, claim: InvalidProposal) -> tuple[Verdict, str]:
        proposal, block = claim.proposal, claim.proposal.block
        electorate, before = self._chain.electorate_of(claim.height), self._chain.before(claim.height)
        if electorate is None or before is None:
            return Verdict.DROP, "not_committed"
        if proposal.leader != electorate.leader(proposal.slot):
            return Verdict.REJECT, "foreign_leader"
        if block.header.parent != before.head:
            return Verdict.DROP, "another_parent"  # Where the chain has forked this convicts nobody.
        verified = self._transactions.verified
        if any(i not in verified for i in block.tx_ids):
            return Verdict.DROP, "unknown_transfers"
        why = before.why_unacceptable(block, {i: verified[i].tx for i in block.tx_ids}, proposal.slot)
        return (Verdict.REJECT, "block_holds") if why is None else (Verdict.ACCEPT, why)

    # --- proofs --------------------------------------------------------------------------------------

    def _judge_consensus_proof(self, proof: ConsensusProof, then: Then) -> None:
        committed = self._chain.at(proof.certificate.height)
        if committed is None:
            then(Verdict.DROP, "not_committed")
            return
        why = self._finality.why_unrelated(proof, committed)
        if why is not None:
            then(Verdict.DROP if why in NOT_HERE else Verdict.REJECT, why)
            return
        statement = self._finality.statement_of(proof, committed)
        circuit = self._world.circuits.consensus
        self._processor.verify(BackendId(proof.backend), circuit, statement, proof.envelope, self._node, None, _answer(then))

    def _judge_block_proof(self, proof: BlockProof, then: Then) -> None:
        committed, known = self._chain.at(proof.height), proof.circuit in CircuitId.__members__.values()
        if committed is None or committed.block.hash != proof.block:
            then(Verdict.DROP, "not_committed")
            return
        if not known or proof.backend not in self._aggregation.fields:
            then(Verdict.REJECT, "UnknownProofKind")
            return
        part = Part(CircuitId(proof.circuit), proof.index)
        statement = self._aggregation.statement(proof.height, BackendId(proof.backend), part)
        if statement is None:
            then(Verdict.DROP, "too_old")
            return
        circuit = self._world.circuits.of(part.circuit)
        self._processor.verify(BackendId(proof.backend), circuit, statement, proof.envelope, self._node, None, _answer(then))


def _answer(then: Then) -> Callable[[ProofVerdict | None], None]:
    """What the verifier's verdict on an accused proof means for the accusation."""

    def decide(verdict: ProofVerdict | None) -> None:
        if verdict is None:
            then(Verdict.DROP, "verifier_busy")
        elif verdict.accepted:
            then(Verdict.REJECT, "proof_holds")
        else:
            then(Verdict.ACCEPT, verdict.reason)

    return decide
