"""The console script: imports the rest late, so that an interrupt during start-up ends as quietly as a later one."""

import os
import sys
from typing import TYPE_CHECKING

from simnet.base import codes
from simnet.cli import streams

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Runs the command line and exits. An interrupt that nothing has handled ends with 130."""
    stdout, _ = streams.toughen()
    try:
        # Late, and signals first: an interrupt during the imports is one, too.
        from simnet.base import interrupts

        interrupts.install()
        from simnet.cli.arenas import few_arenas
        from simnet.cli.main import app

        few_arenas()
        code = _ended(app)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
        os._exit(codes.INTERRUPTED)
    sys.exit(streams.finish(stdout, code))


def _ended(app: "typer.Typer") -> int:
    """The exit code of a command, which ends by an exception of its own."""
    try:
        app()
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    return 0
