"""The proof systems and circuits by number and name, as in the proof envelope.

A proof system is a row of `BackendId`, in Rust its folder and its row of `zk/src/catalogue.rs`; names in scenarios and on the command line,
widths of elements and levels of security follow from the row.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True, slots=True)
class Field:
    """A prime field that circuits are written over."""

    modulus: int
    element_bytes: int
    """Of a canonical element."""
    wide: bool
    """Whether one element holds a `u64`, or a digest."""


M31 = Field(2**31 - 1, 4, wide=False)
KOALA_BEAR = Field(2**31 - 2**24 + 1, 4, wide=False)
BN254 = Field(21888242871839275222246405745257275088548364400416034343698204186575808495617, 32, wide=True)
"""The scalar field of BN254 (EIP-196)."""


class BackendId(IntEnum):
    """Proof systems, numbered as in the proof envelope."""

    field: Field
    """What its circuits are over. Several may share one."""
    is_stark: bool
    """A STARK has levels of security and proves blocks unless a scenario says otherwise; its keys follow from the circuit alone."""

    STWO = 1, M31, True
    PLONKY3 = 2, KOALA_BEAR, True
    GROTH16 = 3, BN254, False

    if not TYPE_CHECKING:  # To a type checker `BackendId(1)` looks a row up, and does not make one.

        def __new__(cls, number, field, is_stark):
            row = int.__new__(cls, number)
            row._value_, row.field, row.is_stark = number, field, is_stark
            return row

    @property
    def label(self) -> str:
        """The name in summaries and labels."""
        return self.name.lower()


BACKENDS = tuple(b.label for b in BackendId)
"""Names of all proof systems."""
if TYPE_CHECKING:
    BackendName = str
else:
    BackendName = Literal[BACKENDS]
"""A proof system's name, as a type that pydantic checks."""


class CircuitId(IntEnum):
    """Circuit families, numbered as in the proof envelope."""

    TRANSACTION = 1
    IDENTITY = 2
    STATE = 3
    PRUNING = 4
    RECURSIVE = 5
    UPTIME = 6
    CONSENSUS = 7

    @property
    def label(self) -> str:
        """The name in summaries and labels."""
        return self.name.lower()
