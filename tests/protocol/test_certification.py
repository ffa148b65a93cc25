"""What one node does towards proving its committed blocks, one rule at a time; signatures and keys are the caller's matter."""

from dataclasses import replace

import pytest

from simnet.node.committee import why_no_tag_set
from simnet.protocol.blocks import Registration
from simnet.protocol.cases import PLACES_OF_MEMBER_MAX
from simnet.protocol.certification import (
    Certified,
    Certifier,
    Committed,
    Disclose,
    Disclosed,
    Effect,
    Endorse,
    Endorsed,
    Prove,
    ProverBusy,
    Publish,
    Rules,
    SlotBegan,
    TakeOver,
    Unfit,
    Voted,
)
from simnet.protocol.messages import Certificate, Endorsement, KeyDisclosure, Phase, Vote
from simnet.protocol.validators import Electorate, Lane, Registry, Validator, ValidatorSet

N, SLOT, BACKEND = 4, 5, 1
BLOCK = b"b" * 32
RULES = Rules(2, (BACKEND,), (frozenset({BACKEND}),) * N)
TWO_FIELDS = Rules(2, (BACKEND, BACKEND + 1), (frozenset({BACKEND, BACKEND + 1}),) * N)


def registration(validator: int) -> Registration:
    return Registration(validator, 0, ((bytes(32),) * 3,) * len(Lane), bytes(96), b"")


KEYED = Registry({}).with_new(registration(v) for v in range(N))
"""Everybody has keys for the slot."""
ELECTORATE = Electorate(ValidatorSet.of(Validator(i, bytes([i, 7]) * 16, b"", 1, 1, 0) for i in range(N)), KEYED)
TAGS = tuple(bytes([p + 1]) * 32 for p in range(3))


def votes(*members: int, slot: int = SLOT) -> tuple[Vote, ...]:
    return tuple(Vote(1, slot, p, BLOCK, v, TAGS[p], b"") for v in members for p in Phase)


def certificate(*members: int, slot: int = SLOT) -> Certificate:
    return Certificate(1, slot, BLOCK, BACKEND, N, votes(*members, slot=slot))


def keys(member: int) -> Disclosed:
    return Disclosed(KeyDisclosure(1, SLOT, Lane.VOTE, BACKEND, BLOCK, member, (bytes(32),) * 4, b""))


def certifier(me: int, *known: int, proposer: int = 3, rules: Rules = RULES) -> Certifier:
    """Has committed a block in its slot, and holds the votes of `known`."""
    made = Certifier(me, rules)
    made.handle(SlotBegan(SLOT, KEYED))
    committed = Committed(1, SLOT, BLOCK, SLOT, proposer, BACKEND, ELECTORATE, votes(*known), KEYED)
    assert made.handle(committed) == []
    return made


def disclosed(effects: list[Effect]) -> int:
    return sum(isinstance(e, Disclose) for e in effects)


@pytest.mark.parametrize(("members", "expected"), [((0, 1, 2), 1), ((0, 1, 2, 3), 1), ((0, 1), 0), ((1, 2, 3), 0)])
def test_keys_are_disclosed_for_a_quorum_that_the_own_tags_are_part_of(members: tuple[int, ...], expected: int) -> None:
    """With fewer members the keys could still be used to sign something else; they are fixed by a quorum only."""
    assert disclosed(certifier(0).handle(Certified(certificate(*members)))) == expected


def test_other_tags_than_the_own_ones_disclose_nothing() -> None:
    node = certifier(0, 0)
    forged = tuple(replace(v, tag=b"f" * 32) if v.validator == 0 else v for v in votes(0, 1, 2))
    assert disclosed(node.handle(Certified(Certificate(1, SLOT, BLOCK, BACKEND, N, forged)))) == 0


def test_keys_are_disclosed_once_a_slot() -> None:
    node = certifier(0)
    assert [disclosed(node.handle(Certified(certificate(0, 1, 2)))) for _ in range(3)] == [1, 0, 0]
    node.handle(SlotBegan(SLOT + 1, KEYED))
    assert disclosed(node.handle(Certified(certificate(0, 1, 2)))) == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(certificate(0, 1, 2), block=b"o" * 32),
        replace(certificate(0, 1, 2), height=2),
        replace(certificate(0, 1, 2), registered=N - 1),
        certificate(0, 1, 2, slot=SLOT - 1),
        certificate(0, 1, 2, slot=SLOT + 2),
    ],
)
def test_certificates_of_another_block_height_time_or_registry_do_nothing(other: Certificate) -> None:
    assert certifier(0).handle(Certified(other)) == []


