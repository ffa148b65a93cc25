"""Voting on one height: Tendermint with a slot clock.

The rules are those of Algorithm 1 in Buchman, Kwon, Milosevic, "The latest gossip on BFT consensus"
(arXiv:1807.04938), with one change: rounds are not started by time-outs but by a shared slot clock, as in
Streamlet (Chan, Shi 2020). A round number is a slot number, hence unique over the whole chain, which the
one-time keys of the consensus circuit need (one round per slot). Locking, re-proposal with a valid round and
the decision rule are unchanged, and Tendermint's safety proof nowhere uses when rounds start; liveness needs
what the paper calls GST plus slots longer than a few message delays. docs/consensus.md goes through it rule by rule.

A third phase, *commit*, follows a decision: it announces "I have decided", as in the first Tendermint paper
(Kwon 2014), and is what the consensus circuit's commit list counts. Nothing waits for it.

No clock, no network, no randomness here: callers feed slots, deadlines, checked proposals and verified
votes into `Voting.handle`, and carry out the effects.
"""

from dataclasses import dataclass
from enum import IntEnum

from simnet.protocol.blocks import Block
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.protocol.validators import Electorate
from simnet.protocol.votes import PROPOSALS_MAX, SLOTS_KEPT, VoteBook


class Step(IntEnum):
    """Where a validator stands in the current slot."""

    PROPOSE = 0
    PREVOTE = 1
    PRECOMMIT = 2


# --- inputs ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlotBegan:
    """A round begins. Where a clock has been put back, one before the last may follow, also one that has begun and not been voted in."""

    slot: int
    votes: bool = True
    """False: the validator signs nothing in it, since it has served another height or is not known to be the present one."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal whose signature and leader the caller has checked; `acceptable` is the paper's valid(v)."""

    proposal: Proposal
    acceptable: bool


@dataclass(frozen=True, slots=True)
class Voted:
    """A vote whose signature the caller has checked."""

    vote: Vote


@dataclass(frozen=True, slots=True)
class Deadline:
    """The slot clock's stand-in for timeoutPropose (`phase` is prevote) and timeoutPrevote (precommit)."""

    slot: int
    phase: Phase


Input = SlotBegan | Proposed | Voted | Deadline


# --- effects ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Propose:
    """Lead this slot. `block`: re-propose this one, with its proof of lock; `None`: build a new one."""

    slot: int
    block: Block | None
    valid_slot: int
    lock: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """Sign and broadcast a vote; feed it back as `Voted`."""

    slot: int
    phase: Phase
    block: bytes | None


@dataclass(frozen=True, slots=True)
class Decide:
    """A precommit quorum exists: the block is final."""

    block: Block
    slot: int


@dataclass(frozen=True, slots=True)
class FetchBlock:
    """A precommit quorum exists for a block that is not here."""

    block: bytes
    slot: int


Effect = Propose | Cast | Decide | FetchBlock


