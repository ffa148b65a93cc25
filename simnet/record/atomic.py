"""Files that are either whole or not there: written beside their place, flushed to disk, renamed.

A link is followed, so that the file that it means is replaced and not the link; what is no regular file (a device, a pipe, also
as `/dev/stdout`) is written through, never replaced. A folder is refused.
"""

import os
import re
import stat
import tempfile
from pathlib import Path
from typing import IO

from simnet.base.errors import OutputError, cannot_write, reason

UMASK = os.umask(0)
os.umask(UMASK)
NAME_CHARACTERS = 50
"""Of a file's name in its partial file's: names have a limit."""
PARTIAL = ".partial"
"""How the names of unfinished files end."""


def scratch(path: Path) -> IO[bytes]:
    """A new empty file, of which no other process knows, for what is to lie at a path when it is whole: beside it, so that `publish`
    renames within one file system. Raises OSError."""
    prefix = f".{path.name[:NAME_CHARACTERS]}."
    file = tempfile.NamedTemporaryFile("wb", prefix=prefix, suffix=PARTIAL, dir=path.parent, delete=False)  # noqa: SIM115 - the caller closes it
    os.fchmod(file.fileno(), 0o666 & ~UMASK)
    return file


def make_folder(folder: Path) -> None:
    """Makes a folder and those around it. Raises OSError, and `OutputError` where something else has its name."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        for place in (folder, *folder.parents):
            if os.path.lexists(place) and not place.is_dir():
                what = "is a link to what is not there" if place.is_symlink() and not place.exists() else "is no folder: Not a directory"
                raise OutputError(f"cannot write {folder}: {place} {what}") from None
        raise


def append(file: IO[bytes], data: bytes) -> None:
    """Adds to a file's end and waits until the disk has it. Raises OSError; then the file is as it was."""
    size = file.seek(0, os.SEEK_END)
    try:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    except OSError:
        file.truncate(size)
        raise


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes `content` (text as UTF-8) to `path`, making its folders. Raises `OutputError`; then the old file is untouched."""
    data = _encoded(content) if isinstance(content, str) else content
    real = _real(path)
    if real is None:
        _write_through(path, data)
        return
    partial = None
    try:
        make_folder(real.parent)
        with scratch(real) as file:
            partial = Path(file.name)
            file.write(data)
    except OSError as error:
        _remove(partial)
        raise cannot_write(path, error) from error
    except BaseException:
        _remove(partial)
        raise
    publish(partial, real)


def check_writable(path: Path) -> None:
    """Raises `OutputError` when `path` could not be written; for results that take long to make."""
    real = _real(path)
    if real is None:
        return
    try:
        make_folder(real.parent)
        with scratch(real) as file:
            _remove(Path(file.name))
    except OSError as error:
        raise cannot_write(path, error) from error


def clear(path: Path) -> None:
    """Removes an earlier result, so that it does not pass for a new one: the file that a path means, never a device or pipe.
    Raises `OutputError`."""
    real = _real(path)
    try:
        if real is not None:
            real.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot clear {path}: {reason(error)}") from error


def check_clear(path: Path) -> None:
    """Raises `OutputError` when `clear` would, as far as that can be told."""
    real = _real(path)
    if real is not None and os.path.lexists(real) and not os.access(real.parent, os.W_OK | os.X_OK):
        raise OutputError(f"cannot clear {path}: Permission denied")


def partials(path: Path) -> list[Path]:
    """Unfinished files for a path, which processes that were killed have left beside it."""
    name = re.compile(rf"\.{re.escape(path.name[:NAME_CHARACTERS])}\.[a-z0-9_]{{8}}{re.escape(PARTIAL)}")
    try:
        return [beside for beside in path.parent.iterdir() if name.fullmatch(beside.name)]
    except OSError:
        return []


def publish(partial: Path, path: Path) -> None:
    """Flushes a finished partial file to disk and gives it its name. Raises `OutputError`."""
    try:
        _sync(partial)
        os.replace(partial, path)
        _sync(path.parent)
    except OSError as error:
        _remove(partial)
        raise cannot_write(path, error) from error


def _real(path: Path) -> Path | None:
    """The place of the file that a path means, links followed; None for a device or pipe. Raises `OutputError`.

    What is there is asked before its name is: what `/dev/stdout` means has none where it is a pipe.
    """
    if "\0" in str(path) or not path.name:
        raise OutputError(f"cannot write {str(path)!r}: it names no file")
    try:
        about = path.stat()
    except FileNotFoundError:
        return Path(os.path.realpath(path)) if path.is_symlink() else path
    except (OSError, ValueError) as error:  # ValueError: a path that is no text
        raise cannot_write(path, error) from error
    if stat.S_ISDIR(about.st_mode):
        raise OutputError(f"cannot write {path}: Is a directory")
    return _regular(path) if stat.S_ISREG(about.st_mode) else None


def _regular(path: Path) -> Path | None:
    """Where a regular file lies; None when no name leads to it, as to standard output that is a deleted file."""
    real = Path(os.path.realpath(path)) if path.is_symlink() else path
    return real if real.exists() and real.samefile(path) else None


def _write_through(path: Path, content: bytes) -> None:
    """Into what is no regular file. A pipe that nobody reads is an error, not a wait."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.set_blocking(handle, True)
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
        finally:
            os.close(handle)
    except OSError as error:
        raise cannot_write(path, error) from error


def _encoded(text: str) -> bytes:
    """UTF-8. Half characters, as in a path of undecodable bytes, become JSON's escapes, from which they can be read back."""
    return text.encode("utf-8", "backslashreplace")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(partial: Path | None) -> None:
    try:
        if partial is not None:
            partial.unlink(missing_ok=True)
    except OSError:
        pass  # The folder may be gone or read-only; the first error is the one to report.
