"""How a node takes transfers: cheap checks first, the proof last, then the mempool.

Order: signature, memo, replay, the state the transfer starts from, room in the pool, proof. Only what passes
all of them is forwarded. A transfer that starts from a state this node has not reached yet is held until the
next block instead of being judged.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simnet.base.catalogue import BackendId
from simnet.base.units import NS_PER_S, NodeId, SimTime, from_ms
from simnet.events import TxAdmitted, TxEvicted, TxRefused
from simnet.net.network import Message, Validation
from simnet.node.facts import Facts
from simnet.node.letters import Examined, Gossiped, Letterbox, Origin, TransferVerified
from simnet.node.ports import Ports
from simnet.node.processor import Provers
from simnet.proofs.backend import Verification
from simnet.protocol.blocks import Block
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.mempool import Mempool
from simnet.protocol.messages import TxMessage

HELD_MAX = 256
"""Transfers from one neighbour that are held for a state that this node has not reached."""


OF_THE_MOMENT = frozenset({"stale", "overflow"})
"""Why a transfer does not apply here and now, and nobody is to blame."""


@dataclass(frozen=True, slots=True)
class Incoming(Examined):
    """A transfer under examination."""

    message: TxMessage
    peer: NodeId
    spam: str | None
    origin: Origin
    needed: bool = False
    """A proposal waits for it: verified even if the pool has no room, or nodes with different full pools would
    refuse each other's blocks for ever."""


