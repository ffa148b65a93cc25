"""What the chain's own state needs of a proof system's field. `simnet.proofs.field` has it from the native provers."""

from typing import Protocol, Self

from simnet.base.catalogue import BackendId


class Tree(Protocol):
    """An immutable sparse Merkle tree; digests have 32 bytes."""

    @property
    def root(self) -> bytes: ...

    def leaf(self, address: bytes) -> bytes:
        """What stands at an address."""

    def path(self, address: bytes) -> bytes:
        """The siblings from the leaf to the root."""

    def update(self, addresses: bytes, leaves: bytes) -> Self:
        """The tree with these leaves (both end to end), written in this order."""


class Field(Protocol):
    """Hashing in one proof system's field: two such systems may share one."""

    @property
    def backend(self) -> BackendId: ...

    def address(self, key: bytes) -> bytes:
        """H[KEY](Lift(public key))."""

    def empty_leaf(self, tag: int) -> bytes:
        """The leaf of a place that nobody has written, in trees of this tag."""

    def tree(self, depth: int, empty: bytes) -> Tree:
        """A tree of empty leaves."""

    def lift(self, digest: bytes) -> bytes:
        """32 bytes from outside as a digest of the field."""

    def merkle_root(self, leaves: bytes, depth: int, empty: bytes) -> bytes:
        """Of leaves end to end, filled up with empty ones."""

    def header_digest(self, parent: bytes, height: int, state: bytes, transactions: bytes, timestamp: int, count: int) -> bytes:
        """H[HEADER]."""

    def transaction_digests(self, statements: bytes) -> bytes:
        """H[TX] of each statement, end to end."""

    def identity_commitment(self, key: bytes, vrf_key: bytes, vrf_output: bytes, identities: bytes, accounts: bytes) -> bytes:
        """The commitment of a joining identity; the last two are the roots before it."""

    def identity_leaf(self, address: bytes, commitment: bytes) -> bytes:
        """The leaf of an identity."""

    def opened_account_leaf(self, key: bytes, commitment: bytes, timestamp: int) -> bytes:
        """The leaf of an account that a join opens."""

    def account_leaves(self, accounts: bytes) -> bytes:
        """The leaves of accounts (key and encoding, end to end)."""
