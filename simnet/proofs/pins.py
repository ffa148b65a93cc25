"""The committed checksums of what proofs rest on, computed again: hash constants, parameters and keys.

All of them follow from the source (Groth16's with the simulation's published setup seed), so recomputing them shows
whether a build, a machine or a change of the code gives other circuits than those that were reviewed.
"""

import hashlib
from collections.abc import Iterator, Sequence

from simnet.base.catalogue import BackendId
from simnet.proofs import native
from simnet.proofs.backend import Circuit
from simnet.proofs.pinned import HashPin, KeyPin, Pin


def compute_hash(backend: BackendId) -> HashPin:
    """The pin of a backend's hash, from this build."""
    return HashPin(backend, hashlib.sha256(native.hash_parameters(backend)).hexdigest())


def compute_key(backend: BackendId, circuit: Circuit) -> KeyPin:
    """The pin of a key, made anew by this build. Raises ProofError for a circuit that it does not have."""
    key, dumped = native.make_key(backend, circuit)
    return KeyPin(backend, circuit, key.params_hash.hex(), key.vk_id.hex(), len(dumped), hashlib.sha256(dumped).hexdigest())


def recompute(pin: Pin) -> Pin:
    """What this build gives for a pin."""
    return compute_hash(pin.backend) if isinstance(pin, HashPin) else compute_key(pin.backend, pin.circuit)


def compute_all(circuits: Sequence[Circuit]) -> Iterator[Pin]:
    """All pins, from this build."""
    yield from map(compute_hash, BackendId)
    yield from (compute_key(b, c) for c in circuits for b in BackendId)


def differences(pin: Pin, found: Pin) -> list[str]:
    """Which fields of a recomputed pin are not the committed ones."""
    fields = ("sha256",) if isinstance(pin, HashPin) else ("params_hash", "vk_id", "bytes", "sha256")
    return [f"{f}: {getattr(pin, f)} is pinned, {getattr(found, f)} was made" for f in fields if getattr(pin, f) != getattr(found, f)]
