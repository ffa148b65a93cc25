"""The chain's account and identity trees in one backend's field: an immutable snapshot per block.

Digests are field-specific, so every backend of a chain has trees of its own; their roots stand in the header. A
block writes its joins first, then its transfers in chunks, one chunk for each state proof.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from simnet.base.catalogue import BackendId
from simnet.protocol.blocks import GENESIS_PARENT, FieldRoots, Header
from simnet.protocol.field import Field, Tree
from simnet.protocol.joins import Join
from simnet.protocol.ledger import SignedTransfer, Transition
from simnet.protocol.transfer import Account

DEPTH = 32
"""Of both trees: an address's slot is 32 bits of its hash."""
TRANSFERS_PER_STATE_PROOF = 16
ACCOUNT_TAG, TX_TAG, IDENTITY_TAG, HEARTBEAT_TAG = 6, 8, 13, 33
"""What `Field.empty_leaf` is asked for, by tree."""


@dataclass(frozen=True, slots=True)
class FieldState:
    """The trees after a block."""

    field: Field
    accounts: Tree
    identities: Tree
    commitments: Mapping[bytes, bytes]
    """Identity commitment by public key."""
    head: bytes
    """H[HEADER] of the block."""

    @property
    def backend(self) -> BackendId:
        """Whose field it is."""
        return self.field.backend

    def has_room(self, keys: Iterable[bytes]) -> bool:
        """Whether these keys may join one after the other: their slots in both trees are empty."""
        accounts, identities = self.accounts, self.identities
        for key in keys:
            a = self.field.address(key)
            vacant = (self.field.empty_leaf(ACCOUNT_TAG), self.field.empty_leaf(IDENTITY_TAG))
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
    chunks: tuple[Tree, ...]
    """Account trees after the joins and each chunk of transfers; the last one is the block's."""


def genesis_state(field: Field, accounts: Mapping[bytes, Account]) -> tuple[FieldState, list[bytes]]:
    """The trees of the genesis accounts and no identity; and the keys whose account lost its slot to another one."""
    items = list(accounts.items())
    leaves = _leaves(field, items)
    tree = field.tree(DEPTH, field.empty_leaf(ACCOUNT_TAG))
    tree = tree.update(b"".join(field.address(k) for k, _ in items), b"".join(leaves))
    lost = [k for (k, _), leaf in zip(items, leaves, strict=True) if tree.leaf(field.address(k)) != leaf]
    identities = field.tree(DEPTH, field.empty_leaf(IDENTITY_TAG))
    return FieldState(field, tree, identities, {}, field.lift(GENESIS_PARENT)), lost


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
    field = before.field
    height, timestamp = head
    identities, registered = _register(before, joins)
    tree = _open(before.accounts, field, registered, timestamp)
    chunks = [tree]
    step = TRANSFERS_PER_STATE_PROOF if chunked else max(1, len(transitions))
    for first in range(0, len(transitions), step):
        changed: dict[bytes, Account] = {}
        for t in transitions[first : first + step]:
            changed |= {t.tx.transfer.sender: t.sender_after, t.tx.transfer.receiver: t.receiver_after}
        chunks.append(_write(field, chunks[-1], changed))
    digests = transfer_digests(field, (t.tx for t in transitions))
    depth = (capacity - 1).bit_length()
    tx_root = field.merkle_root(b"".join(digests), depth, field.empty_leaf(TX_TAG))
    roots = FieldRoots(field.backend, before.head, chunks[-1].root, identities.root, tx_root)
    commitments = {**before.commitments, **{r.join.key: r.commitment for r in registered}} if registered else before.commitments
    digest = field.header_digest(roots.parent, height, roots.state, tx_root, timestamp, len(transitions))
    after = FieldState(field, chunks[-1], identities, commitments, digest)
    return FieldBlock(before, after, roots, tuple(registered), digests, tuple(chunks))


def transfer_digests(field: Field, txs: Iterable[SignedTransfer]) -> tuple[bytes, ...]:
    """m = H[TX](...) of each transfer."""
    packed = field.transaction_digests(b"".join(tx.transfer.statement(tx.account) for tx in txs))
    return tuple(packed[i : i + 32] for i in range(0, len(packed), 32))


@lru_cache(maxsize=1024)
def header_digest(field: Field, header: Header) -> bytes:
    """H[HEADER] of a header in one backend's field. A header without in-field roots is seen through Lift."""
    f = header.field(field.backend)
    parent, state, txs = (
        (field.lift(header.parent), field.lift(header.state_root), field.lift(header.tx_root))
        if f is None
        else (f.parent, f.state, f.transactions)
    )
    return field.header_digest(parent, header.height, state, txs, header.timestamp, header.tx_count)


def _register(before: FieldState, joins: Sequence[Join]) -> tuple[Tree, list[Registered]]:
    """Writes the genesis leaf of each joining identity, one after the other."""
    field, tree, registered = before.field, before.identities, []
    for join in joins:
        commitment = field.identity_commitment(join.key, join.vrf_key, join.vrf_output, tree.root, before.accounts.root)
        a = field.address(join.key)
        after = tree.update(a, field.identity_leaf(a, commitment))
        registered.append(Registered(join, commitment, tree.root, after.root))
        tree = after
    return tree, registered


def _open(tree: Tree, field: Field, registered: Iterable[Registered], timestamp: int) -> Tree:
    """Opens the accounts of joining identities."""
    for r in registered:
        leaf = field.opened_account_leaf(r.join.key, r.commitment, timestamp)
        tree = tree.update(field.address(r.join.key), leaf)
    return tree


def _write(field: Field, tree: Tree, accounts: Mapping[bytes, Account]) -> Tree:
    """The tree with these accounts' leaves."""
    if not accounts:
        return tree
    items = list(accounts.items())
    return tree.update(b"".join(field.address(k) for k, _ in items), b"".join(_leaves(field, items)))


def _leaves(field: Field, items: Sequence[tuple[bytes, Account]]) -> list[bytes]:
    packed = field.account_leaves(b"".join(k + a.encode() for k, a in items))
    return [packed[i : i + 32] for i in range(0, len(packed), 32)]
