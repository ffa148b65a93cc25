"""Where a text has what Python's parsers refuse without saying where: numbers that are none or are too long, and what is too deep."""

import re
from collections.abc import Callable

Place = tuple[int, int]
"""Line and column, both from 1."""
JSON = re.compile(r'"(?:\\.|[^"\\])*+"|-?Infinity|NaN|-?[0-9][0-9.eE+-]*|[\[{\]}]', re.DOTALL)
TOML = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*+"|\'[^\'\n]*+\'|#[^\n]*+|[\[{\]}]',
    re.DOTALL,
)
"""What brackets and numbers are not part of comes first: texts and comments."""


def too_deep(text: str, levels: int, syntax: "re.Pattern[str]") -> int | None:
    """Offset of the first table or list inside so many others."""
    depth = 0
    for token in syntax.finditer(text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > levels:
            return token.start()
    return None


def number(text: str, refused: Callable[[str], bool]) -> int | None:
    """Offset of JSON's first number, or word in a number's place, that is refused."""
    return next((token.start() for token in JSON.finditer(text) if token[0][0] not in '"[{]}' and refused(token[0])), None)


def place(text: str, offset: int | None) -> Place | None:
    """An offset as people count."""
    return None if offset is None else (text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
