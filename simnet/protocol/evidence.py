"""Evidence of misconduct: signed messages that convict their author before anybody who has the same chain.

A *double sign* is two messages that one validator signed where it may sign one. Pure: a pair is evidence when author, slot and
kind are the same, the blocks differ or the heights do (a slot serves one height), and both signatures hold; nothing else
about it need be trusted. Of a proposal the header is enough: the signature covers its hash.

A *broken lock* is amnesia: a validator precommitted a block, and in a later slot prevoted one that was new in that slot. A precommit locks,
a lock gives way to a later proof of lock only, and for a block that is new there can be none. So two votes and the header, which says
when its block was new, convict by themselves. Not what the leader proposed it with: a leader may tell each validator something else.

A *false proof* and an *invalid proposal* are one signed message each. Whether it convicts is for the chain and the verifier to say
(`simnet.node.court`): the author's signature covers what they judge.
"""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simnet.base.recent import Recent
from simnet.protocol.blocks import Header
from simnet.protocol.messages import SIGNATURE_BYTES, BlockProof, ConsensusProof, Phase, Proposal, Vote, proposal_signing_bytes

SEEN_MAX = 256
"""Messages that are remembered of one validator, newest last, so that none can push out another's."""
NOBODY = -1
"""Who signs the headers that a node takes from its own chain."""
EVIDENCE_MAX = 64
"""Pieces of evidence against one validator that a node keeps, so that none can hide behind its own."""


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
"""(validator, height, slot): what is counted once for each kind of evidence."""


@dataclass(frozen=True, slots=True)
class DoubleSign:
    """Two signed messages, as they were found or heard of: see `why_invalid`."""

    first: Signed
    second: Signed

    @property
    def offence(self) -> Offence:
        return (author_of(self.first), min(height_of(self.first), height_of(self.second)), self.first.slot)

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
        if value_of(self.first) == value_of(self.second):
            return "same_block"
        both = all(signed(author_of(m), m.signing_bytes(), m.signature) for m in (self.first, self.second))
        return None if both else "SignatureInvalid"


@dataclass(frozen=True, slots=True)
class BrokenLock:
    """A precommit for a block, and a prevote of a later slot for a block that was new in that slot."""

    precommit: Vote
    prevote: Vote
    header: Header
    """Of the prevote's block."""

    @property
    def offence(self) -> Offence:
        """One a height, however often it was done there."""
        return (self.prevote.validator, self.prevote.height, 0)

    @property
    def what(self) -> str:
        return "amnesia"

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.precommit.size + self.prevote.size + self.header.size

    def why_invalid(self, signed: Callable[[int, bytes, bytes], bool]) -> str | None:
        """Why this is no evidence, or None; `signed` checks (validator, message, signature)."""
        first, second = self.precommit, self.prevote
        if (first.validator, first.height, first.phase, second.phase) != (second.validator, second.height, Phase.PRECOMMIT, Phase.PREVOTE):
            return "unrelated"
        if first.block is None or not first.slot < second.slot or second.block != self.header.hash or not is_new(second, self.header):
            return "lock_kept"
        both = all(signed(v.validator, v.signing_bytes(), v.signature) for v in (first, second))
        return None if both else "SignatureInvalid"


@dataclass(frozen=True, slots=True)
class FalseProof:
    """A proof that its prover signed and that does not hold."""

    proof: BlockProof | ConsensusProof

    @property
    def height(self) -> int:
        return self.proof.height if isinstance(self.proof, BlockProof) else self.proof.certificate.height

    @property
    def block(self) -> bytes:
        return self.proof.block if isinstance(self.proof, BlockProof) else self.proof.certificate.block

    @property
    def offence(self) -> Offence:
        """One a block: what its prover sent about it beside that adds nothing."""
        return (self.proof.prover, self.height, 0)

    @property
    def what(self) -> str:
        return "false_proof"

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.proof.size

    def why_invalid(self, signed: Callable[[int, bytes, bytes], bool]) -> str | None:
        """Why the message convicts nobody, whatever the chain is."""
        return None if signed(self.proof.prover, self.proof.signing_bytes(), self.proof.signature) else "SignatureInvalid"


