"""A node's watch over what others sign: it notices misconduct, keeps the evidence and passes it on."""

from collections.abc import Mapping, Sequence

from simnet.base.units import NodeId
from simnet.events import DoubleSignFound, MisconductFound
from simnet.net.network import Message, Validation
from simnet.node.court import Accused, Court, Ruling
from simnet.node.facts import Facts
from simnet.node.held import FULL, verdict_of
from simnet.node.letters import BlockRefused, Committed, Letterbox, MisconductKept, ProofRefused, Signed
from simnet.node.ports import Ports
from simnet.node.timing import latest_slot
from simnet.proofs.backend import Verification
from simnet.protocol.blocks import Header
from simnet.protocol.evidence import BrokenLock, DoubleSign, EvidenceBook, FalseProof, InvalidProposal, Misconduct, SignedHeader
from simnet.protocol.messages import Proposal, Vote


class Watch:
    """One node's watch."""

    def __init__(self, facts: Facts, ports: Ports, court: Court, letters: Letterbox) -> None:
        self._facts = facts
        self._ports = ports
        self._node = ports.node
        self._court = court
        self._book = EvidenceBook()
        self._letters = letters
        self._untold: list[Misconduct] = []
        """Found when no neighbour was connected."""

    def saw(self, letter: Signed) -> None:
        """A message whose signature was checked, the node's own included."""
        item = letter.item
        signed = SignedHeader.of(item) if isinstance(item, Proposal) else item
        for found in self._book.saw(signed, latest_slot(self._facts, self._ports)):
            self._publish(found)

    def on_commit(self, letter: Committed) -> None:
        """A block's header says in which slot it was new; whoever prevoted it then had no lock."""
        for found in self._book.learnt(letter.block.header, latest_slot(self._facts, self._ports)):
            self._publish(found)

    def remembers(self, height: int) -> tuple[Mapping[int, Sequence[Vote]], Sequence[Header]]:
        """Votes of each validator for blocks of a height, and headers of such blocks, what shows most first."""
        return self._book.about(height)

    def heard(self, height: int, votes: Sequence[Vote], headers: Sequence[Header]) -> None:
        """Votes whose signatures were checked, and headers, of a height that is long decided: a neighbour remembers them."""
        for found in self._book.judged(height, votes, headers):
            self._publish(found)

    def refused_proof(self, letter: ProofRefused) -> None:
        """Nobody signs a false proof by mistake."""
        if letter.proof.prover != self._node:
            self._publish(FalseProof(letter.proof))

    def refused_block(self, letter: BlockRefused) -> None:
        """A leader's signed proposal that this node's chain refuses for reasons that hold for everybody."""
        proposal = letter.proposal
        if proposal.leader != self._node:
            self._publish(InvalidProposal(proposal.bare))

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        """Evidence came by gossip: it is checked like any other, and what is known goes no further."""
        evidence = _evidence_of(message)
        if self._book.knows(evidence):
            ruling: Ruling | None = (Validation.IGNORE, "known")
        elif self._book.full(evidence):
            ruling = (verdict_of(FULL), FULL)
        else:
            ruling = self._examine(evidence, message, peer)
        if ruling is not None:
            self._answer(message, *ruling)

    def on_verdict(self, accused: Accused, verdict: Verification | None) -> None:
        """The verifier has answered about a proof that evidence is about."""
        self._answer(accused.message, *self._court.rule(accused, verdict))

    def _answer(self, message: Message, verdict: Validation, reason: str) -> None:
        evidence = _evidence_of(message)
        if verdict is Validation.ACCEPT and (self._book.knows(evidence) or not self._keep(evidence, heard=True)):
            reason = "known" if self._book.knows(evidence) else FULL
            verdict = verdict_of(reason)
        self._ports.answer(message, verdict, reason)

    def _examine(self, evidence: Misconduct, message: Message, peer: NodeId) -> Ruling | None:
        why = evidence.why_invalid(self._facts.signed_by)
        if why is not None:
            return Validation.REJECT, why
        return (Validation.ACCEPT, "") if isinstance(evidence, DoubleSign | BrokenLock) else self._court.judge(evidence, message, peer)

    def _publish(self, evidence: Misconduct) -> None:
        if not self._book.knows(evidence) and self._keep(evidence, heard=False):
            self._tell(evidence)

    def _tell(self, evidence: Misconduct) -> None:
        if self._ports.publish("evidence", evidence, evidence.size) is None:
            self._untold.append(evidence)

    def on_connected(self) -> None:
        """A neighbour is there: what was found while there was none is told now."""
        untold, self._untold = self._untold, []
        for evidence in untold:
            self._tell(evidence)

    def _keep(self, evidence: Misconduct, *, heard: bool) -> bool:
        now = self._ports.now
        if self._book.full(evidence):
            self._ports.limit_reached("evidence")
            return False
        self._book.keep(evidence)
        validator, height, slot = evidence.offence
        found = DoubleSignFound if isinstance(evidence, DoubleSign) else MisconductFound
        self._ports.emit(found(now, self._node, NodeId(validator), height, slot, evidence.what, heard))
        self._letters.post(MisconductKept(evidence))
        return True


def _evidence_of(message: Message) -> Misconduct:
    evidence = message.payload
    assert isinstance(evidence, DoubleSign | BrokenLock | FalseProof | InvalidProposal)
    return evidence