def test_a_proof_waits_for_everybody_asked_and_at_a_deadline_for_a_quorum() -> None:
    node = certifier(3, 0, 1, 2)
    (published,) = node.handle(SlotBegan(SLOT + 1, KEYED))
    assert isinstance(published, Publish) and set(published.certificate.tags()) == {0, 1, 2}
    node.handle(Voted(votes(3)[0]))
    assert [node.handle(keys(v)) for v in (0, 1)] == [[], []]
    (prove,) = node.handle(keys(2))
    assert isinstance(prove, Prove) and sorted(prove.keys) == [0, 1, 2]
    assert node.handle(keys(3)) == [], "one proof at a time"
    node = certifier(3, 0, 1, 2, 3)
    node.handle(SlotBegan(SLOT + 1, KEYED))
    assert [node.handle(keys(v)) for v in (0, 1, 2)] == [[], [], []], "the fourth was asked, too"
    (prove,) = node.handle(SlotBegan(SLOT + 2, KEYED))
    assert isinstance(prove, Prove) and sorted(prove.keys) == [0, 1, 2]


def test_a_busy_prover_is_asked_again_in_the_next_slot() -> None:
    node = certifier(3, 0, 1, 2)
    node.handle(SlotBegan(SLOT + 1, KEYED))
    effects = [e for v in (0, 1, 2) for e in node.handle(keys(v))]
    assert [type(e) for e in effects] == [Prove]
    assert node.handle(ProverBusy(1)) == [] and node.handle(Voted(votes(3)[0])) == []
    assert [type(e) for e in node.handle(SlotBegan(SLOT + 2, KEYED))] == [Prove]


def test_a_member_with_unfit_tags_is_left_out_for_good() -> None:
    node = certifier(3, 0, 1, 2, 3)
    node.handle(SlotBegan(SLOT + 1, KEYED))
    effects = [e for v in range(4) for e in node.handle(keys(v))]
    (prove,) = effects
    assert isinstance(prove, Prove)
    (again,) = node.handle(Unfit(prove.certificate, (1,)))
    assert isinstance(again, Prove) and sorted(again.keys) == [0, 2, 3]


def test_what_a_certificate_has_that_would_not_be_kept_is_no_news() -> None:
    """Else it were news for ever: of one member's tags the newest places are kept."""

    def endorsement(v: int, slot: int) -> Endorsement:
        return Endorsement(1, slot, Lane.RECOVER, BLOCK, BACKEND, N, v, (TAGS[0], TAGS[1], TAGS[2]), b"")

    def of(slot: int, *members: int) -> Certificate:
        return Certificate(1, slot, BLOCK, BACKEND, N, (), tuple(endorsement(v, slot) for v in members))

    node, late = certifier(3), SLOT + PLACES_OF_MEMBER_MAX + 2
    node.handle(SlotBegan(late, KEYED))
    for v in (0, 1):
        node.handle(Endorsed(endorsement(v, SLOT + 1)))
    assert node.learns(of(SLOT + 1, 0, 1, 2)) and not node.learns(of(SLOT + 1, 0, 1))
    for slot in range(SLOT + 2, late + 1):
        node.handle(Endorsed(endorsement(2, slot)))
    assert not node.learns(of(SLOT + 1, 0, 1, 2))
    assert node.learns(of(late + 1, 0, 1, 2)), "newer ones are"


def test_certificates_of_another_place_are_no_news() -> None:
    """Also those of a backend that others have, but for endorsements: these are signed in whichever they are given."""
    node, own = certifier(0, rules=TWO_FIELDS), certificate(0, 1, 2)
    assert node.why_not(own) is None and node.learns(own)
    wrong = {
        "registered": replace(own, registered=N - 1),
        "backend": replace(own, backend=BACKEND + 1),
        "another_block": replace(own, block=b"o" * 32),
        "slot": certificate(0, 1, 2, slot=SLOT - 1),
    }
    assert {why: (node.why_not(c), node.learns(c)) for why, c in wrong.items()} == {why: (why, False) for why in wrong}


def test_endorsements_of_strangers_another_time_and_another_registry_do_not_count() -> None:
    def endorsement(v: int, **change: object) -> Endorsed:
        made = Endorsement(1, SLOT, Lane.ENDORSE, BLOCK, BACKEND, N, v, (TAGS[0], TAGS[1], TAGS[2]), b"")
        return Endorsed(replace(made, **change))  # type: ignore[arg-type]

    for change in ({"validator": 9}, {"registered": N - 1}, {"slot": SLOT + 1}, {"block": b"o" * 32}, {"lane": Lane.VOTE}):
        node = certifier(3)
        node.handle(SlotBegan(SLOT + 1, KEYED))
        assert [e for v in (0, 1, 2) for e in node.handle(endorsement(v, **change))] == [], change
    assert [type(e) for v in (0, 1, 2) for e in node.handle(endorsement(v))] == [Publish]


def test_registered_members_who_never_endorse_do_not_keep_a_block_unproven() -> None:
    """Three of four have keys for the block's slot, one of them says nothing; the fourth has some only by now."""
    registered = Registry({}).with_new([registration(v) for v in (0, 1, 2)])
    node = Certifier(0, RULES)
    node.handle(SlotBegan(SLOT, registered))
    electorate = Electorate(ELECTORATE.members, registered)
    node.handle(Committed(1, SLOT, BLOCK, SLOT, 3, BACKEND, electorate, (), registered))
    now = registered.with_new([registration(3)])
    lanes = {slot: [e.lane for e in node.handle(SlotBegan(slot, now)) if isinstance(e, Endorse)] for slot in range(SLOT + 1, SLOT + 7)}
    assert [slot - SLOT for slot, used in lanes.items() if Lane.ENDORSE in used] == [2, 4, 6]
    assert [slot - SLOT for slot, used in lanes.items() if Lane.RECOVER in used] == [4, 5, 6], "with keys of the present slot"