@dataclass(frozen=True, slots=True)
class InvalidProposal:
    """A block that its slot's leader signed and that nobody may accept. Without a proof of lock: the signature does not cover it."""

    proposal: Proposal

    @property
    def height(self) -> int:
        return self.proposal.block.header.height

    @property
    def block(self) -> bytes:
        return self.proposal.block.hash

    @property
    def offence(self) -> Offence:
        return (self.proposal.leader, self.height, self.proposal.slot)

    @property
    def what(self) -> str:
        return "invalid_proposal"

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.proposal.size

    def why_invalid(self, signed: Callable[[int, bytes, bytes], bool]) -> str | None:
        """Why the message convicts nobody, whatever the chain is. The signature covers the header, the header the body."""
        block = self.proposal.block
        if block.header.hash != block.hash or self.proposal.lock:
            return "another_block"
        why = block.why_malformed()
        if why is not None:
            return why
        valid = signed(self.proposal.leader, self.proposal.signing_bytes(), self.proposal.signature)
        return None if valid else "SignatureInvalid"


Claim = FalseProof | InvalidProposal
"""What the chain has to judge."""
Misconduct = DoubleSign | BrokenLock | Claim


def author_of(message: Signed) -> int:
    return message.validator if isinstance(message, Vote) else message.leader


def height_of(message: Signed) -> int:
    return message.height if isinstance(message, Vote) else message.header.height


def kind_of(message: Signed) -> str:
    return message.phase.label if isinstance(message, Vote) else "proposal"


def value_of(message: Signed) -> tuple[int, bytes | None]:
    """What is signed: height and block, or nothing."""
    return (height_of(message), message.block if isinstance(message, Vote) else message.header.hash)


def place_of(message: Signed) -> tuple[int, int, str]:
    """Where an honest validator signs one value only."""
    return (author_of(message), message.slot, kind_of(message))


def is_new(prevote: Vote, header: Header) -> bool:
    """Whether the block of this header, which the prevote is for, was new in its slot."""
    return (prevote.height, prevote.slot) == (header.height, header.slot)


@dataclass(slots=True)
class LockLog:
    """What shows one validator's locks, by height: the earliest precommit for a block, the latest prevote for a new one."""

    precommits: Recent[int, Vote] = field(default_factory=lambda: Recent(SEEN_MAX))
    prevotes: Recent[int, tuple[Vote, Header]] = field(default_factory=lambda: Recent(SEEN_MAX))

    def locked(self, vote: Vote) -> BrokenLock | None:
        """Notes a precommit for a block."""
        known = self.precommits.get(vote.height)
        if known is None or vote.slot < known.slot:
            self.precommits[vote.height] = vote
        return self._broken(vote.height)

    def took(self, vote: Vote, header: Header) -> BrokenLock | None:
        """Notes a prevote for a new block."""
        known = self.prevotes.get(vote.height)
        if known is None or vote.slot > known[0].slot:
            self.prevotes[vote.height] = (vote, header)
        return self._broken(vote.height)

    def _broken(self, height: int) -> BrokenLock | None:
        """If any precommit is before any such prevote, these two are."""
        first, last = self.precommits.get(height), self.prevotes.get(height)
        return BrokenLock(first, *last) if first is not None and last is not None and first.slot < last[0].slot else None


