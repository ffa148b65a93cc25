"""Ctrl-C, SIGTERM and SIGHUP: the first one asks for an end in good order, the second is noted, the third ends at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from simnet.base import codes

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_asked = 0
_deferred = 0
"""How many that write results are under way, one inside the other."""


def install() -> None:
    """Handles the signals, but for those that whoever started this process had ignored (`nohup`, a shell's background job)."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    global _asked  # noqa: PLW0603 - there is one process, and one end of it
    _asked += 1
    if _asked == 1:
        if not _deferred:
            raise KeyboardInterrupt
        return
    if _asked == 2:
        os.write(2, b"still writing what there is; once more ends at once\n")
        return
    os._exit(codes.INTERRUPTED)


@contextmanager
def deferred() -> Iterator[None]:
    """Results are being written: a first signal waits until they are. Raises `KeyboardInterrupt` then."""
    global _deferred  # noqa: PLW0603
    before = _asked
    _deferred += 1
    try:
        yield
    finally:
        _deferred -= 1
    if _asked > before == 0 and not _deferred:
        raise KeyboardInterrupt


def asked() -> bool:
    """Whether an end was asked for."""
    return _asked > 0
