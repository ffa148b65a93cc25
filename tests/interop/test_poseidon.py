"""Poseidon over BN254 beside circomlibjs."""

import pytest

from simnet.base import rng
from simnet.base.catalogue import BackendId
from simnet.proofs import native
from tests.interop import tools

pytestmark = pytest.mark.xdist_group("snarkjs")

VECTORS = tools.ROOT / "zk" / "vectors" / "circomlibjs_poseidon.txt"
R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
HEADER, OTK, VOTE_MESSAGE, VOTE_0 = 18, 19, 21, 22
"""Tags of hash domains, as zk/src/tags.rs numbers them."""
GROTH16 = BackendId.GROTH16


def tagged(tag: int, *inputs: int) -> list[int]:
    """What Poseidon is called with for a hash of these inputs in a domain."""
    return [tag + (len(inputs) << 32), *inputs]


def digest(x: int) -> bytes:
    return x.to_bytes(32, "little")


def number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def elements(count: int) -> list[int]:
    """Field elements, the extremes among them."""
    random = rng.generator(1, "poseidon")
    return [0, 1, R - 1, *(number(random.bytes(32)) % R for _ in range(count - 3))]


def test_the_committed_vectors_are_circomlibjs() -> None:
    inputs = [list(range(1, n + 1)) for n in range(1, 17)]
    assert [int(line) for line in VECTORS.read_text().splitlines()] == tools.poseidon(inputs)


def test_hashes_of_chain_data_are_circomlibjs() -> None:
    xs = elements(12)
    ours, theirs = [], []
    for i, x in enumerate(xs):
        y, z, u = xs[i - 1], xs[i - 2], xs[i - 3]
        ours += [
            native.otk_public(GROTH16, digest(x)),
            native.vote_tag(GROTH16, 0, digest(x), digest(y)),
            native.vote_message(GROTH16, digest(x), 3, 2**64 - 1, 5, digest(y)),
            native.header_digest(GROTH16, digest(x), 2**64 - 1, digest(y), digest(z), 17, 65535),
        ]
        theirs += [
            tagged(OTK, x),
            tagged(VOTE_0, x, y),
            tagged(VOTE_MESSAGE, x, 3, 2**64 - 1, 5, y),
            tagged(HEADER, x, 2**64 - 1, y, z, 17, 65535),
        ]
        ours.append(native.merkle_root(GROTH16, b"".join(map(digest, (x, y, z, u))), 2, digest(0)))
        theirs.append([x, y, z, u])
    assert [number(d) for d in ours] == tools.poseidon(theirs)
