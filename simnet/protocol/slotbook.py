"""What a validator knows of slots: which height each of its own has served, and what time it is for the others.

Pure. Slots are not trusted to come in order: a wrong clock may run ahead and be put back.
"""

from collections.abc import Iterable, Mapping

SLOTS_REMEMBERED = 128
"""Signed slots whose height is remembered; of older ones it is known that they are used."""
RANGES_MAX = 64
"""Ranges of used slots: one for each time that a clock jumped far."""
TIME_SLOTS = 2
"""Who signed something for one of so many slots before the present one, or after it, takes it for the present. Fewer than the six in
which a block is promised: a clock that is ahead by less spends all of the slots between."""


class SlotBook:
    """Which height this validator has signed for in a slot: a slot, and its one-time keys, serve one height."""

    def __init__(self) -> None:
        self._heights: dict[int, int] = {}
        """Of the slots signed last, in the order of signing."""
        self._used: list[tuple[int, int]] = []
        """Ranges of slots, ascending, both ends included, in which others may have been signed long ago."""

    def may_sign(self, height: int, slot: int) -> bool:
        """Whether a slot is free, or this height's."""
        return self._heights.get(slot) == height or not self.used(slot)

    def used(self, slot: int) -> bool:
        """Whether something may have been signed in a slot."""
        return slot in self._heights or any(first <= slot <= last for first, last in self._used)

    def signed(self, height: int, slot: int) -> None:
        """Notes a signature."""
        self._heights.setdefault(slot, height)
        if len(self._heights) > SLOTS_REMEMBERED:
            old = next(iter(self._heights))
            del self._heights[old]
            self._use(old)

    def _use(self, slot: int) -> None:
        """Closes a slot for good, and those around it that are too old to be signed."""
        near = [r for r in self._used if r[0] - SLOTS_REMEMBERED <= slot <= r[1] + SLOTS_REMEMBERED]
        rest = [r for r in self._used if r not in near]
        ranges = sorted([*rest, (min([slot, *(r[0] for r in near)]), max([slot, *(r[1] for r in near)]))])
        if len(ranges) > RANGES_MAX:
            ranges[:2] = [(ranges[0][0], ranges[1][1])]
        self._used = ranges


class Present:
    """What slot it is for the others, by the votes and roll calls that they sign.

    A clock that has jumped must not spend keys of slots to come, nor vote in them: no promise holds for the order in which it then
    votes. So a validator takes part in a slot around which members with a quorum have voted or called the roll.
    """

    def __init__(self, weights: Mapping[int, int], threshold: int) -> None:
        self._weights = weights
        self._threshold = threshold
        self._newest = dict.fromkeys(weights, -1)
        """The newest slot that each has signed something for: what is older may be sent again by anybody."""

    def heard(self, validator: int, slot: int) -> None:
        """A validator's signed vote or roll call has come."""
        if validator in self._newest:
            self._newest[validator] = max(slot, self._newest[validator])

    def is_slot(self, slot: int, own: Iterable[int]) -> bool:
        """Whether a quorum takes this slot for the present, give or take a few; `own`: validators that need not be heard."""
        for validator, newest in self._newest.items():
            if newest > slot + TIME_SLOTS:  # Either clock was ahead; it is heard anew.
                self._newest[validator] = -1
        there = {v for v, newest in self._newest.items() if newest >= slot - TIME_SLOTS}.union(own)
        return sum(self._weights.get(v, 0) for v in there) >= self._threshold
