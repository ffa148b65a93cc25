"""Large byte strings that are hashed once."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with their Blake2s-256. A proof passes thousands of hands; its digest is computed where it appears, never taken from anybody."""

    data: bytes
    digest: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.blake2s(self.data).digest())

    @property
    def name(self) -> str:
        """How events call it: the first 16 hex digits of the digest."""
        return self.digest.hex()[:16]

    def __len__(self) -> int:
        return len(self.data)
