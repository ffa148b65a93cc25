"""Proven finality of one node's committed blocks: who certifies, who discloses one-time keys, who proves, and when.

A block is *proven* by a consensus proof over a certificate: signed tags of members with a quorum, all of one slot and lane, with
the keys behind them disclosed. The proposer begins as soon as the votes of a deciding slot are there. Whatever goes wrong after
that, no block stays unproven:

* Who does not prove is replaced: after each time-out as many members again, in leader order, begin, too.
* Where votes or keys are missing, members *endorse* the block, with keys of its own slot that serve nothing else. Endorsements add up, whenever
  each is given. After further time-outs they do so in the other backends, too, since the block's own may have lost all its provers.
* Where too few had keys for the block's slot, members endorse it with those of a later slot, one block a slot.

A member discloses a slot's keys when its tags stand in a certificate of a quorum, which fixes them; it says so again, at most once a
slot, to whoever publishes a certificate again.

No clock, no network, no cryptography: callers check signatures, keys and proofs before they feed them in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from simnet.protocol.messages import Certificate, Endorsement, KeyDisclosure, Phase, Vote
from simnet.protocol.validators import Electorate, Lane, Registry, epoch_of

Tags = tuple[bytes, bytes, bytes]
Place = tuple[int, Lane, int, int]
"""(slot, lane, backend, registered): certificates of one place add up."""
KeyPlace = tuple[int, Lane, int]
"""(slot, lane, backend): what a disclosure is of."""
ENDORSED_MAX = 16
"""Blocks that a node endorses in one slot, the lowest first."""
STUCK_TIMEOUTS = 1
"""After more time-outs than this keys of the present slot are used, too."""
PLACES_OF_MEMBER_MAX = 16
"""Places of one unproven block that one member may endorse in."""
PLACES_MAX = 1024
"""Places of one unproven block that a node keeps tags, and keys, of: those with the most members."""


# --- inputs ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Committed:
    """A block was committed here."""

    height: int
    slot: int
    """By this node's clock."""
    block: bytes
    header_slot: int
    proposer: int
    backend: int
    electorate: Electorate
    votes: tuple[Vote, ...]
    """All votes for it that are here."""


@dataclass(frozen=True, slots=True)
class Voted:
    """A verified vote for a committed block."""

    vote: Vote


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A verified endorsement of a committed block."""

    endorsement: Endorsement


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate of a committed block was published; all its signatures hold."""

    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A member's keys of a slot: signed, and they hash to its registered public keys."""

    disclosure: KeyDisclosure


@dataclass(frozen=True, slots=True)
class SlotBegan:
    """A slot begins by this node's clock; `registry`: what the chain holds now."""

    slot: int
    registry: Registry


@dataclass(frozen=True, slots=True)
class GraceOver:
    """A proposer has waited for late votes of its block."""

    height: int


@dataclass(frozen=True, slots=True)
class Proven:
    """A consensus proof of a block was verified here."""

    height: int


@dataclass(frozen=True, slots=True)
class ProverBusy:
    """The prover took no job for a height: it is asked again in the next slot."""

    height: int


@dataclass(frozen=True, slots=True)
class Unfit:
    """Members of a certificate whose tags are not made with the keys that they disclosed: nothing can be proven with them."""

    certificate: Certificate
    members: tuple[int, ...]


Input = Committed | Voted | Endorsed | Certified | Disclosed | SlotBegan | GraceOver | Proven | ProverBusy | Unfit


# --- effects ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Publish:
    """Broadcast a certificate, so that its members disclose their keys; feed it back as `Certified`."""

    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Disclose:
    """Sign and broadcast the own keys of a place; feed them back as `Disclosed`."""

    height: int
    block: bytes
    slot: int
    lane: Lane
    backend: int


@dataclass(frozen=True, slots=True)
class Endorse:
    """Sign and broadcast an endorsement; feed it back as `Endorsed`."""

    height: int
    block: bytes
    slot: int
    lane: Lane
    backend: int
    registered: int


@dataclass(frozen=True, slots=True)
class Prove:
    """Make the consensus proof over a certificate, whose members' keys are all given."""

    height: int
    certificate: Certificate
    keys: dict[int, KeyDisclosure]


