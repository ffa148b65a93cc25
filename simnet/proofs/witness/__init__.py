"""Statements and witnesses of each circuit as JSON: one human-writable file for one proof.

Bytes are hex, integers decimal, names those of the native module's layouts. Reading is strict: unknown, repeated and
missing keys, wrong lengths and values out of range are refused, all of them at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.proofs import native, samples
from simnet.proofs.backend import Circuit
from simnet.proofs.samples import Sample
from simnet.proofs.witness import consensus, identity, pruning, recursive, state, transaction, uptime
from simnet.proofs.witness.fields import Reader, Record, Shape


@dataclass(frozen=True, slots=True)
class Format:
    """What the command line knows about one circuit."""

    sizes: tuple[str, ...]
    """What its parameters mean, in order."""
    default: tuple[int, ...]
    statement: type[Record]
    witness: type[Record]
    sample: Callable[[BackendId, Circuit], Sample] = samples.honest
    """Its example."""


def _consensus_sample(backend: BackendId, circuit: Circuit) -> Sample:
    """Four validators, of whom three voted: short enough to read, and a quorum."""
    members = min(4, circuit.params[0])
    return samples.consensus(backend, circuit, members, min(3, members), commitments=min(2, circuit.params[1]))


FORMATS: dict[CircuitId, Format] = {
    CircuitId.TRANSACTION: Format((), (), transaction.Statement, transaction.Statement),
    CircuitId.IDENTITY: Format(("tree depth",), (32,), identity.Statement, identity.Witness),
    CircuitId.STATE: Format(("transfers", "identities", "tree depth"), (16, 4, 32), state.Statement, state.Witness),
    CircuitId.PRUNING: Format(("headers", "transactions of a block", "segments"), (16, 32, 4), pruning.Statement, pruning.Statement),
    CircuitId.RECURSIVE: Format(
        ("transactions", "identities", "uptimes", "transfers of a state proof"),
        (16, 4, 8, 16),
        recursive.Statement,
        recursive.Statement,
    ),
    CircuitId.UPTIME: Format(
        ("heartbeats", "log depth", "identity tree depth", "shortest window in seconds", "longest gap in seconds or 0"),
        (32, 10, 32, 3600, 300),
        uptime.Statement,
        uptime.Witness,
    ),
    CircuitId.CONSENSUS: Format(
        ("validators", "witness commitments", "reputation roots"),
        (32, 256, 4),
        consensus.Statement,
        consensus.Witness,
        _consensus_sample,
    ),
}


def pack(value: object, shape: Shape, *, witness: bool) -> bytes:
    """The native bytes of a JSON witness or statement. Raises pydantic's ValidationError with every fault."""
    form = FORMATS[shape.circuit.id]
    return (form.witness if witness else form.statement).of_json(value, shape).pack()


def example(shape: Shape) -> Sample:
    """A valid statement with its witness. Raises ProofError when the circuit's sizes allow none."""
    try:
        return FORMATS[shape.circuit.id].sample(shape.backend, shape.circuit)
    except native.ZkError as error:
        raise ProofError(f"no example with the sizes {shape.circuit.size}: {error}") from error


def unpack(data: bytes, shape: Shape, *, witness: bool) -> dict[str, Any]:
    """The JSON form of a witness or statement. Raises ValueError when the bytes do not have the circuit's layout."""
    form = FORMATS[shape.circuit.id]
    reader = Reader(data)
    value = (form.witness if witness else form.statement).unpack(reader, shape)
    reader.finish()
    return value