class Transactions:
    """One node's mempool and the checks before it."""

    def __init__(self, facts: Facts, ports: Ports, processor: Provers, ledger: Callable[[], Ledger], letters: Letterbox) -> None:
        self._letters = letters
        self.pool = Mempool(facts.scenario.chain.mempool_transactions_max)
        self.verified: dict[bytes, TxMessage] = {}
        """Every transfer whose proof this node has verified, by id."""
        self._facts = facts
        self._ports = ports
        self._node = ports.node
        self._processor = processor
        self._clock = ports.clock
        self._precision = from_ms(facts.scenario.clock_precision_ms)
        self._ledger = ledger
        self._held: dict[bytes, Incoming] = {}
        self._committed: set[bytes] = set()
        self._admitted_at: dict[bytes, SimTime] = {}
        self._in_hand: set[bytes] = set()
        """Transfers being verified or held, with their proofs."""

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        """A transfer came by gossip."""
        assert isinstance(message.payload, TxMessage)
        self.examine(Incoming(message.payload, peer, message.spam, Gossiped(message)))

    def examine(self, incoming: Incoming) -> None:
        """Runs the checks; the answer goes to where it came from, at once or later."""
        message = incoming.message
        why = self._facts.why_malformed(message)
        if why is not None:
            self._refuse(incoming, Validation.REJECT, why)
        elif message.tx.id in self.verified or self._job(message) in self._in_hand:
            self._refuse(incoming, Validation.IGNORE, "replay")
        else:
            self._examine_state(incoming)

    def _examine_state(self, incoming: Incoming) -> None:
        tx = incoming.message.tx
        why = self._ledger().why_inapplicable(tx)
        if why == "future":
            self._hold(incoming)
            return
        if why is not None:
            self._refuse(incoming, Validation.IGNORE if why in OF_THE_MOMENT else Validation.REJECT, why)
            return
        if self._is_dated_ahead(tx) and not incoming.needed:
            self._refuse(incoming, Validation.DROP, "dated_ahead")
            return
        why = self.pool.why_not(tx)
        if why is not None and not incoming.needed:
            if why == "mempool_full":
                self._ports.limit_reached("chain.mempool_transactions_max")
            self._refuse(incoming, Validation.DROP if why == "mempool_full" else Validation.IGNORE, why)
            return
        self._in_hand.add(self._job(incoming.message))
        self.verify(incoming.message, incoming.peer, incoming.spam, incoming)

    def _is_dated_ahead(self, tx: SignedTransfer) -> bool:
        """Whether a transfer is dated later than this node's clock and the precision allow: no block takes it yet."""
        return tx.transfer.timestamp * NS_PER_S > self._clock.now + self._precision

    def verify(self, message: TxMessage, peer: NodeId, spam: str | None, item: Examined) -> None:
        """Verifies a transfer's proof against the statement that the chain gives, whatever the sender says."""
        statement = message.tx.transfer.statement(message.tx.account)
        backend = BackendId(message.backend)
        circuit = self._facts.circuits.transaction
        self._processor.verify(backend, circuit, statement, message.envelope, peer, spam, item)

    def on_verdict(self, incoming: Incoming, verdict: Verification | None) -> None:
        """The verifier has answered."""
        tx = incoming.message.tx
        self._in_hand.discard(self._job(incoming.message))
        if verdict is None:
            self._refuse(incoming, Validation.DROP, "verifier_busy")
            return
        if not verdict.accepted:
            self._refuse(incoming, Validation.REJECT, verdict.reason)
            return
        if tx.id in self.verified:
            # Another proof of the same transfer came first.
            self._refuse(incoming, Validation.IGNORE, "replay")
            return
        if self._is_dated_ahead(tx) and not incoming.needed:
            self._refuse(incoming, Validation.DROP, "dated_ahead")  # The clock was put back meanwhile.
            return
        self.note_verified(incoming.message)
        # A block or a rival may have come in while the proof was being verified.
        why = self._why_not_admitted(tx)
        if why is None:
            self._admit(tx)
        else:
            # The proof was good: pass it on, others may not have the block yet.
            self._emit_refused(tx, why)
        self._letters.answer(incoming.origin, Validation.ACCEPT, why or "")

    def _why_not_admitted(self, tx: SignedTransfer) -> str | None:
        """Why a verified transfer has no place in the pool at present."""
        return self._ledger().why_inapplicable(tx) or self.pool.why_not(tx) or ("committed" if tx.id in self._committed else None)

    def _admit(self, tx: SignedTransfer) -> None:
        now, replaced = self._ports.now, self.pool.admit(tx)
        if replaced is not None:
            del self._admitted_at[replaced.id]
            self._ports.emit(TxEvicted(now, self._node, replaced.id.hex()[:16], "conflict"))
        self._admitted_at[tx.id] = now
        self._ports.emit(TxAdmitted(now, self._node, tx.id.hex()[:16]))

    def lacking(self, ids: Iterable[bytes]) -> tuple[bytes, ...]:
        """Which of a neighbour's pending transfers this node has to ask for. What it has verified itself, and its pool had no place for
        at the time, is admitted now."""
        wanted = []
        for tx_id in ids:
            known = self.verified.get(tx_id)
            if known is None:
                wanted += [] if self.knows(tx_id) else [tx_id]
            elif not self._is_dated_ahead(known.tx) and self._why_not_admitted(known.tx) is None:
                self._admit(known.tx)
        return tuple(wanted)

    def put_back(self) -> list[TxMessage]:
        """The clock has been put back: what is dated ahead of it now leaves the pool, since others do not take it either. It stays
        known: a proposal that waits for others of its transfers counts on it."""
        ahead = [tx for tx in self.pool.pending.values() if self._is_dated_ahead(tx)]
        self.pool.drop(ahead)
        for tx in ahead:
            del self._admitted_at[tx.id]
            self._ports.emit(TxEvicted(self._ports.now, self._node, tx.id.hex()[:16], "dated_ahead"))
        return [self.verified[tx.id] for tx in ahead]

    def knows(self, tx_id: bytes) -> bool:
        """Whether this node has verified or committed a transfer, or is about to judge it."""
        return tx_id in self.verified or tx_id in self._committed or any(job.startswith(tx_id) for job in self._in_hand)

    def held_since(self, limit: SimTime) -> tuple[bytes, ...]:
        """Pending transfers that were admitted no later than `limit`."""
        return tuple(i for i in self.pool.pending if self._admitted_at[i] <= limit)

    def note_verified(self, message: TxMessage) -> None:
        """Remembers a transfer whose proof was verified."""
        self.verified[message.tx.id] = message
        self._letters.post(TransferVerified(message.tx.id))

    def after_block(self, block: Block, ledger: Ledger) -> list[SignedTransfer]:
        """Clears the pool after a commit, re-examines what was held, and returns the transfers that became stale."""
        self._committed.update(block.tx_ids)
        done, stale = self.pool.after_block(ledger, block.tx_ids)
        now = self._ports.now
        for reason, gone in (("committed", done), ("stale", stale)):
            for tx in gone:
                del self._admitted_at[tx.id]
                self._ports.emit(TxEvicted(now, self._node, tx.id.hex()[:16], reason))
        held = list(self._held.values())
        self._held.clear()
        for incoming in held:
            self._in_hand.discard(self._job(incoming.message))
            self.examine(incoming)
        return stale

    def _hold(self, incoming: Incoming) -> None:
        if sum(held.peer == incoming.peer for held in self._held.values()) >= HELD_MAX:
            self._ports.limit_reached("held_transfers")
            self._refuse(incoming, Validation.DROP, "future")
            return
        job = self._job(incoming.message)
        self._in_hand.add(job)
        self._held[job] = incoming

    @staticmethod
    def _job(message: TxMessage) -> bytes:
        """Identity of one transfer with one proof: all that the verdict depends on."""
        return message.tx.id + bytes([message.backend]) + message.envelope.digest

    def _refuse(self, incoming: Incoming, verdict: Validation, reason: str) -> None:
        self._emit_refused(incoming.message.tx, reason)
        self._letters.answer(incoming.origin, verdict, reason)

    def _emit_refused(self, tx: SignedTransfer, reason: str) -> None:
        self._ports.emit(TxRefused(self._ports.now, self._node, tx.id.hex()[:16], reason))
