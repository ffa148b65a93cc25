"""Slots that a validator has used, and what slot it is for the others, whatever its own clock says."""

from hypothesis import given
from hypothesis import strategies as st

from simnet.protocol.slotbook import RANGES_MAX, SLOTS_REMEMBERED, TIME_SLOTS, Present, SlotBook


def test_a_slot_serves_one_height() -> None:
    book = SlotBook()
    book.signed(3, 7)
    assert book.may_sign(3, 7) and not book.may_sign(4, 7) and book.may_sign(4, 8)


def test_a_jump_ahead_uses_no_slot_before_it() -> None:
    book = SlotBook()
    for slot in (0, 1, 2, 5000, 5001):
        book.signed(1, slot)
    assert all(book.may_sign(2, slot) for slot in range(3, 5000)) and not book.may_sign(2, 5000)


def test_old_slots_stay_used() -> None:
    book = SlotBook()
    for slot in range(3 * SLOTS_REMEMBERED):
        book.signed(slot, slot)
    assert not any(book.may_sign(height, 5) for height in (5, 6)), "its height is forgotten"
    assert book.may_sign(10**6, 3 * SLOTS_REMEMBERED)
    assert len(book._heights) == SLOTS_REMEMBERED and len(book._used) == 1


def test_many_jumps_take_no_memory() -> None:
    book = SlotBook()
    signed = [1000 * jump + i for jump in range(3 * RANGES_MAX) for i in range(3)]
    for slot in signed:
        book.signed(1, slot)
    assert len(book._used) <= RANGES_MAX
    assert not any(book.may_sign(2, slot) for slot in signed)


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.integers(0, 40), st.integers(0, 3000))), max_size=400))
def test_no_slot_ever_serves_two_heights(wanted: list[tuple[int, int]]) -> None:
    book, served = SlotBook(), dict[int, int]()
    for height, slot in wanted:
        if book.may_sign(height, slot):
            assert served.setdefault(slot, height) == height
            book.signed(height, slot)


def present() -> Present:
    return Present({0: 10, 1: 10, 2: 10, 3: 10}, 27)


def test_the_run_begins_in_the_present() -> None:
    assert present().is_slot(0, (0,)) and present().is_slot(TIME_SLOTS - 1, (0,))
    assert not present().is_slot(TIME_SLOTS, (0,))


def test_a_quorum_says_what_slot_it_is() -> None:
    others = present()
    others.heard(1, 500)
    assert not others.is_slot(501, (0,)), "two of four"
    others.heard(2, 499)
    assert others.is_slot(501, (0,)) and not others.is_slot(501, ())
    assert not others.is_slot(503, (0,)) and not others.is_slot(700, (0,))


def test_old_messages_that_are_sent_again_change_nothing() -> None:
    others = present()
    for validator, slot in ((1, 500), (2, 500), (1, 3), (2, 3)):
        others.heard(validator, slot)
    assert others.is_slot(501, (0,))


def test_who_was_ahead_is_heard_anew() -> None:
    others = present()
    for validator in (1, 2):
        others.heard(validator, 500)
    assert not others.is_slot(4, (0,))
    for validator in (1, 2):
        others.heard(validator, 4)
    assert others.is_slot(5, (0,))


def test_a_jump_ahead_long_ago_uses_no_slot_before_it() -> None:
    book = SlotBook()
    for first in (0, 5000):
        for slot in range(first, first + 2 * SLOTS_REMEMBERED):
            book.signed(1, slot)
    assert book.may_sign(2, 2500) and not book.may_sign(2, 100) and not book.may_sign(2, 5100)


def test_what_a_slot_has_served_first_it_serves() -> None:
    book = SlotBook()
    book.signed(3, 7)
    book.signed(4, 7)
    assert book.may_sign(3, 7) and not book.may_sign(4, 7)


def test_strangers_say_nothing_of_the_present() -> None:
    others = present()
    for validator in (1, 8, 9):
        others.heard(validator, 500)
    assert not others.is_slot(500, (0,))
