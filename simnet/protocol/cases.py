"""What a node has gathered for the proof of each committed block: tags and keys by place, within limits."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from simnet.protocol.messages import Certificate, Endorsement, KeyDisclosure, Phase, Vote
from simnet.protocol.validators import Electorate, Lane, epoch_of

Tags = tuple[bytes, bytes, bytes]
Place = tuple[int, Lane, int, int]
"""(slot, lane, backend, registered): certificates of one place add up."""
KeyPlace = tuple[int, Lane, int]
"""(slot, lane, backend): what a disclosure is of."""
PLACES_MAX = 1024
"""Places of one unproven block that a node keeps tags, and keys, of: those with the most members."""


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

    def at(self, place: Place) -> Gathered:
        """What is gathered of a place. Too many places: the one with the least weight is forgotten."""
        if place not in self.places and len(self.places) >= PLACES_MAX:
            weight_of = self.electorate.members.weight_of
            least = min(self.places, key=lambda p: (weight_of(self.places[p].members()), p))
            del self.places[least]
            self.published.pop(least, None)
        return self.places.setdefault(place, Gathered())

    def keep_keys(self, d: KeyDisclosure) -> None:
        """Keeps a member's keys; too many places: those with the fewest are forgotten."""
        place = (d.slot, d.lane, d.backend)
        if place not in self.keys and len(self.keys) >= PLACES_MAX:
            del self.keys[min(self.keys, key=lambda p: (len(self.keys[p]), p))]
        self.keys.setdefault(place, {}).setdefault(d.validator, d)

    def put_back(self, slot: int) -> None:
        """The clock has been put back to this slot: spans that began later begin now."""
        self.since, self.not_before = min(self.since, slot), min(self.not_before, slot)
        self.disclosed = {place: min(s, slot - 1) for place, s in self.disclosed.items()}
        self.endorsed = {backend: min(s, slot) for backend, s in self.endorsed.items()}
        self.published = {place: (min(s, slot - 1), members) for place, (s, members) in self.published.items()}

    def opened(self, place: Place) -> list[int]:
        """Members of a place whose tags and keys are here."""
        keys = self.keys.get(place[:3], {})
        return [v for v in self.places[place].tags() if v in keys]

    def has_quorum(self, members: Iterable[int]) -> bool:
        return self.electorate.members.weight_of(members) >= self.electorate.threshold
