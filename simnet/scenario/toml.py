"""TOML with positions: `tomllib` for the values, a scanner for where each key stands.

`tomllib` keeps no positions. The scanner only ever sees text that `tomllib` has accepted, so it need not
check anything; it walks headers, keys, arrays and inline tables and notes the line and column of each.
"""

import contextlib
import re
import tomllib
from typing import Any

from simnet.base import tomltext
from simnet.scenario.marks import Mark, Marks, Parsed, Path, Places, SyntaxProblem

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r"[ \t]*(\"(?:\\.|[^\"\\])*\"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_BARE = re.compile(r"[^,\]}#\r\n]*")


def read(text: str) -> Parsed:
    """A TOML document with its marks. Raises `SyntaxProblem` and nothing else, whatever the text."""
    return Parsed(parse(text), marks(text))


def parse(text: str) -> dict[str, Any]:
    """The tables of a TOML document. Raises `SyntaxProblem` and nothing else, whatever the text."""
    try:
        return tomltext.tables(text)
    except ValueError as error:
        why, place = tomltext.told(error, text)
        raise SyntaxProblem(f"not valid TOML: {why}", None if place is None else Mark(*place)) from None


def marks(text: str) -> Marks:
    """Mark of every key, table and array item of text that `parse` accepted."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    with contextlib.suppress(RecursionError):  # what was found so far is still right
        scanner.document()
    return Marks(scanner.marks)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.marks: dict[Path, Mark] = {}
        self._places = Places(text)
        self._array_tables: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self._skip_blank():
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._assignment(table)

    def _header(self) -> Path:
        mark, double = self._here(), self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        keys = self._dotted_key()
        self.at += 2 if double else 1
        table = self._through_arrays(keys[:-1])
        for length in range(1, len(table) + 1):
            self.marks.setdefault(table[:length], mark)
        table = (*table, keys[-1])
        if double:
            self.marks.setdefault(table, mark)
            index = self._array_tables[table] = self._array_tables.get(table, -1) + 1
            table = (*table, index)
        else:
            table = self._through_arrays((keys[-1],), table[:-1])
        self.marks[table] = mark
        return table

    def _through_arrays(self, keys: tuple[str, ...], base: Path = ()) -> Path:
        """A header's path, where an array of tables stands for its last item."""
        for key in keys:
            base = (*base, key)
            if base in self._array_tables:
                base = (*base, self._array_tables[base])
        return base

    def _assignment(self, table: Path) -> None:
        mark = self._here()
        for key in self._dotted_key():
            table = (*table, key)
            self.marks.setdefault(table, mark)
        self.at += 1  # the equals sign
        self._value(table)

    def _value(self, path: Path) -> None:
        self._skip_blank()
        opening = self.text[self.at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            pattern = _STRING if opening in "\"'" else _BARE
            self.at = self._match(pattern).end()

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self._skip_blank() and self.text[self.at] != "]":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.marks[(*path, index)] = self._here()
            self._value((*path, index))
            index += 1
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._skip_blank() and self.text[self.at] != "}":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._assignment(path)
        self.at += 1

    def _dotted_key(self) -> tuple[str, ...]:
        parts = []
        while True:
            part = self._match(_KEY_PART)
            self.at = part.end()
            parts.append(_plain(part[1]))
            if self.text[self.at : self.at + 1] != ".":
                return tuple(parts)
            self.at += 1

    def _skip_blank(self) -> bool:
        self.at = self._match(_BLANK).end()
        return self.at < len(self.text)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        assert found is not None, "the scanner is only given valid TOML"
        return found

    def _here(self) -> Mark:
        return self._places.at(self.at)


def _plain(part: str) -> str:
    """A key without its quotes."""
    if part[0] in "\"'":
        return next(iter(tomllib.loads(f"{part} = 0")))
    return part
