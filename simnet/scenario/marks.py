"""Where things stand in a file: what every syntax gives beside its values."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a document."""
DOCUMENT_BYTES_MAX = 1024 * 1024
"""A scenario is a page or two; this bounds the loader's work on a file that is not one."""
DEPTH_MAX = 32
"""Tables and lists inside each other. A scenario needs six."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file, both 1-based; columns count characters."""

    line: int
    column: int


class SyntaxProblem(Exception):
    """Text that is not of its syntax; `mark` where known."""

    def __init__(self, why: str, mark: Mark | None) -> None:
        super().__init__(why)
        self.mark = mark


class Places:
    """Offsets of a text as marks."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]

    def at(self, offset: int) -> Mark:
        line = bisect_right(self._starts, offset)
        return Mark(line, offset - self._starts[line - 1] + 1)


class Marks:
    """Mark of every key, table and list item of a document."""

    def __init__(self, by_path: Mapping[Path, Mark]) -> None:
        self._by_path = by_path

    def exact(self, path: Path) -> Mark | None:
        return self._by_path.get(path)

    def near(self, path: Path) -> Mark | None:
        """Mark of the path, or of the innermost table around it that is written down."""
        while path and path not in self._by_path:
            path = path[:-1]
        return self._by_path.get(path)


NOWHERE = Marks({})
"""Of values that stand in no file."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document's tables and where they stand."""

    data: dict[str, Any]
    marks: Marks


def refuse_unwalkable(data: object, marks: Marks = NOWHERE, path: Path = (), depth: int = 0) -> None:
    """Refuses what could neither be walked nor printed. Raises `SyntaxProblem` at its place."""
    if depth > DEPTH_MAX:
        raise SyntaxProblem(f"nested too deeply: more than {DEPTH_MAX} levels", marks.near(path))
    if isinstance(data, str):
        try:
            data.encode()
        except UnicodeEncodeError:
            raise SyntaxProblem("a text holds half a character (a lone surrogate)", marks.near(path)) from None
    elif isinstance(data, dict):
        for key, value in data.items():
            refuse_unwalkable(key, marks, (*path, key), depth + 1)
            refuse_unwalkable(value, marks, (*path, key), depth + 1)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            refuse_unwalkable(value, marks, (*path, index), depth + 1)
