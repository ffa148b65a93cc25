"""Rules of Algorithm 1 (arXiv:1807.04938) that random schedules hardly ever exercise, one at a time."""

from simnet.protocol.consensus import Cast, Deadline, Decide, Effect, Propose, Proposed, SlotBegan, Voted, Voting
from simnet.protocol.messages import Phase, Proposal
from simnet.protocol.validators import LEADERS_REMEMBERED
from simnet.protocol.votes import SLOTS_KEPT, VoteBook
from tests.property.test_consensus_safety import block, electorate, vote

FOUR = electorate(4)
FAR = 10 * SLOTS_KEPT


def leads_at(slot: int, me: int) -> int:
    """The first slot from `slot` on that validator `me` leads."""
    return next(s for s in range(slot, slot + 1000) if FOUR.leader(s) == me)


def propose(voting: Voting, slot: int, valid_slot: int = -1, salt: int = 0, *, acceptable: bool = True, lock: int = 0) -> list[Effect]:
    """Feeds a proposal of a slot; `lock`: how many prevotes of `valid_slot` come with it."""
    subject = block(0, 0, salt)
    votes = tuple(vote(valid_slot, Phase.PREVOTE, subject.hash, v) for v in range(lock))
    return voting.handle(Proposed(Proposal(slot, subject, valid_slot, FOUR.leader(slot), b"", votes), acceptable))


def prevotes(voting: Voting, slot: int, salt: int = 0, voters: int = 3) -> list[Effect]:
    subject = block(0, 0, salt).hash
    return [e for v in range(voters) for e in voting.handle(Voted(vote(slot, Phase.PREVOTE, subject, v)))]


def test_an_unacceptable_block_gets_a_nil_prevote_and_no_lock() -> None:
    """Line 23, valid(v)."""
    voting = Voting(1, 3, FOUR)
    voting.handle(SlotBegan(0))
    assert propose(voting, 0, acceptable=False) == [Cast(0, Phase.PREVOTE, None)]
    assert prevotes(voting, 0) == [] and voting.locked is None and voting.valid is None


def test_a_proof_of_lock_frees_a_lock_of_the_same_slot_or_older() -> None:
    """Line 29: lockedRound ≤ vr. (A quorum of each of two blocks in one slot needs more than a third of liars.)"""
    for at, freed in ((1, True), (2, True), (0, False)):
        voting = Voting(1, 3, FOUR)
        voting.handle(SlotBegan(1))
        propose(voting, 1)
        prevotes(voting, 1)
        assert voting.locked == (1, block(0, 0).hash)
        voting.handle(SlotBegan(3))
        expected = block(0, 0, 1).hash if freed else None
        assert propose(voting, 3, at, salt=1, lock=3) == [Cast(3, Phase.PREVOTE, expected)], at


def test_nobody_is_locked_on_a_block_in_a_slot_before_its_own() -> None:
    """A clock that was ahead is put back, and a quorum says to have prevoted a block before it was made: what is new later has no lock."""
    voting, new = Voting(1, 3, FOUR), block(5, FOUR.leader(5))
    voting.handle(SlotBegan(5, votes=False))
    voting.handle(Proposed(Proposal(5, new, -1, FOUR.leader(5), b""), True))
    voting.handle(SlotBegan(3))
    voting.handle(Deadline(3, Phase.PREVOTE))
    assert [e for v in range(3) for e in voting.handle(Voted(vote(3, Phase.PREVOTE, new.hash, v)))] == []
    assert voting.locked is None and voting.valid is None


def test_a_proof_of_lock_is_of_an_earlier_slot() -> None:
    """Line 28: vr < round. One of the present slot or a later one proves nothing, whatever votes come with it."""
    for at in (5, 6):
        voting = Voting(1, 3, FOUR)
        voting.handle(SlotBegan(5))
        assert propose(voting, 5, at, lock=3) == []
        assert voting.handle(Deadline(5, Phase.PREVOTE)) == [Cast(5, Phase.PREVOTE, None)]


def test_an_older_quorum_does_not_displace_a_newer_valid_block() -> None:
    """Line 42: votes of an old slot may arrive after those of a newer one."""
    voting = Voting(1, 3, FOUR)
    for slot, salt in ((1, 0), (2, 1)):
        voting.handle(SlotBegan(slot))
        propose(voting, slot, salt=salt)
    prevotes(voting, 2, salt=1)
    prevotes(voting, 1, salt=0)
    assert voting.valid == (2, block(0, 0, 1))


