"""Contradictions: what counts as one, what is kept of it, and who took part in a round."""

from dataclasses import replace
from itertools import permutations

import pytest

from simnet.protocol.blocks import EMPTY_TX_ROOT, GENESIS_PARENT, Block, Body, Header, tx_root
from simnet.protocol.evidence import EVIDENCE_MAX, ROOM, SEEN_MAX, BrokenLock, DoubleSign, EvidenceBook, SignedHeader
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.protocol.rounds import NOT_ASKED, ROUNDS_KEPT, Rounds
from simnet.protocol.slashing import Took
from simnet.protocol.testimony import VOTES_MAX, shared
from simnet.protocol.validators import Validator, ValidatorSet

VOTE = Vote(3, 7, Phase.PREVOTE, b"a" * 32, 1, b"", b"signature")
OTHER = replace(VOTE, block=b"b" * 32)


def signed(_validator: int, _message: bytes, signature: bytes) -> bool:
    return signature == b"signature"


def proposal(timestamp: int, slot: int = 7) -> Proposal:
    roots = (EMPTY_TX_ROOT,) * 3
    header = Header(3, slot, GENESIS_PARENT, 1, 1, bytes(32), tx_root(()), timestamp, 0, *roots, ())
    return Proposal(slot, Block.assemble(header, Body()), -1, 1, b"signature")


def test_two_blocks_in_one_place_are_evidence() -> None:
    book = EvidenceBook()
    assert book.saw(VOTE) == [] == book.saw(VOTE)
    (found,) = book.saw(OTHER)
    assert found == DoubleSign(VOTE, OTHER)
    assert found.why_invalid(signed) is None and (found.offence, found.what) == ((1, 3, 7), "prevote")
    assert book.saw(replace(VOTE, block=None)), "a vote for nil beside one for a block is one, too"


@pytest.mark.parametrize("change", [{"slot": 8}, {"phase": Phase.PRECOMMIT}, {"validator": 2}])
def test_another_place_is_no_contradiction(change: dict[str, object]) -> None:
    book = EvidenceBook()
    elsewhere = replace(OTHER, **change)  # type: ignore[arg-type]
    assert book.saw(VOTE) == [] == book.saw(elsewhere)
    assert DoubleSign(VOTE, elsewhere).why_invalid(signed) == "unrelated"


def test_a_slot_serves_one_height() -> None:
    book = EvidenceBook()
    book.saw(replace(VOTE, block=None))
    (found,) = book.saw(replace(OTHER, height=2, block=None))
    assert found.why_invalid(signed) is None
    assert found.offence == (1, 2, 7), "it is one offence, of the lower height"


def test_evidence_is_checked_not_believed() -> None:
    assert DoubleSign(VOTE, replace(VOTE, tag=b"t" * 32)).why_invalid(signed) == "same_block"
    assert DoubleSign(VOTE, replace(OTHER, signature=b"forged")).why_invalid(signed) == "SignatureInvalid"
    assert DoubleSign(replace(VOTE, signature=b"forged"), OTHER).why_invalid(signed) == "SignatureInvalid"


def test_of_a_proposal_the_header_is_enough() -> None:
    one, two = proposal(1), proposal(2)
    assert SignedHeader.of(one).signing_bytes() == one.signing_bytes()
    book = EvidenceBook()
    assert book.saw(SignedHeader.of(one)) == []
    (found,) = book.saw(SignedHeader.of(two))
    assert found.what == "proposal" and found.why_invalid(signed) is None
    assert found.size < one.size + two.size + 1
    assert book.saw(SignedHeader.of(replace(one, valid_slot=2))) == [], "the same block again"


def test_one_piece_for_an_offender_height_and_slot() -> None:
    book = EvidenceBook()
    book.saw(VOTE)
    (found,) = book.saw(OTHER)
    book.keep(found)
    book.saw(replace(VOTE, phase=Phase.PRECOMMIT))
    assert book.saw(replace(OTHER, phase=Phase.PRECOMMIT)) == []
    book.saw(replace(VOTE, slot=8))
    assert len(book.saw(replace(OTHER, slot=8))) == 1


def test_what_is_remembered_is_bounded_for_each_validator() -> None:
    book = EvidenceBook()
    book.saw(replace(VOTE, validator=2))
    for slot in range(SEEN_MAX + ROOM + 1):
        book.saw(replace(VOTE, slot=slot))
    assert book.saw(replace(OTHER, slot=0)) == [], "the oldest was forgotten"
    assert len(book.saw(replace(OTHER, slot=SEEN_MAX))) == 1
    assert len(book.saw(replace(OTHER, validator=2))) == 1, "and nobody else's"
    for slot in range(EVIDENCE_MAX):
        piece = DoubleSign(replace(VOTE, slot=slot), replace(OTHER, slot=slot))
        assert not book.full(piece)
        book.keep(piece)
    assert book.full(piece)
    assert not book.full(DoubleSign(replace(VOTE, validator=2), replace(OTHER, validator=2))), "nobody hides behind another's"
    assert not book.full(BrokenLock(LOCKED, TAKEN, NEW.header)), "nor a fork behind what is no fork"


