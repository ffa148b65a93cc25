"""A public function that raises says so where its reader looks first.

Left out are the command line, whose docstrings are its help, and `AssertionError`, which says what cannot happen.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "simnet"


def silent_ones(source: str) -> Iterator[str]:
    """Public functions with a `raise` of their own and no word of it in their docstring."""
    yield from _silent_in(ast.parse(source), "")


def _silent_in(scope: ast.AST, prefix: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            yield from _silent_in(node, f"{prefix}{node.name}.")
        elif "rais" not in (ast.get_docstring(node) or "").lower() and any(_raised(node)):
            yield prefix + node.name


def _raised(scope: ast.AST) -> Iterator[ast.Raise]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Raise) and node.exc is not None and "AssertionError" not in ast.unparse(node.exc):
            yield node
        yield from _raised(node)


def test_public_functions_say_what_they_raise() -> None:
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "cli"]
    assert len(paths) > 200
    assert [(path.name, name) for path in paths for name in silent_ones(path.read_text(encoding="utf-8"))] == []


def test_a_silent_one_is_found() -> None:
    body = "    if a:\n        raise ValueError\n"
    assert list(silent_ones(f'def f(a):\n    """Says nothing."""\n{body}')) == ["f"]
    assert list(silent_ones(f"class A:\n    def g(self, a):\n{body.replace('    ', ' ' * 8)}")) == ["A.g"]
    assert not list(silent_ones(f'def f(a):\n    """Raises `ValueError` on any a."""\n{body}'))
    assert not list(silent_ones(f"def _f(a):\n{body}")), "not public"
    assert not list(silent_ones("def f(a):\n    def g():\n        raise ValueError\n    return g\n")), "another's"
    assert not list(silent_ones("def f(a):\n    raise AssertionError\n")), "it cannot happen"
    assert not list(silent_ones("def f(a):\n    try:\n        a()\n    except OSError:\n        raise\n")), "passed on"
