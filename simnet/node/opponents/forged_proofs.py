"""Proofs of transfers, decisions and blocks that are spoiled, of something else, or too large."""

from collections.abc import Iterator
from dataclasses import replace

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId
from simnet.base.errors import ProofError
from simnet.net.network import Message
from simnet.node.block_parts import Part
from simnet.node.chain import CommittedBlock
from simnet.node.committee import proof_statement
from simnet.node.letters import Misdeed
from simnet.node.opponents.act import Act
from simnet.node.opponents.envelopes import Claim, forged
from simnet.node.wallet import Draft, Prepared
from simnet.proofs import native
from simnet.proofs.backend import Circuit
from simnet.protocol.messages import DIGEST_BYTES, BlockProof, Certificate, ConsensusProof, VrfEntry
from simnet.scenario import opponents as model

WAITING_MAX = 8
"""Forgeries about a block that wait for one that is not proven yet."""


class ForgedProofs(Act[model.ForgedProofs]):
    """Sends at a rate; what concerns a block goes out when it hurts: after the decision and before the proof."""

    _certificate: Certificate | None = None
    _waiting = 0
    _made = 0

    def begin(self) -> None:
        self.every(self.fault.per_second, self.one)

    def saw(self, message: Message) -> None:
        if isinstance(message.payload, Certificate):
            self._certificate = message.payload
            waiting, self._waiting = self._waiting, 0
            for _ in range(waiting):
                self.later(0, self._of_block)

    def one(self) -> int:
        target = self.turn("target", self.fault.of)
        return self._of_transfer() if target == "transfer" else self._of_block()

    # --- transfers -----------------------------------------------------------------------------------

    def _of_transfer(self) -> int:
        """A fresh transfer, properly signed, on a lane that serves nothing else."""
        self._made += 1
        what = self.turn("transfer", self.fault.what)
        draft = self.reach.wallet.forgery(f'{{"forged":{self._made}}}'.encode())
        if draft is None:
            return 0
        backend = self.reach.wallet.next_backend()
        known = self._transfer_proof(backend)
        if known is not None and what != "spoiled":
            return self._send_transfer(draft, backend, known, what)
        prepared = self.reach.wallet.prove(draft)
        if prepared is not None:
            prepared.ticket.when_ready(Misdeed(lambda: self._send_spoiled(prepared)))
        return 0

    def _send_spoiled(self, prepared: Prepared) -> None:
        message = prepared.message()
        self._send_transfer(prepared.draft, BackendId(message.backend), message.envelope.data, "spoiled")

    def _send_transfer(self, draft: Draft, backend: BackendId, real: bytes, what: str) -> int:
        circuit = self.facts.circuits.transaction
        statement = draft.tx.transfer.statement(draft.tx.account)
        made = draft.message(backend, self._forged(what, real, backend, circuit, statement))
        return self.say(what, "transaction", made, made.size, subject=made.envelope.name)

    def _transfer_proof(self, backend: BackendId) -> bytes | None:
        """The last real one that came here."""
        verified = reversed(self.reach.transactions.verified.values())
        return next((m.envelope.data for m in verified if m.backend == backend), None)

    # --- blocks --------------------------------------------------------------------------------------

    def _of_block(self) -> int:
        """A proof of the newest decided block, unless everybody has its proofs already: then later."""
        targets = [t for t in self.fault.of if t != "transfer"]
        made = self._consensus() if self.turn("of_block", targets) == "consensus" else self._part()
        if not made:
            self._waiting = min(WAITING_MAX, self._waiting + 1)
        return made

    def _consensus(self) -> int:
        certificate = self._certificate
        committed = None if certificate is None else self.reach.chain.at(certificate.height)
        if certificate is None or committed is None or committed.proof is not None or committed.block.hash != certificate.block:
            return 0
        backend = BackendId(certificate.backend)
        # Of an earlier block; where there is none yet, of a transfer.
        real = next(self._earlier(backend, consensus=True), None) or self._transfer_proof(backend)
        if real is None:
            return 0
        what = self.turn("consensus", self.fault.what)
        made = self._decision_proof(certificate, committed, backend, real, what)
        return self.say(what, "consensus_proof", made, made.size, subject=made.envelope.name)

    def _decision_proof(
        self, certificate: Certificate, committed: CommittedBlock, backend: BackendId, real: bytes, what: str
    ) -> ConsensusProof:
        """Its votes are the real ones, its VRF entries invented; signed, since nobody looks into one that is not."""
        entries = tuple(VrfEntry(v, self._digest(backend), self._digest(backend)) for v in certificate.tags())
        bare = ConsensusProof(certificate, entries, self.me, backend, Blob(b""), b"")
        chain = self.reach.chain
        statement = proof_statement(self.facts, committed.electorate, chain.registry, committed.block, bare)
        unsigned = replace(bare, envelope=self._forged(what, real, backend, self.facts.circuits.consensus, statement))
        return self.reach.keyring.signed(unsigned)

    def _part(self) -> int:
        """One of the proofs beside the decision's, of the newest block."""
        aggregation, height = self.reach.aggregation, self.reach.chain.height
        open_ = [(f, p) for f in aggregation.fields for p in self._parts(height) if not aggregation.holds(height, f, p)]
        if not open_:
            return 0
        field, part = self.turn("part", open_)
        statement, circuit = aggregation.parts.statement(height, field, part), self.facts.circuits.of(part.circuit)
        if statement is None:
            return 0
        # Two empty blocks of one second have the same state statement: what proves the one proves the other.
        digest = self._digest_of(field, circuit, statement)
        others = (proof for proof in self._earlier(field, consensus=False) if proof[native.PUBLIC_DIGEST] != digest)
        real = next(others, None) or self._transfer_proof(field)
        if real is None:
            return 0
        what = self.turn("block", self.fault.what)
        envelope = self._forged(what, real, field, circuit, statement)
        block = self.reach.chain.head
        unsigned = BlockProof(height, block, part.circuit, part.index, field, envelope, self.me, b"")
        made = self.reach.keyring.signed(unsigned)
        return self.say(what, "block_proof", made, made.size, subject=envelope.name)

    def _parts(self, height: int) -> tuple[Part, ...]:
        return self.reach.aggregation.parts.of(height) if height else ()

    def _earlier(self, backend: BackendId, *, consensus: bool) -> Iterator[bytes]:
        """Real proofs of earlier blocks in a field."""
        for committed in reversed(self.reach.chain.committed):
            if consensus and committed.proof is not None and committed.proof.backend == backend:
                yield committed.proof.envelope.data
            if not consensus:
                proofs = self.reach.aggregation.proofs_of(committed.block.header.height)
                yield from (p.envelope.data for p in proofs if p.backend == backend)

    # --- both ----------------------------------------------------------------------------------------

    def _digest(self, backend: BackendId) -> bytes:
        """Some digest in a field."""
        return native.lift(backend, self.plan.bytes(DIGEST_BYTES))

    def _forged(self, what: str, real: bytes, backend: BackendId, circuit: Circuit, statement: bytes) -> Blob:
        circuits = self.facts.circuits
        other = circuits.consensus if circuit == circuits.transaction else circuits.transaction
        digest = self._digest_of(backend, circuit, statement)
        claim = Claim(digest, self.facts.statements.vk_id(backend, other), self.facts.scenario.provers.proof_bytes_max)
        return Blob(forged(what, real, claim, self.plan))

    def _digest_of(self, backend: BackendId, circuit: Circuit, statement: bytes) -> bytes:
        """The public digest of a statement; any, of one that has none."""
        try:
            return native.public_digest(backend, circuit, self.facts.statements.public_inputs(backend, circuit, statement))
        except ProofError:
            return self.plan.bytes(DIGEST_BYTES)
