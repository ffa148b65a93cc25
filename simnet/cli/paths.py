"""Paths of the command line. An empty one is a variable that nobody has set, never the current folder."""

from pathlib import Path

import typer


def path(given: str | Path) -> Path:
    """A file or folder."""
    if given == "":
        raise typer.BadParameter("an empty path; the current folder is `.`")
    return Path(given)


def new_file(given: str | Path) -> Path:
    """A file to write: a name that ends like a folder's is none."""
    if str(given).endswith(("/", "/.", "/..")):
        raise typer.BadParameter(f"{str(given)!r} names a folder, and a file is wanted")
    return path(given)
