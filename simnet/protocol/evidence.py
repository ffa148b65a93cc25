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

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from simnet.protocol.blocks import Header
from simnet.protocol.messages import SIGNATURE_BYTES, BlockProof, ConsensusProof, Phase, Proposal, Vote, proposal_signing_bytes

SEEN_MAX = 4 * 68
"""Messages, heights and headers that are remembered of one validator, so that none can push out another's. Of messages one a place, and a slot
has four places: all that is passed on is of one of the last 68 slots (`node.held`), so a second value there is noticed."""
ROOM = 64
FAR = (1 << 63) - 1
"""The newest slot there can be."""
NOBODY = -1
"""Who signs the headers that a node takes from its own chain."""
EVIDENCE_MAX = 64
"""Pieces of evidence of one kind against one validator that a node keeps: none can hide behind another's, nor a fork behind false proofs."""


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
K = TypeVar("K")
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


def oldest(known: Collection[K], slot_of: Callable[[K], int], most: int, latest: int) -> list[K]:
    """What is too much of something that is remembered of one validator: first what is of slots that have not begun, then what is of the oldest.
    Looked for now and then only, so `ROOM` more may be there.

    So nobody can have forgotten what it signed by signing more. A second value in a place of one of the last slots is a double sign; so what is
    signed without consequences is one value a place, and what of it is for older slots is forgotten first. To push out what is of a slot that has
    begun takes words for as many later slots that have begun, and the time until they have."""
    if len(known) <= most + ROOM:
        return []
    return sorted(known, key=lambda k: (slot_of(k) <= latest, slot_of(k)))[: len(known) - most]


@dataclass(slots=True)
class HeightLog:
    """What shows a validator's lock on one height."""

    precommit: Vote | None = None
    """The earliest for a block."""
    prevote: tuple[Vote, Header] | None = None
    """The latest for a block that was new."""
    newest: int = -1
    """The latest slot of any of these: an earlier one that is signed later must not make the height look old."""

    def broken(self) -> BrokenLock | None:
        """If any precommit is before any such prevote, these two are."""
        if self.precommit is None or self.prevote is None or self.precommit.slot >= self.prevote[0].slot:
            return None
        return BrokenLock(self.precommit, *self.prevote)

    def votes(self) -> list[Vote]:
        return [v for v in (self.precommit, self.prevote and self.prevote[0]) if v is not None]


@dataclass(slots=True)
class LockLog:
    """What shows one validator's locks. A slot serves one height, so there are no more heights than slots."""

    most: int
    heights: dict[int, HeightLog] = field(default_factory=dict)
    unplaced: dict[int, Vote] = field(default_factory=dict)
    """Prevotes for blocks of which no header is here yet, by slot: it is not known when they were new."""

    def locked(self, vote: Vote, latest: int) -> BrokenLock | None:
        """Notes a precommit for a block."""
        log = self._of(vote, latest)
        if log.precommit is None or vote.slot < log.precommit.slot:
            log.precommit = vote
        return log.broken()

    def took(self, vote: Vote, header: Header, latest: int) -> BrokenLock | None:
        """Notes a prevote for a new block."""
        log = self._of(vote, latest)
        if log.prevote is None or vote.slot > log.prevote[0].slot:
            log.prevote = (vote, header)
        return log.broken()

    def waits(self, vote: Vote, latest: int) -> DoubleSign | None:
        """Notes a prevote for a block without a header."""
        earlier = self.unplaced.setdefault(vote.slot, vote)
        for slot in oldest(self.unplaced, int, self.most, latest):
            del self.unplaced[slot]
        return _contradiction(earlier, vote)

    def placed(self, header: Header, latest: int) -> BrokenLock | None:
        """A header says when its block was new."""
        vote = self.unplaced.get(header.slot)
        if vote is None or vote.block != header.hash or not is_new(vote, header):
            return None
        del self.unplaced[header.slot]
        return self.took(vote, header, latest)

    def about(self, height: int) -> list[Vote]:
        """What it has on a height, what convicts first."""
        log = self.heights.get(height, HeightLog())
        return [*log.votes(), *(v for _, v in sorted(self.unplaced.items(), reverse=True) if v.height == height)]

    def _of(self, vote: Vote, latest: int) -> HeightLog:
        log = self.heights.setdefault(vote.height, HeightLog())
        log.newest = max(log.newest, vote.slot)
        for height in oldest(self.heights, lambda h: self.heights[h].newest, self.most, latest):
            del self.heights[height]
        return log


