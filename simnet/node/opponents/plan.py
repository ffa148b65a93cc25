"""What the nodes of one fault have agreed on."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from simnet import rng
from simnet.scenario.opponents import Opponent

T = TypeVar("T")


class Plan:
    """Shared by colluding nodes: one random stream, one order of turns."""

    def __init__(self, seed: int, number: int, fault: Opponent) -> None:
        self.fault = fault
        self.members = frozenset(fault.nodes)
        self.random = rng.generator(seed, "opponents", number)
        self._turns: dict[str, int] = {}

    def turn(self, name: str, choices: Sequence[T]) -> T:
        """The next of the choices, whichever node asks."""
        taken = self._turns.get(name, 0)
        self._turns[name] = taken + 1
        return choices[taken % len(choices)]

    def bytes(self, count: int) -> bytes:
        return self.random.bytes(count)


class Plans:
    """All plans of a run, by the fault's place in the scenario."""

    def __init__(self, seed: int, faults: Sequence[object]) -> None:
        self._seed = seed
        self._faults = faults
        self._made: dict[int, Plan] = {}

    def of(self, fault: Opponent) -> Plan:
        number = next(i for i, known in enumerate(self._faults) if known is fault)
        return self._made.setdefault(number, Plan(self._seed, number, fault))


def flipped(data: bytes, start: int, random: np.random.Generator, count: int = 3) -> bytes:
    """The bytes with one bit changed in each of `count` places from `start` on."""
    out = bytearray(data)
    places = random.choice(len(data) - start, size=min(count, len(data) - start), replace=False)
    for place in places.tolist():
        out[start + place] ^= 1 << int(random.integers(8))
    return bytes(out)
