"""`simnet calibrate`: the cost table of this machine."""

from pathlib import Path
from typing import Annotated

import typer

from simnet.cli.exits import HELD, exits
from simnet.cli.proof import BackendName
from simnet.errors import SimnetError
from simnet.proofs.backend import BackendId, Security
from simnet.proofs.keys import default_folder
from simnet.record.atomic import check_writable, write_atomic
from simnet.scenario.ours import VALIDATOR_CAPACITIES

BLOCKS = (16, 64, 256, 512)


def _listed(sizes: tuple[int, ...]) -> str:
    return ", ".join(map(str, sizes))


@exits
def calibrate(
    out: Annotated[Path, typer.Option(help="Where to write the table; use it with `simnet run --costs FILE`.")] = Path("costs.toml"),
    validators: Annotated[
        str, typer.Option(help=f"Consensus circuit sizes, comma-separated, out of {_listed(VALIDATOR_CAPACITIES)}.")
    ] = "8,32",
    blocks: Annotated[
        str, typer.Option(help=f"Transfers of a block in the pruning and recursive circuits, out of {_listed(BLOCKS)}.")
    ] = "16,256",
    backend: Annotated[list[BackendName] | None, typer.Option(help="Measure this backend only; may be repeated.")] = None,
    seconds: Annotated[
        float, typer.Option(min=0.0, max=600.0, help="About how long each operation is repeated; at least three times.")
    ] = 3.0,
) -> int:
    """Measure how long this machine takes to prove and verify, for the calibrated cost model.

    Run it on a machine that does nothing else. The figure of an operation is the median of its runs.
    """
    from simnet.proofs.calibrate import measure, table
    from simnet.proofs.native import NativeBackend

    capacities, sizes = _sizes("--validators", validators, VALIDATOR_CAPACITIES), _sizes("--blocks", blocks, BLOCKS)
    check_writable(out)
    chosen = [BackendId[name.name.upper()] for name in backend or BackendName]
    figures = []
    for security in Security:
        provers = {b: NativeBackend(b, default_folder(), security) for b in chosen}
        for key, us in measure(provers, capacities, sizes, seconds, security):
            typer.echo(f"{key.text:45} {us / 1000:10.2f} ms")
            figures.append((key, us))
    write_atomic(out, table(figures))
    typer.echo(f"written to {out}")
    return HELD


def _sizes(option: str, text: str, allowed: tuple[int, ...]) -> list[int]:
    """The numbers of a comma list. Raises SimnetError unless all are allowed and none stands twice."""
    parts = [part.strip() for part in text.split(",")]
    if any(part not in map(str, allowed) for part in parts) or len(set(parts)) != len(parts):
        raise SimnetError(f"{option} {text!r}: allowed are numbers out of {_listed(allowed)}, comma-separated, each once")
    return [int(part) for part in parts]
