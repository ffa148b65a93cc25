"""RON (Rusty Object Notation) and JSON with positions: a strict reader for the wrappers' `.ron` files.

Upstream's `.ron` files are JSON, so JSON decides first, by the standard library. Real RON is read by the scanner below,
which also gives the marks of both; Python has no maintained RON library. The grammar is that of
github.com/ron-rs/ron (docs/grammar.md), read into plain tables:

* `Name(a: 1)`, `(a: 1)` and `{ "a": 1 }` are tables, `Name(1, 2)` and `(1, 2)` and `[1, 2]` lists, `Name(1)` is a list of one;
* `Some(x)` is x, `None`, `()` and JSON's `null` are nothing, a bare `Name` is its text;
* `7u64` and `0.5f32` are numbers with the name of their Rust type, `inf` and `NaN` are no finite ones;
* comments, trailing commas, raw strings and `#![enable(…)]` are read; no key may come twice.

JSON has one kind of number, so a whole one with a fraction of zeros (`3000.0`) is an integer there.
"""

import json
import math
import re
from typing import NoReturn

from simnet.base import textplaces
from simnet.base.tomltext import DIGITS_MAX
from simnet.scenario.marks import DEPTH_MAX, Mark, Marks, Parsed, Path, Places, SyntaxProblem

