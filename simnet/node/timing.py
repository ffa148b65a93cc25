"""What a validator makes of messages that come too early or too late by its own clock.

After the proposer-based timestamps of CometBFT (its specification, `consensus/proposer-based-timestamp`): a receiver accepts what
is dated at most a *precision* ahead of its own clock. Nothing is refused for being old: a proposal that comes late meets
validators that have already voted nil.
"""

from simnet.base.units import NS_PER_S, NodeId, SimTime, from_ms
from simnet.events import Untimely
from simnet.node.facts import Facts
from simnet.node.ports import Ports
from simnet.protocol.messages import Phase, Proposal, Vote

KEPT_MAX = 64
"""Early proposals that a node holds."""
PATIENCE_MAX = SimTime(2 * NS_PER_S)
"""A request that brought nothing may be repeated after this long, or after half a slot if that is shorter. And younger transfers and proofs
may still be on their way to everybody."""


def patience(slot: SimTime) -> SimTime:
    """How long a node waits for a neighbour's answer before it asks another one."""
    return min(PATIENCE_MAX, SimTime(slot // 2))


def latest_slot(facts: Facts, ports: Ports) -> int:
    """The newest slot that may have begun by a node's clock, give or take the precision: nothing of a later one is believed."""
    return facts.slots.of(ports.clock.now + from_ms(facts.scenario.clock_precision_ms))


def dated_ahead(facts: Facts, ports: Ports, seconds: int) -> int:
    """By how many nanoseconds more than the precision a date is ahead of a node's clock; 0 for one that may be right."""
    return max(0, seconds * NS_PER_S - ports.clock.now - from_ms(facts.scenario.clock_precision_ms))


class Timing:
    """One node's judgement; it records what wrong clocks did."""

    def __init__(self, facts: Facts, ports: Ports) -> None:
        self._facts = facts
        self._ports = ports
        self._node = ports.node
        self._clock = ports.clock
        self._slots = facts.slots
        self._precision = from_ms(facts.scenario.clock_precision_ms)

    def keeps(self, proposal: Proposal, held: int) -> bool:
        """Whether a proposal for a slot that has not begun is held until it does."""
        early = self._slots.start(proposal.slot) - self._clock.now
        if early > self._precision:
            self._tell(proposal.leader, "proposal", "refused", early)
            return False
        if held >= KEPT_MAX:
            self._ports.limit_reached("early_proposals")
            return False
        self._tell(proposal.leader, "proposal", "kept", early)
        return True

    def timely(self, proposal: Proposal) -> bool:
        """Whether a block's time is no further ahead of this clock than the precision."""
        ahead = dated_ahead(self._facts, self._ports, proposal.block.header.timestamp)
        if not ahead or proposal.leader == self._node:
            return True
        self._tell(proposal.leader, "proposal", "refused", ahead + self._precision)
        return False

    def note_proposal(self, proposal: Proposal, slot: int, *, waiting: bool) -> None:
        """A proposal of this slot or an earlier one; `waiting`: this node has not voted in its slot."""
        if slot > proposal.slot or not waiting:
            self._late(proposal.leader, "proposal", self._slots.deadline(proposal.slot, Phase.PREVOTE))

    def note_vote(self, vote: Vote, slot: int) -> None:
        """A vote that came after its slot had ended here decides nothing in time. Commits are never waited for."""
        if vote.slot < slot and vote.phase is not Phase.COMMIT:
            self._late(vote.validator, "vote", self._slots.start(vote.slot + 1))

    def _late(self, author: int, kind: str, due: int) -> None:
        if self._clock.error or self._ports.clock_error(author):
            self._tell(author, kind, "late", max(0, self._clock.now - due))

    def _tell(self, author: int, kind: str, outcome: str, by: int) -> None:
        self._ports.emit(Untimely(self._ports.now, self._node, NodeId(author), kind, outcome, SimTime(by)))
