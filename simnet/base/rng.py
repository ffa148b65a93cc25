"""Named random streams. There is no global randomness anywhere: a stream is (seed, name, indices).

The separation follows the scenario specification: changing one consumer never shifts another's draws.
"""

import hashlib

import numpy as np


def stream_seed(seed: int, name: str, *indices: int) -> int:
    """A 128-bit seed for the stream `name`/`indices` of a run's `seed` (Blake2s of their text)."""
    text = "/".join([str(seed), name, *map(str, indices)])
    return int.from_bytes(hashlib.blake2s(text.encode(), digest_size=16).digest(), "little")


def generator(seed: int, name: str, *indices: int) -> np.random.Generator:
    """A numpy generator for one named stream."""
    return np.random.Generator(np.random.PCG64(stream_seed(seed, name, *indices)))


def secret(seed: int, name: str, *indices: int) -> bytes:
    """32 deterministic bytes for a simulated key; never a real secret."""
    text = "/".join(["secret", str(seed), name, *map(str, indices)])
    return hashlib.blake2s(text.encode()).digest()


class Draws:
    """A run's random streams for those who may know no key: keys follow from the seed, which cannot be asked for here."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def generator(self, name: str, *indices: int) -> np.random.Generator:
        """A numpy generator for one named stream."""
        return generator(self._seed, name, *indices)


class Secrets:
    """What one node's keys follow from."""

    def __init__(self, seed: int, node: int) -> None:
        self._seed, self._node = seed, node

    def of(self, name: str, *indices: int) -> bytes:
        """32 deterministic bytes for a key of this node."""
        return secret(self._seed, name, self._node, *indices)