class EvidenceBook:
    """What one node remembers of signed messages, and the evidence it holds: one piece for each kind, offender, height and slot."""

    def __init__(self, most: int = SEEN_MAX) -> None:
        """`most`: what is remembered of each validator, of messages, of heights and of headers."""
        self.held: dict[tuple[type[Misconduct], Offence], Misconduct] = {}
        self._most = most
        self._against: Counter[tuple[type[Misconduct], int]] = Counter()
        self._seen: dict[int, dict[tuple[int, str], Signed]] = defaultdict(dict)
        """By author, then by slot and kind."""
        self._locks: dict[int, LockLog] = defaultdict(lambda: LockLog(most))
        self._headers: dict[bytes, Header] = {}
        """Of signed proposals, by their hash."""
        self._headers_of: dict[int, dict[bytes, int]] = defaultdict(dict)
        """Which of them, and of which slot, each validator was the first to sign, so that none can push out another's."""

    def full(self, evidence: Misconduct) -> bool:
        """Whether no more evidence of this kind is kept against this offender."""
        return self._against[type(evidence), evidence.offence[0]] >= EVIDENCE_MAX

    def saw(self, message: Signed, latest: int = FAR) -> list[Misconduct]:
        """Notes a verified message; evidence when it contradicts an earlier one, and nothing is held about the offence yet. `latest`: the newest
        slot that has begun."""
        found: list[DoubleSign | BrokenLock | None] = [self._twice(message, latest)]
        if isinstance(message, SignedHeader):
            self._keep_header(message.leader, message.header, latest)
            found += self._made_new(message.header, latest)
        elif message.block is not None and message.phase is Phase.PRECOMMIT:
            found.append(self._locks[message.validator].locked(message, latest))
        elif message.block is not None and message.phase is Phase.PREVOTE:
            header, log = self._headers.get(message.block), self._locks[message.validator]
            if header is None:
                found.append(log.waits(message, latest))
            elif is_new(message, header):
                found.append(log.took(message, header, latest))
        return self._news(found)

    def learnt(self, header: Header, latest: int = FAR) -> list[Misconduct]:
        """A header that nobody need have signed says when the block of prevotes was new."""
        self._keep_header(NOBODY, header, latest)
        return self._news(self._made_new(header, latest))

    def judged(self, height: int, votes: Sequence[Vote], headers: Sequence[Header]) -> list[Misconduct]:
        """What verified votes of one height that somebody tells, and headers, amount to with what is remembered here. Nothing of them is kept:
        who tells chooses what it tells, and it must not push out what this node has seen for itself."""
        own, known = self.about(height)
        told = [v for v in votes if v.height == height]
        trial = EvidenceBook(sum(map(len, own.values())) + len(told) + len(known) + len(headers))
        for header in (*known, *headers):
            trial.learnt(header)
        seen = (self._seen[v.validator].get((v.slot, kind_of(v))) for v in told)
        found = [_contradiction(earlier, v) for earlier, v in zip(seen, told, strict=True) if earlier is not None]
        return self._news([*found, *(e for v in chain(*own.values(), told) for e in trial.saw(v))])

    def about(self, height: int) -> tuple[dict[int, list[Vote]], list[Header]]:
        """What is remembered of the votes for blocks of a height, but for those that follow a decision, and of its headers: of each validator
        what convicts first, then the newest; and first the headers that show most."""
        votes: dict[int, dict[Vote, None]] = {v: dict.fromkeys(log.about(height)) for v, log in sorted(self._locks.items())}
        for validator, seen in sorted(self._seen.items()):
            of = [m for _, m in sorted(seen.items(), reverse=True) if isinstance(m, Vote) and m.height == height]
            votes.setdefault(validator, {}).update(dict.fromkeys(m for m in of if m.block is not None and m.phase is not Phase.COMMIT))
        logs = (log.heights.get(height, HeightLog()) for log in self._locks.values())
        shown = Counter(log.prevote[1] for log in logs if log.prevote is not None)
        rest = sorted((h for h in self._headers.values() if h.height == height), key=lambda h: -h.slot)
        headers = {h.hash: h for h in (*(h for h, _ in shown.most_common()), *rest)}
        return {v: list(of) for v, of in votes.items() if of}, list(headers.values())

    def _keep_header(self, leader: int, header: Header, latest: int) -> None:
        block, own = header.hash, self._headers_of[leader]
        if block not in self._headers:
            self._headers[block] = header
            own[block] = header.slot
            for old in oldest(own, own.__getitem__, self._most, latest):
                del own[old], self._headers[old]

    def _made_new(self, header: Header, latest: int) -> Iterator[BrokenLock | None]:
        for log in self._locks.values():
            yield log.placed(header, latest)

    def _twice(self, message: Signed, latest: int) -> DoubleSign | None:
        seen = self._seen[author_of(message)]
        earlier = seen.setdefault((message.slot, kind_of(message)), message)
        for old in oldest(seen, lambda key: key[0], self._most, latest):
            del seen[old]
        return _contradiction(earlier, message)

    def _news(self, found: Iterable[Misconduct | None]) -> list[Misconduct]:
        """One piece for each offence that is not known."""
        return list({(type(e), e.offence): e for e in found if e is not None and not self.knows(e)}.values())

    def knows(self, evidence: Misconduct) -> bool:
        return (type(evidence), evidence.offence) in self.held

    def keep(self, evidence: Misconduct) -> None:
        """Keeps a piece that is new. Callers look at `full` first."""
        assert not self.full(evidence)
        self.held[type(evidence), evidence.offence] = evidence
        self._against[type(evidence), evidence.offence[0]] += 1


def _contradiction(earlier: Signed, message: Signed) -> DoubleSign | None:
    """Two messages of one place."""
    return None if value_of(earlier) == value_of(message) else DoubleSign(earlier, message)
