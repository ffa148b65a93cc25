"""What a node has gathered for the proof of each committed block: tags and keys by place, within limits.

The limits are each member's own: nothing that others sign takes the place of its tags and keys. Of one member are kept

* all that is of the block's own slot in the lane of endorsements: it is counted apart, and has one place for each backend. These add up
  whenever they are given.
* of its votes those in the places where most others voted, too: a slot that decided the block has a quorum.
* of what it gave in later slots the newest: a place of a later slot begins empty, and what has not become a quorum will hardly do so.

Before all others come places that can be proven now, since a quorum has given tags and keys; when all of a member's are such, nothing
else is needed. So old messages, which anybody may send again, push out nothing newer.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from simnet.protocol.messages import Certificate, Endorsement, KeyDisclosure, Phase, Vote
from simnet.protocol.validators import Electorate, Lane, Registry, epoch_of

Tags = tuple[bytes, bytes, bytes]
Place = tuple[int, Lane, int, int]
"""(slot, lane, backend, registered): certificates of one place add up."""
KeyPlace = tuple[int, Lane, int]
"""(slot, lane, backend): what a disclosure is of."""
P = TypeVar("P", Place, KeyPlace)
PLACES_OF_MEMBER_MAX = 16
"""Places of one unproven block, and of one lane, that a node keeps a member's tags, and keys, of."""


def place_of(certificate: Certificate) -> Place:
    """The place whose tags a certificate has."""
    return (certificate.slot, certificate.lane, certificate.backend, certificate.registered)


@dataclass(slots=True)
class Gathered:
    """The tags of one place."""

    votes: dict[tuple[int, Phase], Vote] = field(default_factory=dict)
    endorsements: dict[int, Endorsement] = field(default_factory=dict)
    unfit: set[int] = field(default_factory=set)

    def members(self) -> set[int]:
        """Everybody that something is here of."""
        return {v for v, _ in self.votes} | self.endorsements.keys()

    def drop(self, member: int) -> None:
        """Forgets what a member gave."""
        self.votes = {(v, phase): vote for (v, phase), vote in self.votes.items() if v != member}
        self.endorsements.pop(member, None)

    def tags(self) -> dict[int, Tags]:
        """Of every fit member that gave all three."""
        return {v: tags for v, tags in self._tags().items() if v not in self.unfit}

    def _tags(self) -> dict[int, Tags]:
        out = {v: e.tags for v, e in self.endorsements.items()}
        for validator in {v for v, _ in self.votes}:
            own = [self.votes[validator, p].tag for p in Phase if (validator, p) in self.votes]
            if len(own) == len(Phase) and all(own):
                out[validator] = (own[0], own[1], own[2])
        return out

    def certificate(self, case: "Case", place: Place, members: Iterable[int]) -> Certificate:
        """The certificate of these members."""
        slot, _, backend, registered = place
        chosen = sorted(members)
        votes = tuple(self.votes[v, p] for v in chosen if v not in self.endorsements for p in Phase)
        endorsements = tuple(self.endorsements[v] for v in chosen if v in self.endorsements)
        return Certificate(case.height, slot, case.block, backend, registered, votes, endorsements)


