"""Who begins when in proving a block, whom the others wait for, and what one member can make up: one rule at a time."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from simnet.protocol.cases import PLACES_OF_MEMBER_MAX
from simnet.protocol.certification import (
    ENDORSED_MAX,
    Certified,
    Certifier,
    Committed,
    Disclose,
    Disclosed,
    Effect,
    Endorse,
    Endorsed,
    GraceOver,
    Prove,
    Proven,
    Publish,
    Rules,
    SlotBegan,
    TakeOver,
    Voted,
)
from simnet.protocol.messages import Certificate, Endorsement, KeyDisclosure
from simnet.protocol.validators import Electorate, Lane, Registry, epoch_of
from tests.protocol.test_certification import (
    BACKEND,
    BLOCK,
    ELECTORATE,
    KEYED,
    RULES,
    SLOT,
    TAGS,
    N,
    certificate,
    certifier,
    keys,
    registration,
    votes,
)

OTHER = 2
"""Another backend than the block's."""
ORDER = [v for v in ELECTORATE.leaders(SLOT) if v != 3]
"""Who replaces the proposer, which is 3, in turn."""
EMPTY = Registry({})


def began(node: Certifier, slot: int) -> list[Effect]:
    return node.handle(SlotBegan(slot, KEYED))


def endorsement(validator: int, **change: object) -> Endorsement:
    made = Endorsement(1, SLOT, Lane.ENDORSE, BLOCK, BACKEND, N, validator, (TAGS[0], TAGS[1], TAGS[2]), b"")
    return replace(made, **change)  # type: ignore[arg-type]


def endorsed(node: Certifier, *validators: int, **change: object) -> list[Effect]:
    return [e for v in validators for e in node.handle(Endorsed(endorsement(v, **change)))]


def acts(effects: list[Effect]) -> list[type[Effect]]:
    """What follows beside endorsements."""
    return [type(e) for e in effects if not isinstance(e, Endorse)]


def lanes(effects: list[Effect]) -> list[Lane]:
    return [e.lane for e in effects if isinstance(e, Endorse)]


def waiting(registered: Iterable[int], *heights: int, me: int = 0, fields: tuple[int, ...] = (BACKEND,)) -> tuple[Certifier, Registry]:
    """Has committed blocks of its slot that nothing is known of; `registered`: who had keys for it."""
    keyed = EMPTY.with_new([registration(v) for v in registered])
    made = Certifier(me, Rules(2, fields, (frozenset(fields),) * 4))
    made.handle(SlotBegan(SLOT, keyed))
    for height in heights or (1,):
        made.handle(Committed(height, SLOT, BLOCK, SLOT, 3, BACKEND, Electorate(ELECTORATE.members, keyed), (), keyed))
    return made, keyed


def provers(me: int, able: dict[int, set[int]], *known: int) -> Certifier:
    """Has committed a block of validator 3; `able`: who can prove in which backends."""
    rules = Rules(2, (BACKEND, OTHER), tuple(frozenset(able.get(v, ())) for v in range(4)))
    made = Certifier(me, rules)
    began(made, SLOT)
    made.handle(Committed(1, SLOT, BLOCK, SLOT, 3, BACKEND, ELECTORATE, votes(*known), KEYED))
    return made


# --- when ----------------------------------------------------------------------------------------------


def test_a_proposer_waits_for_late_votes_until_its_grace_is_over() -> None:
    node = certifier(3, 0, 1, 2)
    assert node.handle(Voted(votes(3)[0])) == []
    assert [type(e) for e in node.handle(GraceOver(1))] == [Publish]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_others_wait_for_their_turn_and_say_once_that_they_begin(place: int) -> None:
    """One time-out of two slots for the first of them, two for the second and the third."""
    node = certifier(ORDER[place], 0, 1, 2)
    effects = {slot: began(node, slot) for slot in range(SLOT + 1, SLOT + 10)}
    first = SLOT + (2 if place == 0 else 4)
    assert min(slot for slot, found in effects.items() if any(isinstance(e, Publish) for e in found)) == first
    assert [(slot, e.rank) for slot, found in effects.items() for e in found if isinstance(e, TakeOver)] == [(first, place + 1)]


