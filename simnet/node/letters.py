"""What the parts of a node have to say to each other. None of them knows who hears it: that is the node's route table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.base.units import NodeId
from simnet.protocol.blocks import Block
from simnet.protocol.evidence import Misconduct
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.messages import BlockProof, ConsensusProof, Proposal, Vote


@dataclass(frozen=True, slots=True)
class BlocksWanted:
    """The own head is behind; `of`: who is known to have more."""

    of: NodeId | None


@dataclass(frozen=True, slots=True)
class TransfersWanted:
    """A proposal cannot be judged without these; `of`: who named them."""

    ids: frozenset[bytes]
    of: NodeId | None


@dataclass(frozen=True, slots=True)
class TransferVerified:
    """A transfer's proof was verified here."""

    tx_id: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A proposal or vote whose signature was checked, for whatever height; some are told more than once."""

    item: Proposal | Vote


@dataclass(frozen=True, slots=True)
class VotedLate:
    """A vote about a block that is committed here."""

    vote: Vote


@dataclass(frozen=True, slots=True)
class BlockRefused:
    """A leader's proposal whose block nobody with its parent may accept."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class ProofRefused:
    """A signed proof that this node's verifier has refused."""

    proof: BlockProof | ConsensusProof


@dataclass(frozen=True, slots=True)
class Committed:
    """A block is final here; `votes`: all that are known for it."""

    block: Block
    caught_up: bool
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """A block's consensus proof was verified here."""

    height: int


@dataclass(frozen=True, slots=True)
class MisconductKept:
    """Evidence that holds, found here or heard of."""

    evidence: Misconduct


@dataclass(frozen=True, slots=True)
class BeatHeard:
    """A verified heartbeat came by gossip."""

    beat: Heartbeat


Letter = (
    BlocksWanted
    | TransfersWanted
    | TransferVerified
    | Signed
    | VotedLate
    | BlockRefused
    | ProofRefused
    | Committed
    | Proven
    | MisconductKept
    | BeatHeard
)
Routes = Mapping[type[Letter], Sequence[Callable[[Any], None]]]
"""Kind of letter -> who hears it, in order."""


class Letterbox:
    """A node's only way from one of its parts to another: heard at once, by whom the table names."""

    def __init__(self) -> None:
        self._routes: Routes = {}

    def open(self, routes: Routes) -> None:
        """All parts are there."""
        self._routes = routes

    def post(self, letter: Letter) -> None:
        """Says something to whoever hears it."""
        for hear in self._routes[type(letter)]:
            hear(letter)
