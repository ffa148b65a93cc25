"""Documents with one thing wrong in them, for tests of what is read from files."""

import copy
from collections.abc import Iterator
from typing import Any


def deep(levels: int) -> list[Any]:
    """Lists inside each other."""
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


WRONG: tuple[Any, ...] = (
    None, True, -1, 0, 10**70, 10**100, 1e300, "", "text", "\ud800", [], [None], [[]], {}, {"": {}}, {"a": [1]}, deep(40), deep(70),
)  # fmt: skip
"""Values of other types, at and beyond what is read."""
Place = tuple[str | int, ...]


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Every place of a document; of a list only its first two entries."""
    if here:
        yield here
    entries = value.items() if isinstance(value, dict) else list(enumerate(value))[:2] if isinstance(value, list) else ()
    for key, inner in entries:
        yield from places(inner, (*here, key))


def altered(document: Any, number: int, stride: int = 1) -> Iterator[Any]:
    """The document with one thing wrong at a time: gone, renamed, or of another type. `number` and `stride`
    choose the places and which wrong value is tried."""
    for index, place in list(enumerate(places(document)))[number::stride]:
        for step in range(3):
            changed = copy.deepcopy(document)
            inner = changed
            for part in place[:-1]:
                inner = inner[part]
            if step == 2 and isinstance(inner, dict):
                del inner[place[-1]]
            else:
                inner[place[-1]] = WRONG[(index + number + 7 * step) % len(WRONG)]
            yield changed
