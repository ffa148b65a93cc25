"""What the nodes of one fault have agreed on."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from simnet.base.rng import Draws
from simnet.protocol.messages import Proposal
from simnet.scenario.opponents import Opponent

T = TypeVar("T")
SLOTS_SHARED = 2
ALL = -1


class Plan:
    """Shared by colluding nodes: one random stream, blocks that a leader makes for all."""

    def __init__(self, draws: Draws, number: int, fault: Opponent) -> None:
        self.fault = fault
        self.members = frozenset(fault.nodes)
        self.random = draws.generator("opponents", number)
        self.shared: dict[int, tuple[Proposal, Proposal]] = {}
        """What a colluding leader lets the others spread, by slot."""
        self._turns: dict[tuple[int, str], int] = {}
        self._halves: tuple[frozenset[int], frozenset[int]] | None = None

    def turn(self, node: int, name: str, choices: Sequence[T]) -> T:
        """The next of the choices for a node; each begins with another one, so that together they do all from the start."""
        taken = self._turns.get((node, name), sorted(self.members).index(node))
        self._turns[node, name] = taken + 1
        return choices[taken % len(choices)]

    def next(self, name: str, choices: Sequence[T]) -> T:
        """The next of the choices, whichever node asks: for what comes too seldom for each to do all."""
        taken = self._turns.get((ALL, name), 0)
        self._turns[ALL, name] = taken + 1
        return choices[taken % len(choices)]

    def share(self, slot: int, first: Proposal, second: Proposal) -> None:
        """A leader's proposals, for the others of this slot."""
        self.shared = {s: pair for s, pair in self.shared.items() if s >= slot - SLOTS_SHARED} | {slot: (first, second)}

    def halves(self, weights: Mapping[int, int]) -> tuple[frozenset[int], frozenset[int]]:
        """The other validators in two parts, as equal in weight as taking them by weight makes them."""
        if self._halves is None:
            sides: tuple[set[int], set[int]] = (set(), set())
            sums = [0, 0]
            for validator in sorted((v for v in weights if v not in self.members), key=lambda v: (-weights[v], v)):
                lighter = int(sums[1] < sums[0])
                sides[lighter].add(validator)
                sums[lighter] += weights[validator]
            self._halves = (frozenset(sides[0]), frozenset(sides[1]))
        return self._halves

    def bytes(self, count: int) -> bytes:
        return self.random.bytes(count)


class Plans:
    """All plans of a run, by the fault's place in the scenario."""

    def __init__(self, draws: Draws, faults: Sequence[object]) -> None:
        self._draws = draws
        self._faults = faults
        self._made: dict[int, Plan] = {}

    def of(self, fault: Opponent) -> Plan:
        number = next(i for i, known in enumerate(self._faults) if known is fault)
        return self._made.setdefault(number, Plan(self._draws, number, fault))


def flipped(data: bytes, start: int, random: np.random.Generator, count: int = 3) -> bytes:
    """The bytes with one bit changed in each of `count` places from `start` on."""
    out = bytearray(data)
    places = random.choice(len(data) - start, size=min(count, len(data) - start), replace=False)
    for place in places.tolist():
        out[start + place] ^= 1 << int(random.integers(8))
    return bytes(out)
