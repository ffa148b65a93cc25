"""The slashing books: detectors, penalties, order, alarms, and that nothing is booked without a verified proof."""

from dataclasses import replace

import pytest

from simnet.protocol.messages import Phase, Vote
from simnet.protocol.slashing import (
    HISTORY_MAX,
    PENDING_MAX,
    Evidence,
    Kind,
    Slashing,
    SlashingFull,
    Standing,
    Thresholds,
    Took,
    double_sign,
    penalty_of,
)

FULL = Took(prevote=True, precommit=True)
START = Standing(stake=10, time_tokens=50, tier=3)


def books(count: int = 3, **thresholds: int) -> Slashing:
    return Slashing(dict.fromkeys(range(count), START), Thresholds(**thresholds))


def all_but(absent: int, count: int = 3) -> dict[int, Took]:
    return {v: FULL for v in range(count) if v != absent}


def test_penalties_are_upstreams() -> None:
    assert {kind.label: penalty_of(kind) for kind in Kind} == {
        "double_sign": 10, "false_proof": 5, "censorship": 2, "vote_withholding": 2, "inactivity": 1,
    }  # fmt: skip
    assert penalty_of(Kind.CENSORSHIP, 1) == penalty_of(Kind.INACTIVITY, 1) == 1, "never nothing"
    assert [kind.group for kind in Kind] == ["double_sign", "availability", "censorship", "witness", "inactivity"]


def test_three_missed_rounds_in_a_row_fire_and_count_anew() -> None:
    b = books(inactivity=0)
    assert b.on_round_end(4, all_but(1)) == b.on_round_end(5, all_but(1)) == []
    found = b.on_round_end(6, all_but(1))
    assert [(e.kind, e.validator, e.detail) for e in found] == [
        (Kind.CENSORSHIP, 1, "stage=prevote misses=3 round=6"),
        (Kind.CENSORSHIP, 1, "stage=precommit misses=3 round=6"),
    ]
    assert [(t.reason, t.first_round, t.last_round) for t in b.triggers] == [
        ("consensus_censorship_prevote", 4, 6),
        ("consensus_censorship_precommit", 4, 6),
    ]
    assert b.on_round_end(7, all_but(1)) == []


def test_taking_part_ends_a_row_of_misses() -> None:
    b = books(inactivity=0)
    for number in range(9):
        assert b.on_round_end(number, {**all_but(1), 1: FULL} if number % 3 == 2 else all_but(1)) == []


def test_a_leader_without_proof_is_censorship_of_its_own_stage() -> None:
    b = books()
    part = {**all_but(0), 0: replace(FULL, proof=False)}
    assert b.on_round_end(1, part) == [] == b.on_round_end(2, dict.fromkeys(range(3), FULL)), "others lead: no miss, no end of the row"
    (evidence,) = b.on_round_end(3, part)
    assert evidence.detail == "stage=proof misses=2 round=3"
    assert b.triggers[0].reason == "consensus_censorship_proof"


def test_inactivity_is_no_participation_at_all() -> None:
    b = books(votes=0)
    half = {**all_but(2), 2: Took(prevote=True)}
    assert all(b.on_round_end(n, half) == [] for n in range(6))
    found = [b.on_round_end(n, all_but(2)) for n in range(6, 10)]
    assert found[:3] == [[], [], []]
    assert [(e.kind, e.detail) for e in found[3]] == [(Kind.INACTIVITY, "misses=4 round=9")]
    assert b.standings[2].score == pytest.approx(0.8) and b.standings[2].tier == 3


def test_zero_turns_a_detector_off() -> None:
    b = books(votes=0, proof=0, inactivity=0)
    assert all(b.on_round_end(n, {0: Took(proof=False)}) == [] for n in range(20))


def test_nothing_is_booked_without_a_verified_proof() -> None:
    b = books()
    b.on_evidence(Evidence(Kind.DOUBLE_SIGN, 1, "height=1"), 1)
    before = dict(b.standings)
    assert b.on_commit(0, verified=False).penalties == ()
    assert b.standings == before and len(b.pending) == len(b.triggers) == 1


def test_a_verified_commit_books_withholds_and_clears() -> None:
    b = books()
    b.on_evidence(Evidence(Kind.DOUBLE_SIGN, 1, "height=1"), 1)
    assert b.triggers[0].reason == "consensus_double_sign"
    done = b.on_commit(0, verified=True)
    assert [(p.validator, p.amount) for p in done.penalties] == [(1, 10)]
    assert done.rewards == {0: 6, 2: 5} and done.withheld == {1: 5}
    assert b.triggers == () == b.pending
    assert b.standings[1] == replace(START, time_tokens=40, tier=2)
    assert b.standings[1].weight == 50 < START.weight
    assert b.standings[0].time_tokens == 56
    assert b.on_commit(2, verified=True).penalties == ()