class EvidenceBook:
    """What one node remembers of signed messages, and the evidence it holds: one piece for each kind, offender, height and slot."""

    def __init__(self) -> None:
        self.held: dict[tuple[type[Misconduct], Offence], Misconduct] = {}
        self._against: Counter[int] = Counter()
        self._seen: dict[int, OrderedDict[tuple[int, int, str], Signed]] = defaultdict(OrderedDict)
        self._locks: dict[int, LockLog] = defaultdict(LockLog)
        self._headers: dict[bytes, Header] = {}
        """Of signed proposals, by their hash."""
        self._headers_of: dict[int, deque[bytes]] = defaultdict(deque)
        """Which of them each validator was the first to sign, so that none can push out another's."""

    def full(self, evidence: Misconduct) -> bool:
        """Whether no more evidence is kept against this offender."""
        return self._against[evidence.offence[0]] >= EVIDENCE_MAX

    def saw(self, message: Signed) -> list[Misconduct]:
        """Notes a verified message; evidence when it contradicts an earlier one, and nothing is held about the offence yet."""
        found: list[DoubleSign | BrokenLock | None] = [self._twice(message)]
        if isinstance(message, SignedHeader):
            self._keep_header(message.leader, message.header)
            found += self._made_new(message.header)
        elif message.block is not None and message.phase is Phase.PRECOMMIT:
            found.append(self._locks[message.validator].locked(message))
        elif message.block is not None and message.phase is Phase.PREVOTE:
            header = self._headers.get(message.block)
            if header is not None and is_new(message, header):
                found.append(self._locks[message.validator].took(message, header))
        return [evidence for evidence in found if evidence is not None and not self.knows(evidence)]

    def learnt(self, header: Header, *, keep: bool = False) -> list[Misconduct]:
        """A header that nobody need have signed says when the block of prevotes that are remembered was new. `keep`: also of such as come
        later; what others name must not push out anything."""
        if keep:
            self._keep_header(NOBODY, header)
        return [evidence for evidence in self._made_new(header) if evidence is not None and not self.knows(evidence)]

    def about(self, height: int) -> tuple[list[Vote], list[Header]]:
        """What is remembered of the votes for blocks of a height, but for those that follow a decision, and of its headers."""
        logs = self._locks.values()
        votes = [log.precommits[height] for log in logs if height in log.precommits]
        votes += [log.prevotes[height][0] for log in logs if height in log.prevotes]
        seen = (m for of in self._seen.values() for m in of.values() if isinstance(m, Vote) and m.height == height)
        votes += [m for m in seen if m.block is not None and m.phase is not Phase.COMMIT]
        headers = {h.hash: h for h in self._headers.values() if h.height == height}
        headers |= {h.hash: h for log in logs if height in log.prevotes for h in (log.prevotes[height][1],)}
        return votes, list(headers.values())

    def _keep_header(self, leader: int, header: Header) -> None:
        block, own = header.hash, self._headers_of[leader]
        if block not in self._headers:
            self._headers[block] = header
            own.append(block)
            if len(own) > SEEN_MAX:
                del self._headers[own.popleft()]

    def _made_new(self, header: Header) -> Iterator[BrokenLock | None]:
        block = header.hash
        for validator, seen in self._seen.items():
            vote = seen.get((validator, header.slot, Phase.PREVOTE.label))
            if isinstance(vote, Vote) and vote.block == block and is_new(vote, header):
                yield self._locks[validator].took(vote, header)

    def _twice(self, message: Signed) -> DoubleSign | None:
        seen, place = self._seen[author_of(message)], place_of(message)
        earlier = seen.get(place)
        if earlier is None:
            seen[place] = message
            if len(seen) > SEEN_MAX:
                seen.popitem(last=False)
            return None
        return None if value_of(earlier) == value_of(message) else DoubleSign(earlier, message)

    def knows(self, evidence: Misconduct) -> bool:
        return (type(evidence), evidence.offence) in self.held

    def keep(self, evidence: Misconduct) -> None:
        """Keeps a piece that is new. Callers look at `full` first."""
        assert not self.full(evidence)
        self.held[type(evidence), evidence.offence] = evidence
        self._against[evidence.offence[0]] += 1
