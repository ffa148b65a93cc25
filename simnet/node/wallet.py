"""The wallet beside a node: lanes, transfers prepared ahead, stale ones proved again.

A wallet owns many accounts, its *lanes*, and pays from one that no pending transfer touches, so that its
pending transfers do not invalidate each other. It signs and proves `prepare_ahead_ms` before a transfer is
due; a transfer is published at its due time, or as soon after as its proof is ready.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId
from simnet.base.units import NS_PER_S, NodeId, SimTime
from simnet.events import PublicationSkipped, TransferLate, TransferStale
from simnet.node.facts import Facts
from simnet.node.keyring import Keyring
from simnet.node.letters import Letter, Letterbox
from simnet.node.ports import Ports
from simnet.node.processor import Provers, Ticket
from simnet.node.services import Gate
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.messages import TxMessage
from simnet.protocol.transfer import Transfer

PAYEE_TRIES = 8
"""Lanes of a payee that a wallet tries before it pays into a busy one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A signed transfer without a proof."""

    tx: SignedTransfer
    signature: bytes
    payload: bytes

    def message(self, backend: BackendId, envelope: Blob) -> TxMessage:
        """The transfer with an envelope."""
        return TxMessage(self.tx, self.signature, self.payload, backend, envelope)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A signed transfer whose proof is being made."""

    draft: Draft
    ticket: Ticket

    def message(self) -> TxMessage:
        """The finished transfer; waits for the real prover."""
        return self.draft.message(self.ticket.backend, self.ticket.take())


@dataclass(frozen=True, slots=True)
class TransferDue(Letter):
    """A transfer is to be published at `due`. `then`: who wants to see it published."""

    number: int
    payload: bytes
    due: SimTime
    then: Callable[[TxMessage], None] | None


@dataclass(frozen=True, slots=True)
class TransferOutdated(Letter):
    """A pending transfer no longer fits its account."""

    tx: SignedTransfer
    payload: bytes


@dataclass(frozen=True, slots=True)
class TransferReady(Letter):
    """A transfer's proof is made; it was to be published at `due`. `then`: who wants to see it published."""

    prepared: Prepared
    due: SimTime
    then: Callable[[TxMessage], None] | None


