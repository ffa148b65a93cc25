"""The native trees and account digests, against definitions written here over `binary_root` of two leaves."""

import struct
from collections.abc import Callable

import pytest

from simnet import _zk
from simnet.base.catalogue import BackendId
from simnet.proofs import native, samples
from tests.proofs.proven import backend

BACKENDS = list(BackendId)
D = 32
ACCOUNT_TAG, TX_TAG, IDENTITY_TAG = 6, 8, 13


def digest(which: BackendId, i: int) -> bytes:
    """A digest like any other."""
    return native.lift(which, i.to_bytes(32, "little"))


def compress(which: BackendId, left: bytes, right: bytes) -> bytes:
    """C(left, right)."""
    return native.binary_root(which, left + right, 1, left)


def root_of(which: BackendId, leaves: list[bytes]) -> bytes:
    """The binary root, by its definition."""
    if len(leaves) == 1:
        return leaves[0]
    half = len(leaves) // 2
    return compress(which, root_of(which, leaves[:half]), root_of(which, leaves[half:]))


def climb(which: BackendId, leaf: bytes, path: bytes, slot: int) -> bytes:
    """The root above a leaf."""
    for height in range(len(path) // D):
        sibling = path[height * D : height * D + D]
        leaf = compress(which, sibling, leaf) if slot >> height & 1 else compress(which, leaf, sibling)
    return leaf


@pytest.mark.parametrize("which", BACKENDS)
def test_a_full_trees_paths_lead_to_its_root(which: BackendId) -> None:
    """Five leaves in a tree of eight."""
    leaves, empty = [digest(which, i) for i in range(5)], native.empty_leaf(which, TX_TAG)
    packed = b"".join(leaves)
    root = root_of(which, leaves + [empty] * 3)
    assert native.binary_root(which, packed, 3, empty) == root
    paths = native.merkle_paths(which, packed, 3, empty, range(8))
    for i, (leaf, path) in enumerate(zip(leaves + [empty] * 3, paths, strict=True)):
        assert climb(which, leaf, path, i) == root
        assert native.merkle_paths(which, packed, 3, empty, [i]) == [path], "alone as with others"
    assert native.merkle_paths(which, packed, 3, empty, [6, 0, 6]) == [paths[6], paths[0], paths[6]]
    assert native.merkle_paths(which, packed, 3, empty, []) == []


@pytest.mark.parametrize("which", BACKENDS)
def test_a_sparse_tree_is_the_full_tree_of_its_leaves(which: BackendId) -> None:
    """An address's slot is where its leaf makes the new root; a small tree shows all places."""
    empty, depth = native.empty_leaf(which, IDENTITY_TAG), 3
    addresses = [digest(which, i) for i in range(5)]
    leaves = [digest(which, 100 + i) for i in range(5)]
    tree = native.Tree(which, depth, empty)
    assert tree.root == root_of(which, [empty] * 8)
    full = [empty] * 8
    for address, leaf in zip(addresses, leaves, strict=True):
        after = tree.update(address, leaf)
        (slot,) = (s for s in range(8) if after.root == root_of(which, [*full[:s], leaf, *full[s + 1 :]]))
        assert tree.leaf(address) == full[slot]
        assert climb(which, full[slot], tree.path(address), slot) == tree.root
        assert (after.leaf(address), after.path(address)) == (leaf, tree.path(address))
        full[slot], tree = leaf, after
    at_once = native.Tree(which, depth, empty).update(b"".join(addresses), b"".join(leaves))
    assert at_once.root == tree.root


@pytest.mark.parametrize("which", BACKENDS)
def test_leaves_and_digests_are_those_of_the_transaction_circuit(which: BackendId) -> None:
    """The circuit's public inputs hold the sender's leaf and the transfer's digest."""
    many = [samples.transaction(amount, nonce) for amount, nonce in ((25, 8), (7, 8))]
    vectors = [backend(which).public_inputs(s.circuit, s.statement) for s in many]
    records = b"".join(s.statement[:32] + s.statement[129:] for s in many)
    leaves = native.account_leaves(which, records)
    assert leaves == b"".join(v[-3 * D : -2 * D] for v in vectors)
    digests = native.transaction_digests(which, b"".join(s.statement for s in many))
    assert digests == b"".join(v[-D:] for v in vectors)
    assert len(set(vectors)) == 2


@pytest.mark.parametrize("which", BACKENDS)
def test_an_opened_account_is_an_account(which: BackendId) -> None:
    """It differs from the record of the same numbers in its reputation alone, which no 32 bytes lift to."""
    key, other = bytes(range(32)), bytes(range(1, 33))
    root = digest(which, 1)
    commitment = native.identity_commitment(which, key, other, other, root, root)
    opened = native.opened_account_leaf(which, key, commitment, 77)
    assert opened != native.account_leaves(which, key + struct.pack("<QQQBQ32s", 0, 0, 0, 1, 77, bytes(32)))
    variants = {
        opened,
        native.opened_account_leaf(which, other, commitment, 77),
        native.opened_account_leaf(which, key, root, 77),
        native.opened_account_leaf(which, key, commitment, 78),
        native.identity_leaf(which, native.address(which, key), commitment),
        native.reputation_of_identity(which, commitment),
        commitment,
        native.identity_commitment(which, key, other, key, root, root),
        native.identity_commitment(which, key, key, other, root, root),
    }
    assert len(variants) == 9


@pytest.mark.parametrize("which", BACKENDS)
def test_hostile_bytes_are_refused(which: BackendId) -> None:
    """Lengths first, then canonical encodings; always a ZkError."""
    empty, good = native.empty_leaf(which, ACCOUNT_TAG), digest(which, 1)
    tree, ones = native.Tree(which, 32, empty), b"\xff" * 32
    calls: list[Callable[[], object]] = [
        lambda: native.Tree(which, 0, empty),
        lambda: native.Tree(which, 33, empty),
        lambda: native.Tree(which, 32, ones),
        lambda: native.Tree(which, 32, b""),
        lambda: tree.leaf(good + b"\0"),
        lambda: tree.path(ones),
        lambda: tree.update(good, b""),
        lambda: tree.update(good[:31], good),
        lambda: tree.update(good, ones),
        lambda: native.empty_leaf(which, 7),
        lambda: native.account_leaves(which, bytes(98)),
        lambda: native.transaction_digests(which, bytes(193)),
        lambda: native.merkle_paths(which, good * 2, 1, empty, [0, 2]),
        lambda: native.merkle_paths(which, good * 3, 1, empty, [0]),
        lambda: native.merkle_paths(which, good * 2, 1, empty, [0, 1, 0]),
        lambda: native.binary_root(which, b"", 21, empty),
        lambda: native.opened_account_leaf(which, bytes(31), good, 0),
        lambda: native.identity_leaf(which, good, ones),
        lambda: native.identity_commitment(which, bytes(32), bytes(32), bytes(31), good, good),
    ]
    for call in calls:
        with pytest.raises(_zk.ZkError):
            call()
    assert tree.update(b"", b"").root == tree.root
