"""Votes without memory: for whatever is proposed, whatever was locked or even decided, whether or not others prevoted."""

from simnet.net.network import Message
from simnet.node.opponents.act import Act
from simnet.node.opponents.signing import block_of, pending, proposal_of, vote_of
from simnet.protocol.blocks import Block
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.scenario import opponents as model


class Amnesia(Act[model.Amnesia]):
    """One vote a slot and phase, each properly signed: nothing contradicts itself within a slot. Who is behind and proposes a block for a
    height that was decided without it gets the slot's votes."""

    replaces = frozenset({"proposals", "votes"})
    _locked: tuple[int, bytes] | None = None
    """Height and block that it last precommitted: an honest node's lock."""
    _overtaken: Block | None = None
    """This slot's proposal of a leader that is behind."""
    _prevoted: Block | None = None
    """What it has prevoted in this slot, which it sticks to: another height would be a second signature."""

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        self._overtaken = self._prevoted = None
        if self.reach.leader(slot) == self.me:
            block = block_of(self.reach, slot, pending(self.reach))
            proposal = proposal_of(self.reach, slot, block)
            self.say("fresh_proposal", "proposal", proposal, proposal.size, subject=block.hash.hex()[:16])
            self.plan.share(slot, proposal, proposal)
        # A little before an honest validator would give up waiting.
        self.later(self.reach.slot_ns * 9 // 30, lambda: self._vote(slot, Phase.PREVOTE))
        self.later(self.reach.slot_ns * 19 // 30, lambda: self._vote(slot, Phase.PRECOMMIT))

    def saw(self, message: Message) -> None:
        proposal = message.payload
        if not isinstance(proposal, Proposal) or proposal.slot != self.slot:
            return
        header, chain = proposal.block.header, self.reach.chain
        own, electorate = chain.at(header.height), chain.electorate_of(header.height)
        if own is not None and electorate is not None and header.parent == own.block.header.parent and own.block.hash != header.hash:
            self._overtaken = self._overtaken or (proposal.block if proposal.leader == electorate.leader(proposal.slot) else None)

    def _vote(self, slot: int, phase: Phase) -> None:
        block = self._prevoted or self._overtaken or self._proposed(slot)
        if block is None:
            return
        self._prevoted = block
        vote = vote_of(self.reach, slot, phase, block)
        self.say(self._forgotten(vote), "vote", vote, vote.size, subject=block.hash.hex()[:16])
        if phase is Phase.PRECOMMIT:
            self._locked = (vote.height, block.hash)

    def _proposed(self, slot: int) -> Block | None:
        """The slot's block for the next height."""
        pair = self.plan.shared.get(slot)
        block = pair[0].block if pair else self.reach.voter.voting.proposed(slot)
        return block if block is not None and block.header.height == self.reach.chain.height + 1 else None

    def _forgotten(self, vote: Vote) -> str:
        """What an honest validator would have minded."""
        if vote.phase is Phase.PRECOMMIT:
            quorum = self.reach.voter.voting.book.has_quorum(vote.slot, Phase.PREVOTE, vote.block)
            return "precommit" if quorum else "precommit_without_quorum"
        locked = self._locked is not None and self._locked[0] == vote.height and self._locked[1] != vote.block
        return "prevote_against_lock" if locked else "prevote"
