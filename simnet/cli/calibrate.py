"""`simnet calibrate`: the cost table of this machine."""

from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.exits import HELD, USAGE, exits
from simnet.proofs.calibrate import measure, table
from simnet.proofs.keys import default_folder
from simnet.proofs.native import native_backends
from simnet.record.atomic import write_atomic

CAPACITIES = (8, 32, 64, 128)
BLOCKS = (16, 64, 256, 512)


@exits
def calibrate(
    out: Annotated[Path, typer.Option(help="Where to write the table; use it with `simnet run --costs FILE`.")] = Path("costs.toml"),
    validators: Annotated[str, typer.Option(help="Consensus circuit sizes, comma-separated, out of 8, 32, 64, 128.")] = "8,32",
    blocks: Annotated[
        str, typer.Option(help="Transfers of a block in the pruning and recursive circuits, out of 16, 64, 256, 512.")
    ] = "16,256",
) -> int:
    """Measure how long this machine takes to prove and verify, for the calibrated cost model."""
    capacities, sizes = _sizes("--validators", validators, CAPACITIES), _sizes("--blocks", blocks, BLOCKS)
    if capacities is None or sizes is None:
        return USAGE
    figures = []
    for key, us in measure(dict(native_backends(default_folder())), capacities, sizes):
        typer.echo(f"{key.text:45} {us / 1000:10.2f} ms")
        figures.append((key, us))
    write_atomic(out, table(figures))
    typer.echo(f"written to {out}")
    return HELD


def _sizes(option: str, text: str, allowed: tuple[int, ...]) -> list[int] | None:
    """The numbers of a comma list; `None`, with a message, unless all are allowed."""
    names = {str(size): size for size in allowed}
    parts = [part.strip() for part in text.split(",")]
    if all(part in names for part in parts):
        return [names[part] for part in parts]
    typer.echo(f"{option} {text!r}: allowed are numbers out of {', '.join(names)}, comma-separated", err=True)
    return None