JUNK = SEEN_MAX + ROOM + 1
"""As much as makes a book forget something."""


@pytest.mark.parametrize("first", [8 + 10**6, -JUNK])
def test_nobody_makes_a_book_forget_what_it_signed_by_signing_more(first: int) -> None:
    """Not for old slots, and not for such as have not begun: as a clock that was put back may have believed."""
    book, now = EvidenceBook(), 10
    book.saw(LOCKED, now)
    book.saw(TAKEN, now)
    book.saw(VOTE_IN_4, now)
    for slot in range(first, first + JUNK):
        for height, phase in ((3, Phase.PREVOTE), (10**6 + slot, Phase.PRECOMMIT)):
            book.saw(Vote(height, slot, phase, b"j" * 32, 1, b"", b"signature"), now)
    assert len(book.saw(replace(VOTE_IN_4, block=None), now)) == 1, "the place is remembered"
    (found,) = book.saw(NEW, now)
    assert isinstance(found, BrokenLock) and (found.prevote, found.header) == (TAKEN, NEW.header) and found.why_invalid(signed) is None


def test_a_height_is_as_young_as_the_last_that_was_signed_for_it() -> None:
    """Who precommits its height in a slot long past once more, and then heights that there are not, hides nothing."""
    book = EvidenceBook()
    book.saw(replace(LOCKED, slot=1005))
    book.saw(replace(LOCKED, slot=1))
    for i in range(JUNK):
        book.saw(replace(LOCKED, slot=2 + i, height=10**6 + i))
    book.saw(replace(SignedHeader.of(proposal(1, 1007)), slot=1007))
    (found,) = book.saw(replace(VOTE, slot=1007, block=proposal(1, 1007).block.hash))
    assert isinstance(found, BrokenLock) and found.why_invalid(signed) is None


def test_of_what_is_told_nothing_is_kept_but_what_it_proves() -> None:
    book = EvidenceBook()
    book.saw(LOCKED)
    book.saw(VOTE)
    junk = [replace(VOTE, slot=100 + i) for i in range(JUNK)]
    assert book.judged(3, [TAKEN, *junk], []) == [DoubleSign(VOTE, TAKEN)]
    assert BrokenLock(LOCKED, TAKEN, NEW.header) in book.judged(3, [TAKEN, *junk], [NEW.header])
    assert book.saw(NEW) == [] and book.about(3)[0] == {1: [LOCKED, VOTE]}
    (both,) = book.judged(3, [replace(VOTE, validator=2), replace(OTHER, validator=2)], [])
    assert isinstance(both, DoubleSign) and both.offence == (2, 3, 7), "and what is told may contradict itself"
    book.keep(both)
    assert book.judged(3, [replace(VOTE, validator=2), replace(OTHER, validator=2)], []) == [], "it is held"


def test_an_answer_has_as_much_of_everybody() -> None:
    """Whoever has signed for every slot there was leaves the others their place; what convicts comes first."""
    book = EvidenceBook()
    everybody = range(40)
    book.saw(NEW)
    for v in everybody:
        for vote in (LOCKED, TAKEN):
            book.saw(replace(vote, validator=v))
        for slot in range(100, 100 + SEEN_MAX):
            book.saw(replace(VOTE, slot=slot, validator=v))
    votes, headers = book.about(3)
    assert headers == [NEW.header] and sum(map(len, votes.values())) > VOTES_MAX
    told = shared([], votes)
    assert len(told) == VOTES_MAX and told[:80] == tuple(replace(vote, validator=v) for vote in (LOCKED, TAKEN) for v in everybody)
    certified = [replace(LOCKED, slot=4, validator=v) for v in everybody]
    assert shared(certified, votes)[:40] == tuple(certified)
    reader = EvidenceBook()
    assert {found.offence[0] for found in reader.judged(3, told, headers)} == set(everybody)


# --- broken locks ----------------------------------------------------------------------------------

LOCKED = Vote(3, 5, Phase.PRECOMMIT, b"x" * 32, 1, b"", b"signature")
NEW = SignedHeader.of(proposal(1))
TAKEN = replace(VOTE, block=NEW.header.hash)
"""A prevote for the block that was new in slot 7, of a validator that precommitted another one in slot 5."""
VOTE_IN_4 = replace(VOTE, slot=4)


@pytest.mark.parametrize("order", list(permutations((LOCKED, TAKEN, NEW))))
def test_a_new_block_after_a_precommit_is_a_broken_lock(order: tuple[Vote | SignedHeader, ...]) -> None:
    """In whatever order it is heard."""
    book = EvidenceBook()
    first, second, last = map(book.saw, order)
    assert (first, second) == ([], []) and last == [BrokenLock(LOCKED, TAKEN, NEW.header)]
    (found,) = last
    assert found.why_invalid(signed) is None and (found.offence, found.what) == ((1, 3, 0), "amnesia")
    book.keep(found)
    assert book.saw(order[-1]) == [], "it is held"


