"""Uptime, pruning and recursive proofs of statements put together here, from the bytes that the stub describes."""

import struct
from collections.abc import Callable

import pytest

from simnet import _zk
from simnet.base.catalogue import BackendId
from simnet.proofs import native

BACKENDS = list(BackendId)
D = 32
TX_TAG, IDENTITY_TAG, HEARTBEAT_TAG = 8, 13, 33
STATE, PRUNING, RECURSIVE, UPTIME = 3, 4, 5, 6
SEED = bytes(32)
MAX_BYTES = 1 << 20
KEY = bytes([5]) * 32
START = 1_700_000_000


def digest(which: BackendId, i: int) -> bytes:
    """A digest like any other."""
    return native.lift(which, i.to_bytes(32, "little"))


def accepts(key: _zk.Key, statement: bytes, witness: bytes) -> bytes:
    """The public inputs of a statement that is proved and verified."""
    public = key.public_inputs(statement)
    assert key.verify(public, key.prove(witness, SEED, 1), MAX_BYTES) == 0
    return public


def uptime_claim(which: BackendId) -> tuple[bytes, bytes, bytes]:
    """Two heartbeats in a log of four: statement, witness, identity root."""
    address, commitment = native.address(which, KEY), digest(which, 1)
    identities = native.Tree(which, 6, native.empty_leaf(which, IDENTITY_TAG))
    identities = identities.update(address, native.identity_leaf(which, address, commitment))
    beats = [(START + 10 * i, digest(which, 20 + i), bytes([i]) * 64) for i in range(2)]
    log = b"".join(native.heartbeat_leaf(which, KEY, t, head, signature) for t, head, signature in beats)
    empty = native.empty_leaf(which, HEARTBEAT_TAG)
    statement = KEY + struct.pack("<QQ", START + 100, 3) + beats[-1][1] + struct.pack("<QQ", START, START + 60)
    statement += identities.root + native.binary_root(which, log, 2, empty) + struct.pack("<HH", 2, 2)
    witness = statement + commitment + identities.path(address)
    paths = native.merkle_paths(which, log, 2, empty, range(len(beats)))
    for i, (t, head, signature) in enumerate(beats):
        witness += struct.pack("<Q", t) + head + native.signature_digest(which, signature)
        witness += struct.pack("<I", i) + paths[i]
    return statement, witness, identities.root


@pytest.mark.parametrize("which", BACKENDS)
def test_uptime_of_heartbeats_in_a_log(which: BackendId) -> None:
    """And not of one heartbeat more."""
    statement, witness, _ = uptime_claim(which)
    key = _zk.Key.generate(which, UPTIME, [2, 2, 6, 60, 0], SEED)
    public = accepts(key, statement, witness)
    assert public[:D] == native.address(which, KEY)
    too_many = statement[:-4] + struct.pack("<HH", 3, 2)
    with pytest.raises(_zk.ZkError, match="ConstraintViolation: U6"):
        key.prove(too_many + witness[len(statement) :], SEED, 1)


@pytest.mark.parametrize("which", BACKENDS)
def test_pruning_of_headers(which: BackendId) -> None:
    """Two blocks, of two transactions and of one, the first of which goes."""
    first_parent, empty = digest(which, 1), native.empty_leaf(which, TX_TAG)
    blocks = [([digest(which, 10), digest(which, 11)], [1, 0]), ([digest(which, 12)], [0])]
    statement = first_parent + struct.pack("<QHH", 7, 1, 1)
    header, roots = first_parent, b""
    for i, (transactions, removed) in enumerate(blocks):
        root, state_root = _zk.merkle_root(which, b"".join(transactions), 1, empty), digest(which, 30 + i)
        header = native.header_digest(which, header, 7 + i, state_root, root, START, len(transactions))
        statement += state_root + struct.pack("<QH", START, len(transactions))
        statement += b"".join(m + bytes([r]) for m, r in zip(transactions, removed, strict=True))
        roots += root
    public = accepts(_zk.Key.generate(which, PRUNING, [2, 2, 1], SEED), statement, statement)
    assert public[:D] == _zk.merkle_root(which, roots, 1, empty)
    count = 2 * 4 if which is not BackendId.GROTH16 else D
    assert public[2 * D : 2 * D + count] == (1).to_bytes(count, "little")
    assert public[3 * D + count : 4 * D + count] == header


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("params", [(1, 1, 1), (2, 1, 2)])
def test_the_sample_of_a_state_fits_into_a_small_tree(which: BackendId, params: tuple[int, ...]) -> None:
    """Trees of two and of four leaves, in which accounts would share slots if nothing kept them apart."""
    accepts(_zk.Key.generate(which, STATE, params, SEED), *_zk.sample(which, STATE, params))


