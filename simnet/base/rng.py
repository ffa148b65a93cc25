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