@dataclass(frozen=True, slots=True)
class TakeOver:
    """This node begins in the proposer's place."""

    height: int
    rank: int


Effect = Publish | Disclose | Endorse | Prove | TakeOver


@dataclass(frozen=True, slots=True)
class Rules:
    """What the scenario fixes."""

    takeover_slots: int
    """A time-out, in slots."""
    fields: tuple[int, ...]
    """Backends that some member has, ascending."""
    provers: tuple[frozenset[int], ...]
    """By validator: the backends it can prove with."""


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


class Certifier:
    """One node's part in proving its committed blocks."""

    def __init__(self, me: int, rules: Rules) -> None:
        self._me = me
        self._rules = rules
        self._cases: dict[int, Case] = {}
        self._slot = 0
        self._recovered_in: set[int] = set()
        """Slots whose keys have endorsed an earlier block: one block a slot."""
        self._on: dict[type[Input], Callable[..., list[Effect]]] = {
            Committed: self._on_committed,
            Voted: self._on_vote,
            Endorsed: self._on_endorsement,
            Certified: self._on_certificate,
            Disclosed: self._on_disclosure,
            SlotBegan: self._on_slot,
            GraceOver: self._on_grace_over,
            Proven: self._on_proven,
            ProverBusy: self._on_prover_busy,
            Unfit: self._on_unfit,
        }

    def handle(self, event: Input) -> list[Effect]:
        """What follows from an input."""
        return self._on[type(event)](event)

    # --- inputs --------------------------------------------------------------------------------------

    def _on_committed(self, e: Committed) -> list[Effect]:
        case = Case(
            e.height, e.block, e.header_slot, e.proposer, e.backend, e.electorate, e.slot, ready=e.proposer != self._me,
        )  # fmt: skip
        self._cases[e.height] = case
        for vote in e.votes:
            self._note_vote(case, vote)
        return []

    def _on_grace_over(self, e: GraceOver) -> list[Effect]:
        case = self._cases.get(e.height)
        if case is None:
            return []
        case.ready = True
        return self._further(case)

    def _on_vote(self, e: Voted) -> list[Effect]:
        case = self._cases.get(e.vote.height)
        if case is None or not self._note_vote(case, e.vote):
            return []
        return self._further(case)

    def _note_vote(self, case: Case, vote: Vote) -> bool:
        if vote.block != case.block or not self._in_time(case, vote.slot) or vote.validator not in case.electorate.weights:
            return False
        gathered = case.at(self._vote_place(case, vote.slot))
        gathered.votes.setdefault((vote.validator, vote.phase), vote)
        return True

    def _in_time(self, case: Case, slot: int) -> bool:
        """No certificate is of a slot before the block's, or of one to come."""
        return case.header_slot <= slot <= self._slot + 1

    @staticmethod
    def _vote_place(case: Case, slot: int) -> Place:
        return (slot, Lane.VOTE, case.backend, case.electorate.registered(slot))

    def _on_endorsement(self, event: Endorsed) -> list[Effect]:
        e = event.endorsement
        case = self._cases.get(e.height)
        if case is None or e.block != case.block or not self._in_time(case, e.slot) or e.validator not in case.electorate.weights:
            return []
        if e.backend not in self._rules.fields:
            return []
        if e.lane is Lane.VOTE or (e.lane is Lane.ENDORSE and (e.slot, e.registered) != (case.header_slot, case.registered)):
            return []
        self._make_room(case, e)
        case.at((e.slot, e.lane, e.backend, e.registered)).endorsements.setdefault(e.validator, e)
        return self._further(case)

    @staticmethod
    def _make_room(case: Case, e: Endorsement) -> None:
        """A member's oldest endorsement makes room for its newest: places that it makes up push out nobody else's."""
        own = sorted(p for p, g in case.places.items() if e.validator in g.endorsements)
        if len(own) >= PLACES_OF_MEMBER_MAX and (e.slot, e.lane, e.backend, e.registered) not in own:
            del case.places[own[0]].endorsements[e.validator]

    def _on_certificate(self, e: Certified) -> list[Effect]:
        certificate = e.certificate
        case = self._cases.get(certificate.height)
        if case is None or certificate.block != case.block or not self._in_time(case, certificate.slot):
            return []
        place = _place_of(certificate)
        if certificate.lane is Lane.VOTE and place != self._vote_place(case, certificate.slot):
            return []
        if certificate.lane is Lane.ENDORSE and (certificate.slot, certificate.registered) != (case.header_slot, case.registered):
            return []
        gathered = case.at(place)
        for vote in certificate.votes:
            gathered.votes.setdefault((vote.validator, vote.phase), vote)
        for endorsement in certificate.endorsements:
            gathered.endorsements.setdefault(endorsement.validator, endorsement)
        return [*self._disclosing(case, place, certificate), *self._further(case)]

    def _disclosing(self, case: Case, place: Place, certificate: Certificate) -> list[Effect]:
        """Discloses the own keys if the own tags stand in a quorum's certificate; at most once a slot."""
        mine = certificate.tags().get(self._me)
        own = case.at(place).tags().get(self._me)
        if mine is None or mine != own or not case.has_quorum(certificate.tags()):
            return []
        if case.disclosed.get(place[:3], -1) >= self._slot:
            return []
        case.disclosed[place[:3]] = self._slot
        return [Disclose(case.height, case.block, place[0], place[1], place[2])]

    def _on_disclosure(self, e: Disclosed) -> list[Effect]:
        d = e.disclosure
        case = self._cases.get(d.height)
        if case is None or d.block != case.block or not self._in_time(case, d.slot):
            return []
        case.keep_keys(d)
        return self._further(case)

    def _on_unfit(self, e: Unfit) -> list[Effect]:
        case = self._cases.get(e.certificate.height)
        if case is None:
            return []
        case.at(_place_of(e.certificate)).unfit.update(e.members)
        case.proving = False
        return self._further(case)

    def _on_proven(self, e: Proven) -> list[Effect]:
        self._cases.pop(e.height, None)
        return []

    def _on_prover_busy(self, e: ProverBusy) -> list[Effect]:
        case = self._cases.get(e.height)
        if case is not None:
            case.proving, case.not_before = False, self._slot + 1
        return []

    def _on_slot(self, e: SlotBegan) -> list[Effect]:
        if e.slot < self._slot:
            for case in self._cases.values():
                case.put_back(e.slot)
        self._slot = slot = e.slot
        effects: list[Effect] = []
        for _, case in sorted(self._cases.items()):
            case.ready = case.ready or slot > case.since
            effects += self._take_over(case) + self._further(case, deadline=True)
        return effects + self._endorse(e.registry)

    # --- rules ---------------------------------------------------------------------------------------

    def _waited(self, case: Case) -> int:
        """Time-outs since the block was committed here."""
        return (self._slot - case.since) // self._rules.takeover_slots

    def _take_over(self, case: Case) -> list[Effect]:
        """Says so when this node begins in another's place."""
        if case.taken_over or case.proving or case.proposer == self._me:
            return []
        ranks = [self._rank(case, backend) for backend in self._rules.fields if backend in self._rules.provers[self._me]]
        rank = min(ranks, default=0)
        if not ranks or self._waited(case) < turn_of(rank):
            return []
        case.taken_over = True
        return [TakeOver(case.height, rank)]

    def _rank(self, case: Case, backend: int) -> int:
        """This node's place among those that can prove in a backend; 0: the proposer in the block's own."""
        if backend not in case.ranks:
            case.ranks[backend] = self._rank_of(case, backend)
        return case.ranks[backend]

    def _rank_of(self, case: Case, backend: int) -> int:
        order = [case.proposer, *(v for v in case.electorate.leaders(case.header_slot) if v != case.proposer)]
        able = [v for v in order if backend in self._rules.provers[v]]
        first = 0 if backend == case.backend and case.proposer in able else 1
        return first + able.index(self._me)

    def _may_prove(self, case: Case, backend: int) -> bool:
        if not case.ready or self._slot < case.not_before or backend not in self._rules.provers[self._me]:
            return False
        return self._waited(case) >= turn_of(self._rank(case, backend))

    def _further(self, case: Case, *, deadline: bool = False) -> list[Effect]:
        """Proves what is complete, or publishes what could be. At a deadline members that have not disclosed are left out."""
        if case.proving:
            return []
        for place in sorted(case.places):
            if self._may_prove(case, place[2]):
                opened = case.opened(place)
                if case.has_quorum(opened) and (deadline or self._waits_for(case, place) <= set(opened)):
                    case.proving = True
                    keys = case.keys[place[:3]]
                    return [Prove(case.height, case.places[place].certificate(case, place, opened), {v: keys[v] for v in opened})]
        for place in sorted(case.places):
            if self._may_prove(case, place[2]) and self._may_publish(case, place, deadline):
                members = case.places[place].tags()
                if case.has_quorum(members):
                    case.published[place] = (self._slot, frozenset(members))
                    return [Publish(case.places[place].certificate(case, place, members))]
        return []

    def _waits_for(self, case: Case, place: Place) -> frozenset[int]:
        """Whom this node has asked for keys; nobody where another has."""
        return case.published.get(place, (0, frozenset()))[1] - case.places[place].unfit

    def _may_publish(self, case: Case, place: Place, deadline: bool) -> bool:
        """A certificate is published when it is complete, and once more at each deadline: messages are lost."""
        return place not in case.published or (deadline and case.published[place][0] < self._slot)

    def _endorse(self, registry: Registry) -> list[Effect]:
        """Endorses blocks that have waited too long."""
        late = [case for _, case in sorted(self._cases.items()) if self._needs_endorsing(case)]
        own = [effect for case in late[:ENDORSED_MAX] if case.has_keys for effect in self._endorse_own(case)]
        return own + self._recover([case for case in late if not case.has_keys or self._is_stuck(case)], registry)

    def _endorse_own(self, case: Case) -> list[Effect]:
        """With keys of the block's own slot: in its backend, and after two time-outs in all others, too; each again after a time-out,
        since messages are lost."""
        if case.electorate.registry.of(self._me, epoch_of(case.header_slot)) is None:
            return []
        late = self._slot - case.header_slot >= 2 * self._rules.takeover_slots
        effects: list[Effect] = []
        for backend in (case.backend, *(f for f in self._rules.fields if late and f != case.backend)):
            if self._slot - case.endorsed.get(backend, -self._rules.takeover_slots) >= self._rules.takeover_slots:
                case.endorsed[backend] = self._slot
                effects.append(Endorse(case.height, case.block, case.header_slot, Lane.ENDORSE, backend, case.registered))
        return effects

    def _recover(self, late: list[Case], registry: Registry) -> list[Effect]:
        """With keys of this slot, the lowest of the blocks whose own slot had too few. The backend turns with the slots, the
        same to everybody."""
        slot, epoch = self._slot, epoch_of(self._slot)
        if not late or slot in self._recovered_in or registry.of(self._me, epoch) is None:
            return []
        self._recovered_in.add(slot)
        case, fields = late[0], self._rules.fields
        start = fields.index(case.backend)
        turn = (slot - case.header_slot) // self._rules.takeover_slots - 1
        return [Endorse(case.height, case.block, slot, Lane.RECOVER, fields[(start + turn) % len(fields)], registry.count(epoch))]

    def _is_stuck(self, case: Case) -> bool:
        """Whether endorsing with keys of the block's own slot has had time enough: of those who have some, not all need be there."""
        return (self._slot - case.header_slot) // self._rules.takeover_slots > STUCK_TIMEOUTS

    def _needs_endorsing(self, case: Case) -> bool:
        """Whether a block is a time-out old and was not committed just now; where a prover has all that it needs, two time-outs:
        it may be here only."""
        provable = any(case.has_quorum(case.opened(place)) for place in case.places)
        timeouts = (self._slot - case.header_slot) // self._rules.takeover_slots
        return self._slot > case.since and timeouts >= (2 if provable else 1)


def turn_of(rank: int) -> int:
    """After how many time-outs the candidate of a rank begins: 0, 1, 2, 2, 3, 3, 3, 3 …, so that any number of absent ones in front
    of it costs little."""
    return rank.bit_length()


def _place_of(certificate: Certificate) -> Place:
    return (certificate.slot, certificate.lane, certificate.backend, certificate.registered)
