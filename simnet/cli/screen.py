"""How commands say something: text from files and paths is data, never markup or a terminal's control sequence."""

import typer
from rich.text import Text

from simnet import plain


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Prints text as it is, on standard output or error."""
    typer.echo(plain.lines(text), err=err, nl=nl)


def cell(value: object, style: str = "") -> Text:
    """A table's cell: no markup is looked for."""
    return Text(plain.printable(str(value)), style=style)