def test_a_header_need_not_be_signed() -> None:
    book = EvidenceBook()
    book.saw(LOCKED)
    book.saw(TAKEN)
    assert book.learnt(NEW.header) == [BrokenLock(LOCKED, TAKEN, NEW.header)]


def test_junk_before_a_lock_does_not_cover_it() -> None:
    book = EvidenceBook()
    book.saw(NEW)
    for junk in (replace(LOCKED, slot=4, block=TAKEN.block), replace(LOCKED, slot=9), replace(LOCKED, slot=6, block=None)):
        book.saw(junk)
    (found,) = book.saw(TAKEN)
    assert found.why_invalid(signed) is None


KEPT = {
    "the lock came later": (replace(LOCKED, slot=8), TAKEN, NEW.header),
    "in one slot": (replace(LOCKED, slot=7), TAKEN, NEW.header),
    "nothing was locked": (replace(LOCKED, block=None), TAKEN, NEW.header),
    "the block was proposed again": (LOCKED, replace(TAKEN, slot=8), NEW.header),
    "for nil": (LOCKED, replace(TAKEN, block=None), NEW.header),
    "another block's header": (LOCKED, TAKEN, proposal(2).block.header),
    "another height's header": (replace(LOCKED, height=4), replace(TAKEN, height=4), NEW.header),
}


@pytest.mark.parametrize("case", KEPT)
def test_no_broken_lock(case: str) -> None:
    precommit, prevote, header = KEPT[case]
    book = EvidenceBook()
    assert BrokenLock(precommit, prevote, header).why_invalid(signed) == "lock_kept"
    assert [*book.saw(precommit), *book.saw(prevote), *book.saw(replace(NEW, header=header)), *book.learnt(header)] == []


@pytest.mark.parametrize(
    "precommit",
    [replace(LOCKED, validator=2), replace(LOCKED, height=2), replace(LOCKED, phase=Phase.COMMIT), replace(LOCKED, phase=Phase.PREVOTE)],
)
def test_unrelated_votes_are_no_broken_lock(precommit: Vote) -> None:
    book = EvidenceBook()
    assert BrokenLock(precommit, TAKEN, NEW.header).why_invalid(signed) == "unrelated"
    assert [*book.saw(precommit), *book.saw(TAKEN), *book.saw(NEW)] == []


@pytest.mark.parametrize("forged", [0, 1])
def test_both_votes_of_a_broken_lock_are_signed(forged: int) -> None:
    votes = [LOCKED, TAKEN]
    votes[forged] = replace(votes[forged], signature=b"forged")
    assert BrokenLock(votes[0], votes[1], NEW.header).why_invalid(signed) == "SignatureInvalid"


def test_headers_are_bounded_for_each_who_signs_them() -> None:
    """One who proposes without end pushes out nobody else's, also not by signing others' blocks again."""
    book = EvidenceBook()
    book.saw(NEW)
    book.saw(replace(NEW, leader=2))
    for i in range(SEEN_MAX + ROOM + 1):
        book.saw(replace(SignedHeader.of(proposal(10 + i)), leader=2))
    assert len(book._headers) == SEEN_MAX + 1
    book.saw(LOCKED)
    assert len(book.saw(TAKEN)) == 1


# --- who took part ---------------------------------------------------------------------------------

MEMBERS = ValidatorSet.of(Validator(i, bytes([i]) * 32, b"", 1, 1, 0) for i in range(4))


def took(votes: dict[int, Phase], slot: int = 7) -> dict[int, Took] | None:
    rounds = Rounds()
    rounds.begin(slot)
    for validator, phase in votes.items():
        rounds.voted(replace(VOTE, slot=slot, validator=validator, phase=phase))
        rounds.voted(replace(VOTE, slot=slot, validator=validator, phase=Phase.PREVOTE))
    return rounds.took(slot, MEMBERS, range(5))


def test_a_later_vote_counts_for_the_earlier_phases() -> None:
    parts = took({0: Phase.PREVOTE, 1: Phase.PRECOMMIT, 2: Phase.COMMIT})
    assert parts is not None
    assert [(parts[v].prevote, parts[v].precommit) for v in range(4)] == [(True, False), (True, True), (True, True), (False, False)]
    assert parts[4] == NOT_ASKED, "no member of the epoch"


def test_a_round_without_a_quorum_is_not_judged() -> None:
    assert took({0: Phase.COMMIT, 1: Phase.COMMIT}) is None
    assert took(dict.fromkeys(range(3), Phase.PREVOTE)) is not None


def test_only_rounds_about_now_are_kept() -> None:
    rounds = Rounds()
    rounds.begin(100)
    for slot in (100 - ROUNDS_KEPT - 1, 102, 10**9):
        rounds.proposed(1, slot)
        assert not rounds.has_proposal(1, slot)
    rounds.proposed(1, 101)
    rounds.heard(1, 100)
    assert rounds.was_heard(1, 100, 101) and not rounds.was_heard(1, 99, 101) and not rounds.was_heard(2, 100, 101)
    rounds.begin(101 + ROUNDS_KEPT + 1)
    assert not rounds.has_proposal(1, 101)
