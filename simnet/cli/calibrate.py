"""`simnet calibrate`: the cost table of this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from simnet.base.catalogue import BACKENDS, CircuitId
from simnet.base.codes import HELD
from simnet.base.errors import SimnetError
from simnet.cli import paths
from simnet.cli.circuits import ONE_OF_BACKENDS, CircuitName, at_size, backends_named
from simnet.cli.exits import exits
from simnet.cli.screen import say
from simnet.proofs.backend import Circuit, Security
from simnet.proofs.keys import default_folder
from simnet.record.atomic import check_writable, write_atomic
from simnet.scenario.ours import VALIDATOR_CAPACITIES

BLOCKS = (16, 64, 256, 512)


def _listed(sizes: tuple[int, ...]) -> str:
    return ", ".join(map(str, sizes))


@exits
def calibrate(
    out: Annotated[
        Path, typer.Option(help="Where to write the table; use it with `simnet run --costs FILE`.", parser=paths.new_file)
    ] = Path("costs.toml"),
    validators: Annotated[
        str, typer.Option(help=f"Consensus circuit sizes, comma-separated, out of {_listed(VALIDATOR_CAPACITIES)}.")
    ] = "8,32",
    blocks: Annotated[
        str, typer.Option(help=f"Transfers of a block in the pruning and recursive circuits, out of {_listed(BLOCKS)}.")
    ] = "16,256",
    backend: Annotated[list[str] | None, typer.Option(metavar=ONE_OF_BACKENDS, help="Measure this backend only; may be repeated.")] = None,
    circuit: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure this circuit only; may be repeated, and name sizes: pruning:4,256,4. Without it, state on groth16 is left out."
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.0, max=600.0, help="About how long each operation is repeated; at least three times.")
    ] = 3.0,
) -> int:
    """Measure how long this machine takes to prove and verify, for the calibrated cost model.

    Run it on a machine that does nothing else. The figure of an operation is the median of its runs.
    """
    from simnet.proofs.calibrate import SLOW, measure, table, usual_circuits
    from simnet.proofs.native import NativeBackend

    usual = usual_circuits(_sizes("--validators", validators, VALIDATOR_CAPACITIES), _sizes("--blocks", blocks, BLOCKS))
    named = dict.fromkeys(c for text in circuit or CircuitName for c in _circuits(text, usual))
    wanted = backends_named("--backend", backend or BACKENDS)
    check_writable(out)
    figures = []
    for security in Security:
        chosen = [b for b in wanted if security.of(b) is security]
        backends = [NativeBackend(b, default_folder(), security) for b in chosen]
        jobs = [(b, c) for b in backends for c in named if circuit or (b.id, c.id) not in SLOW]
        for key, us in measure(jobs, seconds, security):
            say(f"{key.text:45} {us / 1000:10.2f} ms")
            figures.append((key, us))
    write_atomic(out, table(figures))
    say(f"written to {out}")
    return HELD


def _circuits(text: str, usual: Mapping[CircuitId, Sequence[Circuit]]) -> Sequence[Circuit]:
    """What `NAME` or `NAME:SIZES` means. Raises SimnetError."""
    name, colon, params = text.partition(":")
    if name not in [c.value for c in CircuitName]:
        raise SimnetError(f"--circuit {text!r}: allowed are {', '.join(CircuitName)}, each perhaps with a colon and its sizes")
    which = CircuitName(name)
    return [at_size(which, params)] if colon else usual[which.id]


def _sizes(option: str, text: str, allowed: tuple[int, ...]) -> list[int]:
    """The numbers of a comma list. Raises SimnetError unless all are allowed and none stands twice."""
    parts = [part.strip() for part in text.split(",")]
    if any(part not in map(str, allowed) for part in parts) or len(set(parts)) != len(parts):
        raise SimnetError(f"{option} {text!r}: allowed are numbers out of {_listed(allowed)}, comma-separated, each once")
    return [int(part) for part in parts]
