"""What the parts of a node have to say to each other, and what a part wants to be reminded of later. None of them knows who hears
it: that is the node's route table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.base.units import NodeId
from simnet.protocol.blocks import Block
from simnet.protocol.evidence import Misconduct
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.messages import BlockProof, ConsensusProof, Proposal, Vote


class Letter:
    """Something said or planned, as a value."""

    __slots__ = ()


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
class ProofUnverified(Letter):
    """The own verifier had no room for an own proof."""

    proof: BlockProof | ConsensusProof


@dataclass(frozen=True, slots=True)
class Misdeed(Letter):
    """What an opponent does when something of its own is ready. It is no part of the node, and has nobody to be routed to."""

    action: Callable[[], None]


Routes = Mapping[type[Letter], Sequence[Callable[[Any], None]]]
"""Kind of letter -> who hears it, in order."""


class Letterbox:
    """A node's only way from one of its parts to another: heard at once, or after a while, by whom the table names."""

    def __init__(self, after: Callable[[int, Callable[[], None]], None]) -> None:
        self._after = after
        self._routes: Routes = {}

    def open(self, routes: Routes) -> None:
        """All parts are there."""
        self._routes = routes

    def post(self, letter: Letter) -> None:
        """Says something to whoever hears it."""
        for hear in self._routes[type(letter)]:
            hear(letter)

    def post_after(self, delay: int, letter: Letter) -> None:
        """Says something after `delay` nanoseconds."""
        self._after(delay, lambda: self.post(letter))
