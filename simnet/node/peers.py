"""What a node thinks of its neighbours: a score that bad messages lower, a cut link when it is used up, and how much of the
verifier's time a neighbour's bad proofs may take.

Amounts and labels are upstream's (operations specification, section 9.4); the score's ceiling, where it also begins, is the
scenario's. Only what no honest node passes on costs points: an honest node forwards nothing that it has not checked itself. Not
taken over: points for vote time-outs and for deep queues, which here say more about links than about neighbours.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from simnet.base.recent import Recent
from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events import PeerBanned, PeerScored
from simnet.net.network import Message, Validation
from simnet.node.facts import Facts
from simnet.node.letters import Letter, Letterbox
from simnet.node.ports import Ports
from simnet.protocol.evidence import FalseProof
from simnet.protocol.messages import BlockProof, ConsensusProof, Proposal, TxMessage, Vote

BAN_BELOW = 100
"""Thousandths of a point, as all scores here."""
PROOFS = frozenset({"transaction", "consensus_proof", "block_proof"})
"""Kinds of messages that a verifier looks into."""
SLASH = 2500
"""For a false signature: the reason of the table's row `slash` at a severity below 1."""
REWARD = 200
REWARD_PERCENT = {
    "proposal": 200, "vote": 200, "endorsement": 200, "transaction": 100, "consensus_proof": 120, "block_proof": 120, "registration": 110, "evidence": 75,
}  # fmt: skip
"""Of the reward for a message that was accepted; other kinds are meta data."""
META_PERCENT = 50
UPTIME = 300
"""For a slot."""
COSTS: dict[str, tuple[str, int]] = {
    "transaction": ("invalid_proof", 1000),
    "consensus_proof": ("invalid_proof", 1000),
    "block_proof": ("invalid_proof", 1000),
    "vote": ("invalid_vote", SLASH),
    "roll_call": ("invalid_vote", SLASH),
    "tag_set": ("invalid_vote", SLASH),
    "key_disclosure": ("invalid_vote", SLASH),
    "endorsement": ("invalid_vote", SLASH),
    "votes": ("invalid_vote", SLASH),
    "proposal": ("invalid_block", SLASH),
    "block_response": ("invalid_block", SLASH),
    "evidence": ("invalid_evidence", SLASH),
    "fork_response": ("invalid_evidence", SLASH),
    "registration": ("invalid_vrf_submission", 1000),
    "join": ("invalid_vrf_submission", 1000),
    "heartbeat": ("invalid_timetoke_delta", 1000),
}
"""Cause and points of a refused message, by its kind."""
OF_THE_MOMENT = frozenset({"another_block", "foreign_leader", "registrations", "slot", "unexpected_proof"})
"""Reasons that rest on how far this node's chain or clock is: an honest neighbour may have seen it otherwise."""
PIPELINE = ("proof_pipeline_error", 500)
MALFORMED = frozenset({"UnknownBackend", "UnknownProofKind"})
DUPLICATE = ("duplicate_proof", 200)
SENT_MAX = 4096
"""Messages that are remembered of one neighbour."""
PARTS_PER_MILLION = 1_000_000


@dataclass(slots=True)
class Peer:
    """One neighbour."""

    score: int
    spent: int = 0
    """Nanoseconds of verifying refused proofs that count, and of proofs that are being verified."""
    since: int = 0
    """When `spent` was last brought up to date."""
    banned: bool = False
    sent: Recent[Hashable, int] = field(default_factory=lambda: Recent(SENT_MAX))
    """Proofs, votes and proposals that it has sent, in which message: an honest neighbour passes on one with each content."""

    def again(self, content: Hashable, message: int) -> bool:
        """Whether it has sent this before in another message; notes it. Copies of one message may be many: gossip repairs what it takes for lost."""
        if content in self.sent:
            return self.sent[content] != message
        self.sent[content] = message
        return False


def content_of(payload: object) -> Hashable | None:
    """What tells a message that is sent once from another; `None` for kinds that honest nodes repeat.

    Of a proof all that it is a proof of, but not who says so: one proof may serve two subjects, as two empty blocks of one second.
    """
    match payload:
        case TxMessage():
            return payload.tx.id, payload.envelope.digest
        case ConsensusProof():
            return payload.certificate.block, payload.envelope.digest
        case BlockProof():
            return payload.block, payload.circuit, payload.index, payload.envelope.digest
        case Vote() | Proposal():
            return payload  # Its hash is its signature's.
    return None


def is_costly(message: Message) -> bool:
    """Whether the verifier has to look into a message."""
    return message.kind in PROOFS or isinstance(message.payload, FalseProof)


@dataclass(frozen=True, slots=True)
class BanDue(Letter):
    """A neighbour has lost too many points."""

    peer: NodeId


