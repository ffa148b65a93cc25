"""YAML with positions: PyYAML's safe loader for nodes and scalars, its marks for where they stand.

Stricter than YAML: one document, text keys, no key twice, and no aliases, so that a small file stays small.
"""

from collections.abc import Hashable
from typing import Any

import yaml

from simnet.scenario.marks import DEPTH_MAX, Mark, Marks, Parsed, Path, SyntaxProblem

YAML_BYTES_MAX = 128 * 1024
"""PyYAML takes seconds for each megabyte."""

PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


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


def read(text: str) -> Parsed:
    """A YAML document with its marks. Raises `SyntaxProblem` and nothing else, whatever the text."""
    if len(text) > YAML_BYTES_MAX:
        raise SyntaxProblem(f"larger than {YAML_BYTES_MAX} characters: too large for a YAML scenario", None)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        reader = _Reader(loader)
        value = None if node is None else reader.value(node, ())
    except yaml.MarkedYAMLError as error:
        raise SyntaxProblem(f"not valid YAML: {_words(error)}", _mark(error.problem_mark or error.context_mark)) from None
    except yaml.reader.ReaderError as error:
        raise SyntaxProblem(f"not valid YAML: character {error.character!r} is not allowed", None) from None
    except yaml.YAMLError as error:
        raise SyntaxProblem(f"not valid YAML: {error}", None) from None
    if not isinstance(value, dict):
        raise SyntaxProblem("not a scenario: the top level of the YAML is not a table", None)
    return Parsed(value, Marks(reader.marks))


def _words(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part)


def _mark(mark: Any) -> Mark | None:
    return None if mark is None else Mark(mark.line + 1, mark.column + 1)


class _Reader:
    """Turns nodes into values and notes where each stands."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self.marks: dict[Path, Mark] = {}

    def value(self, node: yaml.Node, path: Path) -> object:
        if isinstance(node, yaml.CollectionNode) and node.tag not in PLAIN_TAGS:
            raise SyntaxProblem(f"not accepted: the YAML tag {node.tag}", _mark(node.start_mark))
        if isinstance(node, yaml.MappingNode):
            return self._table(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

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
        key = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            shown = node.value if isinstance(node, yaml.ScalarNode) else "a list or table"
            raise SyntaxProblem(f"not accepted: the key {shown} is not text; put it in quotes", _mark(node.start_mark))
        return key

    def _scalar(self, node: yaml.Node) -> Hashable:
        try:
            return self._loader.construct_object(node)  # type: ignore[no-any-return]
        except (ValueError, KeyError, OverflowError) as error:  # numbers and dates that Python's own types refuse
            raise SyntaxProblem(f"not valid YAML: {error}", _mark(node.start_mark)) from None

    def _note(self, path: Path, node: yaml.Node) -> None:
        mark = _mark(node.start_mark)
        if mark is not None:
            self.marks[path] = mark
