"""Votes without memory: for whatever is proposed, whatever was locked, whether or not others prevoted."""

from simnet.node.opponents.act import Act
from simnet.node.opponents.signing import block_of, pending, proposal_of, vote_of
from simnet.protocol.blocks import Block
from simnet.protocol.messages import Phase, Vote
from simnet.scenario import opponents as model


class Amnesia(Act[model.Amnesia]):
    """One vote a slot and phase, each properly signed: nothing contradicts itself within a slot."""

    replaces = frozenset({"proposals", "votes"})
    _locked: tuple[int, bytes] | None = None
    """Height and block that it last precommitted: an honest node's lock."""

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        if self.reach.leader(slot) == self.me:
            block = block_of(self.reach, slot, pending(self.reach))
            proposal = proposal_of(self.reach, slot, block)
            self.say("fresh_proposal", "proposal", proposal, proposal.size, subject=block.hash.hex()[:16])
            self.plan.share(slot, proposal, proposal)
        # A little before an honest validator would give up waiting.
        self.later(self.reach.slot_ns * 9 // 30, lambda: self._vote(slot, Phase.PREVOTE))
        self.later(self.reach.slot_ns * 19 // 30, lambda: self._vote(slot, Phase.PRECOMMIT))

    def _vote(self, slot: int, phase: Phase) -> None:
        block = self._proposed(slot)
        if block is None or block.header.height != self.reach.chain.height + 1:
            return
        vote = vote_of(self.reach, slot, phase, block)
        self.say(self._forgotten(vote), "vote", vote, vote.size, subject=block.hash.hex()[:16])
        if phase is Phase.PRECOMMIT:
            self._locked = (vote.height, block.hash)

    def _proposed(self, slot: int) -> Block | None:
        pair = self.plan.shared.get(slot)
        return pair[0].block if pair else self.reach.validator.voting.proposed(slot)

    def _forgotten(self, vote: Vote) -> str:
        """What an honest validator would have minded."""
        if vote.phase is Phase.PRECOMMIT:
            quorum = self.reach.validator.voting.book.has_quorum(vote.slot, Phase.PREVOTE, vote.block)
            return "precommit" if quorum else "precommit_without_quorum"
        locked = self._locked is not None and self._locked[0] == vote.height and self._locked[1] != vote.block
        return "prevote_against_lock" if locked else "prevote"
