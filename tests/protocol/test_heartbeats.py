"""Windows, the heartbeat log and the claims that follow from it."""

from itertools import pairwise

import pytest

from simnet.protocol.heartbeats import CLAIMS_MAX, Closed, Heartbeat, UptimeState, WindowLog, Windows

WINDOWS = Windows(origin_ms=500, slot_ms=1000, slots=4, beats=8, threshold=6)
KEYS = {v: bytes([200 - v]) * 32 for v in range(20)}
"""A lower validator has a higher key."""


def beat(validator: int, t: int) -> Heartbeat:
    return Heartbeat(validator, t, bytes(32), bytes([validator, t % 256]) * 32)


def beats(validator: int, count: int, window: int = 0) -> list[Heartbeat]:
    """The first heartbeats of a validator's window."""
    return [beat(validator, WINDOWS.due(window * WINDOWS.beats + i, validator, 20)) for i in range(count)]


def test_windows_cut_time_from_traffic_zero() -> None:
    assert [WINDOWS.of(t) for t in (499, 500, 4499, 4500)] == [-1, 0, 0, 1]
    assert WINDOWS.start(1) == 4500 == WINDOWS.slot_start(4)


@pytest.mark.parametrize("node", [0, 19])
def test_a_node_is_due_as_often_as_a_window_takes_heartbeats(node: int) -> None:
    due = [WINDOWS.due(n, node, 20) for n in range(24)]
    assert [WINDOWS.of(t) for t in due] == [0] * 8 + [1] * 8 + [2] * 8
    assert all(b - a == 500 for a, b in pairwise(due))


def test_a_block_takes_heartbeats_of_open_windows_up_to_its_time_once_each() -> None:
    early, late, foreign = beat(1, 499), beat(1, 3001), beat(0, 700)
    state = UptimeState()
    assert state.fitting([late, early, beat(1, 600), foreign], WINDOWS, 3000) == (foreign, beat(1, 600))
    state, closed = state.after((foreign, beat(1, 600)), 1, KEYS, WINDOWS)
    assert closed == ()
    assert state.logs == (WindowLog(0, (foreign, beat(1, 600))),)
    # What the log has is not taken again, and a second signature at one time neither.
    other = Heartbeat(1, 600, bytes(32), bytes(64))
    assert state.fitting([foreign, other, late], WINDOWS, 4000) == (late,)


def test_a_window_takes_no_more_than_its_number_of_heartbeats_from_one_validator() -> None:
    sent = [beat(2, 500 + i) for i in range(12)]
    assert UptimeState().fitting(sent, WINDOWS, 5000) == tuple(sent[:8])
    state, _ = UptimeState().after(tuple(sent[:5]), 1, KEYS, WINDOWS)
    assert state.fitting(sent[5:], WINDOWS, 5000) == tuple(sent[5:8])


def test_the_first_block_of_a_later_slot_closes_the_window_with_what_it_brings() -> None:
    before, _ = UptimeState().after((*beats(1, 6), *beats(2, 5)), 3, KEYS, WINDOWS)
    last = beats(2, 6)[-1]
    after, closed = before.after((last, *beats(3, 1, window=1)), 4, {1: KEYS[1], 2: KEYS[2], 3: KEYS[3]}, WINDOWS)
    assert closed == (Closed(window=0, beats=12, reached=2, missed=1),)
    assert after.open_from == 1
    assert after.logs == (WindowLog(1, tuple(beats(3, 1, window=1))),)
    # In the order of keys, not of indices.
    assert [c.validator for c in after.queue] == [2, 1]
    assert after.queue[0].log.beats == (*beats(1, 6), *beats(2, 5), last)
    # The closed window takes nothing any more.
    assert after.fitting(beats(1, 8), WINDOWS, 5000) == ()


def test_who_has_no_identity_makes_no_claim() -> None:
    before, _ = UptimeState().after((*beats(1, 6), *beats(2, 6)), 3, KEYS, WINDOWS)
    after, closed = before.after((), 4, {2: KEYS[2]}, WINDOWS)
    assert [c.validator for c in after.queue] == [2]
    assert (closed[0].reached, closed[0].missed) == (1, 0)


def test_claims_wait_their_turn_eight_a_block() -> None:
    sent = tuple(b for v in range(11) for b in beats(v, 6))
    state, _ = UptimeState().after(sent, 3, KEYS, WINDOWS)
    state, _ = state.after((), 4, {v: KEYS[v] for v in range(11)}, WINDOWS)
    first = state.claims()
    state, _ = state.after((), 5, KEYS, WINDOWS)
    second = state.claims()
    assert [c.validator for c in (*first, *second)] == list(range(10, -1, -1))
    assert (len(first), len(second)) == (CLAIMS_MAX, 3)
    assert state.after((), 6, KEYS, WINDOWS)[0].claims() == ()


def test_skipped_slots_close_every_window_that_they_passed() -> None:
    state, closed = UptimeState().after(tuple(beats(1, 6)), 9, {1: KEYS[1]}, WINDOWS)
    assert [(c.window, c.beats, c.reached) for c in closed] == [(0, 6, 1), (1, 0, 0)]
    assert state.open_from == 2
