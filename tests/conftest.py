"""What every test session reports."""

import pytest

INTEROP = "tests/interop/"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests that compare with other people's programs must not go missing unnoticed."""
    missed = [r for r in terminalreporter.getreports("skipped") if r.nodeid.startswith(INTEROP)]
    if missed:
        reason = missed[0].longrepr[2].removeprefix("Skipped: ") if isinstance(missed[0].longrepr, tuple) else missed[0].longrepr
        terminalreporter.section("NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(missed)} tests against snarkjs and circomlibjs were NOT RUN: {reason}", red=True, bold=True)
