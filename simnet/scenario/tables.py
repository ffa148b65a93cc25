"""Looking into a document's plain tables: what is missing or of another type is None, never an error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.scenario.marks import Path


@dataclass(frozen=True, slots=True)
class Conflict:
    """Keys that do not fit together, reported at one of them."""

    key: Path
    value: object
    why: str

    @property
    def dotted(self) -> str:
        return ".".join(map(str, self.key))


def at(data: object, *path: str | int) -> Any:
    """The value at a path, or None."""
    for part in path:
        if isinstance(data, Mapping) or (isinstance(data, Sequence) and isinstance(part, int) and part < len(data)):
            data = data.get(part) if isinstance(data, Mapping) else data[part]  # type: ignore[index]
        else:
            return None
    return data


def whole(data: object, *path: str | int) -> int | None:
    """The integer at a path, or None."""
    value = at(data, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def names(data: object, *path: str | int) -> list[str] | None:
    """The list of strings at a path, or None."""
    value = at(data, *path)
    ok = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return list(value) if ok else None


def items(data: object, *path: str | int) -> Sequence[Any]:
    """The list at a path; empty where there is none."""
    value = at(data, *path)
    return value if isinstance(value, list | tuple) else ()


def real(data: object, *path: str | int) -> float | None:
    """The number at a path, or None; also for one that is no finite float."""
    value = at(data, *path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
