"""Reading JSON statements and witnesses from files that may hold anything: size first, then syntax, then the format."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from simnet.base import textplaces
from simnet.base.errors import InputError, Problem, reason
from simnet.base.jsontext import RepeatedKeyError, unique
from simnet.base.regular import open_regular
from simnet.proofs.witness import pack
from simnet.proofs.witness.fields import Shape

JSON_BYTES_MAX = 16 << 20
DEPTH_MAX = 64
"""Of lists and objects inside each other, where Python gives up; a witness needs five."""
DIGITS_MAX = 4000
"""Of a number, where Python gives up."""


def read_limited(path: Path, most: int) -> bytes:
    """A file's bytes, of which at most one more than `most` are ever read. Raises InputError."""
    try:
        with open_regular(path) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise InputError([_problem(path, reason(error))]) from error
    if len(data) > most:
        raise InputError([_problem(path, f"larger than {most} bytes")])
    return data


def read_packed(path: Path, shape: Shape, *, witness: bool) -> bytes:
    """The native bytes of a JSON file. Raises InputError with every fault and what would be allowed."""
    value = _parse(path, read_limited(path, JSON_BYTES_MAX))
    try:
        return pack(value, shape, witness=witness)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise InputError([Problem(path, None, _where(e["loc"]), _shown(e), _why(e)) for e in faults]) from error


def _parse(path: Path, data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError([_problem(path, f"not UTF-8 text: byte {error.start}")]) from error
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise InputError([_problem(path, f"not JSON: {error.msg}", (error.lineno, error.colno))]) from error
    except RecursionError as error:
        at = textplaces.too_deep(text, DEPTH_MAX, textplaces.JSON)
        raise InputError([_problem(path, f"nested too deeply: more than {DEPTH_MAX} levels", textplaces.place(text, at))]) from error
    except RepeatedKeyError as error:
        offset, key = textplaces.repeated_key(text) or (None, "")
        raise InputError([_problem(path, f"the key {key!r} is there twice", textplaces.place(text, offset))]) from error
    except ValueError as error:
        why = "a number with too many digits" if "digits" in str(error) else str(error)
        raise InputError([_problem(path, why, textplaces.place(text, textplaces.number(text, _is_refused)))]) from error


def _no_number(shown: str) -> float:
    raise ValueError(f"{shown} is no JSON number")


def _is_refused(shown: str) -> bool:
    return shown.endswith(("NaN", "Infinity")) or len(shown) > DIGITS_MAX


def _problem(path: Path, why: str, place: textplaces.Place | None = None) -> Problem:
    line, column = place or (None, None)
    return Problem(path, line, "", None, why, column)


def _where(location: tuple[int | str, ...]) -> str:
    """`ballots[1].tags[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _shown(error: ErrorDetails) -> object:
    """The refused value, unless it is missing or long."""
    value = error.get("input")
    hidden = error["type"] in ("missing", "extra_forbidden", "count") or isinstance(value, list | dict) or len(repr(value)) > 70
    return None if hidden else value


def _why(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind == "missing":
        return "required, but missing"
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "dict_type":
        return "must be an object"
    return "must be a list" if kind == "list_type" else error["msg"]
