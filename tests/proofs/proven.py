"""Honest proofs, made once per test process."""

from dataclasses import dataclass, field
from functools import cache

from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs import samples
from simnet.proofs.backend import Circuit
from simnet.proofs.keys import default_folder
from simnet.proofs.native import NativeBackend
from simnet.proofs.samples import Sample

IDENTITY = Circuit(CircuitId.IDENTITY, (16,))
STATE = Circuit(CircuitId.STATE, (4, 1, 16))
CONSENSUS = Circuit(CircuitId.CONSENSUS, (8, 8, 4))
MAX_BYTES = 4 * 1024 * 1024
SEED = bytes(range(32))


@cache
def backend(which: BackendId) -> NativeBackend:
    """One backend per test process, with the user's key cache."""
    return NativeBackend(which, default_folder())


@dataclass
class Altered:
    """A real backend, for tests that give it a fault: a subclass overrides what is to go wrong."""

    id: BackendId = field(default=BackendId.PLONKY3, kw_only=True)

    def load(self, circuit: Circuit) -> None:
        backend(self.id).load(circuit)

    def security_bits(self, circuit: Circuit) -> tuple[float, float]:
        return backend(self.id).security_bits(circuit)

    def vk_id(self, circuit: Circuit) -> bytes:
        return backend(self.id).vk_id(circuit)

    def aggregate(self, circuit: Circuit, statement: bytes) -> bytes:
        return backend(self.id).aggregate(circuit, statement)

    def public_inputs(self, circuit: Circuit, statement: bytes) -> bytes:
        return backend(self.id).public_inputs(circuit, statement)

    def prove(self, circuit: Circuit, witness: bytes, seed: bytes, threads: int) -> bytes:
        return backend(self.id).prove(circuit, witness, seed, threads)


def consensus(which: BackendId, *, voters: int = 5) -> Sample:
    """Six validators in a circuit for eight."""
    return samples.consensus(which, CONSENSUS, members=6, voters=voters)


SIZES = {CircuitId.IDENTITY: IDENTITY, CircuitId.STATE: STATE}


def sampled(which: BackendId, circuit: CircuitId) -> Sample:
    """An honest statement of a small circuit."""
    match circuit:
        case CircuitId.IDENTITY | CircuitId.STATE:
            return samples.honest(which, SIZES[circuit])
        case CircuitId.CONSENSUS:
            return consensus(which)
        case _:
            return samples.transaction()


@cache
def proven(which: BackendId, circuit: CircuitId) -> tuple[Sample, bytes, bytes]:
    """(sample, public inputs, envelope) of an honest proof."""
    sample = sampled(which, circuit)
    prover = backend(which)
    return sample, prover.public_inputs(sample.circuit, sample.statement), prover.prove(sample.circuit, sample.witness, SEED, 1)
