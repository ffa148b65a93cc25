"""No mock proofs in what is shipped: mocks live in tests/ alone, and neither the package nor a wheel may hold one."""

import ast
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

MOCK = re.compile(r"mock|fake|dummy", re.IGNORECASE)
FOREIGN = ("tests", "unittest.mock", "pytest")
NATIVE_MOCK = re.compile(rb"(?i)mock[_-]?(?:backend|proof|prover|verif)|prover[_-]mock")
"""What a mock prover inside the native module would be called."""


def package_faults(package: Path) -> list[str]:
    """Mocks in a source tree."""
    found = []
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found += list(_file_faults(path.relative_to(package.parent).as_posix(), path.read_bytes()))
    return found


def wheel_faults(wheel: Path) -> list[str]:
    """Mocks in a built wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        found = [fault for name in names for fault in _file_faults(name, archive.read(name))]
    if not any(name.startswith("simnet/_zk") and name.endswith(".so") for name in names):
        found.append(f"{wheel.name}: holds no native module")
    return [f"{wheel.name}: {fault}" for fault in found]


def _file_faults(name: str, content: bytes) -> Iterator[str]:
    if MOCK.search(name) or name.split("/", maxsplit=1)[0] == "tests":
        yield f"{name}: a file of tests"
    if name.endswith(".py"):
        yield from (f"{name}:{line}: {what}" for line, what in _source_faults(content.decode("utf-8")))
    elif NATIVE_MOCK.search(content) and not name.endswith((".md", ".toml")):
        yield f"{name}: names a mock prover"


def _source_faults(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and MOCK.search(node.name):
            yield node.lineno, f"defines {node.name}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node.lineno, f"imports {m}") for m in _imported(node) if m.startswith(FOREIGN) or MOCK.search(m))
        elif isinstance(node, ast.Call) and MOCK.search(ast.unparse(node.func)):
            yield node.lineno, f"calls {ast.unparse(node.func)}"


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = [alias.name for alias in node.names]
    return [node.module or "", *names] if isinstance(node, ast.ImportFrom) else names
