"""JSON text as every program reads it: without Infinity and NaN, which JSON does not have (such a number is null), each key once."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

INDENT = 2


def json_text(value: object, *, sort_keys: bool = False, ascii_only: bool = True) -> str:
    """Indented JSON, no newline at the end. Mappings become objects, sets and tuples lists, all else that JSON lacks its text."""

    def dumped(given: object) -> str:
        return json.dumps(given, indent=INDENT, sort_keys=sort_keys, ensure_ascii=ascii_only, default=_plain, allow_nan=False)

    try:
        return dumped(value)
    except ValueError:  # rare: the walk below is slower than the writing
        return dumped(_finite(value))


class RepeatedKeyError(ValueError):
    """A key that its object has already. `textplaces.repeated_key` says which and where."""


def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """For `json.loads`: an object of which every reader takes the same. Raises `RepeatedKeyError`."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKeyError(key)
        found[key] = value
    return found


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)


def _finite(value: object) -> object:
    """The same with null for numbers that are none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_finite(inner) for inner in value]
    return value
