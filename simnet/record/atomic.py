"""Files that are either whole or not there: written beside their place, flushed to disk, renamed."""

import os
from pathlib import Path

from simnet.errors import OutputError


def partial_name(path: Path) -> Path:
    """Where a file lies until it is whole: beside its place, so that the rename stays on one file system."""
    return path.with_name(f".{path.name}.partial")


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes `content` (text as UTF-8) to `path`, making its folders. Raises `OutputError`; then the old file is untouched."""
    partial = partial_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    except OSError as error:
        _remove(partial)
        raise _failed(path, error) from error
    publish(partial, path)


def check_writable(path: Path) -> None:
    """Raises `OutputError` when `path` could not be written; for results that take long to make."""
    partial = partial_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
    except OSError as error:
        raise _failed(path, error) from error
    _remove(partial)


def publish(partial: Path, path: Path) -> None:
    """Flushes a finished partial file to disk and gives it its name. Raises `OutputError`."""
    try:
        _sync(partial)
        os.replace(partial, path)
        _sync(path.parent)
    except OSError as error:
        _remove(partial)
        raise _failed(path, error) from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(partial: Path) -> None:
    try:
        partial.unlink(missing_ok=True)
    except OSError:
        pass  # The folder may be gone or read-only; the first error is the one to report.


def _failed(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror or error}")
