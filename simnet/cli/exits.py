"""Exit codes, and how an expected error becomes a message instead of a traceback."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import typer

from simnet.analyze.verdicts import Verdict
from simnet.cli.screen import say
from simnet.errors import InputError, SimnetError

HELD = 0
FAILED = 1
"""A threshold or an invariant failed."""
USAGE = 2
"""Bad usage, a bad scenario, or a result that could not be written."""
NOTHING_RAN = 3
INTERRUPTED = 130

PROBLEMS_MAX = 100
"""Problems that are shown; a generated file can have thousands of one kind."""

P = ParamSpec("P")


def complain(error: SimnetError) -> None:
    """One line a problem on stderr."""
    problems = error.problems if isinstance(error, InputError) else str(error).splitlines()
    for problem in problems[:PROBLEMS_MAX]:
        say(f"error: {problem}", err=True)
    if len(problems) > PROBLEMS_MAX:
        say(f"error: and {len(problems) - PROBLEMS_MAX} more", err=True)


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
        except KeyboardInterrupt:
            say("interrupted", err=True)
            code = INTERRUPTED
        raise typer.Exit(code)

    return wrapped
