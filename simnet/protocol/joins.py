"""Joins: how a node registers an identity.

A join is signed by the node's key and carries its VRF key with an output over the chain's epoch nonce. Both are
checked natively (I1 to I3 of the identity circuit) before a join enters a pool or a block.
"""

import hashlib
import struct
from dataclasses import dataclass

JOINS_MAX = 4
"""Joins in one block: the identity slots of the state and recursive circuits."""
_HEAD = struct.Struct("<H32s32s96s")


def epoch_nonce(chain_id: bytes) -> bytes:
    """What the VRF of a join is evaluated on, with the joining key."""
    return hashlib.blake2s(b"SIMNET-JOIN-NONCE-V1" + chain_id).digest()


@dataclass(frozen=True, slots=True)
class Join:
    """A node's request to register its identity."""

    validator: int
    """Index in the genesis list."""
    key: bytes
    """Ed25519 public key of the node."""
    vrf_key: bytes
    vrf: bytes
    """32-byte output, 64-byte proof over `vrf_input`."""
    signature: bytes

    def body(self) -> bytes:
        """Canonical bytes without the signature."""
        return _HEAD.pack(self.validator, self.key, self.vrf_key, self.vrf)

    def signing_bytes(self, chain_id: bytes) -> bytes:
        """What the node signs."""
        return b"SIMNET-JOIN-V1" + chain_id + self.body()

    def vrf_input(self, chain_id: bytes) -> bytes:
        """What the VRF is evaluated on: (epoch nonce, key)."""
        return b"SIMNET-JOIN-VRF-V1" + epoch_nonce(chain_id) + self.key

    @property
    def vrf_output(self) -> bytes:
        return self.vrf[:32]

    @property
    def digest(self) -> bytes:
        """Its leaf in a block's joins root."""
        return hashlib.blake2s(self.body() + self.signature).digest()


JOIN_BYTES = _HEAD.size + 64
"""A join on the wire."""
