"""Two rules. No part puts a callback into another one, and none plans one for later: what a part has to say, also to itself, goes through
its node's letterbox (`simnet.node.letters`) as a value.

Forbidden are places for callbacks, which are public attributes declared as a Callable (or a list of them) and set to nothing or to a function
of the module, until somebody replaces it; callbacks put into another object: `other.attribute = method`, also several at once, and
`other.attribute.append(method)`; and, for the parts of a node, functions given to a
timer: `after(delay, method)`. An opponent is no part of a node: it plans misdeeds.
"""

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path


def violations(source: str) -> Iterator[tuple[int, str]]:
    """Line and what is wrong there."""
    tree = ast.parse(source)
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    methods = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and not node.decorator_list}
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=ast.Attribute(attr=name), annotation=annotation, value=ast.expr() as value):
                if "Callable" in ast.unparse(annotation) and _is_empty(value, functions) and not name.startswith("_"):
                    yield node.lineno, f"a place for a callback: {ast.unparse(node.target)}"
            case ast.Assign():
                for target, value in _pairs(node):
                    if isinstance(target, ast.Attribute) and not _is_self(target.value) and _is_callback(value, methods):
                        yield node.lineno, f"a callback put into another object: {ast.unparse(target)}"
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=owner) as slot, attr="append"), args=[value]) if not _is_self(owner):
                if _is_callback(value, methods) and slot.attr != "callbacks":  # simpy's own
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


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is assigned to what; `a, b = c, d` are two."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def _is_empty(value: ast.expr, functions: AbstractSet[str]) -> bool:
    """A default that waits for somebody else to replace it."""
    return isinstance(value, ast.Lambda) or (isinstance(value, ast.List) and not value.elts) or _names(value, functions)


def _names(value: ast.expr, functions: AbstractSet[str]) -> bool:
    return isinstance(value, ast.Name) and value.id in functions


def _is_callback(value: ast.expr, methods: AbstractSet[str]) -> bool:
    """A lambda, or a method of this object (not its result): by its name one of another file's class, else one of this file."""
    if isinstance(value, ast.Lambda):
        return True
    if not (isinstance(value, ast.Attribute) and _is_self(value.value)):
        return False
    return value.attr in methods or value.attr.lstrip("_").startswith(("on_", "request_", "handle"))
