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

from collections.abc import Callable
from dataclasses import dataclass

from simnet.protocol.cases import Case, Place, place_of
from simnet.protocol.messages import Certificate, Endorsement, KeyDisclosure, Vote
from simnet.protocol.validators import Electorate, Lane, Registry, epoch_of

ENDORSED_MAX = 16
"""Blocks that a node endorses in one slot, the lowest first."""
STUCK_TIMEOUTS = 1
"""After more time-outs than this keys of the present slot are used, too."""


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
    registry: Registry
    """What the chain holds with it."""


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

    def why_not(self, certificate: Certificate) -> str | None:
        """Why nothing of a certificate is taken, though all its signatures hold; `None` when it is of the block and of a place that can prove it."""
        case = self._cases.get(certificate.height)
        if case is None or certificate.block != case.block:
            return "another_block"
        if not self._in_time(case, certificate.slot):
            return "slot"
        return case.why_misplaced(place_of(certificate)) or ("backend" if certificate.backend not in self._rules.fields else None)

    def learns(self, certificate: Certificate) -> bool:
        """Whether a certificate of a quorum has something that is not here and would be kept: no more often than a quorum says something."""
        if self.why_not(certificate) is not None:
            return False
        case, place = self._cases[certificate.height], place_of(certificate)
        votes = any(case.lacks(place, v.validator, v.phase) for v in certificate.votes)
        return votes or any(case.lacks(place, e.validator, None) for e in certificate.endorsements)

    # --- inputs --------------------------------------------------------------------------------------

    def _on_committed(self, e: Committed) -> list[Effect]:
        case = Case(
            e.height, e.block, e.header_slot, e.proposer, e.backend, e.electorate, e.registry, e.slot, ready=e.proposer != self._me,
        )  # fmt: skip
        self._cases[e.height] = case
        self._learn(e.registry)
        for vote in e.votes:
            self._note_vote(case, vote)
        return []

    def _learn(self, registry: Registry) -> None:
        """The chain may have brought registrations."""
        for case in self._cases.values():
            case.registry = registry

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
        case.add_vote(self._vote_place(case, vote.slot), vote)
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
        place = (e.slot, e.lane, e.backend, e.registered)
        if e.backend not in self._rules.fields or e.lane is Lane.VOTE or case.why_misplaced(place) is not None:
            return []
        case.add_endorsement(place, e)
        return self._further(case)

    def _on_certificate(self, e: Certified) -> list[Effect]:
        certificate = e.certificate
        if self.why_not(certificate) is not None:
            return []
        case, place = self._cases[certificate.height], place_of(certificate)
        for vote in certificate.votes:
            case.add_vote(place, vote)
        for endorsement in certificate.endorsements:
            case.add_endorsement(place, endorsement)
        return [*self._disclosing(case, place, certificate), *self._further(case)]

    def _disclosing(self, case: Case, place: Place, certificate: Certificate) -> list[Effect]:
        """Discloses the own keys if the own tags stand in a quorum's certificate; at most once a slot."""
        tags, keyed = certificate.tags(), case.keyed(place)
        own = case.tags(place).get(self._me) if place in case.places else None
        if own is None or tags.get(self._me) != own or not case.has_quorum(v for v in tags if v in keyed):
            return []
        if case.disclosed.get(place[:3], -1) >= self._slot:
            return []
        case.disclosed[place[:3]] = self._slot
        return [Disclose(case.height, case.block, place[0], place[1], place[2])]

    def _on_disclosure(self, e: Disclosed) -> list[Effect]:
        d = e.disclosure
        case = self._cases.get(d.height)
        if case is None or d.block != case.block or not self._in_time(case, d.slot) or d.backend not in self._rules.fields:
            return []
        if d.lane is Lane.ENDORSE and d.slot != case.header_slot:
            return []
        case.keep_keys(d)
        return self._further(case)

    def _on_unfit(self, e: Unfit) -> list[Effect]:
        case = self._cases.get(e.certificate.height)
        if case is None:
            return []
        if place_of(e.certificate) in case.places:
            case.places[place_of(e.certificate)].unfit.update(e.members)
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
        self._learn(e.registry)
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
                members = case.tags(place)
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
        own, blocks = list[Effect](), 0
        for case in late:
            given = self._endorse_own(case) if case.has_keys and blocks < ENDORSED_MAX else []
            own += given
            blocks += bool(given)
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
