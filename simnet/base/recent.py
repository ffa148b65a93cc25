"""A dict for what may be forgotten: beyond its limit the oldest entry goes."""

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(dict[K, V]):
    """Entries are written with `recent[key] = value`; writing one again does not make it younger.

    For results that can be computed again, so that a run that others fill with garbage has an end to its memory.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > self._limit:
            del self[next(iter(self))]

    def made(self, key: K, make: Callable[[], V]) -> V:
        """The entry of a key. Where there is none, or no longer, the result of `make`, which must depend on the key alone."""
        if key not in self:
            self[key] = make()
        return self[key]
