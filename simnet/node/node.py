"""A node: composes wallet, mempool, validator, finality and synchronisation around one network endpoint."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simnet.base.units import NodeId
from simnet.events import ClockSkewed
from simnet.net.network import Message, Validation
from simnet.node import aggregation, finality, transactions
from simnet.node.aggregation import Aggregation
from simnet.node.block_prover import BlockProofReady, BlockProver, PartDue, TurnDue
from simnet.node.byzantine import Spammer
from simnet.node.chain import Chain
from simnet.node.clock import SlotClock, Tick
from simnet.node.conduct import Conduct
from simnet.node.court import Accused, Court
from simnet.node.enforcement import Enforcement
from simnet.node.facts import Facts
from simnet.node.finality import ConsensusProofReady, Finality, GraceOver
from simnet.node.forks import Forks
from simnet.node.keyring import Keyring
from simnet.node.letters import (
    Answers,
    BeatHeard,
    BlockRefused,
    BlocksWanted,
    Committed,
    Gossiped,
    Handed,
    Letter,
    Letterbox,
    MisconductKept,
    Misdeed,
    Origin,
    ProofRefused,
    ProofSigned,
    ProofUnverified,
    Proven,
    Routes,
    Signed,
    TransfersWanted,
    TransferVerified,
    Verdicts,
    VotedLate,
)
from simnet.node.opponents.act import Reach
from simnet.node.opponents.opponent import Opponent
from simnet.node.opponents.plan import Plans
from simnet.node.own_proofs import OwnProofs
from simnet.node.peers import BanDue, BanOver, Peers, is_costly
from simnet.node.ports import Ports
from simnet.node.presence import BeatDue, Presence
from simnet.node.processor import BUSY_RETRY, JobDue, Processor, Proving, VerificationEnded
from simnet.node.services import BacklogDue, Services
from simnet.node.status import fits
from simnet.node.sync import Fetched, Sync
from simnet.node.transactions import Transactions
from simnet.node.voting import Voter
from simnet.node.wallet import TransferDue, TransferOutdated, TransferReady, Wallet
from simnet.node.watch import Watch
from simnet.protocol.messages import TxMessage
from simnet.protocol.shapes import fits_gossip
from simnet.scenario.nodefaults import ClockSkew, Equivocation, ServiceStop, Withholding
from simnet.scenario.nodefaults import Conduct as NodeFaults

ANSWERS_WITH_PROOFS = frozenset({"block_response", "proof_response", "tx_response"})


@dataclass(frozen=True, slots=True)
class TransferUnverified(Letter, Origin):
    """An own transfer waits for the own verifier."""

    message: TxMessage


class Node:
    """One node: an application of the network."""

    def __init__(self, facts: Facts, ports: Ports, proving: Proving, keyring: Keyring, plans: Plans) -> None:
        """`plans`: what byzantine nodes have agreed on, for its opponent alone."""
        self.id = node = NodeId(keyring.node)
        self.keyring = keyring
        """Its secrets, which no other node can reach."""
        self._facts, self._ports = facts, ports
        self.chain = Chain(facts)
        self.clock = ports.clock
        self.letters = letters = Letterbox(ports.after)
        self.peers = Peers(facts, ports, letters)
        factor = facts.scenario.provers.cpu_factor_of(facts.scenario.region_of_node[node])
        self.processor = processor = Processor(facts, ports, proving, factor, self.peers, letters)
        self.transactions = Transactions(facts, ports, processor, lambda: self.chain.ledger, letters)
        self.presence = Presence(facts, ports, keyring, self.chain, letters)
        self.conduct = Conduct(facts, ports)
        self.voter = Voter(facts, ports, keyring, self.chain, self.transactions, self.presence, self.conduct, letters)
        self.slots = self._slot_clock() if any(isinstance(f, ClockSkew) and node in f.nodes for f in facts.scenario.faults.nodes) else None
        """Only of a node whose clock goes wrong at some time; the shared one drives all others."""
        self.finality = Finality(facts, ports, keyring, self.chain, processor, self.conduct, letters)
        self.aggregation = Aggregation(facts, ports, self.chain, processor, letters)
        court = Court(facts, ports, self.chain, self.transactions, processor, self.finality, self.aggregation)
        self.watch = Watch(facts, ports, court, letters)
        self.forks = Forks(facts, ports, self.chain, self.watch, self.conduct, self.peers)
        self.block_prover = BlockProver(facts, ports, keyring, self.chain, processor, self.aggregation, self.conduct, letters)
        self.own_proofs = OwnProofs(facts, ports, self.finality, self.aggregation, letters)
        self.sync = Sync(facts, ports, self.chain, self.voter, self.transactions, self.finality, self.aggregation, self.conduct, self.peers)
        self.wallet = Wallet(
            facts, ports, keyring, processor, lambda: self.chain.ledger, self.transactions.pool.is_busy, self._publish_transfer, letters
        )
        self.services = Services(ports, processor, self.wallet.gate, letters)
        reach = Reach(facts, ports, plans, keyring, self.chain, self.transactions, self.aggregation, self.voter, self.wallet, self.conduct)
        self.opponent = Opponent(reach)
        byzantine = facts.scenario.faults.byzantine
        spams = byzantine is not None and node in byzantine.publishers
        self.spammer = Spammer(facts, node, self.wallet, self._publish_spam) if spams else None
        self.enforcement = Enforcement(facts, ports, self.chain) if facts.scenario.slashing else None
        letters.open(self._routes(), self._answers(), self._verdicts())
        self._handlers = self._gossip_routes()

    def _gossip_routes(self) -> dict[str, Callable[[Message, NodeId], None]]:
        """Which part looks into gossip messages of a kind."""
        return {
            "transaction": self.transactions.on_gossip,
            "vote": self.voter.on_vote,
            "roll_call": self.voter.on_roll_call,
            "endorsement": self.finality.on_endorsement,
            "proposal": self.voter.on_proposal,
            "tag_set": self.finality.on_certificate,
            "key_disclosure": self.finality.on_disclosure,
            "consensus_proof": self.finality.on_proof,
            "registration": self.voter.on_registration,
            "join": self.presence.on_join,
            "heartbeat": self.presence.on_heartbeat,
            "block_proof": self.aggregation.on_gossip,
            "evidence": self.watch.on_gossip,
        }

    # --- the network's side ----------------------------------------------------------------------

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        """First reception of a gossip message."""
        self.opponent.saw(message)
        handler = self._handlers.get(message.kind)
        if not _fits(message):
            self._ports.answer(message, Validation.REJECT, "malformed")
        elif is_costly(message) and not self.peers.has_time_for(peer):
            self._ports.answer(message, Validation.DROP, "peer_throttled")
        elif handler is not None:
            handler(message, peer)
        else:
            self._ports.answer(message, Validation.IGNORE, "unknown_kind")

    def on_verdict(self, message: Message, peer: NodeId, verdict: Validation, reason: str) -> None:
        """This node's own answer."""
        self.peers.judged(message, peer, verdict, reason)

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        """A point-to-point message."""
        if self.opponent.answers(kind, payload, peer):
            return
        if not fits(kind, payload):
            self.peers.refused(kind, peer, "malformed")
            return
        if kind not in ANSWERS_WITH_PROOFS or self.peers.has_time_for(peer):
            self.forks.on_direct(kind, payload, peer)
            self.sync.on_direct(kind, payload, peer)

    def on_connected(self, peer: NodeId) -> None:
        """A link came up: tell the neighbour how far this node is."""
        self.peers.connected(peer)
        self.sync.on_connected(peer)
        self.watch.on_connected()

    def on_disconnected(self, peer: NodeId) -> None:
        """A link went down: what was asked of the neighbour runs out by itself."""

    # --- own business ------------------------------------------------------------------------------

    def on_slot(self, slot: int) -> None:
        """A slot begins by this node's clock."""
        if self.clock.error:
            self._ports.emit(ClockSkewed(self._ports.now, self.id, self.clock.error))
        self.peers.on_slot()
        self.sync.on_slot()
        if self.enforcement is not None:
            self.enforcement.on_slot(slot)
        self.opponent.on_slot(slot)
        self.presence.on_slot(slot)
        self.finality.on_slot(slot)
        self.voter.on_slot(slot)

    def on_late_slot(self, slot: int) -> None:
        """A slot after the traffic: no more blocks, but what is committed goes on being proven."""
        self.finality.on_slot(slot)

    def under(self, fault: NodeFaults, begins: bool) -> None:
        """A fault of the node itself begins or ends."""
        match fault:
            case Equivocation() | Withholding():
                self.conduct.under(fault, begins)
            case ServiceStop():
                self.services.under(fault, begins)
            case ClockSkew():
                if not begins:
                    self._ports.emit(ClockSkewed(self._ports.now, self.id, self.clock.error))
                self.clock.under(fault, begins)
                self._renew(self.transactions.put_back())
                if self.slots is not None:
                    self.slots.clock_changed()
                self._ports.emit(ClockSkewed(self._ports.now, self.id, self.clock.error))
            case _:
                self.opponent.under(fault, begins)

    def _slot_clock(self) -> SlotClock:
        scenario = self._facts.scenario
        slots = -(-scenario.sim.duration_ms // scenario.chain.slot_ms)
        return SlotClock(
            self.clock,
            self.letters.post_after,
            self._facts.slots,
            slots,
            self.on_slot,
            self.voter.on_deadline,
            self.voter.has_signed_in,
        )

    def publish_probe(self, kind: str, payload: bytes) -> None:
        """Publishes an opaque probe on the transaction topic."""
        self._ports.publish(kind, payload, len(payload))

    def _publish_transfer(self, message: TxMessage) -> str | None:
        """Publishes an own transfer; otherwise says why not."""
        if self._facts.oversize(message.envelope):
            self._ports.limit_reached("provers.proof_bytes_max")
            return "proof_too_large"
        if self.transactions.pool.why_not(message.tx) == "mempool_full":
            # Others' pools are hardly emptier, and a transfer that nobody holds would block its lane for ever.
            self._ports.limit_reached("chain.mempool_transactions_max")
            return "mempool_full"
        if self._ports.publish("transaction", message, message.size) is None:
            return "no_peer"
        self._take_own(TransferUnverified(message))
        return None

    def _take_own(self, letter: TransferUnverified) -> None:
        """Puts an own transfer into the own mempool, which verifies like every other."""
        self.transactions.examine(transactions.Incoming(letter.message, self.id, None, letter))

    def _on_own_transfer(self, origin: TransferUnverified, _verdict: Validation, reason: str) -> None:
        """What has become of an own transfer."""
        if reason in {"stale", "dated_ahead"}:
            self.wallet.on_stale(origin.message.tx, origin.message.payload)
        elif reason == "verifier_busy":
            # It is published: without it here, its lane would never be free again.
            self.letters.post_after(BUSY_RETRY, origin)

    def _on_gossiped(self, origin: Gossiped, verdict: Validation, reason: str) -> None:
        self._ports.answer(origin.message, verdict, reason)

    def _publish_spam(self, message: TxMessage, kind: str) -> None:
        self._ports.publish("transaction", message, message.size, spam=kind)

    def _routes(self) -> Routes:
        """Who hears what, in this order."""
        return {**self._reminders(), **self._news(self.watch, self.enforcement)}

    def _reminders(self) -> Routes:
        """What a part has planned for itself, or another part has made for it."""
        return {
            JobDue: (self.processor.on_job_due,),
            VerificationEnded: (self.processor.on_verification_ended,),
            TransferDue: (self.wallet.on_transfer_due,),
            TransferReady: (self.wallet.on_transfer_ready,),
            TransferOutdated: (self.wallet.on_outdated,),
            TransferUnverified: (self._take_own,),
            GraceOver: (self.finality.on_grace_over,),
            ConsensusProofReady: (self.finality.on_proof_ready,),
            TurnDue: (self.block_prover.on_turn_due,),
            PartDue: (self.block_prover.on_part_due,),
            BlockProofReady: (self.block_prover.on_proof_ready,),
            ProofSigned: (self.own_proofs.publish,),
            ProofUnverified: (self.own_proofs.verify,),
            BeatDue: (self.presence.on_beat_due,),
            BanDue: (self.peers.on_ban_due,),
            BanOver: (self.peers.on_ban_over,),
            BacklogDue: (self.services.on_backlog_due,),
            Tick: () if self.slots is None else (self.slots.on_tick,),
            Misdeed: (_do,),
        }

    def _news(self, watched: Watch, penalties: Enforcement | None) -> Routes:
        """What a part has to say to others."""
        return {
            BlocksWanted: (self.sync.on_blocks_wanted,),
            TransfersWanted: (self.sync.on_transfers_wanted,),
            TransferVerified: (self.voter.on_verified, self.sync.on_verified),
            Signed: (watched.saw, penalties.saw) if penalties else (watched.saw,),
            VotedLate: (self.finality.on_late_vote,),
            BlockRefused: (watched.refused_block,),
            ProofRefused: (watched.refused_proof,),
            Committed: (
                watched.on_commit,
                self.presence.on_commit,
                self._clear_pool,
                self.finality.on_commit,
                self.block_prover.on_commit,
                self.aggregation.on_commit,
            ),
            Proven: (penalties.on_proven, self.aggregation.on_proven) if penalties else (self.aggregation.on_proven,),
            MisconductKept: (penalties.on_misconduct,) if penalties else (),
            BeatHeard: (penalties.heard,) if penalties else (),
        }

    def _answers(self) -> Answers:
        """Who takes the answer about what came from where."""
        return {
            Gossiped: self._on_gossiped,
            Handed: self.sync.on_answer,
            ProofUnverified: self.own_proofs.on_answer,
            TransferUnverified: self._on_own_transfer,
        }

    def _verdicts(self) -> Verdicts:
        """Who goes on with what the verifier has judged."""
        return {
            transactions.Incoming: self.transactions.on_verdict,
            finality.InHand: self.finality.on_verdict,
            aggregation.Incoming: self.aggregation.on_verdict,
            Fetched: self.sync.on_verdict,
            Accused: self.watch.on_verdict,
        }

    def _clear_pool(self, letter: Committed) -> None:
        """Transfers that a block has taken are done; of those that it made stale the own ones are proven again."""
        stale = self.transactions.after_block(letter.block, self.chain.ledger)
        self.wallet.on_block(self.chain.ledger, letter.block.tx_ids)
        self._renew(self.transactions.verified[tx.id] for tx in stale)

    def _renew(self, gone: Iterable[TxMessage]) -> None:
        """Own transfers that no longer hold are made anew."""
        for message in gone:
            if self.wallet.owns(message.tx.transfer.sender):
                self.wallet.on_stale(message.tx, message.payload)


def _do(letter: Misdeed) -> None:
    letter.action()


def _fits(message: Message) -> bool:
    """Whether a message's payload has the shape of its kind; looked at once, for all receivers."""
    if message.fits is None:
        message.fits = fits_gossip(message.kind, message.payload)
    return message.fits
