"""The chain's account and identity trees in one backend's field: an immutable snapshot per block.

Digests are field-specific, so every backend of a chain has trees of its own; their roots stand in the header. A
block writes its joins first, then its transfers in chunks, one chunk for each state proof.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from simnet.proofs import native
from simnet.proofs.backend import BackendId
from simnet.protocol.blocks import GENESIS_PARENT, FieldRoots, Header
from simnet.protocol.joins import Join
from simnet.protocol.ledger import SignedTransfer, Transition
from simnet.protocol.transfer import Account

DEPTH = 32
"""Of both trees: an address's slot is 32 bits of its hash."""
TRANSFERS_PER_STATE_PROOF = 16
ACCOUNT_TAG, TX_TAG, IDENTITY_TAG, HEARTBEAT_TAG = 6, 8, 13, 33
"""What `native.empty_leaf` is asked for, by tree."""

address = lru_cache(maxsize=1 << 18)(native.address)
"""H[KEY](Lift(public key)) in a backend's field."""
empty_leaf = lru_cache(maxsize=64)(native.empty_leaf)


@dataclass(frozen=True, slots=True)
class FieldState:
    """The trees after a block."""

    backend: BackendId
    accounts: native.Tree
    identities: native.Tree
    commitments: Mapping[bytes, bytes]
    """Identity commitment by public key."""
    head: bytes
    """H[HEADER] of the block."""

    def has_room(self, keys: Iterable[bytes]) -> bool:
        """Whether these keys may join one after the other: their slots in both trees are empty."""
        accounts, identities = self.accounts, self.identities
        for key in keys:
            a = address(self.backend, key)
            vacant = (empty_leaf(self.backend, ACCOUNT_TAG), empty_leaf(self.backend, IDENTITY_TAG))
            if (accounts.leaf(a), identities.leaf(a)) != vacant:
                return False
            # Any other leaf will do: the next key must not fall into this slot.
            identities = identities.update(a, vacant[0])
        return True


@dataclass(frozen=True, slots=True)
class Registered:
    """A join's effect in one field."""

    join: Join
    commitment: bytes
    identity_root_before: bytes
    identity_root_after: bytes


@dataclass(frozen=True, slots=True)
class FieldBlock:
    """A block's effect in one field."""

    before: FieldState
    after: FieldState
    roots: FieldRoots
    registered: tuple[Registered, ...]
    digests: tuple[bytes, ...]
    """The transfers' digests m."""
    chunks: tuple[native.Tree, ...]
    """Account trees after the joins and each chunk of transfers; the last one is the block's."""


def genesis_state(backend: BackendId, accounts: Mapping[bytes, Account]) -> tuple[FieldState, list[bytes]]:
    """The trees of the genesis accounts and no identity; and the keys whose account lost its slot to another one."""
    items = list(accounts.items())
    leaves = _leaves(backend, items)
    tree = native.Tree(backend, DEPTH, empty_leaf(backend, ACCOUNT_TAG))
    tree = tree.update(b"".join(address(backend, k) for k, _ in items), b"".join(leaves))
    lost = [k for (k, _), leaf in zip(items, leaves, strict=True) if tree.leaf(address(backend, k)) != leaf]
    identities = native.Tree(backend, DEPTH, empty_leaf(backend, IDENTITY_TAG))
    return FieldState(backend, tree, identities, {}, native.lift(backend, GENESIS_PARENT)), lost


def apply_block(
    before: FieldState,
    joins: Sequence[Join],
    transitions: Sequence[Transition],
    head: tuple[int, int],
    capacity: int,
    *,
    chunked: bool,
) -> FieldBlock:
    """A block's effect; `head` is its (height, timestamp), `capacity` the transfers of the block circuits.

    `chunked`: keep the trees between state proofs. Without, all transfers are one batch, which costs fewer hashes.
    """
    backend = before.backend
    height, timestamp = head
    identities, registered = _register(before, joins)
    tree = _open(before.accounts, backend, registered, timestamp)
    chunks = [tree]
    step = TRANSFERS_PER_STATE_PROOF if chunked else max(1, len(transitions))
    for first in range(0, len(transitions), step):
        changed: dict[bytes, Account] = {}
        for t in transitions[first : first + step]:
            changed |= {t.tx.transfer.sender: t.sender_after, t.tx.transfer.receiver: t.receiver_after}
        chunks.append(_write(backend, chunks[-1], changed))
    digests = transfer_digests(backend, (t.tx for t in transitions))
    depth = (capacity - 1).bit_length()
    tx_root = native.merkle_root(backend, b"".join(digests), depth, empty_leaf(backend, TX_TAG))
    roots = FieldRoots(backend, before.head, chunks[-1].root, identities.root, tx_root)
    commitments = {**before.commitments, **{r.join.key: r.commitment for r in registered}} if registered else before.commitments
    digest = native.header_digest(backend, roots.parent, height, roots.state, tx_root, timestamp, len(transitions))
    after = FieldState(backend, chunks[-1], identities, commitments, digest)
    return FieldBlock(before, after, roots, tuple(registered), digests, tuple(chunks))


def transfer_digests(backend: BackendId, txs: Iterable[SignedTransfer]) -> tuple[bytes, ...]:
    """m = H[TX](...) of each transfer."""
    packed = native.transaction_digests(backend, b"".join(tx.transfer.statement(tx.account) for tx in txs))
    return tuple(packed[i : i + 32] for i in range(0, len(packed), 32))


@lru_cache(maxsize=1024)
def header_digest(backend: BackendId, header: Header) -> bytes:
    """H[HEADER] of a header in one backend's field. A header without in-field roots is seen through Lift."""
    f = header.field(backend)
    parent, state, txs = (
        (native.lift(backend, header.parent), native.lift(backend, header.state_root), native.lift(backend, header.tx_root))
        if f is None
        else (f.parent, f.state, f.transactions)
    )
    return native.header_digest(backend, parent, header.height, state, txs, header.timestamp, header.tx_count)


def _register(before: FieldState, joins: Sequence[Join]) -> tuple[native.Tree, list[Registered]]:
    """Writes the genesis leaf of each joining identity, one after the other."""
    backend, tree, registered = before.backend, before.identities, []
    for join in joins:
        commitment = native.identity_commitment(backend, join.key, join.vrf_key, join.vrf_output, tree.root, before.accounts.root)
        a = address(backend, join.key)
        after = tree.update(a, native.identity_leaf(backend, a, commitment))
        registered.append(Registered(join, commitment, tree.root, after.root))
        tree = after
    return tree, registered


def _open(tree: native.Tree, backend: BackendId, registered: Iterable[Registered], timestamp: int) -> native.Tree:
    """Opens the accounts of joining identities."""
    for r in registered:
        leaf = native.opened_account_leaf(backend, r.join.key, r.commitment, timestamp)
        tree = tree.update(address(backend, r.join.key), leaf)
    return tree


def _write(backend: BackendId, tree: native.Tree, accounts: Mapping[bytes, Account]) -> native.Tree:
    """The tree with these accounts' leaves."""
    if not accounts:
        return tree
    items = list(accounts.items())
    return tree.update(b"".join(address(backend, k) for k, _ in items), b"".join(_leaves(backend, items)))


def _leaves(backend: BackendId, items: Sequence[tuple[bytes, Account]]) -> list[bytes]:
    packed = native.account_leaves(backend, b"".join(k + a.encode() for k, a in items))
    return [packed[i : i + 32] for i in range(0, len(packed), 32)]
