"""`simnet plot`: pictures of a finished run."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simnet.base import codes
from simnet.base.errors import SimnetError
from simnet.cli import exits, paths
from simnet.cli.screen import say
from simnet.cli.show import RunPath
from simnet.record.places import PICTURES, PLOTS_FOLDER
from simnet.runs.finished import load


class Picture(StrEnum):
    """File formats."""

    PNG = "png"
    SVG = "svg"


@exits.exits
def plot(
    folder: RunPath,
    what: Annotated[str, typer.Option(metavar=",".join(PICTURES), help="Which plots. Default: all that the run has something for.")] = "",
    picture: Annotated[Picture, typer.Option("--format", help="Format of the files.")] = Picture.PNG,
    out: Annotated[Path | None, typer.Option(help="Folder of the files. Default: <RUN>/plots/.", parser=paths.path)] = None,
) -> int:
    """Draw a finished run: finality, propagation, proofs, faults, topology."""
    names = [name.strip() for name in what.split(",")] if what else list(PICTURES)
    unknown = [name for name in names if name not in PICTURES]
    if unknown:
        raise typer.BadParameter(f"--what: no plot {unknown[0]!r}; there are {', '.join(PICTURES)}")
    run, place = load(folder), folder / PLOTS_FOLDER if out is None else out
    from simnet.report.pictures import write

    drawn = 0
    for name in names:
        try:
            say(str(write(run, name, place, picture.value)))
            drawn += 1
        except SimnetError as error:
            if what:
                raise
            say(f"note: {error}", err=True)
    return codes.HELD if drawn else codes.USAGE
