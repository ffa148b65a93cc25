"""From a path to tables with marks: which syntax a file has, and what no file may be."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simnet.base.errors import Problem, ScenarioError, reason
from simnet.base.regular import open_regular
from simnet.scenario import ron, toml, yaml
from simnet.scenario.marks import DOCUMENT_BYTES_MAX, Parsed, SyntaxProblem, refuse_unwalkable

READERS: dict[str, Callable[[str], Parsed]] = {
    ".toml": toml.read,
    ".yaml": yaml.read,
    ".yml": yaml.read,
    ".ron": ron.read,
    ".json": ron.read_json,
}
"""By suffix; a file of any other is TOML."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as read."""

    path: Path
    parsed: Parsed
    sha256: str
    """Of the file's bytes."""


def read(path: Path) -> Source:
    """Reads and parses a scenario file. Raises `ScenarioError`."""
    content = _content(path)
    text = _text(path, content)
    try:
        parsed = READERS.get(path.suffix.lower(), toml.read)(text)
        refuse_unwalkable(parsed.data, parsed.marks)
    except SyntaxProblem as problem:
        mark = problem.mark
        line, column = (mark.line, mark.column) if mark else (None, None)
        raise ScenarioError([Problem(path, line, "", None, str(problem), column)]) from None
    return Source(path, parsed, hashlib.sha256(content).hexdigest())


def refusal(path: Path, why: str, line: int | None = None) -> ScenarioError:
    """A file that is refused as a whole."""
    return ScenarioError([Problem(path, line, "", None, why)])


def _content(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            content = file.read(DOCUMENT_BYTES_MAX + 1)
    except IsADirectoryError:
        raise refusal(path, "is a directory, not a scenario file") from None
    except FileNotFoundError:
        raise refusal(path, "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise refusal(path, f"cannot be read: {reason(error)}") from None
    if len(content) > DOCUMENT_BYTES_MAX:
        raise refusal(path, f"larger than {DOCUMENT_BYTES_MAX} bytes, so not a scenario")
    return content


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal(path, "not UTF-8 text", content.count(b"\n", 0, error.start) + 1) from None
