"""Voting on one height: Tendermint with a slot clock.

The rules are those of Algorithm 1 in Buchman, Kwon, Milosevic, "The latest gossip on BFT consensus"
(arXiv:1807.04938), with one change: rounds are not started by time-outs but by a shared slot clock, as in
Streamlet (Chan, Shi 2020). A round number is a slot number, hence unique over the whole chain, which the
one-time keys of the consensus circuit need (one round per slot). Locking, re-proposal with a valid round and
the decision rule are unchanged, and Tendermint's safety proof nowhere uses when rounds start; liveness needs
what the paper calls GST plus slots longer than a few message delays.

A third phase, *commit*, follows a decision: it announces "I have decided", as in the first Tendermint paper
(Kwon 2014), and is what the consensus circuit's commit list counts. Nothing waits for it.

No clock, no network, no randomness here: callers feed slots, deadlines, validated proposals and verified
votes, and carry out the effects.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import IntEnum

from simnet.protocol.blocks import Block
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.protocol.validators import EpochSet, epoch_of


class Step(IntEnum):
    """Where a validator stands in the current slot."""

    PROPOSE = 0
    PREVOTE = 1
    PRECOMMIT = 2


@dataclass(frozen=True, slots=True)
class Propose:
    """Lead this slot. `block`: re-propose this one (valid since `valid_slot`); `None`: build a new one."""

    slot: int
    block: Block | None
    valid_slot: int


@dataclass(frozen=True, slots=True)
class Cast:
    """Sign and broadcast a vote; feed it back through `on_vote`."""

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


@dataclass(frozen=True, slots=True)
class Equivocation:
    """A validator signed two different votes of one phase and slot, or two proposals."""

    validator: int
    slot: int
    what: str


Effect = Propose | Cast | Decide | FetchBlock | Equivocation


@dataclass(slots=True)
class Tally:
    """Votes of one slot and phase."""

    votes: dict[int, Vote] = field(default_factory=dict)
    weight: dict[bytes | None, int] = field(default_factory=lambda: defaultdict(int))


class SetsOf:
    """The epoch sets that are fixed for a height."""

    def __init__(self, sets: dict[int, EpochSet]) -> None:
        self._sets = sets
        self._empty = EpochSet(-1, ())

    def at(self, slot: int) -> EpochSet:
        """The set of the slot's epoch; empty when nobody has registered for it."""
        return self._sets.get(epoch_of(slot), self._empty)


