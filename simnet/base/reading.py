"""Files that are read back, which anybody may have written: a limit on their size, UTF-8, regular files only, checked values.

Raises `UnreadableError` with one line, whatever the file.
"""

import json
import math
import re
import stat
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from simnet.base import textplaces, tomltext
from simnet.base.errors import OutputError, reason
from simnet.base.jsontext import RepeatedKeyError, unique
from simnet.base.plain import printable

BYTES_MAX = 256 * 1024 * 1024
"""Of a file to read; an hour of a hundred nodes is a few megabytes."""
INTEGER_DIGITS_MAX = 80
"""No count or hash part is longer; longer ones overflow floats."""
SHOWN_MAX = 80
DEPTH_MAX = 64
"""Tables and lists inside each other; a summary needs ten."""
M = TypeVar("M", bound=BaseModel)


class UnreadableError(OutputError):
    """A file that is not what it should be."""


class Read(BaseModel):
    """A part of a file that is read back. Types are checked; what this version does not know is left alone."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


def text(path: Path, bytes_max: int = BYTES_MAX) -> str:
    """A regular file's text, without a byte order mark. Raises `UnreadableError`."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UnreadableError(f"cannot read {path}: {'is a directory' if path.is_dir() else 'not a regular file'}")
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise UnreadableError(f"cannot read {path}: {reason(error)}") from None
    if len(content) > bytes_max:
        raise UnreadableError(f"{path}: {about.st_size} bytes; at most {bytes_max} are read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"{path}:{line}: not UTF-8 text") from None


def json_value(path: Path) -> object:
    """Any JSON value from a file; finite numbers only."""
    return parsed_json(path, text(path))


def parsed_json(path: Path, content: str) -> object:
    """The same from text that was read. Raises `UnreadableError`."""
    try:
        value: object = json.loads(content, object_pairs_hook=unique, parse_constant=_no_number, parse_float=_finite, parse_int=_countable)
        _check_depth(value)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except (RecursionError, _TooDeep):
        where = _where(path, content, textplaces.too_deep(content, DEPTH_MAX, textplaces.JSON))
        raise UnreadableError(f"{where}: not JSON: nested too deeply: more than {DEPTH_MAX} levels") from None
    except RepeatedKeyError:
        offset, key = textplaces.repeated_key(content) or (None, "")
        raise UnreadableError(f"{_where(path, content, offset)}: not JSON: the key {_short(repr(key))} is there twice") from None
    except ValueError as error:
        where = _where(path, content, textplaces.number(content, _is_refused))
        raise UnreadableError(f"{where}: not JSON: {_short(error)}") from None
    return value


def _where(path: Path, content: str, offset: int | None) -> str:
    return _at(path, textplaces.place(content, offset))


def _at(path: Path, place: textplaces.Place | None) -> str:
    return str(path) if place is None else f"{path}:{place[0]}:{place[1]}"


class _TooDeep(Exception):
    """Nested beyond `DEPTH_MAX`."""


def _check_depth(value: object) -> None:
    """Refuses what could not be walked."""
    level: list[object] = [value]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise _TooDeep


def _inside(value: object) -> list[object]:
    """The tables and lists in a table or list."""
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [inner for inner in found if isinstance(inner, dict | list)]


def json_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises `UnreadableError`."""
    value = json_value(path)
    if not isinstance(value, dict):
        raise UnreadableError(f"{path}: not a JSON object")
    return value


def toml_tables(path: Path, content: str) -> dict[str, Any]:
    """The tables of TOML text that was read from a file. Raises `UnreadableError`."""
    try:
        return tomltext.tables(content)
    except ValueError as error:
        why, place = tomltext.told(error, content)
        raise UnreadableError(f"{_at(path, place)}: not TOML: {_short(why)}") from None


def checked(path: Path, value: object, model: type[M], what: str) -> M:
    """A value as what it should be. Raises `UnreadableError`, which names the first few things that are wrong in one line."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False)
        told = "; ".join(_told(detail["loc"], detail["msg"]) for detail in found[:3])
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        raise UnreadableError(f"{path}: not {what}: {told}{more}") from None


def _told(place: tuple[str | int, ...], message: str) -> str:
    where = printable(".".join(map(str, place)))[:SHOWN_MAX]
    return f"{where}: {printable(message)}" if where else printable(message)


def _short(error: Exception | str) -> str:
    said = printable(str(error))
    return said if len(said) <= 200 else f"{said[:200]}…"


def _no_number(shown: str) -> float:
    raise ValueError(f"{shown} is no JSON number")


def _is_refused(shown: str) -> bool:
    """Whether a number of JSON text is one of those that are not read."""
    try:
        if "N" in shown or "I" in shown:
            _no_number(shown)
        (_finite if re.search("[.eE]", shown) else _countable)(shown)
    except ValueError:
        return True
    return False


def _countable(digits: str) -> int:
    return int(digits) if len(digits) <= INTEGER_DIGITS_MAX else int(_no_number(digits[:INTEGER_DIGITS_MAX] + "…"))


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _no_number(digits[:SHOWN_MAX])
