"""The native module: circuits and real provers. Only `simnet.proofs.native` imports it.

Bytes and ints cross this boundary, nothing else. All integers inside byte strings are little-endian and
unpadded, in the order written here. `D` is a digest of the backend's own field in canonical bytes, always 32
(31-bit backends: eight 4-byte elements; BN254: one 32-byte element).

backend: stwo 1, plonky3 2, groth16 3.  circuit: transaction 1, consensus 7.
security: standard 0, high 1: how strong the STARKs of a key are, part of its params_hash. Groth16 has one level, and
the same key for both.
params: transaction `[]`; consensus `[validators N, witness commitments W, reputation roots R]`.

Transaction statement (also its witness: nothing in it is secret), 194 bytes:
    from_public_key[32] to_public_key[32] amount u64, fee u64, nonce u64 (the new nonce), required_tier u8,
    timestamp u64, memo[32] (Blake2s-256 of the payload; all zero: no memo),
    then the sender's account before the transfer:
    balance u64, nonce u64, stake u64, tier u8, last_decay u64, rep[32] (all zero: REP0).
    public keys are Ed25519 keys; the addresses H[KEY](Lift(key)) are computed inside.

Consensus statement:
    block_hash D, round u64, epoch u64, slot u64, n u16 (number of validators, <= N),
    n x { addr D, weight u64, tier u8, otk_root D, tier_seed D },
    n x { votes u8 (bits 0..2: prevote, precommit, commit; bit 3: VRF entry), tag0 D, tag1 D, tag2 D (zero without the vote),
          vrf_output D, vrf_key D (zero without the entry) },
    w u16 (<= W), w x D witness commitments, r u16 (<= R), r x D reputation roots.
Consensus witness: the statement, then
    n x { k0 D, k1 D, k2 D (disclosed one-time keys, zero without the vote), K0..K3 D (their public hashes), path 5 x D (leaf to root) }.
    (k3 is `vrf_key`.)
"""

from collections.abc import Sequence
from typing import final

__all__ = [
    "PROOF_VERSION",
    "REJECT_REASONS",
    "Key",
    "OtkTree",
    "ZkError",
    "address",
    "cpu_features",
    "ed25519_public_key",
    "ed25519_sign",
    "ed25519_verify",
    "header_digest",
    "lift",
    "merkle_root",
    "otk_public",
    "tier_seed",
    "validator_set_root",
    "vote_message",
    "vote_tag",
    "vrf_output",
    "vrf_prove",
    "vrf_public_key",
    "vrf_verify",
]

class ZkError(Exception):
    """A caller's mistake or a damaged key: `InvalidWitness: …`, `InvalidKeyEncoding: …`. Never a peer's bytes."""

@final
class Key:
    """Proving and verifying key of one circuit in one proof system. Immutable; safe to share between threads."""

    @property
    def backend(self) -> int: ...
    @property
    def circuit(self) -> int: ...
    @property
    def circuit_version(self) -> int: ...
    @property
    def params(self) -> tuple[int, ...]: ...
    @property
    def params_hash(self) -> bytes: ...
    @property
    def vk_id(self) -> bytes: ...
    @property
    def public_len(self) -> int:
        """Number of public-input field elements."""
    @property
    def constraints(self) -> dict[str, int]:
        """Size figures of the circuit: rows of each table, or R1CS constraints and variables."""
    @property
    def security_bits(self) -> tuple[float, float]:
        """(conjectured, proven) soundness bits of the pinned configuration."""
    @staticmethod
    def generate(backend: int, circuit: int, params: Sequence[int], seed: bytes, security: int = 0) -> Key:
        """Makes the keys. `seed` (32 bytes) only matters for Groth16, whose setup it makes reproducible and thereby
        unfit for production. Releases the GIL. Raises ZkError for an unknown backend, circuit, parameter or security profile."""
    @staticmethod
    def load(backend: int, circuit: int, params: Sequence[int], data: bytes, security: int = 0) -> Key:
        """The inverse of `dump`. Raises ZkError when the bytes do not decode to a key of exactly this circuit and profile."""
    def dump(self) -> bytes: ...
    def public_inputs(self, statement: bytes) -> bytes:
        """The public-input vector of a statement, computed natively from chain data. Raises ZkError (InvalidWitness) when
        the statement does not parse or has no vector (say, amount + fee above the balance)."""
    def prove(self, witness: bytes, seed: bytes, threads: int) -> bytes:
        """A proof envelope. Its bytes depend on (key, witness, seed) alone, not on `threads` (0: the global pool).
        Releases the GIL. Raises ZkError for a witness that does not satisfy the circuit."""
    def verify(self, public_inputs: bytes, envelope: bytes, max_bytes: int) -> int:
        """0 when the envelope proves the statement with these public inputs, else a code of `REJECT_REASONS`.
        Checks run in the order of the specification (size, versions, circuit, parameters, key, canonical inputs, digest,
        proof). Never raises on hostile bytes, never panics, never hangs. Releases the GIL."""