class Voting:
    """One validator's voting on one height. `sets` is fixed by the parent block."""

    def __init__(self, height: int, me: int, sets: SetsOf) -> None:
        self.height = height
        self.me = me
        self.slot = -1
        self.step = Step.PRECOMMIT
        self.locked: tuple[int, bytes] | None = None
        self.valid: tuple[int, Block] | None = None
        self.blocks: dict[bytes, Block] = {}
        self.proposals: dict[int, Proposal] = {}
        self.refused: set[int] = set()
        self.tallies: dict[tuple[int, Phase], Tally] = defaultdict(Tally)
        self.decided = False
        self._fetching: set[bytes] = set()
        self._sets = sets

    def start_slot(self, slot: int) -> list[Effect]:
        """Begins a round (lines 11–21 of the paper)."""
        if self.decided or slot <= self.slot:
            return []
        self.slot = slot
        self.step = Step.PROPOSE
        effects: list[Effect] = []
        leaders = self._sets.at(slot).leaders(slot)
        if leaders and leaders[0] == self.me:
            valid_slot, block = self.valid or (-1, None)
            effects.append(Propose(slot, block, valid_slot))
        return effects + self._evaluate()

    def on_proposal(self, proposal: Proposal, acceptable: bool) -> list[Effect]:
        """A proposal whose signature, leader and contents the caller has checked; `acceptable` is valid(v)."""
        known = self.proposals.get(proposal.slot)
        if known is not None:
            if known.block.hash != proposal.block.hash:
                return [Equivocation(proposal.leader, proposal.slot, "proposal")]
            return []
        self.proposals[proposal.slot] = proposal
        if acceptable:
            self.blocks[proposal.block.hash] = proposal.block
        else:
            self.refused.add(proposal.slot)
        return self._evaluate()

    def on_vote(self, vote: Vote) -> list[Effect]:
        """A vote whose signature the caller has checked."""
        weight = self._sets.at(vote.slot).weights.get(vote.validator)
        if weight is None or vote.height != self.height:
            return []
        tally = self.tallies[(vote.slot, vote.phase)]
        known = tally.votes.get(vote.validator)
        if known is not None:
            if known.block != vote.block:
                return [Equivocation(vote.validator, vote.slot, vote.phase.label)]
            return []
        tally.votes[vote.validator] = vote
        tally.weight[vote.block] += weight
        return self._evaluate()

    def on_deadline(self, slot: int, phase: Phase) -> list[Effect]:
        """The slot clock's stand-in for timeoutPropose and timeoutPrevote (lines 57–64)."""
        if self.decided or slot != self.slot:
            return []
        if phase is Phase.PREVOTE and self.step is Step.PROPOSE:
            return self._prevote(None)
        if phase is Phase.PRECOMMIT and self.step is Step.PREVOTE:
            return self._precommit(None)
        return []

    def proposed(self, slot: int) -> Block | None:
        """The block of the first proposal that came for a slot."""
        proposal = self.proposals.get(slot)
        return None if proposal is None else proposal.block

    def quorum(self, slot: int, phase: Phase, block: bytes | None) -> bool:
        """Whether more than two thirds of the slot's stake cast this vote."""
        tally = self.tallies.get((slot, phase))
        return tally is not None and tally.weight.get(block, 0) >= self._sets.at(slot).threshold

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
        return self._on_prevotes()

    def _decision(self) -> list[Effect]:
        """Line 49: a precommit quorum of any slot."""
        for (slot, phase), tally in self.tallies.items():
            if phase is not Phase.PRECOMMIT:
                continue
            threshold = self._sets.at(slot).threshold
            for block, weight in tally.weight.items():
                if block is None or weight < threshold:
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
        proposal = self.proposals.get(self.slot)
        if proposal is None:
            return []
        block = proposal.block.hash
        if self.slot in self.refused:
            return self._prevote(None)
        if proposal.valid_slot < 0:
            free = self.locked is None or self.locked[1] == block
            return self._prevote(block if free else None)
        if proposal.valid_slot >= self.slot or not self.quorum(proposal.valid_slot, Phase.PREVOTE, block):
            return []
        free = self.locked is None or self.locked[0] <= proposal.valid_slot or self.locked[1] == block
        return self._prevote(block if free else None)

    def _on_prevotes(self) -> list[Effect]:
        """Lines 36–46: lock on a prevote quorum of this slot, or give the slot up on a nil quorum."""
        if self.step is not Step.PREVOTE:
            return []
        if self.valid is not None and self.valid[0] == self.slot:
            self.locked = (self.slot, self.valid[1].hash)
            return self._precommit(self.locked[1])
        return self._precommit(None) if self.quorum(self.slot, Phase.PREVOTE, None) else []

    def _note_valid(self) -> None:
        """Line 42, for every slot so far: the newest block with a prevote quorum is the one to propose again.

        The paper looks at the current round only and relies on time-outs long enough for a quorum that one process has
        seen to reach all others within the round. A slot ends by the clock, so a quorum may complete late; taking it
        then costs no safety (only proposals depend on it) and keeps liveness.
        """
        for (slot, phase), tally in self.tallies.items():
            if phase is not Phase.PREVOTE or slot > self.slot or (self.valid is not None and slot <= self.valid[0]):
                continue
            threshold = self._sets.at(slot).threshold
            for block, weight in tally.weight.items():
                if block in self.blocks and weight >= threshold:
                    self.valid = (slot, self.blocks[block])

    def _prevote(self, block: bytes | None) -> list[Effect]:
        self.step = Step.PREVOTE
        return [Cast(self.slot, Phase.PREVOTE, block)]

    def _precommit(self, block: bytes | None) -> list[Effect]:
        self.step = Step.PRECOMMIT
        return [Cast(self.slot, Phase.PRECOMMIT, block)]
