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
from simnet.proofs.layouts import encoder
from simnet.proofs.samples import Sample
from simnet.proofs.witness.fields import Reader, Shape, unpacked, validator


@dataclass(frozen=True, slots=True)
class Format:
    """What the command line knows about one circuit."""

    sizes: tuple[str, ...]
    """What its parameters mean, in order."""
    default: tuple[int, ...]
    sample: Callable[[BackendId, Circuit], Sample] = samples.honest
    """Its example."""


def _consensus_sample(backend: BackendId, circuit: Circuit) -> Sample:
    """Four validators, of whom three voted: short enough to read, and a quorum."""
    members = min(4, circuit.params[0])
    return samples.consensus(backend, circuit, members, min(3, members), commitments=min(2, circuit.params[1]))


FORMATS: dict[CircuitId, Format] = {
    CircuitId.TRANSACTION: Format((), ()),
    CircuitId.IDENTITY: Format(("tree depth",), (32,)),
    CircuitId.STATE: Format(("transfers", "identities", "tree depth"), (16, 4, 32)),
    CircuitId.PRUNING: Format(("headers", "transactions of a block", "segments"), (16, 32, 4)),
    CircuitId.RECURSIVE: Format(
        ("transactions", "identities", "uptimes", "transfers of a state proof"),
        (16, 4, 8, 16),
    ),
    CircuitId.UPTIME: Format(
        ("heartbeats", "log depth", "identity tree depth", "shortest window in seconds", "longest gap in seconds or 0"),
        (32, 10, 32, 3600, 300),
    ),
    CircuitId.CONSENSUS: Format(
        ("validators", "witness commitments", "reputation roots"),
        (32, 256, 4),
        _consensus_sample,
    ),
}


def pack(value: object, shape: Shape, *, witness: bool) -> bytes:
    """The native bytes of a JSON witness or statement. Raises pydantic's ValidationError with every fault."""
    form = shape.told.witness if witness else shape.told.statement
    return encoder(form)(validator(form, shape).validate_python(value))


def example(shape: Shape) -> Sample:
    """A valid statement with its witness. Raises ProofError when the circuit's sizes allow none."""
    try:
        return FORMATS[shape.circuit.id].sample(shape.backend, shape.circuit)
    except native.ZkError as error:
        raise ProofError(f"no example with the sizes {shape.circuit.size}: {error}") from error


def unpack(data: bytes, shape: Shape, *, witness: bool) -> dict[str, Any]:
    """The JSON form of a witness or statement. Raises ValueError when the bytes do not have the circuit's layout."""
    reader = Reader(data)
    value: dict[str, Any] = unpacked(reader, shape.told.witness if witness else shape.told.statement, shape, {})
    reader.finish()
    return value
