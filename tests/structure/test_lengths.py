"""Functions and files stay short enough to be read at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "simnet"
LINES_MAX, FILE_LINES_MAX = 40, 500


def long_ones(source: str) -> Iterator[tuple[str, int]]:
    """Functions whose bodies have more lines, the docstring not counted: in the command line's the list of options is the signature."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1
            if lines > LINES_MAX:
                yield node.name, lines


def test_functions_and_files_are_short() -> None:
    paths = sorted(PACKAGE.rglob("*.py"))
    assert len(paths) > 200
    assert [(path.name, *found) for path in paths for found in long_ones(path.read_text(encoding="utf-8"))] == []
    assert [path.name for path in paths if len(path.read_text(encoding="utf-8").splitlines()) > FILE_LINES_MAX] == []


def test_a_long_one_is_found() -> None:
    body = "\n".join(["    pass"] * LINES_MAX)
    assert not list(long_ones(f'def f(\n    a,\n):\n    """Says."""\n{body}\n'))
    assert [name for name, _ in long_ones(f"def f():\n{body}\n    pass\n")] == ["f"]
