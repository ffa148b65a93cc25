"""`--set section.key=value`: single values laid over a scenario file."""

import tomllib
from collections.abc import Mapping
from typing import Any

from simnet.base import tomltext
from simnet.scenario.marks import Path, SyntaxProblem, refuse_unwalkable


class OverrideError(Exception):
    """An override that names no place or gives no TOML value."""


def path_of(key: str) -> Path:
    """`traffic.tx.phases.0.lambda_per_sec` as a path; parts that are numbers stay text until they meet a list.

    Raises `OverrideError`.
    """
    tables: Any = _tables(f"{key} = 0", "not a dotted key")
    path: list[str] = []
    while isinstance(tables, dict) and len(tables) == 1:
        part, tables = next(iter(tables.items()))
        path.append(part)
    if tables != 0:
        raise OverrideError("not a dotted key")
    return tuple(path)


def _tables(text: str, otherwise: str) -> dict[str, Any]:
    """TOML's tables; `otherwise` says what text is that is no TOML, unless there is more to say."""
    try:
        return tomltext.tables(text)
    except tomltext.TomlError as error:
        raise OverrideError(str(error)) from None
    except tomllib.TOMLDecodeError:
        raise OverrideError(otherwise) from None


def value_of(text: str) -> object:
    """A TOML value: 12, 0.5, true, "text", [1, 2], { a = 1 }. Raises `OverrideError`."""
    tables = _tables(f"value = {text}", 'not a TOML value; strings need quotes, as in "text"')
    if list(tables) != ["value"]:
        raise OverrideError("more than one value")
    try:
        refuse_unwalkable(tables["value"])
    except SyntaxProblem as problem:
        raise OverrideError(str(problem)) from None
    return tables["value"]


def put(data: dict[str, Any], path: Path, value: object) -> Path:
    """Sets a value in place, making tables on the way; returns the path with list positions as numbers. Raises `OverrideError`."""
    here: Any = data
    done: list[str | int] = []
    for depth, part in enumerate(path):
        if not isinstance(here, list | dict):
            raise OverrideError(f"`{'.'.join(map(str, done))}` is not a table")
        step, parent = _step(here, part)
        done.append(step)
        if depth == len(path) - 1:
            parent[step] = value
        else:
            here = parent.setdefault(step, {}) if isinstance(here, dict) else parent[step]
    return tuple(done)


def _step(here: list[Any] | dict[str, Any], part: str | int) -> tuple[str | int, Any]:
    """The key or position that a part of a path means in a table or list, and that container."""
    return (_position(here, part) if isinstance(here, list) else part), here


def _position(items: list[Any], part: str | int) -> int:
    index = int(part) if str(part).isascii() and str(part).isdigit() and len(str(part)) < 10 else -1
    if not 0 <= index < len(items):
        raise OverrideError(f"`{part}` is no position in a list of {len(items)}")
    return index


def apply(data: dict[str, Any], overrides: Mapping[str, str]) -> tuple[set[Path], list[tuple[str, str, str]]]:
    """Lays overrides over a document in place. Returns the paths set, and (key, value, why) of each that failed."""
    changed: set[Path] = set()
    failed: list[tuple[str, str, str]] = []
    for key, text in overrides.items():
        try:
            changed.add(put(data, path_of(key), value_of(text)))
        except OverrideError as error:
            failed.append((key, text, f"{error} (set on the command line)"))
    return changed, failed
