"""Opening files that anybody may have put there: a FIFO or a device in their place is refused, never waited for."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """A regular file, opened to be read. Raises OSError; for a folder, FIFO, device or socket with words to show."""
    return os.fdopen(_opened(path, os.O_RDONLY), "rb")


def open_own(path: Path) -> BinaryIO:
    """A file of one's own such as a lock: made when it is not there, never emptied, never another through a link. Raises OSError."""
    return os.fdopen(_opened(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW), "r+b")


def _opened(path: Path, flags: int) -> int:
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    try:
        _require_regular(handle, path)
    except OSError:
        os.close(handle)
        raise
    return handle


def _require_regular(handle: int, path: Path) -> None:
    mode = os.fstat(handle).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
