"""TOML text to tables, with what no document of ours may be refused before it costs anything."""

import re
import tomllib
from typing import Any

from simnet.base import textplaces

DEPTH_MAX = 64
"""Parts of one dotted key; tables inside each other."""
DIGITS_MAX = 400
"""Of a number in a document of any syntax. It has twenty; Python itself refuses thousands."""
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP = re.compile(rf"(?<![A-Za-z0-9_.-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{DEPTH_MAX}}}")
"""A dotted key with too many parts: each is a table in a table, and so is every mark of it."""
_LONG = re.compile(rf"(?<![A-Za-z0-9_.-])[+-]?[0-9][0-9_]{{{DIGITS_MAX},}}")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class TomlError(ValueError):
    """Not a document. `at`: the offset in the text, where it is known."""

    def __init__(self, why: str, at: int | None = None) -> None:
        super().__init__(why)
        self.at = at


def tables(text: str) -> dict[str, Any]:
    """A document's tables. Raises `tomllib.TOMLDecodeError` or `TomlError`, and nothing else, whatever the text."""
    deep = _DEEP.search(text)
    if deep is not None:
        raise TomlError(f"nested too deeply: more than {DEPTH_MAX} levels", deep.start())
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise TomlError(f"nested too deeply: more than {DEPTH_MAX} levels", textplaces.too_deep(text, DEPTH_MAX, textplaces.TOML)) from None
    except ValueError as error:  # numbers and dates that Python's own types refuse
        long = _LONG.search(text)
        if long is not None:
            raise TomlError("a number with too many digits", long.start()) from None
        raise TomlError(str(error)) from None


def told(error: ValueError, text: str) -> tuple[str, textplaces.Place | None]:
    """What `tables` has raised about a text, in words, and where, as far as that is known."""
    if isinstance(error, TomlError):
        return str(error), textplaces.place(text, error.at)
    found = _PLACE.search(str(error))
    if found is None:
        return str(error), None
    where = textplaces.place(text, len(text.rstrip("\n"))) if found[1] is None else (int(found[1]), int(found[2]))
    return str(error)[: found.start()], where
