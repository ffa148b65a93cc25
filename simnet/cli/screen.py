"""How commands say something: text from files and paths is data, never markup or a terminal's control sequence."""

import os
import sys

import typer
from rich.text import Text

from simnet.base import plain


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Prints text as it is, on standard output or error."""
    typer.echo(plain.lines(text), err=err, nl=nl)


def cell(value: object, style: str = "") -> Text:
    """A table's cell: no markup is looked for."""
    return Text(plain.printable(str(value)), style=style)


def verdict(text: str, *, good: bool) -> None:
    """The last line of a command: in colour on a terminal, unless NO_COLOR or TERM=dumb say otherwise."""
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    shown = plain.lines(text)
    typer.echo(typer.style(shown, fg="green" if good else "red", bold=True) if coloured else shown)
