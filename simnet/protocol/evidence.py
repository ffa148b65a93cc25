"""Evidence of a double sign: two messages that one validator signed where it may sign one.

Pure. A pair is evidence when author, height, slot and kind are the same, the blocks differ, and both signatures hold;
nothing else about it need be trusted. Of a proposal the header is enough: the signature covers its hash.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from simnet.protocol.blocks import Header
from simnet.protocol.messages import SIGNATURE_BYTES, Proposal, Vote, proposal_signing_bytes

SEEN_MAX = 256
"""Messages that are remembered of one validator, newest last, so that none can push out another's."""
EVIDENCE_MAX = 1024
"""Pieces of evidence that a node keeps."""


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """A proposal without the block's body."""

    slot: int
    header: Header
    valid_slot: int
    leader: int
    signature: bytes

    @staticmethod
    def of(proposal: Proposal) -> "SignedHeader":
        return SignedHeader(proposal.slot, proposal.block.header, proposal.valid_slot, proposal.leader, proposal.signature)

    def signing_bytes(self) -> bytes:
        """The same as the proposal's."""
        return proposal_signing_bytes(self.slot, self.valid_slot, self.leader, self.header.hash)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 18 + self.header.size + SIGNATURE_BYTES


Signed = Vote | SignedHeader
Offence = tuple[int, int, int]
"""(validator, height, slot): what is counted once."""


@dataclass(frozen=True, slots=True)
class DoubleSign:
    """Two signed messages, as they were found or heard of: see `why_invalid`."""

    first: Signed
    second: Signed

    @property
    def offence(self) -> Offence:
        return (author_of(self.first), height_of(self.first), self.first.slot)

    @property
    def what(self) -> str:
        """proposal, prevote, precommit or commit."""
        return kind_of(self.first)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.first.size + self.second.size

    def why_invalid(self, signed: Callable[[int, bytes, bytes], bool]) -> str | None:
        """Why this is no evidence, or None; `signed` checks (validator, message, signature)."""
        if place_of(self.first) != place_of(self.second):
            return "unrelated"
        if block_of(self.first) == block_of(self.second):
            return "same_block"
        both = all(signed(author_of(m), m.signing_bytes(), m.signature) for m in (self.first, self.second))
        return None if both else "SignatureInvalid"


def author_of(message: Signed) -> int:
    return message.validator if isinstance(message, Vote) else message.leader


def height_of(message: Signed) -> int:
    return message.height if isinstance(message, Vote) else message.header.height


def kind_of(message: Signed) -> str:
    return message.phase.label if isinstance(message, Vote) else "proposal"


def block_of(message: Signed) -> bytes | None:
    return message.block if isinstance(message, Vote) else message.header.hash


def place_of(message: Signed) -> tuple[int, int, int, str]:
    """Where an honest validator signs one block only."""
    return (author_of(message), height_of(message), message.slot, kind_of(message))


class EvidenceBook:
    """What one node remembers of signed messages, and the evidence it holds: one piece for each offender, height and slot."""

    def __init__(self) -> None:
        self.held: dict[Offence, DoubleSign] = {}
        self._seen: dict[int, OrderedDict[tuple[int, int, int, str], Signed]] = defaultdict(OrderedDict)

    @property
    def full(self) -> bool:
        """Whether no more evidence is kept."""
        return len(self.held) >= EVIDENCE_MAX

    def saw(self, message: Signed) -> DoubleSign | None:
        """Notes a verified message; evidence when it contradicts an earlier one and nothing is held about the offence yet."""
        seen, place = self._seen[author_of(message)], place_of(message)
        earlier = seen.get(place)
        if earlier is None:
            seen[place] = message
            if len(seen) > SEEN_MAX:
                seen.popitem(last=False)
            return None
        if block_of(earlier) == block_of(message):
            return None
        found = DoubleSign(earlier, message)
        return None if self.knows(found) else found

    def knows(self, evidence: DoubleSign) -> bool:
        return evidence.offence in self.held

    def keep(self, evidence: DoubleSign) -> None:
        """Keeps a piece that is new. Callers look at `full` first."""
        assert not self.full
        self.held[evidence.offence] = evidence
