"""What the parts of a node have to say to each other, and what a part wants to be reminded of later. None of them knows who hears
it: that is the node's route table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.base.units import NodeId
from simnet.net.network import Message, Validation
from simnet.proofs.backend import Verification
from simnet.protocol.blocks import Block
from simnet.protocol.evidence import Misconduct
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.messages import BlockProof, ConsensusProof, Proposal, Vote


class Letter:
    """Something said or planned, as a value."""

    __slots__ = ()


class Origin:
    """Where something comes from that is looked into: who gets the answer follows from its type."""

    __slots__ = ()


class Examined:
    """Something that waits for the verifier's verdict: who goes on with it follows from its type."""

    __slots__ = ()

    def was_right(self, *, accepted: bool) -> bool:
        """Whether the neighbour that brought it told the truth, now that the verifier has accepted its proof or not."""
        return accepted


@dataclass(frozen=True, slots=True)
class Gossiped(Origin):
    """A gossip message; the network waits for the answer."""

    message: Message


@dataclass(frozen=True, slots=True)
class Handed(Origin):
    """A neighbour's point-to-point answer of a kind."""

    kind: str
    peer: NodeId


@dataclass(frozen=True, slots=True)
class BlocksWanted(Letter):
    """The own head is behind; `of`: who is known to have more."""

    of: NodeId | None


@dataclass(frozen=True, slots=True)
class TransfersWanted(Letter):
    """A proposal cannot be judged without these; `of`: who named them."""

    ids: frozenset[bytes]
    of: NodeId | None


@dataclass(frozen=True, slots=True)
class TransferVerified(Letter):
    """A transfer's proof was verified here."""

    tx_id: bytes


@dataclass(frozen=True, slots=True)
class Signed(Letter):
    """A proposal or vote whose signature was checked, for whatever height; some are told more than once."""

    item: Proposal | Vote


@dataclass(frozen=True, slots=True)
class VotedLate(Letter):
    """A vote about a block that is committed here."""

    vote: Vote


@dataclass(frozen=True, slots=True)
class BlockRefused(Letter):
    """A leader's proposal whose block nobody with its parent may accept."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class ProofRefused(Letter):
    """A signed proof that this node's verifier has refused."""

    proof: BlockProof | ConsensusProof


@dataclass(frozen=True, slots=True)
class Committed(Letter):
    """A block is final here; `votes`: all that are known for it."""

    block: Block
    caught_up: bool
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Proven(Letter):
    """A block's consensus proof was verified here."""

    height: int


@dataclass(frozen=True, slots=True)
class MisconductKept(Letter):
    """Evidence that holds, found here or heard of."""

    evidence: Misconduct


@dataclass(frozen=True, slots=True)
class BeatHeard(Letter):
    """A verified heartbeat came by gossip."""

    beat: Heartbeat


@dataclass(frozen=True, slots=True)
class ProofSigned(Letter):
    """An own proof of a block is to be published."""

    proof: BlockProof | ConsensusProof


@dataclass(frozen=True, slots=True)
class ProofUnverified(Letter, Origin):
    """An own proof waits for the own verifier."""

    proof: BlockProof | ConsensusProof


@dataclass(frozen=True, slots=True)
class Misdeed(Letter):
    """What an opponent does when something of its own is ready. It is no part of the node, and has nobody to be routed to."""

    action: Callable[[], None]


Routes = Mapping[type[Letter], Sequence[Callable[[Any], None]]]
"""Kind of letter -> who hears it, in order."""
Answers = Mapping[type[Origin], Callable[[Any, Validation, str], None]]
"""Kind of origin -> who takes its answers: verdict and reason."""
Verdicts = Mapping[type[Examined], Callable[[Any, Verification | None], None]]
"""Kind of what the verifier was given -> who goes on; without a verdict the verifier had no room."""


class Letterbox:
    """A node's only way from one of its parts to another: heard at once, or after a while, by whom the table names."""

    def __init__(self, after: Callable[[int, Callable[[], None]], None]) -> None:
        self._after = after
        self._routes: Routes = {}
        self._answers: Answers = {}
        self._verdicts: Verdicts = {}

    def open(self, routes: Routes, answers: Answers, verdicts: Verdicts) -> None:
        """All parts are there."""
        self._routes = routes
        self._answers = answers
        self._verdicts = verdicts

    def answer(self, origin: Origin, verdict: Validation, reason: str = "") -> None:
        """Says what has become of something, to where it came from."""
        self._answers[type(origin)](origin, verdict, reason)

    def judge(self, item: Examined, verdict: Verification | None) -> None:
        """The verifier has answered, or has no room."""
        self._verdicts[type(item)](item, verdict)

    def post(self, letter: Letter) -> None:
        """Says something to whoever hears it."""
        for hear in self._routes[type(letter)]:
            hear(letter)

    def post_after(self, delay: int, letter: Letter) -> None:
        """Says something after `delay` nanoseconds."""
        self._after(delay, lambda: self.post(letter))