def test_a_flagged_leader_loses_its_bonus_too() -> None:
    b = books()
    b.on_evidence(Evidence(Kind.FALSE_PROOF, 0, "block_hash=ab"), 1)
    assert b.on_commit(0, verified=True).withheld == {0: 6}


def test_the_queue_has_an_order() -> None:
    b = books()
    for kind in (Kind.INACTIVITY, Kind.VOTE_WITHHOLDING, Kind.CENSORSHIP, Kind.FALSE_PROOF, Kind.DOUBLE_SIGN):
        b.on_evidence(Evidence(kind, 1, "x"), 1)
    kinds = [p.evidence.kind for p in b.on_commit(0, verified=True).penalties]
    assert [k.group for k in kinds] == ["double_sign", "availability", "censorship", "witness", "inactivity"]
    assert b.standings[1].tier == 0 and b.standings[1].time_tokens == 50 - 20


def test_tokens_and_tier_do_not_fall_below_nothing() -> None:
    b = Slashing({0: Standing(5, 3, 0), 1: START})
    b.on_evidence(Evidence(Kind.DOUBLE_SIGN, 0, "height=1"), 1)
    b.on_commit(1, verified=True)
    assert (b.standings[0].time_tokens, b.standings[0].tier) == (0, 0)


def test_the_reporter_of_withheld_votes_is_paid_unless_flagged() -> None:
    b = books()
    b.on_evidence(Evidence(Kind.VOTE_WITHHOLDING, 1, "round=1", reporter=2), 1)
    assert b.on_commit(0, verified=True).rewards == {0: 6, 2: 7}
    b.on_evidence(Evidence(Kind.VOTE_WITHHOLDING, 1, "round=2", reporter=1), 2)
    assert b.on_commit(0, verified=True).rewards == {0: 6, 2: 5}


def test_known_evidence_and_strangers_are_ignored() -> None:
    b = books()
    evidence = Evidence(Kind.DOUBLE_SIGN, 1, "height=1")
    assert b.on_evidence(evidence, 1) and not b.on_evidence(evidence, 2)
    assert not b.on_evidence(replace(evidence, validator=9), 1)
    b.on_commit(0, verified=True)
    assert not b.on_evidence(evidence, 3), "booked already"
    for height in range(2, HISTORY_MAX + 10):
        b.on_evidence(Evidence(Kind.DOUBLE_SIGN, 1, f"height={height}"), height)
    b.on_commit(0, verified=True)
    assert not b.on_evidence(evidence, 99), "even when the history has forgotten it"


def test_the_history_and_the_queue_are_bounded() -> None:
    b = books()
    for height in range(HISTORY_MAX + 5):
        b.on_evidence(Evidence(Kind.DOUBLE_SIGN, 1, f"height={height}"), height)
    b.on_commit(0, verified=True)
    assert len(b.history) == HISTORY_MAX
    for height in range(PENDING_MAX):
        b.on_evidence(Evidence(Kind.DOUBLE_SIGN, 2, f"height={height}"), height)
    with pytest.raises(SlashingFull):
        b.on_evidence(Evidence(Kind.DOUBLE_SIGN, 2, "height=x"), 1)


def test_what_finds_no_room_is_booked_when_there_is() -> None:
    b = books(inactivity=0, votes=2)
    late = Evidence(Kind.DOUBLE_SIGN, 2, "height=x")
    for height in range(PENDING_MAX):
        b.on_evidence(Evidence(Kind.DOUBLE_SIGN, 2, f"height={height}"), height)
    for number in (1, 2):
        with pytest.raises(SlashingFull):
            b.on_evidence(late, number)
        assert b.full and b.on_round_end(number, all_but(1)) == []
    b.on_commit(0, verified=True)
    assert b.on_evidence(late, 3) and not b.on_evidence(late, 4)
    found = b.on_round_end(3, all_but(1))
    assert [e.detail for e in found] == ["stage=prevote misses=3 round=3", "stage=precommit misses=3 round=3"]
    assert b.on_commit(0, verified=True).penalties[0].evidence == late


VOTE = Vote(3, 7, Phase.PREVOTE, b"a" * 32, 1, b"", b"good")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"block": b"b" * 32}, True),
        ({"block": None}, True),
        ({}, False),
        ({"block": b"b" * 32, "height": 4}, False),
        ({"block": b"b" * 32, "slot": 8}, False),
        ({"block": b"b" * 32, "phase": Phase.COMMIT}, False),
        ({"block": b"b" * 32, "validator": 2}, False),
        ({"block": b"b" * 32, "signature": b"bad"}, False),
    ],
)
def test_a_double_sign_is_two_valid_votes_that_exclude_each_other(change: dict[str, object], found: bool) -> None:
    evidence = double_sign(VOTE, replace(VOTE, **change), lambda vote: vote.signature == b"good")  # type: ignore[arg-type]
    assert evidence == (Evidence(Kind.DOUBLE_SIGN, 1, "height=3") if found else None)
