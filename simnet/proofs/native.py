"""The real backends: the only importer of the native module."""

import contextlib
import hashlib
import logging
import re
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import simnet.proofs.fit  # noqa: F401 - first: it refuses a processor on which the next line would end the process
from simnet._zk import (
    CIRCUIT_VERSIONS,
    LAYOUTS,
    PROOF_VERSION,
    REJECT_REASONS,
    Key,
    OtkTree,
    Tree,
    ZkError,
    account_leaves,
    address,
    aggregate,
    binary_root,
    cpu_features,
    decision_vector,
    ed25519_public_key,
    ed25519_sign,
    ed25519_verify,
    empty_leaf,
    genesis_aggregate,
    hash_parameters,
    header_digest,
    heartbeat_leaf,
    identity_commitment,
    identity_leaf,
    lift,
    merkle_paths,
    merkle_root,
    opened_account_leaf,
    otk_public,
    reputation_of_identity,
    sample,
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
from simnet._zk import groth16_export as _groth16_export
from simnet._zk import groth16_r1cs as _groth16_r1cs
from simnet._zk import groth16_verify as _groth16_verify
from simnet._zk import groth16_wtns as _groth16_wtns
from simnet._zk import zkey_verification_key as _zkey_verification_key
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.proofs.backend import ACCEPTED, Circuit, Security, Verification
from simnet.proofs.keys import load_or_make
from simnet.proofs.pinned import key_pin

ENVELOPE_HEADER_BYTES = 106
"""Proof envelope up to the proof: u16, u8, u8, u16, three 32-byte hashes, u32 length."""
PUBLIC_DIGEST = slice(70, 102)
"""Where the public digest stands in an envelope."""

KEY_FILE = re.compile(
    rf"(?P<backend>{'|'.join(b.label for b in BackendId)})(-(?P<profile>{Security.HIGH.label}))?"
    rf"-(?P<circuit>{'|'.join(c.label for c in CircuitId)})-(?P<size>-|[0-9]{{1,9}}(x[0-9]{{1,9}})*)-v(?P<version>[0-9]{{1,5}})\.key"
)
log = logging.getLogger(__name__)

SETUP_SEED = b"simnet-seeded-setup-not-for-prod"
"""Seed of Groth16's setup. Whoever knows it can forge proofs, so keys made from it are unfit for production."""

__all__ = [
    "CIRCUIT_VERSIONS",
    "ENVELOPE_HEADER_BYTES",
    "LAYOUTS",
    "PROOF_VERSION",
    "PUBLIC_DIGEST",
    "NativeBackend",
    "OtkTree",
    "Tree",
    "ZkError",
    "account_leaves",
    "address",
    "aggregate",
    "binary_root",
    "cpu_features",
    "decision_vector",
    "ed25519_public_key",
    "ed25519_sign",
    "ed25519_verify",
    "empty_leaf",
    "genesis_aggregate",
    "groth16_export",
    "groth16_key",
    "groth16_r1cs",
    "groth16_verify",
    "groth16_wtns",
    "hash_parameters",
    "header_digest",
    "heartbeat_leaf",
    "identity_commitment",
    "identity_leaf",
    "is_real",
    "key_file",
    "lift",
    "load_key",
    "make_key",
    "merkle_paths",
    "merkle_root",
    "native_backends",
    "of_key_file",
    "opened_account_leaf",
    "otk_public",
    "public_digest",
    "reputation_of_identity",
    "sample",
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
    "zkey_verification_key",
]


def public_digest(backend: BackendId, circuit: Circuit, public_inputs: bytes) -> bytes:
    """Identity of a public-input vector in envelopes: Blake2s-256 under a domain, with backend, circuit, version and length."""
    head = struct.pack("<BBHI", backend, circuit.id, CIRCUIT_VERSIONS[circuit.id], len(public_inputs))
    return hashlib.blake2s(b"SIMNET-PI-V1" + head + public_inputs).digest()


@contextlib.contextmanager
def _proof_errors() -> Iterator[None]:
    """The native module's error as the package's."""
    try:
        yield
    except ZkError as e:
        raise ProofError(str(e)) from e


def groth16_r1cs(circuit: Circuit) -> bytes:
    """The circuit over BN254 as iden3's `.r1cs`, for a setup by others. Raises ProofError."""
    with _proof_errors():
        return _groth16_r1cs(circuit.id, circuit.params)


def groth16_wtns(circuit: Circuit, witness: bytes) -> bytes:
    """A witness as iden3's `.wtns`, for a prover of others. Raises ProofError when it does not satisfy the circuit."""
    with _proof_errors():
        return _groth16_wtns(circuit.id, circuit.params, witness)


def groth16_key(circuit: Circuit, zkey: bytes) -> Key:
    """The key of a setup by others for this circuit's `.r1cs`. Raises ProofError; the ceremony itself is not checked."""
    with _proof_errors():
        return Key.from_zkey(circuit.id, circuit.params, zkey)


def groth16_export(key: Key, public_inputs: bytes, envelope: bytes) -> tuple[str, str, str]:
    """snarkjs' `verification_key.json`, `public.json` and `proof.json` of a proof that the key accepts. Raises ProofError."""
    with _proof_errors():
        return _groth16_export(key, public_inputs, envelope)


def groth16_verify(verification_key: str, public: str, proof: str) -> bool:
    """Whether a proof in snarkjs' documents holds. Raises ProofError, with file and line, for a malformed document."""
    with _proof_errors():
        return _groth16_verify(verification_key, public, proof)


def zkey_verification_key(zkey: bytes) -> str:
    """The `verification_key.json` of any Groth16 `.zkey` over BN254. Raises ProofError."""
    with _proof_errors():
        return _zkey_verification_key(zkey)


def make_key(backend: BackendId, circuit: Circuit, security: Security = Security.STANDARD) -> tuple[Key, bytes]:
    """A key from nothing, and its bytes. Raises ProofError for a circuit or size that this build does not have."""
    try:
        key = Key.generate(backend, circuit.id, circuit.params, SETUP_SEED, security)
    except ZkError as e:
        raise ProofError(str(e)) from e
    return key, key.dump()


def key_file(backend: BackendId, circuit: Circuit, security: Security) -> str:
    """The name of a key's file in the cache."""
    profile = "" if security is Security.STANDARD else f"-{security.label}"
    return f"{backend.label}{profile}-{circuit.id.label}-{circuit.size}-v{PROOF_VERSION}.key"


def of_key_file(name: str) -> tuple[BackendId, Circuit, Security] | None:
    """What a file of the cache is the key of; `None` for a name that `key_file` does not give."""
    match = KEY_FILE.fullmatch(name)
    if match is None or int(match["version"]) != PROOF_VERSION:
        return None
    params = tuple(int(n) for n in match["size"].split("x")) if match["size"] != "-" else ()
    circuit = Circuit(CircuitId[match["circuit"].upper()], params)
    security = Security[match["profile"].upper()] if match["profile"] else Security.STANDARD
    found = BackendId[match["backend"].upper()], circuit, security
    return found if key_file(*found) == name else None


def load_key(backend: BackendId, circuit: Circuit, data: bytes, security: Security) -> Key:
    """A stored key, whoever wrote it, if a verifier may use it. Raises ValueError otherwise.

    A STARK's key is made again from the circuit and compared. A Groth16 key decides what its verifier believes, and nothing
    in its bytes says whose it is: its verifying part has to be the committed one or to follow from the setup seed.
    """
    try:
        key = Key.load(backend, circuit.id, circuit.params, data, security)
        pin = key_pin(backend, circuit, key.params_hash)
        if pin is not None and pin.vk_id == key.vk_id.hex():
            return key
        if not key.follows_from(SETUP_SEED):
            raise ValueError("is not the key of this circuit's setup: who wrote it could prove anything")
    except ZkError as error:
        raise ValueError(str(error)) from error
    if pin is not None:
        log.warning("%s of %s: this build's key is not the committed one; see `simnet keys verify`", backend.label, circuit.id.label)
    return key


class NativeBackend:
    """One proof system of the native module, with its keys from the disk cache."""

    def __init__(self, backend: BackendId, folder: Path, security: Security = Security.STANDARD) -> None:
        self.id = backend
        self._security = security.of(backend)
        self._folder = folder
        self._keys: dict[Circuit, Key] = {}
        self._lock = threading.Lock()

    def load(self, circuit: Circuit) -> None:
        """Gets the keys ready: from the cache, or by generating them."""
        self.key(circuit)

    def key(self, circuit: Circuit) -> Key:
        """The keys of a circuit. Raises ProofError for a circuit that this build does not have."""
        with self._lock:
            if circuit not in self._keys:
                self._keys[circuit] = self._obtain(circuit)
            return self._keys[circuit]

    def _obtain(self, circuit: Circuit) -> Key:
        def load(data: bytes) -> Key:
            return load_key(self.id, circuit, data, self._security)

        def make() -> tuple[Key, bytes]:
            return make_key(self.id, circuit, self._security)

        path = self._folder / key_file(self.id, circuit, self._security)
        return load_or_make(path, load, make, lambda key: (key.params_hash, key.vk_id))

    def security_bits(self, circuit: Circuit) -> tuple[float, float]:
        """Conjectured and proven soundness bits of the circuit's proofs."""
        return self.key(circuit).security_bits

    def is_pinned(self, circuit: Circuit) -> bool:
        """Whether the key is one of the committed ones."""
        key = self.key(circuit)
        pin = key_pin(self.id, circuit, key.params_hash)
        return pin is not None and pin.vk_id == key.vk_id.hex()

    def vk_id(self, circuit: Circuit) -> bytes:
        """Identity of the circuit's verifying key."""
        return self.key(circuit).vk_id

    def aggregate(self, circuit: Circuit, statement: bytes) -> bytes:
        """What a recursive statement adds up to. Raises ProofError when there is no such aggregate."""
        try:
            return aggregate(self.id, circuit.params, statement)
        except ZkError as e:
            raise ProofError(str(e)) from e

    def public_inputs(self, circuit: Circuit, statement: bytes) -> bytes:
        """The vector that a verifier computes itself from chain data. Raises ProofError when there is none."""
        try:
            return self.key(circuit).public_inputs(statement)
        except ZkError as e:
            raise ProofError(str(e)) from e

    def prove(self, circuit: Circuit, witness: bytes, seed: bytes, threads: int) -> bytes:
        """A proof envelope; its bytes depend on (circuit, witness, seed) alone. Raises ProofError."""
        try:
            return self.key(circuit).prove(witness, seed, threads)
        except ZkError as e:
            raise ProofError(str(e)) from e

    def verify(self, circuit: Circuit, public_inputs: bytes, envelope: bytes, max_bytes: int) -> Verification:
        """The verifier's answer to an envelope of any bytes."""
        code = self.key(circuit).verify(public_inputs, envelope, max_bytes)
        return ACCEPTED if code == 0 else Verification(False, REJECT_REASONS[code])


def is_real(backend: object) -> bool:
    """Whether proofs come from the native provers. Decided by the type itself, so that nothing can claim to be real."""
    return type(backend) is NativeBackend


def native_backends(folder: Path, security: Security = Security.STANDARD) -> dict[BackendId, NativeBackend]:
    """All three proof systems."""
    return {b: NativeBackend(b, folder, security) for b in BackendId}
