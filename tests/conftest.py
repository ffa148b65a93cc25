"""Where the tests' keys are kept, and what every test session reports."""

import hashlib
import os
import signal
from pathlib import Path

import pytest

ELSEWHERE = {"tests/interop/": "against snarkjs and circomlibjs", "tests/report/test_browser.py": "of a report's page in Chromium"}
"""Tests that need what not every machine has."""
ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "simnet" / "proofs" / "pinned.toml"
# Keys of other circuits than these, say of another checkout, would be made anew with a warning that tests notice.
os.environ["SIMNET_CACHE_DIR"] = str(ROOT / "target" / "test-keys" / hashlib.sha256(PINS.read_bytes()).hexdigest()[:16])

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a shell's background job: the programs that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests that need other people's programs must not go missing unnoticed."""
    for place, what in ELSEWHERE.items():
        missed = [r for r in terminalreporter.getreports("skipped") if r.nodeid.startswith(place)]
        if missed:
            reason = missed[0].longrepr[2].removeprefix("Skipped: ") if isinstance(missed[0].longrepr, tuple) else missed[0].longrepr
            terminalreporter.section("NOT RUN", sep="!", red=True, bold=True)
            terminalreporter.line(f"{len(missed)} tests {what} were NOT RUN: {reason}", red=True, bold=True)
