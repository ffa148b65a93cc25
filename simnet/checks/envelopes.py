"""Whether a proof that a node accepted claims what that node's chain says, and nothing else.

A verifier compares the digest of public inputs in the envelope with that of its own statement. So a verification by the node, and an
envelope whose digest is that of a statement built here, mean that the node has verified this very claim.
"""

import hashlib

from simnet.base.catalogue import BackendId
from simnet.base.errors import ProofError
from simnet.node.chain import CommittedBlock
from simnet.node.committee import proof_statement
from simnet.node.facts import Facts
from simnet.proofs import native
from simnet.proofs.backend import Circuit
from simnet.protocol.messages import ConsensusProof, TxMessage
from simnet.protocol.validators import Registry

KEPT = 65_536


class Envelopes:
    """Compares envelopes with statements, once a content; the oldest are forgotten."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[tuple[bytes, bytes], bool] = {}

    def of_transfer(self, message: TxMessage) -> bool:
        """Whether a transfer's proof is of it and the account it starts from."""
        transfer, account = message.tx.transfer, message.tx.account
        if message.backend not in BackendId.__members__.values():
            return False
        statement = transfer.encode() + account.encode()
        return self._claims(BackendId(message.backend), self._facts.circuits.transaction, statement, message.envelope.data)

    def of_decision(self, committed: CommittedBlock, registry: Registry, proof: ConsensusProof) -> bool:
        """Whether a consensus proof is of a node's committed block, by the votes that it names."""
        statement = proof_statement(self._facts, committed.electorate, registry, committed.block, proof)
        return self._claims(BackendId(proof.backend), self._facts.circuits.consensus, statement, proof.envelope.data)

    def _claims(self, backend: BackendId, circuit: Circuit, statement: bytes, envelope: bytes) -> bool:
        head = envelope[: native.ENVELOPE_HEADER_BYTES]
        content = (hashlib.blake2s(bytes((backend, circuit.id)) + statement).digest(), head)
        if content not in self._known:
            if len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[content] = head[native.PUBLIC_DIGEST] == self._digest(backend, circuit, statement)
        return self._known[content]

    def _digest(self, backend: BackendId, circuit: Circuit, statement: bytes) -> bytes | None:
        """None: nothing can prove such a statement."""
        try:
            return native.public_digest(backend, circuit, self._facts.statements.public_inputs(backend, circuit, statement))
        except ProofError:
            return None