def test_who_cannot_prove_in_a_backend_is_passed_over() -> None:
    node = provers(ORDER[2], {3: {BACKEND}, ORDER[2]: {BACKEND}}, 0, 1, 2)
    taken = [(slot, e.rank) for slot in range(SLOT + 1, SLOT + 9) for e in began(node, slot) if isinstance(e, TakeOver)]
    assert taken == [(SLOT + 2, 1)]
    idle = provers(ORDER[2], {3: {BACKEND}}, 0, 1, 2)
    assert not [e for slot in range(SLOT + 1, SLOT + 9) for e in began(idle, slot) if isinstance(e, TakeOver | Publish)]


def test_nobody_begins_at_once_in_another_backend_than_the_blocks() -> None:
    node = provers(0, {3: {BACKEND}, 0: {OTHER}})
    began(node, SLOT + 1)
    assert endorsed(node, 0, 1, 2, backend=OTHER) == []
    assert acts(began(node, SLOT + 2)) == [TakeOver, Publish]


def test_a_proven_block_is_nobodys_business() -> None:
    node = certifier(3, 0, 1, 2)
    node.handle(Proven(1))
    assert [e for slot in range(SLOT + 1, SLOT + 9) for e in began(node, slot)] == []
    assert node.handle(Certified(certificate(0, 1, 3))) == []


def test_a_certificate_is_published_again_at_each_deadline_and_not_between() -> None:
    node = certifier(3, 0, 1, 2)
    published = [acts(began(node, slot)) for slot in (SLOT + 1, SLOT + 1, SLOT + 2)]
    assert published == [[Publish], [], [Publish]]
    assert node.handle(Voted(votes(3)[0])) == []


def test_a_clock_that_is_put_back_makes_nobody_wait_for_slots_to_come() -> None:
    """Committed, endorsed and published in slot 500, by a clock that was ahead."""
    ahead, back = 500, SLOT + 1
    registered = EMPTY.with_new([registration(v) for v in range(4)])
    node = Certifier(3, RULES)
    node.handle(SlotBegan(ahead, registered))
    node.handle(Committed(1, ahead, BLOCK, SLOT, 3, BACKEND, Electorate(ELECTORATE.members, registered), (), registered))
    slots = [ahead + 1, *range(back, back + 5)]
    used = {slot: lanes(node.handle(SlotBegan(slot, registered))) for slot in slots}
    assert Lane.ENDORSE in used[ahead + 1]
    assert any(Lane.ENDORSE in used[slot] for slot in slots[1:])
    late = Certifier(3, RULES)
    began(late, ahead)
    late.handle(Committed(1, ahead, BLOCK, SLOT, 3, BACKEND, ELECTORATE, votes(0, 1, 2), KEYED))
    assert acts(began(late, ahead + 1)) == [Publish]
    assert acts(began(late, back)) == [Publish]
    other = Certifier(ORDER[0], RULES)
    began(other, ahead)
    other.handle(Committed(1, ahead, BLOCK, SLOT, 3, BACKEND, ELECTORATE, votes(0, 1, 2), KEYED))
    taken = [slot for slot in range(back, back + 9) for e in began(other, slot) if isinstance(e, TakeOver)]
    assert taken == [back + 2]


# --- endorsing -------------------------------------------------------------------------------------------

NOW = EMPTY.with_new([registration(v) for v in range(4)])
"""All have keys by now."""


def test_a_block_is_endorsed_in_all_backends_after_two_time_outs() -> None:
    third = max(BACKEND, OTHER) + 1
    node, keyed = waiting(range(4), fields=(BACKEND, OTHER, third))
    found = {slot - SLOT: node.handle(SlotBegan(slot, keyed)) for slot in range(SLOT + 1, SLOT + 7)}
    own = {after: [e.backend for e in effects if isinstance(e, Endorse) and e.lane is Lane.ENDORSE] for after, effects in found.items()}
    assert own == {1: [], 2: [BACKEND], 3: [], 4: [BACKEND, OTHER, third], 5: [], 6: [BACKEND, OTHER, third]}