def vectors(*lists: list[bytes]) -> bytes:
    """Counted lists of vectors."""
    return b"".join(struct.pack("<H", len(items)) + b"".join(items) for items in lists)


@pytest.mark.parametrize("which", BACKENDS)
def test_aggregates_build_on_each_other(which: BackendId) -> None:
    """A block with one uptime proof on the genesis aggregate, and what the next one would open."""
    claim, _, zsi = uptime_claim(which)
    uptime = _zk.Key.generate(which, UPTIME, [2, 2, 6, 60, 0], SEED).public_inputs(claim)
    roots = b"".join(zsi if i == 4 else digest(which, 40 + i) for i in range(6))
    state_statement = roots[:D] * 2 + struct.pack("<QHH", START, 0, 0)
    state = _zk.Key.generate(which, STATE, [1, 1, 2], SEED).public_inputs(state_statement)
    keys, params = b"".join(bytes([i]) * 32 for i in range(1, 8)), [2, 1, 1, 1]

    def block(previous_commitment: bytes, aggregate: bytes, height: int) -> bytes:
        state_proof, activity, fold = aggregate[:D], aggregate[D : 2 * D], aggregate[2 * D : 3 * D]
        opened = previous_commitment + state_proof + roots + fold + activity + struct.pack("<Q", height - 1)
        header = digest(which, 50) + struct.pack("<QQ", height, START)
        return keys + opened + roots + header + vectors([], [], [uptime], [], [state], [])

    genesis = native.genesis_aggregate(which, roots)
    first = block(bytes(D), genesis, 1)
    key = _zk.Key.generate(which, RECURSIVE, params, SEED)
    public = accepts(key, first, first)
    aggregate = native.aggregate(which, params, first)
    assert public[:D] == genesis[3 * D :]
    assert public[D : 2 * D] == aggregate[3 * D :]
    assert public[-D:] == native.vk_set_root(which, keys)
    second = key.public_inputs(block(public[:D], aggregate, 2))
    assert second[:D] == aggregate[3 * D :]


@pytest.mark.parametrize("which", BACKENDS)
def test_a_decision_is_block_members_power_and_quorum(which: BackendId) -> None:
    block, members, power, quorum = digest(which, 60), bytes(range(32)), (5 << 48) + 7, (1 << 64) - 1
    vector = native.decision_vector(which, block, members, power, quorum)
    assert vector[: 2 * D] == block + native.lift(which, members)
    if which is BackendId.GROTH16:
        assert vector[2 * D :] == power.to_bytes(D, "little") + quorum.to_bytes(D, "little")
    else:
        limbs = [n >> 16 * i & 0xFFFF for n in (power, quorum) for i in range(4)]
        assert vector[2 * D :] == struct.pack("<8I", *limbs)


def test_a_decision_is_of_a_field_and_32_bytes() -> None:
    with pytest.raises(_zk.ZkError, match="block_hash: not a canonical digest"):
        native.decision_vector(BackendId.STWO, b"\xff" * D, bytes(32), 3, 3)
    with pytest.raises(_zk.ZkError, match="members: 32 bytes wanted, 31 given"):
        native.decision_vector(BackendId.STWO, bytes(D), bytes(31), 3, 3)


@pytest.mark.parametrize("which", BACKENDS)
def test_the_key_set_is_a_tree_of_eight(which: BackendId) -> None:
    """Seven lifted ids and the zero digest."""
    ids = [bytes([i]) * 32 for i in range(7)]
    leaves = b"".join(native.lift(which, i) for i in ids) + bytes(D)
    assert native.vk_set_root(which, b"".join(ids)) == _zk.merkle_root(which, leaves, 3, bytes(D))


def test_malformed_blocks_are_refused() -> None:
    """Each with the native module's own error."""
    cases: list[Callable[[], bytes]] = [
        lambda: native.vk_set_root(1, bytes(6 * 32)),
        lambda: native.vk_set_root(1, bytes(7 * 32 + 1)),
        lambda: native.genesis_aggregate(1, bytes(5 * D)),
        lambda: native.genesis_aggregate(1, b"\xff" * (6 * D)),
        lambda: native.aggregate(1, [2, 1, 1, 1], b""),
        lambda: native.aggregate(1, [3, 1, 1, 1], b""),
        lambda: native.aggregate(4, [2, 1, 1, 1], b""),
        lambda: native.signature_digest(1, bytes(63)),
        lambda: native.heartbeat_leaf(1, bytes(31), 0, bytes(D), bytes(64)),
    ]
    for case in cases:
        with pytest.raises(_zk.ZkError, match=r"InvalidWitness|Unsupported"):
            case()