def test_votes_of_the_next_slot_make_no_valid_block_before_it() -> None:
    """A proposal names a valid slot before its own, or no honest validator can accept it."""
    slot = leads_at(2, 3)
    voting = Voting(1, 3, FOUR)
    voting.handle(SlotBegan(slot - 1))
    propose(voting, slot - 1)
    prevotes(voting, slot)
    assert voting.valid is None
    assert voting.handle(SlotBegan(slot)) == [Propose(slot, None, -1, ())]


def test_a_clock_put_back_proposes_with_no_proof_of_lock_from_the_future() -> None:
    slot = leads_at(2, 3)
    voting = Voting(1, 3, FOUR)
    voting.handle(SlotBegan(slot + 1, votes=False))
    propose(voting, slot + 1)
    prevotes(voting, slot + 1)
    assert voting.valid == (slot + 1, block(0, 0))
    assert voting.handle(SlotBegan(slot)) == [Propose(slot, None, -1, ())]


def test_a_proof_of_lock_outlives_any_outage() -> None:
    """The leader of a slot long after hands it over with its block: nothing else could free those who are locked."""
    slot = leads_at(FAR, 3)
    voting = Voting(1, 3, FOUR)
    voting.handle(SlotBegan(0))
    propose(voting, 0)
    prevotes(voting, 0)
    for s in range(1, slot):
        voting.handle(SlotBegan(s))
    (effect,) = voting.handle(SlotBegan(slot))
    assert effect == Propose(slot, block(0, 0), 0, tuple(vote(0, Phase.PREVOTE, block(0, 0).hash, v) for v in range(3)))
    late = Voting(1, 2, FOUR)
    late.handle(SlotBegan(slot))
    answer = late.handle(Proposed(Proposal(slot, block(0, 0), 0, 3, b"", effect.lock), True))
    assert answer == [Cast(slot, Phase.PREVOTE, block(0, 0).hash)]


def test_votes_of_other_times_take_no_memory() -> None:
    book = VoteBook(1, FOUR.members)
    book.begin(FAR)
    taken = [s for s in range(2 * FAR) if book.add(vote(s, Phase.PREVOTE, None, 1), proposed=False)]
    assert taken == list(range(FAR - SLOTS_KEPT, FAR + 2))
    book.begin(2 * FAR)
    assert book.holdings() == ()
    assert not book.add(vote(2 * FAR, Phase.PREVOTE, None, 9), proposed=False), "a stranger"


def test_leaders_of_any_slot_take_no_memory() -> None:
    four = electorate(4)
    first = [four.leader(s) for s in range(3 * LEADERS_REMEMBERED)]
    assert len(four._leaders) == LEADERS_REMEMBERED and [four.leader(s) for s in range(9)] == first[:9]


def test_a_decision_is_taken_from_any_slot_and_once() -> None:
    """Line 49."""
    voting = Voting(1, 3, FOUR)
    voting.handle(SlotBegan(0))
    propose(voting, 0)
    voting.handle(SlotBegan(9))
    effects = [e for v in range(4) for e in voting.handle(Voted(vote(0, Phase.PRECOMMIT, block(0, 0).hash, v)))]
    assert effects == [Decide(block(0, 0), 0)]
    assert voting.handle(SlotBegan(10)) == []


def test_after_a_vote_for_a_block_none_is_cast_in_an_earlier_slot() -> None:
    """A clock that was ahead is put back: the safety proof rests on votes in the order of slots. A vote for nil binds nobody."""
    voting = Voting(1, 3, FOUR)
    voting.handle(SlotBegan(9))
    assert propose(voting, 9) == [Cast(9, Phase.PREVOTE, block(0, 0).hash)]
    assert voting.handle(SlotBegan(4)) == [] and propose(voting, 4, salt=1) == []
    voting.handle(SlotBegan(10))
    assert propose(voting, 10, salt=1) == [Cast(10, Phase.PREVOTE, block(0, 0, 1).hash)]
    idle = Voting(1, 3, FOUR)
    idle.handle(SlotBegan(9))
    assert idle.handle(Deadline(9, Phase.PREVOTE)) == [Cast(9, Phase.PREVOTE, None)]
    idle.handle(SlotBegan(4))
    assert propose(idle, 4) == [Cast(4, Phase.PREVOTE, block(0, 0).hash)]


def test_a_slot_that_was_voted_in_does_not_begin_again() -> None:
    """Not even for one who voted for nil: it would cast a second vote of one phase."""
    voting = Voting(1, 3, FOUR)
    voting.handle(SlotBegan(5))
    assert voting.handle(Deadline(5, Phase.PREVOTE)) == [Cast(5, Phase.PREVOTE, None)]
    assert voting.handle(SlotBegan(5)) == [] and propose(voting, 5) == []
    assert voting.handle(Deadline(5, Phase.PREVOTE)) == []