def test_few_blocks_are_endorsed_in_one_slot_the_lowest_first() -> None:
    node, keyed = waiting(range(4), *range(1, 41))
    heights = [e.height for e in node.handle(SlotBegan(SLOT + 2, keyed)) if isinstance(e, Endorse)]
    assert heights == list(range(1, ENDORSED_MAX + 1))


@pytest.mark.parametrize("registered", [(0, 1), ()])
def test_a_block_whose_slot_had_too_few_keys_is_endorsed_with_those_of_later_slots(registered: tuple[int, ...]) -> None:
    """One block a slot, the lowest, in backends by turns; after one time-out, and not by who still has none."""
    node, _ = waiting(registered, 7, 8, fields=(BACKEND, OTHER))
    told = {slot - SLOT: node.handle(SlotBegan(slot, NOW)) for slot in range(SLOT + 1, SLOT + 7)}
    again = node.handle(SlotBegan(SLOT + 6, NOW))
    found = [(after, e.height, e.slot, e.lane, e.backend) for after, effects in told.items() for e in effects if isinstance(e, Endorse)]
    turns = {2: BACKEND, 3: BACKEND, 4: OTHER, 5: OTHER, 6: BACKEND}
    assert found == [(after, 7, SLOT + after, Lane.RECOVER, backend) for after, backend in turns.items()]
    assert lanes(again) == []
    without, keyed = waiting(registered, me=3)
    assert [lane for slot in range(SLOT + 1, SLOT + 7) for lane in lanes(without.handle(SlotBegan(slot, keyed)))] == []


def test_who_had_no_keys_for_the_blocks_slot_endorses_with_later_ones_alone() -> None:
    node, _ = waiting((1, 2, 3))
    used = {slot - SLOT: lanes(node.handle(SlotBegan(slot, NOW))) for slot in range(SLOT + 1, SLOT + 6)}
    assert used == {1: [], 2: [], 3: [], 4: [Lane.RECOVER], 5: [Lane.RECOVER]}


def test_a_block_is_not_endorsed_in_the_slot_that_it_was_committed_in() -> None:
    """However old it is: it has just been learnt, and may be proven elsewhere."""
    node, keyed = waiting(range(4), 1)
    began(node, SLOT + 9)
    node.handle(Committed(2, SLOT + 9, BLOCK, SLOT, 3, BACKEND, Electorate(ELECTORATE.members, keyed), (), keyed))
    heights = [[e.height for e in node.handle(SlotBegan(SLOT + slot, keyed)) if isinstance(e, Endorse)] for slot in (9, 10)]
    assert 2 not in heights[0] and 2 in heights[1]


def test_a_block_that_a_prover_has_all_of_is_endorsed_later() -> None:
    """What is here may be here only: after two time-outs it counts no more."""
    keyed = NOW
    node = Certifier(0, RULES)
    node.handle(SlotBegan(SLOT, keyed))
    known = tuple(replace(v, slot=SLOT) for v in votes(0, 1, 2))
    node.handle(Committed(1, SLOT, BLOCK, SLOT, 3, BACKEND, Electorate(ELECTORATE.members, keyed), known, keyed))
    node.handle(Certified(replace(certificate(0, 1, 2), registered=4)))
    for v in (0, 1, 2):
        node.handle(keys(v))
    used = {slot - SLOT: Lane.ENDORSE in lanes(node.handle(SlotBegan(slot, keyed))) for slot in range(SLOT + 1, SLOT + 8)}
    assert min(after for after, endorses in used.items() if endorses) == 4


# --- of what ---------------------------------------------------------------------------------------------


def test_votes_of_strangers_another_block_and_another_time_certify_nothing() -> None:
    node = certifier(3, 0, 1, 2, 9)
    (published,) = began(node, SLOT + 1)
    assert isinstance(published, Publish) and set(published.certificate.tags()) == {0, 1, 2}
    for wrong in ([replace(v, block=b"o" * 32) for v in votes(2)], votes(2, slot=SLOT - 1)):
        node = certifier(3, 0, 1)
        assert [e for v in wrong for e in node.handle(Voted(v))] == []
        assert began(node, SLOT + 1) == []
    untagged = certifier(3, 0, 1)
    assert [e for v in votes(2) for e in untagged.handle(Voted(replace(v, tag=b"") if v.phase == 1 else v))] == []
    assert began(untagged, SLOT + 1) == []
    early = certifier(3)
    assert [e for slot in (SLOT - 1, SLOT + 9) for v in votes(0, 1, 2, slot=slot) for e in early.handle(Voted(v))] == []
    assert began(early, SLOT + 1) == []


