"""Standard output and error of the process: closed, full or read by a program that stops early, they never end a run.

A reader that has gone (`| head`) is no failure: the rest is thrown away and the exit code stays the verdict's. Output that
cannot be written (a full disk, a closed stream) is remembered and becomes exit code 2 and one line at the very end.
"""

import io
import os
import sys

from simnet.base.errors import reason

CLOSED = "it is closed"


class _Descriptor(io.RawIOBase):
    """A file descriptor that takes everything, and remembers why it could not pass it on."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._gone = False
        self.failure = ""
        try:
            os.fstat(number)
        except OSError:
            # Otherwise the next file that is opened would get this number, and what is printed.
            spare = os.open(os.devnull, os.O_WRONLY)
            if spare != number:
                os.dup2(spare, number)
                os.close(spare)
            self.failure = CLOSED
        self.used = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def write(self, data: object) -> int:
        content = memoryview(data).cast("B")  # type: ignore[arg-type]
        self.used = True
        at = 0
        while at < len(content) and not (self._gone or self.failure):
            try:
                at += os.write(self._number, content[at:])
            except BrokenPipeError:
                self._gone = True
            except OSError as error:
                self.failure = reason(error)
        return len(content)


def toughen() -> "tuple[_Descriptor, _Descriptor]":
    """Puts such streams in the place of `sys.stdout` and `sys.stderr`; what no encoding has is shown by its number."""
    found = _Descriptor(1), _Descriptor(2)
    for raw, name in zip(found, ("stdout", "stderr"), strict=True):
        before = getattr(sys, name)
        encoding = getattr(before, "encoding", None) or "utf-8"
        buffer = io.BufferedWriter(raw)
        setattr(sys, name, io.TextIOWrapper(buffer, encoding=encoding, errors="backslashreplace", write_through=True, line_buffering=True))
    return found


def finish(stdout: _Descriptor, code: int) -> int:
    """Flushes what is left; the exit code, which is 2 when standard output could not be written."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if stdout.failure and stdout.used:
        sys.stderr.write(f"error: cannot write standard output: {stdout.failure}\n")
        sys.stderr.flush()
        return 2
    return code
