"""Exit codes, and how an expected error becomes a message instead of a traceback."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import typer

from simnet.analyze.verdicts import Verdict
from simnet.base import reading
from simnet.base.codes import INTERRUPTED, USAGE
from simnet.base.errors import InputError, OutputError, Problem, SimnetError
from simnet.base.plain import printable
from simnet.cli.screen import say

SOURCE_BYTES_MAX = 2 * 1024 * 1024
LINE_CHARACTERS = 100
"""Of a source line that are shown."""
PROBLEMS_MAX = 100
"""Problems that are shown; a generated file can have thousands of one kind."""

P = ParamSpec("P")


def complain(error: SimnetError, *, places: bool = False) -> None:
    """One line a problem on stderr, then the warnings; with `places` also the lines of the file that they are about."""
    if not isinstance(error, InputError):
        for line in str(error).splitlines()[:PROBLEMS_MAX]:
            say(f"error: {line}", err=True)
        return
    for kind, problems in (("error", error.problems), ("warning", error.warnings)):
        for problem in problems[:PROBLEMS_MAX]:
            tell(kind, problem, place=places)
        if len(problems) > PROBLEMS_MAX:
            say(f"{kind}: and {len(problems) - PROBLEMS_MAX} more", err=True)


def tell(kind: str, problem: Problem, *, place: bool) -> None:
    """A problem, and below it the place in its file."""
    say(f"{kind}: {problem}", err=True)
    for line in excerpt(problem) if place else ():
        say(line, err=True)


def excerpt(problem: Problem) -> list[str]:
    """The line that a problem is about and a caret below its column; nothing where that is not known or no longer there."""
    if problem.line is None or problem.column is None:
        return []
    try:
        lines = reading.text(problem.path, SOURCE_BYTES_MAX).split("\n")
    except OutputError:
        return []
    if not 1 <= problem.line <= len(lines):
        return []
    start = max(0, problem.column - 1 - LINE_CHARACTERS // 2)
    shown = printable(lines[problem.line - 1].rstrip("\r").replace("\t", " "))[start : start + LINE_CHARACTERS]
    margin = " " * len(str(problem.line))
    return [f"  {problem.line} | {shown}", f"  {margin} | {' ' * (problem.column - 1 - start)}^"]


def tell_failures(summary: Path, failures: Iterable[Verdict]) -> None:
    """One line on stderr for each rule that did not hold."""
    for verdict in failures:
        say(f"ERROR: {summary}: {verdict.message()}", err=True)


def exits(command: Callable[P, int]) -> Callable[P, None]:
    """Makes a command of a function that returns an exit code: expected errors become messages and code 2."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except SimnetError as error:
            complain(error)
            code = USAGE
        except ImportError as error:
            if "_zk" not in str(error):
                raise
            say(f"error: the native provers do not load: {error}; `make build` builds them", err=True)
            code = USAGE
        except KeyboardInterrupt:
            say("interrupted", err=True)
            code = INTERRUPTED
        raise typer.Exit(code)

    return wrapped
