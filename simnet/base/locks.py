"""Locks between processes: the kernel's `flock`, which ends with the process that holds it, however that ends.

The standard library has the call, and these few lines are all that is made of it. Why not the package `filelock`: ADR 11
(docs/adr/0011-locks-and-progress.md). In short, it locks no folder and has no shared lock but a database's, and it takes a FIFO or
a device in the place of its file for that file.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from simnet.base.regular import open_own


@contextmanager
def held(lock: Path, *, shared: bool = False) -> Iterator[BinaryIO]:
    """Waits for a lock file, made when it is not there, and gives it; `shared`: together with others who share it, while nobody holds it alone.

    Never follows a link, never empties the file, refuses what is no regular file. Raises OSError.
    """
    with open_own(lock) as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield file


def seize_folder(folder: Path) -> int | None:
    """The handle that locks a folder itself, so that no lock file lies among its results, until it is closed; None when another process
    has it. Raises OSError.

    Some network file systems know no locks on folders; there it is as if nobody else wrote.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(handle)
            return None
    return handle