def test_when_a_clock_is_put_back_spans_begin_anew() -> None:
    ahead = 500
    node = Certifier(0, RULES)
    node.handle(SlotBegan(ahead, KEYED))
    node.handle(Committed(1, ahead, BLOCK, SLOT, 3, BACKEND, ELECTORATE, votes(0, 1, 2), KEYED))
    assert disclosed(node.handle(Certified(certificate(0, 1, 2)))) == 1
    node.handle(SlotBegan(SLOT + 1, KEYED))
    assert disclosed(node.handle(Certified(certificate(0, 1, 2)))) == 1, "not only after slot 500"
    taken = [slot for slot in range(SLOT + 2, SLOT + 12) for e in node.handle(SlotBegan(slot, KEYED)) if isinstance(e, TakeOver)]
    assert taken and taken[0] <= SLOT + 8


# --- who has keys ------------------------------------------------------------------------------------------

BEFORE = Registry({}).with_new(registration(v) for v in (0, 1, 2))
"""Validator 3 has registered by now, and had not when the block was made."""


def late(me: int) -> Certifier:
    """Has committed a block of validator 0, and begins the slot after it."""
    node = Certifier(me, RULES)
    node.handle(SlotBegan(SLOT, BEFORE))
    node.handle(Committed(1, SLOT, BLOCK, SLOT, 0, BACKEND, Electorate(ELECTORATE.members, BEFORE), (), BEFORE))
    node.handle(SlotBegan(SLOT + 1, KEYED))
    return node


def given(node: Certifier, lane: Lane, *members: int, registered: int = 3) -> list[Effect]:
    """These give tags in a lane, and their keys."""
    effects = list[Effect]()
    for v in members:
        endorsement = Endorsement(1, SLOT, lane, BLOCK, BACKEND, registered, v, (TAGS[0], TAGS[1], TAGS[2]), b"")
        tags = [Voted(vote) for vote in votes(v)] if lane is Lane.VOTE else [Endorsed(endorsement)]
        for event in (*tags, Disclosed(replace(keys(v).disclosure, lane=lane))):
            effects += node.handle(event)
    return [e for e in effects if isinstance(e, Prove | Publish)]


@pytest.mark.parametrize("lane", Lane)
def test_who_registers_after_giving_tags_has_given_none(lane: Lane) -> None:
    """Its leaf in the tree of a proof is one that no key opens: whoever counts it proves nothing at all."""
    node = late(0)
    assert given(node, lane, 1, 2, 3) == []
    prove = given(node, lane, 0)[-1]
    assert isinstance(prove, Prove) and sorted(prove.keys) == [0, 1, 2] and sorted(prove.certificate.tags()) == [0, 1, 2]


def test_nothing_is_proven_on_registrations_that_are_not_here_yet() -> None:
    """Those who gave tags are known and a quorum, but of a tree with one more."""
    node = late(0)
    node.handle(SlotBegan(SLOT + 1, BEFORE))
    assert given(node, Lane.RECOVER, 0, 1, 2, registered=4) == []
    told = node.handle(SlotBegan(SLOT + 2, KEYED))
    assert [type(e) for e in told if isinstance(e, Prove)] == [Prove]


def test_registrations_that_a_block_brings_count_from_then_on() -> None:
    node = late(0)
    node.handle(SlotBegan(SLOT + 1, Registry({})))
    assert given(node, Lane.RECOVER, 0, 1) == []
    node.handle(Committed(2, SLOT + 1, BLOCK, SLOT + 1, 3, BACKEND, ELECTORATE, (), BEFORE))
    assert [type(e) for e in given(node, Lane.RECOVER, 2)] == [Publish, Prove]


@pytest.mark.parametrize(("members", "expected"), [((0, 1, 2), 1), ((0, 1, 3), 0), ((0, 1, 2, 3), 1)])
def test_a_quorum_that_fixes_keys_is_of_members_with_keys(members: tuple[int, ...], expected: int) -> None:
    assert disclosed(late(0).handle(Certified(replace(certificate(*members), registered=3)))) == expected


@pytest.mark.parametrize(("members", "why"), [((0, 1, 2), None), ((1, 2, 3), "strangers"), ((0, 1, 2, 3), "strangers")])
def test_a_tag_set_has_members_with_keys_only(members: tuple[int, ...], why: str | None) -> None:
    shown = replace(certificate(*members), registered=3)
    assert why_no_tag_set(shown, Electorate(ELECTORATE.members, BEFORE), SLOT, SLOT, KEYED) == why