@dataclass(slots=True)
class Case:
    """One committed block that is not proven."""

    height: int
    block: bytes
    header_slot: int
    proposer: int
    backend: int
    electorate: Electorate
    registry: Registry
    """All registrations that the chain holds by now."""
    since: int
    """Slot in which it was committed here."""
    ready: bool
    """A proposer's grace for late votes is over, or it never had one."""
    places: dict[Place, Gathered] = field(default_factory=dict)
    keys: dict[KeyPlace, dict[int, KeyDisclosure]] = field(default_factory=dict)
    disclosed: dict[KeyPlace, int] = field(default_factory=dict)
    """In which slot this node last disclosed its keys."""
    endorsed: dict[int, int] = field(default_factory=dict)
    """In which slot this node last endorsed it with keys of the block's own slot, by backend."""
    published: dict[Place, tuple[int, frozenset[int]]] = field(default_factory=dict)
    """In which slot this node last published a certificate, and of whom."""
    proving: bool = False
    not_before: int = 0
    """The slot in which a prover that was busy is asked again."""
    taken_over: bool = False
    ranks: dict[int, int] = field(default_factory=dict)
    """This node's place among those that can prove it, by backend, once it was asked for."""

    @property
    def registered(self) -> int:
        """Registrations for the epoch of the block's slot, before it."""
        return self.electorate.registered(self.header_slot)

    @property
    def has_keys(self) -> bool:
        """Whether members with a quorum have keys for the block's slot."""
        return self.has_quorum(self.electorate.registry.first(epoch_of(self.header_slot), self.registered))

    def add_vote(self, place: Place, vote: Vote) -> None:
        """Keeps a vote's tag."""
        if self._takes(vote.validator, place):
            self.places.setdefault(place, Gathered()).votes.setdefault((vote.validator, vote.phase), vote)

    def add_endorsement(self, place: Place, e: Endorsement) -> None:
        """Keeps an endorsement's tags."""
        if self._takes(e.validator, place):
            self.places.setdefault(place, Gathered()).endorsements.setdefault(e.validator, e)

    def why_misplaced(self, place: Place) -> str | None:
        """Which part of a place is not as it must be for this block; `None`: its tags may prove the block. Nobody signs the backend and the
        registrations that a certificate of votes names, so anybody could make another place of each of them."""
        slot, lane, backend, registered = place
        if lane is Lane.VOTE and backend != self.backend:
            return "backend"
        if lane is Lane.ENDORSE and slot != self.header_slot:
            return "slot"
        return "registered" if lane is not Lane.RECOVER and registered != self.electorate.registered(slot) else None

    def lacks(self, place: Place, member: int, phase: Phase | None) -> bool:
        """Whether a member's vote of a phase, or its endorsement, is not here, and would be kept."""
        known = self.places.get(place, Gathered())
        here = member in known.endorsements if phase is None else (member, phase) in known.votes
        return not here and self._least_of(member, place) != place

    def _least_of(self, member: int, place: Place) -> Place | None:
        own = [p for p, g in self.places.items() if p[1] is place[1] and member in g.members()]
        return self._least(member, own, place, self._rank)

    def _takes(self, member: int, place: Place) -> bool:
        """Whether a member's tags of a place are kept; makes room for them."""
        least = self._least_of(member, place)
        if least is not None and least != place:
            self.places[least].drop(member)
            if not self.places[least].members():
                del self.places[least]
                self.published.pop(least, None)
        return least != place

    @staticmethod
    def _least(member: int, own: list[P], place: P, rank: Callable[[P, int], tuple[bool, int]]) -> P | None:
        """Which of a member's places of one lane, and one more, is one too many."""
        if place in own or len(own) < PLACES_OF_MEMBER_MAX:
            return None
        candidates = own.copy()
        candidates.append(place)
        return min(candidates, key=lambda p: (*rank(p, member), p))

    def _rank(self, place: Place, member: int) -> tuple[bool, int]:
        """How much a place is worth, with a member's tags."""
        gathered = self.places.get(place, Gathered())
        provable = place in self.places and self.has_quorum(self.opened(place))
        return (provable, self._weight(place[1], gathered.members() | {member}))

    def _weight(self, lane: Lane, members: set[int]) -> int:
        return self.electorate.members.weight_of(members) if lane is Lane.VOTE else 0

    def keep_keys(self, d: KeyDisclosure) -> None:
        """Keeps a member's keys."""
        place = (d.slot, d.lane, d.backend)
        own = [p for p, keys in self.keys.items() if p[1] is d.lane and d.validator in keys]
        least = self._least(d.validator, own, place, self._rank_keys)
        if least == place:
            return
        if least is not None:
            del self.keys[least][d.validator]
            if not self.keys[least]:
                del self.keys[least]
        self.keys.setdefault(place, {}).setdefault(d.validator, d)

    def _rank_keys(self, place: KeyPlace, member: int) -> tuple[bool, int]:
        provable = any(self.has_quorum(self.opened(p)) for p in self.places if p[:3] == place)
        return (provable, self._weight(place[1], self.keys.get(place, {}).keys() | {member}))

    def put_back(self, slot: int) -> None:
        """The clock has been put back to this slot: spans that began later begin now."""
        self.since, self.not_before = min(self.since, slot), min(self.not_before, slot)
        self.disclosed = {place: min(s, slot - 1) for place, s in self.disclosed.items()}
        self.endorsed = {backend: min(s, slot) for backend, s in self.endorsed.items()}
        self.published = {place: (min(s, slot - 1), members) for place, (s, members) in self.published.items()}

    def keyed(self, place: Place) -> Collection[int]:
        """Whose keys a proof can open at a place: those of the registrations that it counts on. Anybody can tag with keys that it registers
        afterwards, and the chain may have them by now. Nobody's, while the chain does not have so many registrations here."""
        slot, _, _, registered = place
        first = self.registry.first(epoch_of(slot), registered)
        return first if len(first) == registered else ()

    def tags(self, place: Place) -> dict[int, Tags]:
        """Of every fit member with keys that gave all three."""
        keyed = self.keyed(place)
        return {v: tags for v, tags in self.places[place].tags().items() if v in keyed}

    def opened(self, place: Place) -> list[int]:
        """Members of a place whose tags and keys are here."""
        keys = self.keys.get(place[:3], {})
        return [v for v in self.tags(place) if v in keys]

    def has_quorum(self, members: Iterable[int]) -> bool:
        return self.electorate.members.weight_of(members) >= self.electorate.threshold
