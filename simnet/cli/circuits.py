"""Proof systems and circuits as the command line names them."""

from collections.abc import Iterable
from enum import StrEnum

import typer

from simnet.base.catalogue import BACKENDS, BackendId, CircuitId
from simnet.base.errors import SimnetError
from simnet.proofs.backend import Circuit


class CircuitName(StrEnum):
    """Circuits by name."""

    transaction = "transaction"
    identity = "identity"
    state = "state"
    pruning = "pruning"
    recursive = "recursive"
    uptime = "uptime"
    consensus = "consensus"

    @property
    def id(self) -> CircuitId:
        """The circuit."""
        return CircuitId[self.name.upper()]


ONE_OF_BACKENDS = f"[{'|'.join(BACKENDS)}]"
"""How help shows an option that names a proof system."""


def backends_named(option: str, names: Iterable[str]) -> list[BackendId]:
    """Proof systems by name, each once. Raises BadParameter for a name that is none's."""
    wanted = dict.fromkeys(names)
    unknown = [name for name in wanted if name not in BACKENDS]
    if unknown:
        raise typer.BadParameter(f"{option}: no backend {', '.join(unknown)}; there are {', '.join(BACKENDS)}")
    return [BackendId[name.upper()] for name in wanted]


def at_size(circuit: CircuitName, params: str | None) -> Circuit:
    """A circuit at sizes from the command line, or its usual ones. Raises SimnetError for no numbers or not as many as it takes."""
    from simnet.proofs.witness import FORMATS

    form = FORMATS[circuit.id]
    sizes = form.default if params is None else _numbers(params)
    if sizes is None or len(sizes) != len(form.default):
        wanted = f"numbers for {', '.join(form.sizes)}, such as {','.join(map(str, form.default))}" if form.default else "none"
        raise SimnetError(f"sizes {params!r}: the {circuit} circuit takes {wanted}")
    return Circuit(circuit.id, sizes)


def _numbers(text: str) -> tuple[int, ...] | None:
    parts = text.split(",") if text else []
    return tuple(map(int, parts)) if all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts) else None
