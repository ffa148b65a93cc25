"""Exit codes of the command line, which `run.json` records for its run."""

HELD = 0
FAILED = 1
"""A threshold or an invariant failed."""
USAGE = 2
"""Bad usage, a bad scenario, or a result that could not be written."""
NOTHING_RAN = 3
INTERRUPTED = 130
