"""Proof systems and circuits as the command line names them."""

from enum import StrEnum

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import SimnetError
from simnet.proofs.backend import Circuit


class BackendName(StrEnum):
    """Proof systems by name."""

    stwo = "stwo"
    plonky3 = "plonky3"
    groth16 = "groth16"

    @property
    def id(self) -> BackendId:
        """The proof system."""
        return BackendId[self.name.upper()]


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
