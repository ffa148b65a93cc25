"""The real backends: the only importer of the native module."""

import hashlib
import struct
import threading
from pathlib import Path

from simnet import _zk
from simnet._zk import (
    OtkTree,
    Tree,
    account_leaves,
    address,
    aggregate,
    binary_root,
    cpu_features,
    ed25519_public_key,
    ed25519_sign,
    ed25519_verify,
    empty_leaf,
    genesis_aggregate,
    header_digest,
    heartbeat_leaf,
    identity_commitment,
    identity_leaf,
    lift,
    merkle_path,
    merkle_root,
    opened_account_leaf,
    otk_public,
    reputation_of_identity,
    signature_digest,
    tier_seed,
    transaction_digests,
    validator_set_root,
    vk_set_root,
    vote_message,
    vote_tag,
    vrf_output,
    vrf_prove,
    vrf_public_key,
    vrf_verify,
)
from simnet.errors import ProofError
from simnet.proofs.backend import ACCEPTED, BackendId, Circuit, Verdict
from simnet.proofs.keys import load_or_make

ENVELOPE_HEADER_BYTES = 106
"""Proof envelope up to the proof: u16, u8, u8, u16, three 32-byte hashes, u32 length."""
PUBLIC_DIGEST = slice(70, 102)
"""Where the public digest stands in an envelope."""
CIRCUIT_VERSION = 1

SETUP_SEED = b"simnet-seeded-setup-not-for-prod"
"""Seed of Groth16's setup. Whoever knows it can forge proofs, so keys made from it are unfit for production."""

__all__ = [
    "CIRCUIT_VERSION",
    "ENVELOPE_HEADER_BYTES",
    "PUBLIC_DIGEST",
    "RANDOMNESS",
    "NativeBackend",
    "OtkTree",
    "Tree",
    "account_leaves",
    "address",
    "aggregate",
    "binary_root",
    "cpu_features",
    "ed25519_public_key",
    "ed25519_sign",
    "ed25519_verify",
    "empty_leaf",
    "genesis_aggregate",
    "header_digest",
    "heartbeat_leaf",
    "identity_commitment",
    "identity_leaf",
    "lift",
    "merkle_path",
    "merkle_root",
    "native_backends",
    "opened_account_leaf",
    "otk_public",
    "public_digest",
    "reputation_of_identity",
    "signature_digest",
    "tier_seed",
    "transaction_digests",
    "validator_set_root",
    "vk_set_root",
    "vote_message",
    "vote_tag",
    "vrf_output",
    "vrf_prove",
    "vrf_public_key",
    "vrf_verify",
]

RANDOMNESS = {
    "blinding": "derived from (run seed, statement), so that proof bytes repeat; unfit for production",
    "groth16_setup": "from a published seed: whoever knows it can forge; unfit for production",
}
"""What a run's summary says about where its provers' randomness comes from."""


def public_digest(backend: BackendId, circuit: Circuit, public_inputs: bytes) -> bytes:
    """Identity of a public-input vector in envelopes: Blake2s-256 under a domain, with backend, circuit and length."""
    head = struct.pack("<BBHI", backend, circuit.id, CIRCUIT_VERSION, len(public_inputs))
    return hashlib.blake2s(b"SIMNET-PI-V1" + head + public_inputs).digest()


class NativeBackend:
    """One proof system of the native module, with its keys from the disk cache."""

    real = True

    def __init__(self, backend: BackendId, folder: Path) -> None:
        self.id = backend
        self._folder = folder
        self._keys: dict[Circuit, _zk.Key] = {}
        self._lock = threading.Lock()

    def load(self, circuit: Circuit) -> None:
        """Gets the keys ready: from the cache, or by generating them."""
        self.key(circuit)

    def key(self, circuit: Circuit) -> _zk.Key:
        """The keys of a circuit. Raises ProofError for a circuit that this build does not have."""
        with self._lock:
            if circuit not in self._keys:
                self._keys[circuit] = self._obtain(circuit)
            return self._keys[circuit]

    def _obtain(self, circuit: Circuit) -> _zk.Key:
        def load(data: bytes) -> _zk.Key:
            try:
                return _zk.Key.load(self.id, circuit.id, circuit.params, data)
            except _zk.ZkError as e:
                raise ValueError(str(e)) from e

        def make() -> tuple[_zk.Key, bytes]:
            key = _zk.Key.generate(self.id, circuit.id, circuit.params, SETUP_SEED)
            return key, key.dump()

        name = f"{self.id.label}-{circuit.id.label}-{circuit.size}-v{_zk.PROOF_VERSION}.key"
        try:
            return load_or_make(self._folder / name, load, make)
        except _zk.ZkError as e:
            raise ProofError(str(e)) from e

    def vk_id(self, circuit: Circuit) -> bytes:
        """Identity of the circuit's verifying key."""
        return self.key(circuit).vk_id

    def aggregate(self, circuit: Circuit, statement: bytes) -> bytes:
        """What a recursive statement adds up to. Raises ProofError when there is no such aggregate."""
        try:
            return aggregate(self.id, circuit.params, statement)
        except _zk.ZkError as e:
            raise ProofError(str(e)) from e

    def public_inputs(self, circuit: Circuit, statement: bytes) -> bytes:
        """The vector that a verifier computes itself from chain data. Raises ProofError when there is none."""
        try:
            return self.key(circuit).public_inputs(statement)
        except _zk.ZkError as e:
            raise ProofError(str(e)) from e

    def prove(self, circuit: Circuit, witness: bytes, seed: bytes, threads: int) -> bytes:
        """A proof envelope; its bytes depend on (circuit, witness, seed) alone. Raises ProofError."""
        try:
            return self.key(circuit).prove(witness, seed, threads)
        except _zk.ZkError as e:
            raise ProofError(str(e)) from e

    def verify(self, circuit: Circuit, public_inputs: bytes, envelope: bytes, max_bytes: int) -> Verdict:
        """The verifier's answer to an envelope of any bytes."""
        code = self.key(circuit).verify(public_inputs, envelope, max_bytes)
        return ACCEPTED if code == 0 else Verdict(False, _zk.REJECT_REASONS[code])


def native_backends(folder: Path) -> dict[BackendId, NativeBackend]:
    """All three proof systems."""
    return {b: NativeBackend(b, folder) for b in BackendId}
