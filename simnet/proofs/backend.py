"""What a proof backend offers to the simulation."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from simnet.base.catalogue import BackendId, CircuitId


class Security(IntEnum):
    """How strong the STARKs of a run are, numbered as at the native boundary. Groth16 has one level."""

    STANDARD = 0
    HIGH = 1

    @property
    def label(self) -> str:
        """The name in scenarios and summaries."""
        return self.name.lower()

    def of(self, backend: BackendId) -> "Security":
        """What the profile means to a backend."""
        return self if backend.is_stark else Security.STANDARD


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit at one size: the unit that has keys and costs."""

    id: CircuitId
    params: tuple[int, ...]

    @property
    def size(self) -> str:
        """The size as text, for file names and cost tables."""
        return "x".join(map(str, self.params)) or "-"

    @property
    def work(self) -> str:
        """The size without parameters that do not change the work: the uptime circuit's two spans of time."""
        return Circuit(self.id, self.params[:3]).size if self.id is CircuitId.UPTIME else self.size


@dataclass(frozen=True, slots=True)
class Verification:
    """A verifier's answer."""

    accepted: bool
    reason: str
    """`accepted`, or the name of the rejection, as in the specification's matrix."""


ACCEPTED = Verification(True, "accepted")


RANDOMNESS = {
    "blinding": "derived from (run seed, witness), so that proof bytes repeat; hides nothing from whoever guesses the witness; unfit for production",
    "groth16_setup": "from a published seed: whoever knows it can forge; unfit for production",
}
"""What a run's summary says about where its provers' randomness comes from."""


class Backend(Protocol):
    """Proves and verifies statements of every circuit in one proof system. Thread-safe."""

    @property
    def id(self) -> BackendId: ...

    def load(self, circuit: Circuit) -> None:
        """Gets the keys ready: from the cache, or by generating them."""

    def security_bits(self, circuit: Circuit) -> tuple[float, float]:
        """Conjectured and proven soundness bits of the circuit's proofs."""

    def vk_id(self, circuit: Circuit) -> bytes:
        """Identity of the circuit's verifying key, 32 bytes."""

    def aggregate(self, circuit: Circuit, statement: bytes) -> bytes:
        """What a statement of this recursive circuit adds up to: state proof, activity, pruning fold, commitment; 4 x 32 bytes.

        Raises ProofError when there is no such aggregate.
        """

    def public_inputs(self, circuit: Circuit, statement: bytes) -> bytes:
        """The vector that a verifier computes itself from chain data. Raises ProofError when there is none."""

    def prove(self, circuit: Circuit, witness: bytes, seed: bytes, threads: int) -> bytes:
        """A proof envelope; its bytes depend on (circuit, witness, seed) alone. Raises ProofError."""

    def verify(self, circuit: Circuit, public_inputs: bytes, envelope: bytes, max_bytes: int) -> Verification:
        """The verifier's answer to an envelope of any bytes."""
