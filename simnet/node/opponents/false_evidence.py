"""Accusations that are false, or true ones in such a number and shape that somebody else pays for them."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from simnet.base.blob import Blob
from simnet.base.units import NodeId
from simnet.events import OpponentActed
from simnet.net.network import Message
from simnet.node.opponents.act import Act, Reach
from simnet.node.opponents.envelopes import Claim, forged
from simnet.node.opponents.plan import Plan
from simnet.node.status import Status
from simnet.protocol.blocks import Header
from simnet.protocol.evidence import BrokenLock, DoubleSign, FalseProof, InvalidProposal, Misconduct
from simnet.protocol.messages import DIGEST_BYTES, BlockProof, ConsensusProof, Phase, Proposal, Vote
from simnet.protocol.testimony import Branch, Testimony
from simnet.scenario import opponents as model

OWN_PROOFS = 8
"""Spoiled proofs that come together, before the first can be found out."""
KEPT_MAX = 64
"""Votes and proposals of others that accusations are made of."""
FAR_SLOTS, JUNK = 10**6, 256
"""Votes that contradict nothing: of slots that are not to come, and how many of them an answer has."""


class FalseEvidence(Act[model.FalseEvidence]):
    """Spreads its accusations over the slot. To be asked for testimony it says at each slot that it has another head."""

    def __init__(self, reach: Reach, plan: Plan, fault: model.FalseEvidence, as_part_of: str | None = None) -> None:
        super().__init__(reach, plan, fault, as_part_of)
        self._votes: deque[Vote] = deque(maxlen=KEPT_MAX)
        self._proposals: deque[Proposal] = deque(maxlen=KEPT_MAX)
        self._told = [what for what in fault.what if what in ("testimony", "junk")]
        self._accusations = [what for what in fault.what if what not in self._told]
        self._make: Mapping[str, Callable[[], Misconduct | None]] = {
            "double_sign": self._double_sign,
            "broken_lock": self._broken_lock,
            "genuine_proof": self._genuine_proof,
            "valid_block": self._valid_block,
            "own_proof": self._own_proof,
        }

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        if self._accusations:
            self.over_the_slot(self.fault.per_slot, self.one)
        if self._told and self.reach.chain.height:
            for peer in self.ports.connected():
                status = Status(self.reach.chain.height, (), (), 0, (), self.plan.bytes(DIGEST_BYTES))
                self.ports.send(peer, "status", status, status.size)

    def saw(self, message: Message) -> None:
        said = message.payload
        if isinstance(said, Vote) and said.block is not None and said.validator not in self.plan.members:
            self._votes.append(said)
        elif isinstance(said, Proposal):
            self._proposals.append(said)

    def one(self) -> int:
        what = self.turn("accusations", self._accusations)
        claims = [self._make[what]() for _ in range(OWN_PROOFS if what == "own_proof" else 1)]
        return sum(self._accuse(what, claim) for claim in claims if claim is not None)

    def _accuse(self, what: str, claim: Misconduct) -> int:
        subject = claim.proof.envelope.name if isinstance(claim, FalseProof) and what == "own_proof" else ""
        return self.say(what, "evidence", claim, claim.size, subject=subject)

    def answers(self, kind: str, payload: object, peer: NodeId) -> bool:
        """Whoever asks is told what others have not signed, or more than it may have room for."""
        if kind != "fork_request" or not isinstance(payload, Branch) or not self._told:
            return False
        height, what = payload.first + len(payload.blocks) - 1, self.turn("testimony", self._told)
        committed = self.reach.chain.at(height)
        if committed is None:
            return False
        votes = self._junk(height) if what == "junk" else tuple(map(self._another, committed.certificate.votes))
        told = Testimony(height, (committed.block.header,), votes)
        self.ports.send(peer, "fork_response", told, told.size)
        self.ports.emit(OpponentActed(self.ports.now, self.me, self.fault.kind, what, -1, ""))
        return True

    # --- against others ------------------------------------------------------------------------------

    def _another(self, vote: Vote, **changes: object) -> Vote:
        """What its author did not sign, beside what it did."""
        made = replace(vote, **{"block": self.plan.bytes(DIGEST_BYTES), **changes})  # type: ignore[arg-type]
        return self.reach.keyring.signed(made)

    def _vote(self, phase: Phase | None = None) -> Vote | None:
        """The last one of somebody else."""
        return next((v for v in reversed(self._votes) if phase in (None, v.phase)), None)

    def _double_sign(self) -> DoubleSign | None:
        """A vote beside one that its author did not sign, or that is of another slot."""
        vote = self._vote()
        if vote is None:
            return None
        earlier = next((v for v in self._votes if v.validator == vote.validator and v.slot != vote.slot), None)
        if earlier is None or self.turn("double_sign", (True, False)):
            return DoubleSign(vote, self._another(vote))
        return DoubleSign(earlier, vote)

    def _broken_lock(self) -> BrokenLock | None:
        """A precommit beside a later prevote for a new block that its author did not sign, or beside one that it was free to cast."""
        lock, block = self._vote(Phase.PRECOMMIT), self._last_header()
        if lock is None or block is None:
            return None
        own = next((v for v in self._votes if (v.validator, v.slot, v.phase) == (lock.validator, lock.slot, Phase.PREVOTE)), None)
        if own is not None and own.block == block.hash and self.turn("broken_lock", (True, False)):
            return BrokenLock(lock, own, block)
        new = replace(block, height=lock.height, slot=lock.slot + 1)
        return BrokenLock(lock, self._another(lock, phase=Phase.PREVOTE, slot=new.slot, block=new.hash), new)

    def _last_header(self) -> Header | None:
        return self._proposals[-1].block.header if self._proposals else None

    def _genuine_proof(self) -> FalseProof | None:
        """A proof that its verifier has accepted, of one of the last blocks."""
        aggregation, committed = self.reach.aggregation, self.reach.chain.committed[-KEPT_MAX:]
        known: list[ConsensusProof | BlockProof] = [c.proof for c in committed if c.proof is not None]
        for c in committed[-2:]:
            known += aggregation.proofs_of(c.block.header.height)
        proofs = [p for p in known if p.prover not in self.plan.members]
        return FalseProof(proofs[int(self.plan.random.integers(len(proofs)))]) if proofs else None

    def _valid_block(self) -> InvalidProposal | None:
        """A leader's proposal that was decided."""
        for proposal in reversed(self._proposals):
            committed = self.reach.chain.at(proposal.block.header.height)
            if committed is None or committed.block.hash != proposal.block.hash or proposal.leader in self.plan.members:
                continue
            header = proposal.block.header
            if (header.slot, header.proposer) == (proposal.slot, proposal.leader):
                return InvalidProposal(proposal.bare)
        return None

    # --- against itself ------------------------------------------------------------------------------

    def _own_proof(self) -> FalseProof | None:
        """A proof of its own about the last proven block, spoiled otherwise each time."""
        committed = next((c for c in reversed(self.reach.chain.committed) if c.proof is not None), None)
        if committed is None or committed.proof is None:
            return None
        spoiled = Blob(forged("spoiled", committed.proof.envelope.data, Claim(b"", b"", 0), self.plan))
        return FalseProof(self.reach.keyring.signed(replace(committed.proof, envelope=spoiled, prover=self.me)))

    def _junk(self, height: int) -> tuple[Vote, ...]:
        """Votes of its own that contradict none, and fill whatever keeps them."""
        slots = range(max(0, self.slot) + FAR_SLOTS, max(0, self.slot) + FAR_SLOTS + JUNK)
        bare = (Vote(height, slot, Phase.PREVOTE, self.plan.bytes(DIGEST_BYTES), self.me, b"", b"") for slot in slots)
        return tuple(map(self.reach.keyring.signed, bare))
