"""Two rules. No part puts a callback into another one, and none plans one for later: what a part has to say, also to itself, goes through
its node's letterbox (`simnet.node.letters`) as a value.

Forbidden are places for callbacks, which are public attributes declared as a Callable (or a list of them) and set to nothing; callbacks
put into another object: `other.attribute = method` and `other.attribute.append(method)`; and, for the parts of a node, functions given to a
timer: `after(delay, method)`. An opponent is no part of a node: it plans misdeeds.
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


def planned(source: str) -> Iterator[tuple[int, str]]:
    """Line and what is wrong there: functions that something is to call later, and a `Misdeed`, which holds one."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="after" | "_after" | "post_after" | "when_ready"), args=[*_, last]) if not _is_letter(
                last
            ):
                yield node.lineno, f"a timer gets something else than a letter: {ast.unparse(node)}"
            case ast.Call(func=ast.Name("Misdeed")):
                yield node.lineno, f"a part plans a misdeed: {ast.unparse(node)}"


def of_folder(folder: Path) -> list[str]:
    """All violations below a folder, as `file:line: what`."""
    return [
        f"{path}:{line}: {what}" for path in sorted(folder.rglob("*.py")) for line, what in violations(path.read_text(encoding="utf-8"))
    ]


def _is_letter(value: ast.expr) -> bool:
    """A letter that is made here, or that has come (as an origin, it has come back)."""
    return isinstance(value, ast.Call) or (isinstance(value, ast.Name) and value.id in {"letter", "origin"})


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