class Voting:
    """One validator's voting on one height. The electorate is fixed by the parent block."""

    def __init__(self, height: int, me: int, electorate: Electorate) -> None:
        self.height = height
        self.me = me
        self.electorate = electorate
        self.slot = -1
        self.step = Step.PRECOMMIT
        self._cast_in: set[int] = set()
        """Slots in which it has voted."""
        self._voted_in = -1
        """The last slot in which it voted for a block. It votes for none in an earlier one: the safety proof rests on that order."""
        self.locked: tuple[int, bytes] | None = None
        self.valid: tuple[int, Block] | None = None
        self.blocks: dict[bytes, Block] = {}
        """Acceptable blocks that were proposed."""
        self.proposals: dict[int, dict[bytes, Proposal]] = {}
        """By slot and block, the first one first."""
        self._proposed_in: dict[bytes, int] = {}
        """The last slot that each of them was proposed in."""
        self.book = VoteBook(height, electorate.members)
        self.decided = False
        self._fetching: set[bytes] = set()

    def handle(self, event: Input) -> list[Effect]:
        """What follows from an input."""
        match event:
            case SlotBegan(slot, votes):
                return self._begin(slot, votes)
            case Proposed(proposal, acceptable):
                return self._on_proposal(proposal, acceptable)
            case Voted(vote):
                return self._evaluate() if self._count(vote) else []
            case Deadline(slot, phase):
                return self._on_deadline(slot, phase)

    def proposed(self, slot: int) -> Block | None:
        """The block of the first proposal that came for a slot."""
        proposal = self._proposal(slot)
        return None if proposal is None else proposal.block

    # --- inputs --------------------------------------------------------------------------------------

    def _begin(self, slot: int, votes: bool) -> list[Effect]:
        """Lines 11–21."""
        if self.decided or slot in self._cast_in or slot <= self._voted_in:
            return []
        self.slot = slot
        self.book.begin(slot)
        self._forget_before(slot)
        self.step = Step.PROPOSE if votes else Step.PRECOMMIT
        effects = self._evaluate()
        leads = votes and self.electorate.leader(slot) == self.me
        return effects if effects or not leads else [self._lead(slot)]

    def _forget_before(self, slot: int) -> None:
        """Drops old proposals, and blocks that were last proposed long ago and have no proof of lock."""
        self.proposals = {s: p for s, p in self.proposals.items() if s >= slot}
        for block in [b for b, s in self._proposed_in.items() if s < slot - SLOTS_KEPT]:
            if self.valid is None or self.valid[1].hash != block:
                del self._proposed_in[block], self.blocks[block]

    def _lead(self, slot: int) -> Propose:
        # A quorum of this slot, which its leader has only begun, is of colluders alone; one of a later slot came before a clock was put back.
        if self.valid is None or self.valid[0] >= slot:
            return Propose(slot, None, -1, ())
        valid_slot, block = self.valid
        return Propose(slot, block, valid_slot, self.book.votes(valid_slot, Phase.PREVOTE, block.hash))

    def _on_proposal(self, proposal: Proposal, acceptable: bool) -> list[Effect]:
        """A second, different proposal of a slot is evidence against its leader; its block may still be the one decided on."""
        known = self.proposals.setdefault(proposal.slot, {})
        subject = proposal.block.hash
        if subject not in known and len(known) < PROPOSALS_MAX:
            known[subject] = proposal
            self.book.propose(proposal.slot, subject)
            if acceptable:
                self.blocks[subject] = proposal.block
                self._proposed_in[subject] = proposal.slot
        if 0 <= proposal.valid_slot < proposal.slot:
            self.book.name(proposal.valid_slot)
        for vote in proposal.lock:
            self._count(vote)
        return self._evaluate()

    def _count(self, vote: Vote) -> bool:
        return self.book.add(vote, proposed=vote.block is not None and vote.block in self.blocks)

    def _on_deadline(self, slot: int, phase: Phase) -> list[Effect]:
        """Lines 57–64."""
        if self.decided or slot != self.slot:
            return []
        if phase is Phase.PREVOTE and self.step is Step.PROPOSE:
            return self._prevote(None)
        if phase is Phase.PRECOMMIT and self.step is Step.PREVOTE:
            return self._precommit(None)
        return []

    # --- rules ---------------------------------------------------------------------------------------

    def _evaluate(self) -> list[Effect]:
        """Applies the first rule that fires; casting a vote re-enters through the caller."""
        if self.decided:
            return []
        decision = self._decision()
        if decision:
            return decision
        self._note_valid()
        if self.step is Step.PROPOSE:
            return self._on_propose_step()
        return self._on_prevotes() if self.step is Step.PREVOTE else []

    def _decision(self) -> list[Effect]:
        """Line 49: a precommit quorum of any slot."""
        for slot, block in self.book.quorums(Phase.PRECOMMIT):
            if block is None:
                continue
            if block in self.blocks:
                self.decided = True
                return [Decide(self.blocks[block], slot)]
            if block not in self._fetching:
                self._fetching.add(block)
                return [FetchBlock(block, slot)]
        return []

    def _on_propose_step(self) -> list[Effect]:
        """Lines 22–33: answer the slot's proposal."""
        proposal = self._proposal(self.slot)
        if proposal is None:
            return []
        block = proposal.block.hash
        if block not in self.blocks:
            return self._prevote(None)
        if proposal.valid_slot < 0:
            return self._prevote(block if self._free_for(block, -1) else None)
        if not self._proof_of_lock(proposal):
            return []
        return self._prevote(block if self._free_for(block, proposal.valid_slot) else None)

    def _proposal(self, slot: int) -> Proposal | None:
        return next(iter(self.proposals.get(slot, {}).values()), None)

    def _proof_of_lock(self, proposal: Proposal) -> bool:
        """Line 28: whether the earlier slot that a re-proposal names gave its block a prevote quorum."""
        return proposal.valid_slot < self.slot and self.book.has_quorum(proposal.valid_slot, Phase.PREVOTE, proposal.block.hash)

    def _free_for(self, block: bytes, valid_slot: int) -> bool:
        """Lines 23 and 29: whether this validator's lock lets it vote for a block, proposed with a proof of lock of `valid_slot`."""
        return self.locked is None or self.locked[1] == block or self.locked[0] <= valid_slot

    def _on_prevotes(self) -> list[Effect]:
        """Lines 36–46: lock on a prevote quorum of this slot, or give the slot up on a nil quorum."""
        if self.valid is not None and self.valid[0] == self.slot:
            self.locked = (self.slot, self.valid[1].hash)
            return self._precommit(self.locked[1])
        return self._precommit(None) if self.book.has_quorum(self.slot, Phase.PREVOTE, None) else []

    def _note_valid(self) -> None:
        """Line 42, for every slot so far: the newest block with a prevote quorum is the one to propose again.

        The paper looks at the current round only and relies on time-outs long enough for a quorum that one process has
        seen to reach all others within the round. A slot ends by the clock, so a quorum may complete late; taking it
        then costs no safety (only proposals depend on it) and keeps liveness. Nobody honest prevotes a block in a slot before its own, so
        such a quorum is none: who is locked has voted for no block that was new later (`evidence.BrokenLock`).
        """
        for slot, block in self.book.quorums(Phase.PREVOTE):
            if block is None or block not in self.blocks or not self.blocks[block].header.slot <= slot <= self.slot:
                continue
            if self.valid is None or slot > self.valid[0]:
                self.valid = (slot, self.blocks[block])
                self.book.pin(slot, block)

    def _prevote(self, block: bytes | None) -> list[Effect]:
        self.step = Step.PREVOTE
        return self._vote(Phase.PREVOTE, block)

    def _precommit(self, block: bytes | None) -> list[Effect]:
        self.step = Step.PRECOMMIT
        return self._vote(Phase.PRECOMMIT, block)

    def _vote(self, phase: Phase, block: bytes | None) -> list[Effect]:
        self._cast_in.add(self.slot)
        if block is not None:
            self._voted_in = self.slot
        return [Cast(self.slot, phase, block)]
