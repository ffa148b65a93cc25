"""The native module: circuits and real provers. Only `simnet.proofs.native` imports it.

Bytes and ints cross this boundary, nothing else. All integers inside byte strings are little-endian and
unpadded, in the order written here. `D` is a digest of the backend's own field in canonical bytes, always 32
(31-bit backends: eight 4-byte elements; BN254: one 32-byte element).

backend: stwo 1, plonky3 2, groth16 3.
security: standard 0, high 1: how strong the STARKs of a key are, part of its params_hash. Groth16 has one level, and
the same key for both.
circuit: transaction 1, identity 2, state 3, pruning 4, recursive 5, uptime 6, consensus 7.
params: the circuit's sizes. Their order, and the bytes of statements, witnesses and public inputs, are `LAYOUTS`;
`docs/circuits.md` shows them as tables.
"""

from collections.abc import Sequence
from typing import final

__all__ = [
    "CIRCUIT_VERSIONS",
    "LAYOUTS",
    "PROOF_VERSION",
    "REJECT_REASONS",
    "Key",
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
    "groth16_r1cs",
    "groth16_verify",
    "groth16_wtns",
    "hash_parameters",
    "header_digest",
    "heartbeat_leaf",
    "identity_commitment",
    "identity_leaf",
    "lift",
    "merkle_paths",
    "merkle_root",
    "opened_account_leaf",
    "otk_public",
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
        """The inverse of `dump`. Raises ZkError when the bytes do not decode to a key of exactly this circuit and
        profile, or to one under which anything can be proved. Whose setup a Groth16 key is from, bytes cannot say:
        compare `vk_id` with a known one or ask `follows_from`."""
    @staticmethod
    def from_zkey(circuit: int, params: Sequence[int], data: bytes) -> Key:
        """The Groth16 key of a setup that others held with snarkjs for the circuit of `groth16_r1cs`. Raises ZkError when
        the bytes are no such key. It checks the circuit, not the ceremony: that is what `snarkjs zkey verify` is for."""
    def follows_from(self, seed: bytes) -> bool:
        """Whether this is, as far as a verifier is concerned, the key that `generate` makes from this seed; always for a STARK,
        whose key `load` makes again. Costs Groth16 the synthesis of the circuit, not the setup. Releases the GIL."""
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

def sample(backend: int, circuit: int, params: Sequence[int]) -> tuple[bytes, bytes]:
    """An honest statement and its witness at this size, always the same. Raises ZkError for an unknown circuit."""

REJECT_REASONS: dict[int, str]
"""Reject code -> name, e.g. 5 -> "ParamsHashMismatch"."""
PROOF_VERSION: int
CIRCUIT_VERSIONS: dict[int, int]
"""Circuit id -> version of its statement."""
LAYOUTS: str
"""The layout of every circuit as JSON, as declared in `zk/src/circuits/*/layout.rs`; `simnet.proofs.layouts` reads it."""

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

@final
class Tree:
    """A sparse Merkle tree of `2**depth` digests in one backend's field. Immutable: an update gives a new tree that
    shares what did not change. An address's slot is BITS32(address), its low `depth` bits when the tree is less deep."""

    def __new__(cls, backend: int, depth: int, empty: bytes) -> Tree:
        """The tree of which every leaf is `empty` (a D)."""
    @property
    def root(self) -> bytes: ...
    def leaf(self, address: bytes) -> bytes:
        """The leaf in the address's slot; `empty` when nothing was written."""
    def path(self, address: bytes) -> bytes:
        """The siblings of the address's slot, depth x D, leaf to root."""
    def update(self, addresses: bytes, leaves: bytes) -> Tree:
        """The tree with n leaves (n x D) written to the slots of n addresses (n x D), in order."""

def empty_leaf(backend: int, tag: int) -> bytes:
    """H[EMPTY](tag): what fills a tree. tag: account 6, transaction 8, identity 13, validator 20,
    heartbeat 33, witness 39."""

def account_leaves(backend: int, records: bytes) -> bytes:
    """H[ACCOUNT] of n existing accounts, n x D. A record is public_key[32] and an account as in the transaction
    statement (balance u64, nonce u64, stake u64, tier u8, last_decay u64, rep[32]): 97 bytes."""

def opened_account_leaf(backend: int, public_key: bytes, commitment: bytes, block_time: int) -> bytes:
    """H[ACCOUNT] of the account that an identity opens: zeros, tier 1, last_decay block_time, rep H[REP](commitment)."""

def identity_leaf(backend: int, address: bytes, commitment: bytes) -> bytes:
    """H[IDLEAF](address, commitment, 0): the genesis leaf of an identity."""

def identity_commitment(
    backend: int, public_key: bytes, vrf_public_key: bytes, vrf_output: bytes, identity_root_before: bytes, state_root: bytes
) -> bytes:
    """H[IDCOMMIT](addr, vrf_tag, vrf_pk, identity_root_before, state_root)."""

def reputation_of_identity(backend: int, commitment: bytes) -> bytes:
    """H[REP](commitment): the rep digest of the account that an identity opens."""

def transaction_digests(backend: int, statements: bytes) -> bytes:
    """m = H[TX](...) of n transaction statements, n x D."""

def heartbeat_leaf(backend: int, public_key: bytes, t: int, head: bytes, signature: bytes) -> bytes:
    """H[HBLEAF](addr, t, head D, H[HEARTBEAT](Lift(Blake2s-256(signature))))."""

def signature_digest(backend: int, signature: bytes) -> bytes:
    """H[HEARTBEAT](Lift(Blake2s-256(signature)))."""

def decision_vector(backend: int, block_hash: bytes, members: bytes, total_power: int, quorum_threshold: int) -> bytes:
    """The decision of a recursive statement from block_hash D and the members' 32-byte digest, which is lifted here."""

def aggregate(backend: int, params: Sequence[int], statement: bytes) -> bytes:
    """What a recursive statement adds up to and the next one opens: state_proof D, activity D, pruning_fold D,
    aggregated_commitment D."""

def genesis_aggregate(backend: int, roots: bytes) -> bytes:
    """The aggregate before the first block (height 0, no proofs) over the six roots (6 x D): the same four digests."""

def vk_set_root(backend: int, vk_ids: bytes) -> bytes:
    """ROOT over the seven lifted vk ids (7 x 32 bytes) and a zero digest."""

def merkle_paths(backend: int, leaves: bytes, depth: int, empty: bytes, indices: Sequence[int]) -> list[bytes]:
    """For each of the n leaves of `indices` (any order, at most 2^depth of them) its siblings in the binary tree of the D
    leaves padded with `empty` to 2^depth: n times depth x D, leaf to root. The tree is hashed once."""

def binary_root(backend: int, leaves: bytes, depth: int, empty: bytes) -> bytes:
    """The root that `merkle_paths` lead to (`merkle_root` may be 4-ary)."""

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
def groth16_r1cs(circuit: int, params: Sequence[int]) -> bytes:
    """The circuit over BN254 as iden3's `.r1cs`, which `snarkjs groth16 setup` makes keys for. Raises ZkError."""

def groth16_wtns(circuit: int, params: Sequence[int], witness: bytes) -> bytes:
    """The values of all R1CS variables as iden3's `.wtns`, which `snarkjs groth16 prove` takes. Raises ZkError for a
    witness that does not satisfy the circuit."""

def groth16_export(key: Key, public_inputs: bytes, envelope: bytes) -> tuple[str, str, str]:
    """snarkjs' `verification_key.json`, `public.json` and `proof.json` of a Groth16 envelope. Raises ZkError for a key of
    another proof system and for an envelope that the key refuses."""

def groth16_verify(verification_key: str, public: str, proof: str) -> bool:
    """Whether a proof in snarkjs' documents holds, whatever its circuit. Raises ZkError (InvalidDocument) with file and
    line for a document that is malformed: unknown or missing fields, numbers that are not canonical (x + r is not x),
    points off their curve or outside their group, too many or too few public inputs."""

def zkey_verification_key(data: bytes) -> str:
    """The `verification_key.json` of a Groth16 `.zkey` over BN254, as snarkjs exports it. Raises ZkError
    (InvalidKeyEncoding) when the file's parts do not agree with each other."""

def hash_parameters(backend: int) -> bytes:
    """Canonical parameters of the hash in a backend's field: width, rounds, digest of constants and matrices."""

def cpu_features() -> list[str]:
    """SIMD features the module was compiled for."""
