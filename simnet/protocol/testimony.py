"""What neighbours whose chains differ say to each other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from simnet.protocol.blocks import Header
from simnet.protocol.messages import DIGEST_BYTES, Vote

BLOCKS_MAX = 256
"""Blocks in which the difference is looked for."""
VOTES_MAX, HEADERS_MAX = 4096, 256
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


def shared(certified: Iterable[Vote], remembered: Mapping[int, Sequence[Vote]]) -> tuple[Vote, ...]:
    """The votes of an answer, from those that a block's certificates have and those that are remembered of each validator, what convicts first:
    in turn one of everybody. So nobody who has signed much, for whatever slots, takes the place of what others have signed."""
    of = {validator: dict.fromkeys(votes) for validator, votes in remembered.items()}
    for vote in certified:
        # A validator's first precommit for a block convicts it as well, and a certificate may have an earlier one than is remembered.
        of[vote.validator] = {vote: None} | of.get(vote.validator, {})
    rounds = zip_longest(*(votes for _, votes in sorted(of.items())))
    return tuple(v for one_of_each in rounds for v in one_of_each if v is not None)[:VOTES_MAX]