@dataclass(frozen=True, slots=True)
class BanOver(Letter):
    """A banned neighbour gets another chance."""

    peer: NodeId


class Peers:
    """One node's view of its neighbours."""

    def __init__(self, facts: Facts, ports: Ports, letters: Letterbox) -> None:
        gossip, provers = facts.scenario.gossip, facts.scenario.provers
        self._ports = ports
        self._letters = letters
        self._node = ports.node
        self._most = round(gossip.peer_score_max * 1000)
        self._ban = from_ms(gossip.peer_ban_ms)
        self._burst = from_ms(provers.refused_burst_ms)
        self._share = round(provers.refused_share_max * PARTS_PER_MILLION)
        self._peers: dict[NodeId, Peer] = {}

    # --- scores --------------------------------------------------------------------------------------

    def judged(self, message: Message, peer: NodeId, verdict: Validation, reason: str) -> None:
        """This node has answered a gossip message that came from a neighbour."""
        if verdict is Validation.DROP:
            return  # Another copy is welcome.
        kind, content, known = message.kind, content_of(message.payload), self._of(peer)
        again = content is not None and known.again(content, message.id)
        if verdict is Validation.ACCEPT:
            self._reward(known, REWARD * REWARD_PERCENT.get(kind, META_PERCENT) // 100)
        elif verdict is Validation.REJECT:
            self.refused(kind, peer, reason)
        elif again and verdict is Validation.IGNORE:
            self.blame(peer, *DUPLICATE)

    def refused(self, kind: str, peer: NodeId, reason: str) -> None:
        """What a neighbour sent, by gossip or as an answer, is false."""
        if reason not in OF_THE_MOMENT:
            self.blame(peer, *(PIPELINE if reason in MALFORMED else COSTS.get(kind, PIPELINE)))

    def on_slot(self) -> None:
        """A slot begins: neighbours that are still there gain a little."""
        for peer in self._ports.connected():
            self._reward(self._of(peer), UPTIME)

    def connected(self, peer: NodeId) -> None:
        """A link came up: neighbours offer again what one of the two may have forgotten."""
        self._of(peer).sent.clear()

    def blame(self, peer: NodeId, cause: str, points: int) -> None:
        """Takes points (thousandths) from a neighbour, and cuts its link when too little is left."""
        if peer == self._node:
            return
        known, now = self._of(peer), self._ports.now
        if known.banned:
            return
        known.score = max(0, known.score - points)
        self._ports.emit(PeerScored(now, self._node, peer, cause, points, known.score))
        if known.score < BAN_BELOW:
            known.banned = True
            self._ports.emit(PeerBanned(now, self._node, peer, cause, SimTime(now + self._ban)))
            # Not in the middle of what the network is doing with the message.
            self._letters.post_after(0, BanDue(peer))

    def score(self, peer: NodeId) -> int:
        """Thousandths."""
        return self._of(peer).score

    def _reward(self, known: Peer, points: int) -> None:
        known.score = min(self._most, known.score + points)

    def on_ban_due(self, letter: BanDue) -> None:
        """Cuts the link."""
        self._ports.cut(letter.peer)
        self._letters.post_after(self._ban, BanOver(letter.peer))

    def on_ban_over(self, letter: BanOver) -> None:
        """Forgets what the neighbour did, and joins the link again."""
        self._peers[letter.peer] = Peer(self._most)
        self._ports.join(letter.peer)

    # --- the verifier's time -------------------------------------------------------------------------

    def has_time_for(self, peer: NodeId) -> bool:
        """Whether a neighbour's proofs are still read; False is recorded as a limit."""
        if peer == self._node or self._up_to_date(peer).spent < self._burst:
            return True
        self._ports.limit_reached("peer_throttled")
        return False

    def begins(self, peer: NodeId, cost: SimTime) -> None:
        """The verifier takes a neighbour's proof: it counts as refused until it is known to be good."""
        self._up_to_date(peer).spent += cost

    def ends(self, peer: NodeId, cost: SimTime, *, right: bool) -> None:
        """The verifier has answered; `right`: the neighbour's proof holds, or one that it said to be false does not."""
        if right:
            known = self._up_to_date(peer)
            known.spent = max(0, known.spent - cost)

    def _up_to_date(self, peer: NodeId) -> Peer:
        known, now = self._of(peer), self._ports.now
        if known.spent:
            known.spent = max(0, known.spent - (now - known.since) * self._share // PARTS_PER_MILLION)
        known.since = now
        return known

    def _of(self, peer: NodeId) -> Peer:
        known = self._peers.get(peer)
        if known is None:
            known = self._peers[peer] = Peer(self._most)
        return known
