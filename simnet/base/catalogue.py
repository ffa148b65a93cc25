"""The proof systems and circuits by number and name, as in the proof envelope."""

from enum import IntEnum


class BackendId(IntEnum):
    """Proof systems, numbered as in the proof envelope."""

    STWO = 1
    PLONKY3 = 2
    GROTH16 = 3

    @property
    def label(self) -> str:
        """The name in summaries and labels."""
        return self.name.lower()


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