REJECT_REASONS: dict[int, str]
"""Reject code -> name, e.g. 5 -> "ParamsHashMismatch"."""
PROOF_VERSION: int

@final
class OtkTree:
    """One validator's one-time keys of one epoch in one backend's field: 32 slots x 4 keys (3 phases and the VRF)."""

    def __new__(cls, backend: int, seed: bytes, epoch: int) -> OtkTree: ...
    @property
    def root(self) -> bytes: ...
    def key(self, slot_index: int, which: int) -> bytes:
        """The secret k of slot 0..31, which 0..3, as D."""
    def public(self, slot_index: int) -> bytes:
        """K0..K3, 4 x D."""
    def path(self, slot_index: int) -> bytes:
        """The slot's authentication path, 5 x D, leaf to root."""

def otk_public(backend: int, key: bytes) -> bytes:
    """H[OTK](k): what a disclosed key is checked against."""

def lift(backend: int, data: bytes) -> bytes:
    """Lift of a 32-byte hash into the field."""

def address(backend: int, public_key: bytes) -> bytes:
    """H[KEY](Lift(public key))."""

def header_digest(backend: int, parent: bytes, height: int, state_root: bytes, tx_root: bytes, timestamp: int, tx_count: int) -> bytes:
    """H[HEADER] of D, u64, D, D, u64, u16."""

def merkle_root(backend: int, leaves: bytes, depth: int, empty: bytes) -> bytes:
    """ROOT of the D leaves padded with `empty` to 2^depth."""

def tier_seed(backend: int, addr: bytes, timetoke_hours: int) -> bytes: ...
def validator_set_root(backend: int, capacity: int, validators: bytes) -> bytes:
    """ROOT over the validator leaves (records as in the consensus statement), padded with EMPTY_VALIDATOR to `capacity`."""

def vote_message(backend: int, block_hash: bytes, round: int, epoch: int, slot: int, validator_set_root: bytes) -> bytes: ...
def vote_tag(backend: int, phase: int, key: bytes, message: bytes) -> bytes: ...
def vrf_output(backend: int, key: bytes, block_hash: bytes, epoch: int, tier_seed: bytes) -> bytes:
    """H[VRFOUT](k3, H[VRFIN](block_hash, epoch, tier_seed)): the in-circuit VRF entry of a validator."""

def ed25519_public_key(seed: bytes) -> bytes: ...
def ed25519_sign(seed: bytes, message: bytes) -> bytes: ...
def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Strict (RFC 8032, canonical s, no small-order keys). False, never an exception, on any malformed input."""

def vrf_public_key(seed: bytes) -> bytes: ...
def vrf_prove(seed: bytes, message: bytes) -> bytes:
    """schnorrkel VRF: 32-byte output, then the 64-byte proof. Deterministic."""

def vrf_verify(public_key: bytes, message: bytes, output_and_proof: bytes) -> bool: ...
def cpu_features() -> list[str]:
    """SIMD features the module was compiled for."""
