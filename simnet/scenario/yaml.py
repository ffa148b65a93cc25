"""YAML with positions: PyYAML for the syntax, YAML 1.2's core schema for what a scalar means.

PyYAML itself follows YAML 1.1, where `020` is 16 and `1:30:00` is 5400. Here numbers are those of YAML 1.2, and what only
1.1 takes for a number or a date is refused, not read as something else; truth values are those of both. Stricter than
YAML: one document, text keys, no key twice, and no aliases, so that a small file stays small.
"""

import re
from typing import Any

import yaml

from simnet.base.tomltext import DIGITS_MAX
from simnet.scenario.marks import DEPTH_MAX, Mark, Marks, Parsed, Path, Places, SyntaxProblem

YAML_BYTES_MAX = 128 * 1024
"""PyYAML takes seconds for each megabyte."""

TAG = "tag:yaml.org,2002:"
PLAIN_TAGS = (f"{TAG}map", f"{TAG}seq")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **{form: True for word in ("true", "yes", "on") for form in (word, word.title(), word.upper())},
    **{form: False for word in ("false", "no", "off") for form in (word, word.title(), word.upper())},
}
"""Null and truth values."""
CORE_TAGS = ("", *(f"{TAG}{name}" for name in ("int", "float", "bool", "null")))
"""Of scalars whose text says what they are; "": no tag."""
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_OTHER_NUMBER = re.compile(
    r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9_]*)?|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?)"
)
"""Numbers of YAML 1.1, of other languages, or with leading zeros."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?")


class _Loader(yaml.SafeLoader):
    """Refuses aliases, and nesting beyond what a scenario needs, before they cost anything."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise SyntaxProblem("not accepted: YAML anchors and aliases; write the value out", _mark(event.start_mark))
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise SyntaxProblem(f"nested too deeply: more than {DEPTH_MAX} levels", _mark(event.start_mark))
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """The tag of a node without one. A plain scalar has none yet: the reader decides."""
        if kind is yaml.ScalarNode:
            return "" if implicit[0] else f"{TAG}str"
        return super().resolve(kind, value, implicit)  # type: ignore[no-any-return,no-untyped-call]


def read(text: str) -> Parsed:
    """A YAML document with its marks. Raises `SyntaxProblem` and nothing else, whatever the text."""
    if len(text) > YAML_BYTES_MAX:
        raise SyntaxProblem(f"larger than {YAML_BYTES_MAX} characters: too large for a YAML scenario", None)
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        reader = _Reader()
        value = None if node is None else reader.value(node, ())
    except yaml.MarkedYAMLError as error:
        raise SyntaxProblem(f"not valid YAML: {_words(error)}", _mark(error.problem_mark or error.context_mark)) from None
    except yaml.reader.ReaderError as error:
        raise SyntaxProblem(f"not valid YAML: character {error.character!r} is not allowed", Places(text).at(error.position)) from None
    except yaml.YAMLError as error:
        raise SyntaxProblem(f"not valid YAML: {error}", None) from None
    except OverflowError:
        raise SyntaxProblem("not valid YAML: an escape of no character", _here(loader)) from None
    except ValueError as error:  # say a number too long for an escape or a version
        raise SyntaxProblem(f"not valid YAML: {error}", _here(loader)) from None
    if not isinstance(value, dict):
        raise SyntaxProblem("not a scenario: the top level of the YAML is not a table", None)
    return Parsed(value, Marks(reader.marks))


def _here(loader: _Loader | None) -> Mark | None:
    """Where a loader has stopped."""
    return None if loader is None else _mark(loader.get_mark())


def _words(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part)


def _mark(mark: Any) -> Mark | None:
    return None if mark is None else Mark(mark.line + 1, mark.column + 1)


class _Reader:
    """Turns nodes into values and notes where each stands."""

    def __init__(self) -> None:
        self.marks: dict[Path, Mark] = {}

    def value(self, node: yaml.Node, path: Path) -> object:
        if isinstance(node, yaml.CollectionNode) and node.tag not in PLAIN_TAGS:
            raise SyntaxProblem(f"not accepted: the YAML tag {node.tag}", _mark(node.start_mark))
        if isinstance(node, yaml.MappingNode):
            return self._table(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _item(self, node: yaml.Node, path: Path) -> object:
        self._note(path, node)
        return self.value(node, path)

    def _table(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        table: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key in table:
                raise SyntaxProblem(f"not valid YAML: the key {key!r} is there twice", _mark(key_node.start_mark))
            self._note((*path, key), key_node)
            table[key] = self.value(value_node, (*path, key))
        return table

    def _key(self, node: yaml.Node) -> str:
        key = _scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            shown = node.value if isinstance(node, yaml.ScalarNode) else "a list or table"
            raise SyntaxProblem(f"not accepted: the key {shown} is not text; put it in quotes", _mark(node.start_mark))
        return key

    def _note(self, path: Path, node: yaml.Node) -> None:
        mark = _mark(node.start_mark)
        if mark is not None:
            self.marks[path] = mark


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    """What a scalar means: text when quoted, otherwise by YAML 1.2's core schema."""
    if node.tag == f"{TAG}str":
        return str(node.value)
    if node.tag not in CORE_TAGS:
        raise SyntaxProblem(f"not valid YAML: could not determine a constructor for the tag {node.tag!r}", _mark(node.start_mark))
    text = node.value
    if text in WORDS:
        return WORDS[text]
    if len(text) > DIGITS_MAX and _OTHER_NUMBER.fullmatch(text):
        raise SyntaxProblem("not accepted: a number with too many digits", _mark(node.start_mark))
    if _INTEGER.fullmatch(text):
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    if _OTHER_NUMBER.fullmatch(text) or _DATE.fullmatch(text):
        what = "date of a scenario" if _DATE.fullmatch(text) else "number of YAML 1.2 (leading zeros, colons, underscores)"
        why = f"not valid YAML: {text} is no {what}; put it in quotes if it is text"
        raise SyntaxProblem(why, _mark(node.start_mark))
    return str(text)