def test_endorsements_of_slots_to_come_strangers_and_unknown_backends_certify_nothing() -> None:
    node = certifier(3)
    began(node, SLOT + 1)
    assert endorsed(node, 0, 1, 2, lane=Lane.RECOVER, slot=SLOT + 9) == []
    assert endorsed(node, 0, 1, 2, backend=77) == []
    assert not node._cases[1].places, "nor take any memory"
    (published,) = endorsed(node, 9, 0, 1, 2)
    assert isinstance(published, Publish) and set(published.certificate.tags()) == {0, 1, 2}


@pytest.mark.parametrize("change", [{"registered": 1}, {"slot": SLOT + 1}])
def test_a_certificate_of_endorsements_is_of_the_blocks_own_slot(change: dict[str, int]) -> None:
    node = certifier(0)
    began(node, SLOT + 1)
    for wrong, expected in ((change, []), ({}, [Disclose])):
        made = tuple(endorsement(v, **wrong) for v in (0, 1, 2))
        of = Certificate(1, made[0].slot, BLOCK, BACKEND, made[0].registered, (), made)
        assert [type(e) for e in node.handle(Certified(of))] == expected


def test_keys_of_another_block_or_time_prove_nothing_and_the_first_ones_count() -> None:
    node = certifier(3, 0, 1, 2)
    began(node, SLOT + 1)
    for wrong in ({"block": b"o" * 32}, {"slot": SLOT + 9}):
        given = [Disclosed(replace(keys(v).disclosure, **wrong)) for v in (0, 1, 2)]
        assert [e for d in given for e in node.handle(d)] == []
    assert not node._cases[1].keys, "nor take any memory"
    node.handle(keys(0))
    node.handle(Disclosed(replace(keys(0).disclosure, keys=(b"x" * 32,) * 4)))
    effects = [e for v in (1, 2) for e in node.handle(keys(v))]
    assert [e.keys[0] for e in effects if isinstance(e, Prove)] == [keys(0).disclosure]


# --- how much --------------------------------------------------------------------------------------------

MANY = 3 * PLACES_OF_MEMBER_MAX


def held(node: Certifier, member: int, lane: Lane) -> list[int]:
    """Slots of the places in which something of a member is kept."""
    return sorted(place[0] for place, g in node._cases[1].places.items() if place[1] is lane and member in g.members())


def test_endorsements_that_one_member_makes_up_push_out_nobody_elses() -> None:
    """A few are kept of each; those of one other, who came first, are there when the rest comes."""
    node = certifier(3)
    began(node, SLOT + 1)
    endorsed(node, 1)
    for registered in range(MANY):
        endorsed(node, 0, lane=Lane.RECOVER, registered=registered)
    assert len(held(node, 0, Lane.RECOVER)) == PLACES_OF_MEMBER_MAX == len(node._cases[1].places) - 1
    assert [type(e) for e in endorsed(node, 2, 3)] == [Publish]


@pytest.mark.parametrize("others_too", [False, True])
def test_endorsements_of_the_blocks_own_slot_add_up_whenever_they_are_given(others_too: bool) -> None:
    """Each member gives later ones in many slots before the next one comes back."""
    node = certifier(3)
    for member in (0, 1):
        endorsed(node, member)
        for slot in range(SLOT + 1 + member * MANY, SLOT + 1 + (1 + member) * MANY):
            began(node, slot)
            endorsed(node, *((0, 1) if others_too else (member,)), lane=Lane.RECOVER, slot=slot)
    published = endorsed(node, 2)
    assert [(e.certificate.lane, sorted(e.certificate.tags())) for e in published if isinstance(e, Publish)] == [(Lane.ENDORSE, [0, 1, 2])]


