"""Exit codes, and how an expected error becomes a message instead of a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from simnet.errors import ScenarioError, SimnetError

HELD = 0
FAILED = 1
"""A threshold or an invariant failed."""
USAGE = 2
"""Bad usage, a bad scenario, or a result that could not be written."""
NOTHING_RAN = 3
INTERRUPTED = 130

P = ParamSpec("P")


def complain(error: SimnetError) -> None:
    """One line a problem on stderr."""
    problems = error.problems if isinstance(error, ScenarioError) else str(error).splitlines()
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)


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
            typer.echo("interrupted", err=True)
            code = INTERRUPTED
        raise typer.Exit(code)

    return wrapped
