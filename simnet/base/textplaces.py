"""Where a text has what Python's parsers refuse without saying where: numbers that are none or are too long, what is too deep, keys again."""

import json
import re
from collections.abc import Callable

Place = tuple[int, int]
"""Line and column, both from 1."""
JSON = re.compile(r'"(?:\\.|[^"\\])*+"|-?Infinity|NaN|-?[0-9][0-9.eE+-]*|[\[{\]}]', re.DOTALL)
COLON = re.compile(r"\s*:")
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


def repeated_key(text: str) -> tuple[int, str] | None:
    """Offset and name of the first key of JSON text that its object has already."""
    objects: list[set[str]] = []
    for token in JSON.finditer(text):
        if token[0] in "[{":
            objects.append(set())
        elif token[0] in "]}":
            objects.pop()
        elif COLON.match(text, token.end()):
            key = json.loads(token[0])
            if key in objects[-1]:
                return token.start(), key
            objects[-1].add(key)
    return None


def place(text: str, offset: int | None) -> Place | None:
    """An offset as people count."""
    return None if offset is None else (text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
