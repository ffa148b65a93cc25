"""The header of a proof envelope, read without a key: what a file claims to be, nothing more."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError

HEADER = struct.Struct("<HBBH32s32s32sI")
E = TypeVar("E", bound=IntEnum)


@dataclass(frozen=True, slots=True)
class Header:
    """The fields before the proof, as they stand there."""

    proof_version: int
    backend: int
    circuit: int
    circuit_version: int
    params_hash: bytes
    vk_id: bytes
    public_digest: bytes
    proof_bytes: int

    @property
    def backend_label(self) -> str:
        """The proof system's name, or that there is none with this number."""
        return _label(BackendId, self.backend)

    @property
    def circuit_label(self) -> str:
        """The circuit's name, or that there is none with this number."""
        return _label(CircuitId, self.circuit)


def read_header(envelope: bytes) -> Header:
    """The header of an envelope whose lengths agree. Raises ProofError otherwise."""
    if len(envelope) < HEADER.size:
        raise ProofError(f"{len(envelope)} bytes; the header of a proof envelope alone has {HEADER.size}")
    header = Header(*HEADER.unpack_from(envelope))
    if header.proof_bytes != len(envelope) - HEADER.size:
        raise ProofError(f"the header announces {header.proof_bytes} bytes of proof, {len(envelope) - HEADER.size} follow")
    return header


def _label(kind: type[E], number: int) -> str:
    try:
        return kind(number).name.lower()
    except ValueError:
        return f"unknown ({number})"
