"""Large byte strings that are hashed once."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with their Blake2s-256. A proof passes thousands of hands; its digest is computed where it appears."""

    data: bytes
    digest: bytes

    @staticmethod
    def of(data: bytes) -> "Blob":
        """The blob of these bytes."""
        return Blob(data, hashlib.blake2s(data).digest())

    @property
    def name(self) -> str:
        """How events call it: the first 16 hex digits of the digest."""
        return self.digest.hex()[:16]

    def __len__(self) -> int:
        return len(self.data)
