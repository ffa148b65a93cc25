"""A rule: no part puts a callback into another one. What a part has to say goes through its node's letterbox (`simnet.node.letters`).

Forbidden are places for callbacks, which are public attributes declared as a Callable (or a list of them) and set to nothing, and callbacks
put into another object: `other.attribute = method` and `other.attribute.append(method)`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path


def violations(source: str) -> Iterator[tuple[int, str]]:
    """Line and what is wrong there."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.AnnAssign(target=ast.Attribute(attr=name), annotation=annotation, value=ast.expr() as value):
                if "Callable" in ast.unparse(annotation) and _is_empty(value) and not name.startswith("_"):
                    yield node.lineno, f"a place for a callback: {ast.unparse(node.target)}"
            case ast.Assign(targets=[ast.Attribute(value=ast.expr() as owner) as target], value=value) if not _is_self(owner):
                if _is_callback(value):
                    yield node.lineno, f"a callback put into another object: {ast.unparse(target)}"
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=owner) as slot, attr="append"), args=[value]) if not _is_self(owner):
                if _is_callback(value) and slot.attr != "callbacks":  # simpy's own
                    yield node.lineno, f"a callback put into another object: {ast.unparse(slot)}"


def of_folder(folder: Path) -> list[str]:
    """All violations below a folder, as `file:line: what`."""
    return [
        f"{path}:{line}: {what}" for path in sorted(folder.rglob("*.py")) for line, what in violations(path.read_text(encoding="utf-8"))
    ]


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _is_empty(value: ast.expr) -> bool:
    """A default that waits for somebody else to replace it."""
    return isinstance(value, ast.Lambda) or (isinstance(value, ast.List) and not value.elts)


def _is_callback(value: ast.expr) -> bool:
    """A lambda, or a method of this object (not its result)."""
    return isinstance(value, ast.Lambda) or (
        isinstance(value, ast.Attribute) and _is_self(value.value) and value.attr.lstrip("_").startswith(("on_", "request_", "handle"))
    )