class Wallet:
    """One node's wallet."""

    def __init__(
        self,
        facts: Facts,
        ports: Ports,
        keyring: Keyring,
        processor: Provers,
        ledger: Callable[[], Ledger],
        is_busy: Callable[[bytes], bool],
        publish: Callable[[TxMessage], str | None],
        letters: Letterbox,
    ) -> None:
        self.gate = Gate(ports, letters)
        self._letters = letters
        self._facts = facts
        self._ports = ports
        self._keyring = keyring
        self._node = node = NodeId(keyring.node)
        self._processor = processor
        self._ledger = ledger
        self._is_busy = is_busy
        self._publish = publish
        self._random = facts.draws.generator("wallet", node)
        self._backends = facts.backend_ids(node)
        self._turn = 0
        self._lanes = facts.genesis.wallets[node]
        self._lane_numbers = {key: facts.genesis.lane_numbers[key] for key in self._lanes}
        self._next_lane = 0
        byzantine = facts.scenario.faults.byzantine
        spams = byzantine is not None and node in byzantine.publishers
        self._reserved = int(spams or node in facts.scenario.opponents)
        self._pending: dict[bytes, bytes] = {}
        """Lane -> id of its transfer that is prepared or waits for a block."""
        self._prepared: dict[int, Prepared] = {}
        """By message number."""
        self._spare: list[Prepared] = []

    def next_backend(self) -> BackendId:
        """A node with several backends takes them in turn."""
        backend = self._backends[self._turn % len(self._backends)]
        self._turn += 1
        return backend

    def prepare(self, number: int, payload: bytes) -> None:
        """Signs a transfer and starts its proof, for publication `number`."""
        prepared = None if self.gate.closed else self._compose(payload)
        if prepared is not None:
            self._prepared[number] = prepared

    def is_prepared(self, number: int) -> bool:
        """Whether publication `number` is this wallet's so far."""
        return number in self._prepared

    def give_up(self, number: int) -> None:
        """Publication `number` went to another wallet: keep what was prepared for the next one."""
        self._spare.append(self._prepared.pop(number))

    def publish(self, number: int, payload: bytes, then: Callable[[TxMessage], None] | None = None) -> None:
        """Publishes transfer `number` now, or when its proof is ready."""
        due = self._ports.now
        if self.gate.full:
            self._ports.limit_reached("wallet_jobs")
            self._ports.emit(PublicationSkipped(due, self._node, "wallet_stopped"))
            return
        self._letters.post(TransferDue(number, payload, due, then))

    def on_transfer_due(self, letter: TransferDue) -> None:
        """Takes what was prepared, or something else, and publishes it when its proof is ready."""
        if self.gate.keeps(letter):
            return
        prepared = self._prepared.pop(letter.number, None) or (self._spare.pop(0) if self._spare else self._compose(letter.payload))
        if prepared is None:
            self._ports.emit(PublicationSkipped(self._ports.now, self._node, "no_free_lane"))
            return
        prepared.ticket.when_ready(TransferReady(prepared, letter.due, letter.then))

    def on_block(self, ledger: Ledger, committed: tuple[bytes, ...]) -> None:
        """Frees the lanes of committed transfers, and of spare ones that have gone stale."""
        done = set(committed)
        for lane, tx_id in list(self._pending.items()):
            if tx_id in done:
                del self._pending[lane]
        fresh = [p for p in self._spare if ledger.accounts[p.draft.tx.transfer.sender] == p.draft.tx.account]
        for stale in self._spare:
            if stale not in fresh:
                self._pending.pop(stale.draft.tx.transfer.sender, None)
        self._spare = fresh

    def on_stale(self, tx: SignedTransfer, payload: bytes) -> None:
        """A pending transfer of this wallet no longer fits its account: prove and publish it anew."""
        self._letters.post(TransferOutdated(tx, payload))

    def on_outdated(self, letter: TransferOutdated) -> None:
        """Proves a transfer anew, with another nonce."""
        if self.gate.keeps(letter):
            return
        tx, lane = letter.tx, letter.tx.transfer.sender
        if self._pending.get(lane) != tx.id:
            return
        self._ports.emit(TransferStale(self._ports.now, self._node, tx.id.hex()[:16]))
        del self._pending[lane]
        renewed = self._pay(lane, tx.transfer.receiver, tx.transfer.amount, letter.payload, again=True)
        if renewed is not None:
            renewed.ticket.when_ready(TransferReady(renewed, self._ports.now, None))

    def owns(self, key: bytes) -> bool:
        """Whether an account is one of this wallet's lanes."""
        return key in self._lane_numbers

    def _compose(self, payload: bytes) -> Prepared | None:
        """A new transfer from a free lane to another wallet; `None` when every lane is busy."""
        lane = self._free_lane()
        if lane is None:
            return None
        return self._pay(lane, self._payee(), self._amount(), payload)

    def _free_lane(self) -> bytes | None:
        usable = len(self._lanes) - self._reserved
        for _ in range(usable):
            lane = self._lanes[self._next_lane]
            self._next_lane = (self._next_lane + 1) % usable
            if lane not in self._pending and not self._is_busy(lane):
                return lane
        return None

    def _payee(self) -> bytes:
        """A lane of another wallet, preferably one that this node sees no pending transfer of."""
        wallets = self._facts.genesis.wallets
        other = (self._node + 1 + int(self._random.integers(len(wallets) - 1))) % len(wallets)
        lane = b""
        for _ in range(PAYEE_TRIES):
            lane = wallets[other][int(self._random.integers(len(wallets[other])))]
            if not self._is_busy(lane):
                break
        return lane

    def draft(self, lane: bytes, receiver: bytes, amount: int, payload: bytes) -> Draft | None:
        """Signs a transfer from `lane` as its account stands; `None` when it cannot pay."""
        chain = self._facts.scenario.chain
        account = self._ledger().accounts[lane]
        if amount + chain.fee > account.balance:
            return None
        transfer = Transfer(
            sender=lane,
            receiver=receiver,
            amount=amount,
            fee=chain.fee,
            nonce=account.nonce + 1,
            required_tier=chain.required_tier,
            timestamp=self._ports.clock.now // NS_PER_S,
            memo=hashlib.blake2s(payload).digest(),
        )
        signed = transfer.signing_bytes(account, self._facts.genesis.chain_id)
        signature = self._keyring.sign_for_lane(self._lane_numbers[lane], signed)
        return Draft(SignedTransfer.of(transfer, account), signature, payload)

    def prove(self, draft: Draft, *, again: bool = False) -> Prepared | None:
        """Starts a draft's proof with the next backend; `None` when the prover queue is full."""
        statement = draft.tx.transfer.statement(draft.tx.account)
        circuit = self._facts.circuits.transaction
        ticket = self._processor.prove(self.next_backend(), circuit, statement, again=again)
        return None if ticket is None else Prepared(draft, ticket)

    def forgery(self, payload: bytes) -> Draft | None:
        """A signed transfer for a byzantine publisher to spoil, on the lane that is kept for that."""
        return self.draft(self._lanes[-1], self._payee(), self._amount(), payload)

    def _amount(self) -> int:
        return int(self._random.integers(1, self._facts.scenario.chain.transfer_amount_max, endpoint=True))

    def _pay(self, lane: bytes, receiver: bytes, amount: int, payload: bytes, *, again: bool = False) -> Prepared | None:
        draft = self.draft(lane, receiver, amount, payload)
        prepared = None if draft is None else self.prove(draft, again=again)
        if prepared is not None:
            self._pending[lane] = prepared.draft.tx.id
        return prepared

    def on_transfer_ready(self, letter: TransferReady) -> None:
        """Publishes a transfer."""
        if self.gate.keeps(letter):
            return
        now, prepared = self._ports.now, letter.prepared
        if now > letter.due:
            self._ports.emit(TransferLate(now, self._node, SimTime(now - letter.due)))
        message = prepared.message()
        why_not = self._publish(message)
        if why_not is not None:
            self._pending.pop(prepared.draft.tx.transfer.sender, None)
            self._ports.emit(PublicationSkipped(now, self._node, why_not))
        elif letter.then is not None:
            letter.then(message)
