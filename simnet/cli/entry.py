"""The console script: imports the rest late, so that an interrupt during start-up ends as quietly as a later one."""

import os
import signal
import sys


def main() -> None:
    """Runs the command line. An interrupt that nothing has handled ends with 130."""
    try:
        from simnet.cli.arenas import few_arenas
        from simnet.cli.main import app

        few_arenas()
        app()
    except KeyboardInterrupt:
        # A second Ctrl-C, or threads that still prove, must not turn this into a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
        os._exit(130)
