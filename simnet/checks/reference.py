"""A plain reference of the chain: what blocks hash to and what they make of the balances.

It shares no memory with the nodes and is told everything by content: a block by the bytes of its header, a transfer by the bytes
of itself and of the account it starts from. A content is worked out once; the balances of the newest block are kept, those of any
other are worked out again from genesis.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simnet.protocol.blocks import GENESIS_PARENT, Block, Header, registrations_root
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.transfer import Account

EMPTY = hashlib.blake2s(b"SIMNET-EMPTY-TX").digest()


def header_hash(header: Header) -> bytes:
    """A block's hash, from the bytes of its header."""
    return hashlib.blake2s(b"SIMNET-HEADER-V1" + header.encode()).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Binary Merkle root, padded level by level with the digest of nothing."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    padded = [*leaves, EMPTY] if len(leaves) % 2 else leaves
    return root_of([hashlib.blake2s(b"\x01" + padded[i] + padded[i + 1]).digest() for i in range(0, len(padded), 2)])


def why_not_body(block: Block) -> str | None:
    """What of a block's body its header does not commit to."""
    header, body = block.header, block.body
    if header.tx_count != len(body.tx_ids) or header.tx_root != root_of(body.tx_ids):
        return "transfers"
    if header.registrations_root != registrations_root(body.registrations):
        return "registrations"
    if header.joins_root != root_of([j.digest for j in body.joins]):
        return "joins"
    return None if header.heartbeats_root == root_of([b.digest for b in body.heartbeats]) else "heartbeats"


@dataclass(frozen=True, slots=True)
class Place:
    """A block on the chain before it, by content."""

    key: bytes
    """Digest of the parent's place, the block's header and its transfers."""
    parent: bytes
    """The parent's key."""
    block: Block
    transfers: tuple[SignedTransfer, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What the reference makes of a block."""

    refused: str | None
    """The first transfer that does not apply, and why."""
    supply: int
    """Balances and fees together, after it."""
    root: bytes
    """The state's root, after it."""


class Books:
    """Balances and nonces by account, and the fees: plain numbers."""

    def __init__(self, genesis: Ledger) -> None:
        self.accounts: dict[bytes, Account] = dict(genesis.accounts)
        self.fees = genesis.fees
        self.opened: dict[bytes, int] = dict(genesis.opened)
        self._leaves = {key: key + account.encode() for key, account in self.accounts.items()}
        self._order = sorted(self.accounts)

    @property
    def supply(self) -> int:
        return sum(account.balance for account in self.accounts.values()) + self.fees

    @property
    def root(self) -> bytes:
        leaves = b"".join(self._leaves[key] for key in self._order)
        opened = b"".join(key + self.opened[key].to_bytes(8, "little") for key in sorted(self.opened))
        return hashlib.blake2s(b"SIMNET-STATE-V1" + self.fees.to_bytes(16, "little") + leaves + opened).digest()

    def take(self, place: Place) -> str | None:
        """Applies a block. Answers which transfer did not apply, and why; it and the rest are then left out."""
        for tx in place.transfers:
            why = self._why_not(tx)
            if why is not None:
                return f"transfer {tx.id.hex()[:16]} {why}"
            self._pay(tx)
        for join in place.block.body.joins:
            self.opened[join.key] = place.block.header.timestamp
        return None

    def _why_not(self, tx: SignedTransfer) -> str | None:
        transfer = tx.transfer
        sender = self.accounts.get(transfer.sender)
        if sender is None or transfer.receiver not in self.accounts or transfer.receiver == transfer.sender:
            return "is between accounts that are not two of the chain's"
        if transfer.nonce != sender.nonce + 1:
            return f"has nonce {transfer.nonce} where {sender.nonce + 1} is next"
        if transfer.amount < 1 or transfer.amount + transfer.fee > sender.balance:
            return f"spends {transfer.amount} + {transfer.fee} of {sender.balance}"
        return "starts from another account than the chain's" if tx.account != sender else None

    def _pay(self, tx: SignedTransfer) -> None:
        transfer = tx.transfer
        sender, receiver = self.accounts[transfer.sender], self.accounts[transfer.receiver]
        self._put(transfer.sender, replace(sender, balance=sender.balance - transfer.amount - transfer.fee, nonce=transfer.nonce))
        self._put(transfer.receiver, replace(receiver, balance=receiver.balance + transfer.amount))
        self.fees += transfer.fee

    def _put(self, key: bytes, account: Account) -> None:
        self.accounts[key] = account
        self._leaves[key] = key + account.encode()


class Reference:
    """Every chain that some node holds, worked out once."""

    def __init__(self, genesis: Ledger) -> None:
        self._genesis = genesis
        self.supply = Books(genesis).supply
        self._books = Books(genesis)
        self._books_of = GENESIS_PARENT
        """Which place the balances at hand belong to."""
        self._places: dict[bytes, Place] = {}
        self._effects: dict[bytes, Effect] = {}

    def place(self, parent: bytes, block: Block, transfers: tuple[SignedTransfer, ...]) -> Place:
        """A block of these transfers after the place of key `parent` (32 zero bytes: genesis)."""
        content = b"".join(t.transfer.encode() + t.account.encode() for t in transfers)
        digest = hashlib.blake2s(parent + header_hash(block.header) + len(transfers).to_bytes(4, "little") + content)
        return self._places.setdefault(digest.digest(), Place(digest.digest(), parent, block, transfers))

    def effect(self, place: Place) -> Effect:
        """What the block of a place does to the balances."""
        if place.key not in self._effects:
            books = self._at(place.parent)
            refused = books.take(place)
            self._books_of = place.key
            self._effects[place.key] = Effect(refused, books.supply, books.root)
        return self._effects[place.key]

    def difference(self, place: Place, ledger: Ledger) -> str | None:
        """How a node's ledger after a place differs from the reference's; every account is compared."""
        books = self._at(place.key)
        if ledger.fees != books.fees:
            return f"fees are {ledger.fees}, recomputed {books.fees}"
        if ledger.accounts.keys() != books.accounts.keys() or dict(ledger.opened) != books.opened:
            return "other accounts than recomputed"
        for key, account in books.accounts.items():
            found = ledger.accounts[key]
            if found != account:
                was = f"balance {found.balance}, nonce {found.nonce}"
                return f"account {key.hex()[:16]} has {was}; recomputed {account.balance}, {account.nonce}"
        return None

    def _at(self, key: bytes) -> Books:
        """The balances after a place: those at hand, or worked out again from genesis."""
        if key != self._books_of:
            line: list[Place] = []
            at = key
            while at != GENESIS_PARENT:
                line.append(self._places[at])
                at = line[-1].parent
            self._books = Books(self._genesis)
            for place in reversed(line):
                self._books.take(place)
            self._books_of = key
        return self._books