_BLANK = re.compile(r"(?:[ \t\r\n]|//[^\n]*)*")
_COMMENT = re.compile(r"/\*|\*/")
_ATTRIBUTE = re.compile(r"#!\[\s*enable\s*\([a-z_,\s]*\)\s*\]")
_NUMBER = re.compile(r"[+-]?(?:0x[0-9A-Fa-f_]+|0b[01_]+|0o[0-7_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]+)?|\.[0-9][0-9_]*)")
_TYPE = re.compile(r"([iuf])(8|16|32|64|128)(?![A-Za-z0-9_])")
_INFINITE = re.compile(r"[+-]?(?:inf|NaN)(?:f32|f64)?(?![A-Za-z0-9_])")
_WHOLE = re.compile(r"-?[0-9]+\.0+")
_NAME = re.compile(r"(?:r#)?[A-Za-z_][A-Za-z0-9_]*")
_STRING = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_RAW = re.compile(r'r(#*)"(.*?)"\1', re.DOTALL)
_CHAR = re.compile(r"'((?:\\u\{[^}]*\}|\\.|[^'\\]))'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "\\": "\\", '"': '"', "'": "'", "/": "/"}
_WORDS: dict[str, object] = {"true": True, "false": False, "None": None, "null": None}


def read_json(text: str) -> Parsed:
    """A JSON document with its marks, and nothing that only RON has."""
    value = _json(text)
    scanner = _Scanner(text)
    scanner.document()
    return _parsed(value, scanner)


def read(text: str) -> Parsed:
    """A JSON or RON document with its marks. Raises `SyntaxProblem` and nothing else, whatever the text."""
    refused: SyntaxProblem | None = None
    try:
        value = _json(text)
    except SyntaxProblem as problem:
        refused = problem
    scanner = _Scanner(text)
    try:
        scanned = scanner.document()
    except SyntaxProblem as problem:
        raise (refused if refused is not None and _looks_like_json(text) else problem) from None
    return _parsed(scanned if refused is not None else value, scanner)


def _parsed(value: object, scanner: "_Scanner") -> Parsed:
    if not isinstance(value, dict):
        raise SyntaxProblem("not a scenario: the top level is not a table", None)
    return Parsed(value, Marks(scanner.marks))


def _json(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_json_float)
    except json.JSONDecodeError as error:
        raise SyntaxProblem(f"not valid JSON: {error.msg}", Mark(error.lineno, error.colno)) from None
    except RecursionError:
        mark = _mark(text, textplaces.too_deep(text, DEPTH_MAX, textplaces.JSON))
        raise SyntaxProblem(f"not valid JSON: nested too deeply: more than {DEPTH_MAX} levels", mark) from None
    except ValueError as error:
        why = "a number with too many digits" if "digits" in str(error) else str(error)
        raise SyntaxProblem(f"not valid JSON: {why}", _mark(text, textplaces.number(text, _is_refused))) from None


def _mark(text: str, offset: int | None) -> Mark | None:
    return None if offset is None else Places(text).at(offset)


def _is_refused(shown: str) -> bool:
    """Whether a number of JSON text, or what stands in its place, is one of those that are not read."""
    return shown.endswith(("NaN", "Infinity")) or len(shown) > DIGITS_MAX


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _json_float(text: str) -> int | float:
    """A whole number as an integer, but not one with an exponent: `2e6` is a float in every syntax."""
    return int(text[: text.index(".")]) if _WHOLE.fullmatch(text) and text[0:2] != "-0" else float(text)


def _looks_like_json(text: str) -> bool:
    return re.match(r'\s*\{\s*"', text) is not None and re.search(r"^\s*(//|/\*)", text, re.MULTILINE) is None


class _Scanner:
    """Recursive descent over one document; every method leaves `at` behind what it read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.marks: dict[Path, Mark] = {}
        self._places = Places(text)
        self._depth = 0

    def document(self) -> object:
        self._blank()
        while found := _ATTRIBUTE.match(self.text, self.at):
            self.at = found.end()
            self._blank()
        value = self._value(())
        self._blank()
        if self.at < len(self.text):
            self._fail("something follows the end of the document")
        return value

    def _value(self, path: Path) -> object:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            self._fail(f"nested too deeply: more than {DEPTH_MAX} levels")
        self._blank()
        value = self._any(path)
        self._depth -= 1
        return value

    def _any(self, path: Path) -> object:
        opening = self.text[self.at : self.at + 1]
        if opening == "{":
            return self._table(path, "}")
        if opening == "[":
            return self._list(path, "]")
        if opening == "(":
            return self._parenthesis(path)
        for pattern, take in (
            (_STRING, self._string),
            (_RAW, self._raw),
            (_CHAR, self._string),
            (_INFINITE, self._infinite),
            (_NUMBER, self._number),
        ):
            found = pattern.match(self.text, self.at)
            if found:
                return take(found)
        return self._named(path)

    def _named(self, path: Path) -> object:
        """A word, an option, or a struct with its name in front."""
        start = self.at
        name = self._name()
        self._blank()
        if self.text[self.at : self.at + 1] != "(":
            return _WORDS.get(name, name)
        if name == "Some":
            return self._some(path)
        if name in _WORDS:
            self.at = start
            self._fail(f"{name} takes no parentheses")
        return self._parenthesis(path)

    def _some(self, path: Path) -> object:
        self.at += 1
        value = self._value(path)
        self._blank()
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1
            self._blank()
        self._expect(")", "Some holds one value")
        return value

    def _parenthesis(self, path: Path) -> object:
        """A struct, a tuple, or the unit."""
        start = self.at
        self.at += 1
        self._blank()
        if self.text[self.at : self.at + 1] == ")":
            self.at += 1
            return None
        is_struct = False
        if found := _NAME.match(self.text, self.at):
            self.at = found.end()
            self._blank()
            is_struct = self.text[self.at : self.at + 1] == ":"
        self.at = start
        return self._table(path, ")") if is_struct else self._list(path, ")")

    def _table(self, path: Path, closing: str) -> dict[str, object]:
        table: dict[str, object] = {}
        self.at += 1
        while not self._closes(closing):
            mark = self._here()
            key = self._key()
            if key in table:
                raise SyntaxProblem(f"the key {key!r} is there twice", mark)
            self.marks[(*path, key)] = mark
            self._blank()
            self._expect(":", f"a colon is missing after the key {key!r}")
            table[key] = self._value((*path, key))
            self._comma(closing)
        return table

    def _list(self, path: Path, closing: str) -> list[object]:
        items: list[object] = []
        self.at += 1
        while not self._closes(closing):
            inner = (*path, len(items))
            self.marks[inner] = self._here()
            items.append(self._value(inner))
            self._comma(closing)
        return items

    def _closes(self, closing: str) -> bool:
        self._blank()
        if self.text[self.at : self.at + 1] != closing:
            return False
        self.at += 1
        return True

    def _comma(self, closing: str) -> None:
        self._blank()
        if self.text[self.at : self.at + 1] != closing:
            self._expect(",", f"a comma or {closing} is missing")

    def _key(self) -> str:
        found = _STRING.match(self.text, self.at)
        return self._string(found) if found else self._name()

    def _name(self) -> str:
        found = _NAME.match(self.text, self.at)
        if found is None:
            self._fail("a value is missing" if self.at >= len(self.text) else f"unexpected {self.text[self.at]!r}")
        self.at = found.end()
        return found[0].removeprefix("r#")

    def _string(self, found: "re.Match[str]") -> str:
        inner_at = found.start(1)

        def plain(escape: "re.Match[str]") -> str:
            digits = escape[1] or escape[2] or escape[3]
            if digits is not None and int(digits, 16) < 0x110000 and not (escape[1] and 0xD800 <= int(digits, 16) < 0xE000):
                return chr(int(digits, 16))
            if digits is None and escape[4] in _PLAIN:
                return _PLAIN[escape[4]]
            raise SyntaxProblem(f"not valid RON or JSON: unknown escape {escape[0]!r}", self._places.at(inner_at + escape.start()))

        text = _ESCAPE.sub(plain, found[1])
        self.at = found.end()
        # JSON writes characters beyond 16 bits as two escapes.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if "\\u" in found[1] else text

    def _raw(self, found: "re.Match[str]") -> str:
        self.at = found.end()
        return found[2]

    def _number(self, found: "re.Match[str]") -> int | float:
        text = found[0].replace("_", "")
        if len(text) > DIGITS_MAX:
            self._fail("a number with too many digits")
        self.at = found.end()
        kind = _TYPE.match(self.text, self.at)
        if kind:
            self.at = kind.end()
        if _NAME.match(self.text, self.at):
            self._fail("a number runs into a word")
        try:
            is_float = re.search(r"[.eE]", text) is not None and "0x" not in text
            value = float(text) if is_float else int(text, 0 if re.match(r"[+-]?0[xbo]", text) else 10)
        except ValueError:
            self._fail(f"{text} is no number")
        return value if kind is None else self._typed(value, kind)

    def _typed(self, value: float, kind: "re.Match[str]") -> int | float:
        """A number with the name of its type behind it, which it must fit."""
        sign, bits = kind[1], int(kind[2])
        if sign == "f":
            fits = bits in (32, 64)
        else:
            low, high = (0, 2**bits) if sign == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
            fits = isinstance(value, int) and low <= value < high
        if not fits:
            self._fail(f"{value} is no {kind[0]}")
        return float(value) if sign == "f" else value

    def _infinite(self, found: "re.Match[str]") -> float:
        self.at = found.end()
        return math.nan if "N" in found[0] else math.inf * (-1 if found[0][0] == "-" else 1)

    def _blank(self) -> None:
        while True:
            found = _BLANK.match(self.text, self.at)
            assert found is not None, "the pattern matches nothing, too"
            self.at = found.end()
            if not self.text.startswith("/*", self.at):
                return
            self._comment()

    def _comment(self) -> None:
        """A block comment; they nest."""
        depth = 0
        for found in _COMMENT.finditer(self.text, self.at):
            depth += 1 if found[0] == "/*" else -1
            if depth == 0:
                self.at = found.end()
                return
        self._fail("a comment does not end")

    def _expect(self, mark: str, why: str) -> None:
        if self.text[self.at : self.at + 1] != mark:
            self._fail(why)
        self.at += 1

    def _here(self) -> Mark:
        return self._places.at(self.at)

    def _fail(self, why: str) -> NoReturn:
        raise SyntaxProblem(f"not valid RON or JSON: {why}", self._here())
