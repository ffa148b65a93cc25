"""The votes of one height, as one validator has seen them.

Votes count per value. An honest validator votes once in a slot and phase, so two quorums for different values share one who
did; a validator that votes twice is evidence (`protocol.evidence`), and each of its votes counts for its own value. To count
only the first one heard would let an equivocator stop the chain: half of the network misses the value that the others need.

Bounded: a validator may name `VALUES_MAX` values that nobody has proposed, in each slot and phase; slots long past are forgotten
unless they hold a proof of lock.

What neighbours tell each other is bounded, too, and made-up values must not take the place of real ones. So it has an order: the proof of
lock, then what an honest vote of about now can be for (nil, and what was proposed in its slot), then the rest by weight. All of the first
two classes are told, whatever liars do and however many members there are:

* Told are `PROPOSALS_MAX` proposals of a slot and nil, in three phases of four slots (the proof's, and three of about now), and the
  value of the proof: 3 * (4 * 5 + 1) = 63 entries, and `TOLD_MAX` is 64.
* Of the votes behind them the proof of lock goes first, then one vote of each member, slot and phase, then the others. An honest
  member has no other. That is 1 + 3 * 4 = `HANDED_PER_MEMBER` for each member.
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
PROPOSALS_MAX = 4
"""Proposals of one slot that are taken, passed on and looked at; an honest leader makes one."""
HANDED_PER_MEMBER = 13
"""Votes that one neighbour hands another at once, for each member."""

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
        self._pinned: tuple[int, bytes] | None = None
        """The slot whose prevotes for a block are the newest proof of lock."""
        self._named = -1
        """The slot that the last re-proposal named; its prevotes are taken however old they are."""
        self._proposed: dict[int, list[bytes]] = {}
        """What was proposed in each slot, the first ones."""

    def begin(self, slot: int) -> None:
        """A slot begins; what is long past is forgotten, and what is to come, as after a clock has been put back."""
        self._newest = slot
        for place in [p for p in self._tallies if not self.in_time(p[0])]:
            del self._tallies[place]
        for old in [s for s in self._proposed if not self.in_time(s)]:
            del self._proposed[old]

    def pin(self, slot: int, block: bytes) -> None:
        """Keeps a slot's votes: its prevotes for a block are the newest proof of lock."""
        self._pinned = (slot, block)

    def propose(self, slot: int, block: bytes) -> None:
        """A block was proposed in a slot: honest votes of the slot may be for it."""
        proposed = self._proposed.setdefault(slot, [])
        if len(proposed) < PROPOSALS_MAX and block not in proposed:
            proposed.append(block)

    def name(self, slot: int) -> None:
        """A re-proposal says that an earlier slot holds its proof of lock."""
        self._named = slot

    def add(self, vote: Vote, *, proposed: bool) -> bool:
        """Counts a verified vote; False when it is known, a stranger's, of another height or time, or one too many.

        `proposed`: its block is one that this node holds.
        """
        if vote.height != self.height or vote.validator not in self._members.weights or not self.in_time(vote.slot):
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

    def in_time(self, slot: int) -> bool:
        """Votes of the next slot may come a little early; none of a later one is kept."""
        return self._newest - SLOTS_KEPT <= slot <= self._newest + 1 or slot in (self._pinned_slot, self._named)

    @property
    def _pinned_slot(self) -> int:
        return -1 if self._pinned is None else self._pinned[0]

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
        """What this node has of the last slots and of the newest proof of lock, what matters most first."""
        out = [
            Holding(slot, phase, value, sum(1 << v for v in votes))
            for (slot, phase), tally in self._tallies.items()
            if slot >= self._newest - TOLD_SLOTS or slot == self._pinned_slot
            for value, votes in tally.votes.items()
        ]
        return tuple(sorted(out, key=self._rank)[:TOLD_MAX])

    def _rank(self, h: Holding) -> tuple[int, int, int, int, bytes]:
        """Where a value stands in the order of what is told."""
        near = (self._pinned_slot, self._newest, self._newest - 1, self._newest + 1)
        real = h.block is None or h.block in self._proposed.get(h.slot, ()) or (h.slot, h.block) == self._pinned
        place = near.index(h.slot) + 1 if real and h.slot in near else len(near) + 1
        weight = self._tallies[h.slot, h.phase].weight[h.block]
        proof = h.phase is Phase.PREVOTE and (h.slot, h.block) == self._pinned
        return (0 if proof else place, -weight, -h.slot, h.phase, h.block or b"")

    def missing_at(self, theirs: Iterable[Holding]) -> tuple[Vote, ...]:
        """Votes of `holdings` that a neighbour with these ones lacks: of each member the first of each slot and phase, then the others."""
        known = {(h.slot, h.phase, h.block): h.voters for h in theirs}
        first, further = list[Vote](), list[Vote]()
        seen = set[tuple[int, Phase, int]]()
        for h in self.holdings():
            for v in self.votes(h.slot, h.phase, h.block):
                place = (v.slot, v.phase, v.validator)
                if not known.get((h.slot, h.phase, h.block), 0) >> v.validator & 1:
                    (further if place in seen else first).append(v)
                seen.add(place)
        return (*first, *further)[: HANDED_PER_MEMBER * len(self._members.members)]
