"""Accounts and transfers, with the canonical bytes that signatures, ids and circuits are computed from."""

import hashlib
import struct
from dataclasses import dataclass, replace

U64_MAX = 2**64 - 1
NO_MEMO = bytes(32)
"""The memo digest of a transfer without payload."""
NO_REPUTATION = bytes(32)
"""The reputation digest of a fresh account (REP0 in every field)."""

_TRANSFER = struct.Struct("<32s32sQQQBQ32s")
_ACCOUNT = struct.Struct("<QQQBQ32s")
_SIGNING_DOMAIN = b"SIMNET-TRANSFER-V2"


@dataclass(frozen=True, slots=True)
class Account:
    """The state of one account."""

    balance: int
    nonce: int = 0
    stake: int = 0
    tier: int = 1
    last_decay: int = 0
    """Seconds; a transfer's timestamp may not be earlier."""
    rep: bytes = NO_REPUTATION

    def encode(self) -> bytes:
        """The account part of the transaction statement, 65 bytes."""
        return _ACCOUNT.pack(self.balance, self.nonce, self.stake, self.tier, self.last_decay, self.rep)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A payment from one account to another. Accounts are named by their Ed25519 public keys."""

    sender: bytes
    receiver: bytes
    amount: int
    fee: int
    nonce: int
    """The sender's nonce after the transfer."""
    required_tier: int
    timestamp: int
    """Seconds of virtual time."""
    memo: bytes
    """Blake2s-256 of the payload."""

    def encode(self) -> bytes:
        """Canonical bytes, 129 of them."""
        return _TRANSFER.pack(
            self.sender,
            self.receiver,
            self.amount,
            self.fee,
            self.nonce,
            self.required_tier,
            self.timestamp,
            self.memo,
        )

    def signing_bytes(self, account: Account, chain: bytes) -> bytes:
        """What the sender signs: the statement under a domain and the chain's id. Nobody who passes a transfer on can change
        the account that it starts from."""
        return _SIGNING_DOMAIN + chain + self.statement(account)

    def statement(self, account: Account) -> bytes:
        """The transaction circuit's statement: this transfer and the sender's account before it."""
        return self.encode() + account.encode()


def transfer_id(transfer: Transfer, account: Account) -> bytes:
    """Identity of a transfer: Blake2s-256 of its statement. Proofs are re-randomisable, so they do not count."""
    return hashlib.blake2s(transfer.statement(account)).digest()


def why_invalid(transfer: Transfer, account: Account | None) -> str | None:
    """The native value rules of a transfer on its sender's account; `None` when they hold.

    The transaction proof enforces the same rules; a node checks them first because they are cheap and
    because a statement that breaks them has no public inputs.
    """
    if account is None:
        return "unknown_sender"
    if transfer.sender == transfer.receiver:
        return "self_transfer"
    if transfer.amount == 0:
        return "zero_amount"
    if transfer.amount + transfer.fee > account.balance:
        return "insufficient_balance"
    if transfer.nonce != account.nonce + 1:
        return "wrong_nonce"
    if account.tier < transfer.required_tier:
        return "tier_too_low"
    if transfer.timestamp < account.last_decay:
        return "timestamp_before_decay"
    return None


def debit(account: Account, transfer: Transfer) -> Account:
    """The sender's account after a valid transfer."""
    return replace(account, balance=account.balance - transfer.amount - transfer.fee, nonce=transfer.nonce)


def credit(account: Account, transfer: Transfer) -> Account | None:
    """The receiver's account after a valid transfer; `None` when its balance would overflow 64 bits."""
    return replace(account, balance=account.balance + transfer.amount) if has_room(account, transfer) else None


def has_room(account: Account, transfer: Transfer) -> bool:
    """Whether the receiver's balance stays within 64 bits."""
    return account.balance + transfer.amount <= U64_MAX
