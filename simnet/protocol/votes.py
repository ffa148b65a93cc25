"""The votes of one height, as one validator has seen them.

Votes count per value. An honest validator votes once in a slot and phase, so two quorums for different values share one who
did; a validator that votes twice is evidence (`protocol.evidence`), and each of its votes counts for its own value. To count
only the first one heard would let an equivocator stop the chain: half of the network misses the value that the others need.

Bounded: a validator may name `VALUES_MAX` values that nobody has proposed, in each slot and phase; slots long past are forgotten
unless they hold a proof of lock.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from simnet.protocol.messages import Phase, Vote
from simnet.protocol.validators import ValidatorSet

VALUES_MAX = 3
"""Values without a proposal that one validator may vote for in one slot and phase."""
SLOTS_KEPT = 64
"""Slots before the newest one whose votes are kept."""
TOLD_SLOTS = 8
"""Slots before the newest one that neighbours tell each other about."""
TOLD_MAX = 64
"""Most entries of what one neighbour tells another."""

Place = tuple[int, Phase]
"""(slot, phase)."""


@dataclass(slots=True)
class Tally:
    """Votes of one slot and phase, by value and validator."""

    votes: dict[bytes | None, dict[int, Vote]] = field(default_factory=dict)
    weight: dict[bytes | None, int] = field(default_factory=dict)

    def values_of(self, validator: int) -> list[bytes | None]:
        """What a validator has voted for."""
        return [value for value, votes in self.votes.items() if validator in votes]


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose votes for one value a node holds, for a neighbour that may lack some or have more."""

    slot: int
    phase: Phase
    block: bytes | None
    voters: int
    """Bit set of validator indices."""


class VoteBook:
    """Votes of one height."""

    def __init__(self, height: int, members: ValidatorSet) -> None:
        self.height = height
        self._members = members
        self._tallies: dict[Place, Tally] = {}
        self._newest = 0
        self._pinned = -1
        """A slot whose prevotes are the newest proof of lock."""
        self._named = -1
        """The slot that the last re-proposal named; its prevotes are taken however old they are."""

    def begin(self, slot: int) -> None:
        """A slot begins; what is long past is forgotten, and what is to come, as after a clock has been put back."""
        self._newest = slot
        kept = range(slot - SLOTS_KEPT, slot + 2)
        for place in [p for p in self._tallies if p[0] not in kept and p[0] not in (self._pinned, self._named)]:
            del self._tallies[place]

    def pin(self, slot: int) -> None:
        """Keeps a slot's votes: they are the newest proof of lock."""
        self._pinned = slot

    def name(self, slot: int) -> None:
        """A re-proposal says that an earlier slot holds its proof of lock."""
        self._named = slot

    def add(self, vote: Vote, *, proposed: bool) -> bool:
        """Counts a verified vote; False when it is known, a stranger's, of another height or time, or one too many.

        `proposed`: its block is one that this node holds.
        """
        if vote.height != self.height or vote.validator not in self._members.weights or not self._in_time(vote.slot):
            return False
        tally = self._tallies.setdefault((vote.slot, vote.phase), Tally())
        votes = tally.votes.get(vote.block, {})
        if vote.validator in votes:
            return False
        if vote.block is not None and not proposed and len(tally.values_of(vote.validator)) >= VALUES_MAX:
            return False
        tally.votes.setdefault(vote.block, {})[vote.validator] = vote
        tally.weight[vote.block] = tally.weight.get(vote.block, 0) + self._members.weights[vote.validator]
        return True

    def _in_time(self, slot: int) -> bool:
        """Votes of the next slot may come a little early; none of a later one is kept."""
        return self._newest - SLOTS_KEPT <= slot <= self._newest + 1 or slot in (self._pinned, self._named)

    def has_quorum(self, slot: int, phase: Phase, block: bytes | None) -> bool:
        """Whether more than two thirds of all weight cast this vote."""
        tally = self._tallies.get((slot, phase))
        return tally is not None and tally.weight.get(block, 0) >= self._members.threshold

    def quorums(self, phase: Phase) -> Iterator[tuple[int, bytes | None]]:
        """(slot, value) of all quorums of a phase, earliest slot first."""
        for (slot, kind), tally in sorted(self._tallies.items()):
            if kind is phase:
                yield from ((slot, value) for value, weight in tally.weight.items() if weight >= self._members.threshold)

    def votes(self, slot: int, phase: Phase, block: bytes | None) -> tuple[Vote, ...]:
        """The votes for a value, ascending by validator."""
        tally = self._tallies.get((slot, phase))
        return () if tally is None else tuple(v for _, v in sorted(tally.votes.get(block, {}).items()))

    def all_for(self, block: bytes) -> list[Vote]:
        """Every vote for a block, whatever the slot and phase."""
        return [v for _, tally in sorted(self._tallies.items()) for _, v in sorted(tally.votes.get(block, {}).items())]

    # --- what neighbours tell each other -------------------------------------------------------------

    def holdings(self) -> tuple[Holding, ...]:
        """What this node has of the last slots and of the newest proof of lock, newest first."""
        told = [p for p in self._tallies if p[0] >= self._newest - TOLD_SLOTS or p[0] == self._pinned]
        out = [
            Holding(slot, phase, value, sum(1 << v for v in votes))
            for slot, phase in sorted(told, reverse=True)
            for value, votes in sorted(self._tallies[slot, phase].votes.items(), key=lambda item: item[0] or b"")
        ]
        return tuple(out[:TOLD_MAX])

    def missing_at(self, theirs: Iterable[Holding]) -> tuple[Vote, ...]:
        """Votes of `holdings` that a neighbour with these ones lacks."""
        known = {(h.slot, h.phase, h.block): h.voters for h in theirs}
        return tuple(
            v
            for h in self.holdings()
            for v in self.votes(h.slot, h.phase, h.block)
            if not known.get((h.slot, h.phase, h.block), 0) >> v.validator & 1
        )
