"""A node's own proofs of blocks on their way to the others: verified here like every other one, and published once."""

from simnet.base.catalogue import BackendId, CircuitId
from simnet.net.network import Validation
from simnet.node import aggregation, finality
from simnet.node.aggregation import Aggregation
from simnet.node.block_parts import Part
from simnet.node.facts import Facts
from simnet.node.finality import Finality
from simnet.node.letters import Letterbox, ProofSigned, ProofUnverified
from simnet.node.ports import Ports
from simnet.node.processor import BUSY_RETRY
from simnet.protocol.messages import BlockProof, ConsensusProof


class OwnProofs:
    """One node's consensus and block proofs, once they are signed."""

    def __init__(self, facts: Facts, ports: Ports, proven: Finality, aggregated: Aggregation, letters: Letterbox) -> None:
        self._facts = facts
        self._ports = ports
        self._node = ports.node
        self._finality = proven
        self._aggregation = aggregated
        self._letters = letters

    def publish(self, letter: ProofSigned) -> None:
        """Publishes a proof, unless an equal one came before and goes on from here: neighbours want it once."""
        proof = letter.proof
        if self._is_needless(proof):
            return
        if self._facts.oversize(proof.envelope):
            # Others would take it for an attack.
            self._ports.limit_reached("provers.proof_bytes_max")
            return
        if self._is_judged(proof):
            self._letters.post_after(BUSY_RETRY, letter)
            return
        self.verify(ProofUnverified(proof))
        kind = "consensus_proof" if isinstance(proof, ConsensusProof) else "block_proof"
        self._ports.publish(kind, proof, proof.size)

    def verify(self, letter: ProofUnverified) -> None:
        """Verifies a proof; again after a while if the own verifier has no room: nobody else may have it."""
        proof = letter.proof
        if self._is_needless(proof):
            return
        if isinstance(proof, ConsensusProof):
            self._finality.examine(finality.Incoming(proof, self._node, letter))
        else:
            self._aggregation.take(aggregation.Incoming(proof, self._node, letter))

    def on_answer(self, origin: ProofUnverified, verdict: Validation, _reason: str) -> None:
        """What has become of an own proof."""
        if verdict is Validation.DROP:
            self._letters.post_after(BUSY_RETRY, origin)

    def _is_needless(self, proof: BlockProof | ConsensusProof) -> bool:
        """Whether a verified proof of the same is here."""
        if isinstance(proof, ConsensusProof):
            return self._finality.is_proven(proof.certificate.height)
        return self._aggregation.holds(proof.height, BackendId(proof.backend), Part(CircuitId(proof.circuit), proof.index))

    def _is_judged(self, proof: BlockProof | ConsensusProof) -> bool:
        """Whether an equal one is being verified."""
        return self._finality.judges(proof) if isinstance(proof, ConsensusProof) else self._aggregation.judges(proof)
