"""The provers' own hashing in each field, as the protocol asks for it (`simnet.protocol.field.Field`)."""

from dataclasses import dataclass
from functools import cache, lru_cache

from simnet.base.catalogue import BackendId
from simnet.proofs import native

address = lru_cache(maxsize=1 << 18)(native.address)
"""H[KEY](Lift(public key)) in a backend's field."""
empty_leaf = lru_cache(maxsize=64)(native.empty_leaf)
otk_public = lru_cache(maxsize=1 << 16)(native.otk_public)
"""H[OTK](key): every node asks for those of every vote that proves a block."""


@dataclass(frozen=True, slots=True)
class NativeField:
    """The field of one backend."""

    backend: BackendId

    def address(self, key: bytes) -> bytes:
        return address(self.backend, key)

    def empty_leaf(self, tag: int) -> bytes:
        return empty_leaf(self.backend, tag)

    def tree(self, depth: int, empty: bytes) -> native.Tree:
        return native.Tree(self.backend, depth, empty)

    def lift(self, digest: bytes) -> bytes:
        return native.lift(self.backend, digest)

    def merkle_root(self, leaves: bytes, depth: int, empty: bytes) -> bytes:
        return native.merkle_root(self.backend, leaves, depth, empty)

    def header_digest(self, parent: bytes, height: int, state: bytes, transactions: bytes, timestamp: int, count: int) -> bytes:
        return native.header_digest(self.backend, parent, height, state, transactions, timestamp, count)

    def transaction_digests(self, statements: bytes) -> bytes:
        return native.transaction_digests(self.backend, statements)

    def identity_commitment(self, key: bytes, vrf_key: bytes, vrf_output: bytes, identities: bytes, accounts: bytes) -> bytes:
        return native.identity_commitment(self.backend, key, vrf_key, vrf_output, identities, accounts)

    def identity_leaf(self, address: bytes, commitment: bytes) -> bytes:
        return native.identity_leaf(self.backend, address, commitment)

    def opened_account_leaf(self, key: bytes, commitment: bytes, timestamp: int) -> bytes:
        return native.opened_account_leaf(self.backend, key, commitment, timestamp)

    def account_leaves(self, accounts: bytes) -> bytes:
        return native.account_leaves(self.backend, accounts)


@cache
def field_of(backend: BackendId) -> NativeField:
    """A backend's field."""
    return NativeField(backend)
