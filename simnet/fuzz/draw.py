"""Random choices of the search: one named stream for each part of a scenario, so that a change in one shifts no other."""

from collections.abc import Sequence
from typing import TypeVar

from simnet.base.rng import generator

T = TypeVar("T")


class Draw:
    """Draws for one part of one seed's scenario."""

    def __init__(self, seed: int, part: str) -> None:
        self._numbers = generator(seed, f"fuzz/{part}")

    def whole(self, low: int, high: int) -> int:
        """An integer, both ends included."""
        return int(self._numbers.integers(low, high + 1))

    def fraction(self, low: float, high: float) -> float:
        """A number with three decimals."""
        return round(low + (high - low) * float(self._numbers.random()), 3)

    def chance(self, probability: float) -> bool:
        return float(self._numbers.random()) < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[self.whole(0, len(items) - 1)]

    def some(self, items: Sequence[T], least: int = 1, most: int | None = None) -> tuple[T, ...]:
        """A random part of `items`, in their order."""
        count = self.whole(least, len(items) if most is None else min(most, len(items)))
        chosen = sorted(int(i) for i in self._numbers.permutation(len(items))[:count])
        return tuple(items[i] for i in chosen)

    def shuffled(self, items: Sequence[T]) -> tuple[T, ...]:
        return tuple(items[int(i)] for i in self._numbers.permutation(len(items)))
