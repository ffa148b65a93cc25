"""What neighbours whose chains differ say to each other."""

from dataclasses import dataclass

from simnet.protocol.blocks import Header
from simnet.protocol.messages import DIGEST_BYTES, Vote

BLOCKS_MAX = 256
"""Blocks in which the difference is looked for."""
VOTES_MAX, HEADERS_MAX = 4096, 64
"""What one answer has."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The hashes of a chain's blocks from a height on, for a neighbour that is on another one."""

    first: int
    blocks: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 8 + DIGEST_BYTES * len(self.blocks)


@dataclass(frozen=True, slots=True)
class Testimony:
    """The prevotes and precommits for blocks of one height that a node has heard of, and headers of such blocks."""

    height: int
    headers: tuple[Header, ...]
    votes: tuple[Vote, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 8 + sum(h.size for h in self.headers) + sum(v.size for v in self.votes)
