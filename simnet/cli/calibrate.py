"""`simnet calibrate`: the cost table of this machine."""

from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.exits import HELD, USAGE, exits
from simnet.proofs.backend import Security
from simnet.proofs.calibrate import measure, table
from simnet.proofs.keys import default_folder
from simnet.proofs.native import native_backends
from simnet.record.atomic import write_atomic

CAPACITIES = (8, 32, 64, 128)


@exits
def calibrate(
    out: Annotated[Path, typer.Option(help="Where to write the table; use it with `simnet run --costs FILE`.")] = Path("costs.toml"),
    validators: Annotated[str, typer.Option(help="Consensus circuit sizes, comma-separated, out of 8, 32, 64, 128.")] = "8,32",
) -> int:
    """Measure how long this machine takes to prove and verify, for the calibrated cost model."""
    try:
        capacities = [int(v) for v in validators.split(",")]
    except ValueError:
        capacities = []
    if not capacities or any(c not in CAPACITIES for c in capacities):
        typer.echo(f"--validators {validators!r}: allowed are numbers out of 8, 32, 64, 128, comma-separated", err=True)
        return USAGE
    figures = []
    for security in Security:
        for key, us in measure(dict(native_backends(default_folder(), security)), capacities, security):
            typer.echo(f"{key.text:45} {us / 1000:10.2f} ms")
            figures.append((key, us))
    write_atomic(out, table(figures))
    typer.echo(f"written to {out}")
    return HELD
