"""Two halves of the honest validators are told different things, late enough that they cannot compare in time.

The halves are as equal in weight as can be. When one of the colluding nodes leads, it makes two blocks, and all of them
spread one of each to their neighbours of either half; otherwise the slot's block and nothing take the rivals' places. Each votes for
both, to each half its own, just before the honest ones give up waiting.
"""

from simnet.base.units import NodeId, from_ms
from simnet.net.network import Message
from simnet.node.opponents.act import Act
from simnet.node.opponents.signing import block_of, pending, proposal_of, vote_of
from simnet.protocol.blocks import Block
from simnet.protocol.messages import Phase, Proposal
from simnet.scenario import opponents as model

Rivals = tuple[Block | None, Block | None]
"""What each half is told."""


class Split(Act[model.Split]):
    """Works with the others by the plan: `shared` has the leader's two proposals."""

    replaces = frozenset({"proposals", "votes"})
    _proposed: Block | None = None

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        self._proposed = None
        if self.reach.leader(slot) == self.me:
            self._lead(slot)
        before, wait = from_ms(self.fault.before_deadline_ms), self.facts.slots.wait
        self.later(max(0, wait(Phase.PREVOTE) - before), lambda: self._tell_proposals(slot))
        self.later(max(0, wait(Phase.PRECOMMIT) - before), lambda: self._tell_votes(slot, Phase.PREVOTE))
        self.later(max(0, wait(Phase.COMMIT) - before), lambda: self._tell_votes(slot, Phase.PRECOMMIT))

    def saw(self, message: Message) -> None:
        proposal = message.payload
        if isinstance(proposal, Proposal) and proposal.slot == self.slot and proposal.leader == self.reach.leader(self.slot):
            self._proposed = self._proposed or proposal.block

    def _lead(self, slot: int) -> None:
        """Two blocks: one with what waits and one with less of it, or dated otherwise."""
        chosen = pending(self.reach)
        first = block_of(self.reach, slot, chosen)
        second = block_of(self.reach, slot, chosen[: len(chosen) // 2], apart=not chosen)
        self.plan.share(slot, proposal_of(self.reach, slot, first), proposal_of(self.reach, slot, second))

    def _tell_proposals(self, slot: int) -> None:
        pair = self.plan.shared.get(slot)
        for proposal, half in zip(pair or (), self._halves, strict=False):
            self.say("proposal", "proposal", proposal, proposal.size, subject=proposal.block.hash.hex()[:16], spared=self._all_but(half))

    def _tell_votes(self, slot: int, phase: Phase) -> None:
        for block, half in zip(self._rivals(slot), self._halves, strict=True):
            if block is not None and block.header.height != self.reach.chain.height + 1:
                return  # It was decided meanwhile.
            vote = vote_of(self.reach, slot, phase, block)
            subject = "" if block is None else block.hash.hex()[:16]
            self.say(phase.label, "vote", vote, vote.size, subject=subject, spared=self._all_but(half))

    def _rivals(self, slot: int) -> Rivals:
        pair = self.plan.shared.get(slot)
        return (pair[0].block, pair[1].block) if pair else (self._proposed, None)

    @property
    def _halves(self) -> tuple[frozenset[int], frozenset[int]]:
        return self.plan.halves(self.facts.genesis.electorate.weights)

    def _all_but(self, half: frozenset[int]) -> frozenset[NodeId]:
        """Neighbours that this half's message does not go to; colluding ones know it already."""
        return frozenset(p for p in self.ports.connected() if p not in half)