@pytest.mark.parametrize("backwards", [False, True])
def test_endorsements_of_old_slots_that_are_sent_again_push_out_no_newer_ones(backwards: bool) -> None:
    node = certifier(3)
    last = SLOT + 2 * MANY
    node.handle(SlotBegan(last, EMPTY.with_new(replace(registration(v), epoch=epoch_of(last)) for v in range(N))))
    old = range(SLOT + 1, last)
    given = [last, *(reversed(old) if backwards else old)]
    for slot in given:
        endorsed(node, 0, 1, lane=Lane.RECOVER, slot=slot)
    assert held(node, 0, Lane.RECOVER) == list(range(last - PLACES_OF_MEMBER_MAX + 1, last + 1))
    assert [type(e) for e in endorsed(node, 2, lane=Lane.RECOVER, slot=last)] == [Publish]


def test_a_place_that_can_be_proven_is_kept_and_one_whose_keys_never_come_is_not() -> None:
    """A quorum of tags does not do: a liar gives its own in every slot, and never the keys."""
    node = certifier(3)
    node._rules = replace(RULES, provers=(frozenset(),) * 4)  # Whoever proves is somebody else.
    began(node, SLOT + MANY)
    for slot in range(SLOT + 1, SLOT + MANY):
        endorsed(node, 0, 1, 2, lane=Lane.RECOVER, slot=slot)
        for v in (0, 1, 2) if slot == SLOT + 1 else (0, 1):
            node.handle(Disclosed(replace(keys(v).disclosure, slot=slot, lane=Lane.RECOVER)))
    newest = range(SLOT + MANY - PLACES_OF_MEMBER_MAX + 1, SLOT + MANY)
    assert held(node, 0, Lane.RECOVER) == [SLOT + 1, *newest]
    assert sorted(place[0] for place in node._cases[1].keys) == [SLOT + 1, *newest]


def test_certificates_take_no_more_room_than_what_stands_in_them() -> None:
    """A liar signs endorsements of any number of registrations, and publishes each as a certificate."""
    node = certifier(3)
    began(node, SLOT + 1)
    endorsed(node, 1)
    for registered in range(MANY):
        made = endorsement(0, lane=Lane.RECOVER, registered=registered)
        node.handle(Certified(Certificate(1, made.slot, BLOCK, BACKEND, registered, (), (made,))))
    made = endorsement(0, backend=77)
    node.handle(Certified(Certificate(1, made.slot, BLOCK, 77, made.registered, (), (made,))))
    assert len(node._cases[1].places) == 1 + PLACES_OF_MEMBER_MAX


def test_of_a_members_votes_those_are_kept_that_stand_with_the_most_weight() -> None:
    """A block that waits for ever, while one member votes for it in every slot."""
    node = certifier(3, 0, 1)
    for slot in range(SLOT + 1, SLOT + MANY):
        began(node, slot)
        node.handle(Voted(votes(2, slot=slot)[0]))
    assert len(node._cases[1].places) == 1 + PLACES_OF_MEMBER_MAX
    assert Publish in [type(e) for v in votes(2) for e in node.handle(Voted(v))]


def test_of_a_members_keys_those_are_kept_that_come_with_the_most_others() -> None:
    node = certifier(3, 0, 1, 2)
    began(node, SLOT + 1)
    for v in (0, 1):
        node.handle(keys(v))
    for slot in range(SLOT + 1, SLOT + MANY):
        began(node, slot)
        for v in (2, 3):
            node.handle(Disclosed(KeyDisclosure(1, slot, Lane.VOTE, BACKEND, BLOCK, v, (bytes(32),) * 4, b"")))
    assert len(node._cases[1].keys) == 1 + PLACES_OF_MEMBER_MAX
    assert [type(e) for e in node.handle(keys(2))] == [Prove]


def test_blocks_that_were_endorsed_just_now_or_had_no_keys_take_no_other_ones_turn() -> None:
    node, keyed = waiting(range(4), *range(1, 41))
    given = [[e.height for e in node.handle(SlotBegan(SLOT + 2 + n, keyed)) if isinstance(e, Endorse)] for n in range(2)]
    assert given == [list(range(1, ENDORSED_MAX + 1)), list(range(ENDORSED_MAX + 1, 2 * ENDORSED_MAX + 1))]
