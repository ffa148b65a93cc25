"""The account state of the chain: an immutable snapshot per block."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from simnet.protocol.transfer import Account, Transfer, credit, debit, has_room, transfer_id, why_invalid


@dataclass(frozen=True, slots=True)
class SignedTransfer:
    """A transfer in a block or a mempool: what is needed to apply it."""

    transfer: Transfer
    account: Account
    """The sender's account that the transfer, and its proof, start from."""
    id: bytes

    def __hash__(self) -> int:
        return hash(self.id)  # Cheap; equality looks at everything.

    @staticmethod
    def of(transfer: Transfer, account: Account) -> "SignedTransfer":
        return SignedTransfer(transfer, account, transfer_id(transfer, account))


@dataclass(frozen=True, slots=True)
class Transition:
    """One transfer's effect on its two accounts. The sender's account before it is `tx.account`."""

    tx: SignedTransfer
    sender_after: Account
    receiver_before: Account
    receiver_after: Account


@dataclass(frozen=True, slots=True)
class Ledger:
    """Balances after a block. `fees` is what transfers have paid so far; balances + fees never change in sum."""

    accounts: Mapping[bytes, Account]
    fees: int = 0
    opened: Mapping[bytes, int] = field(default_factory=dict)
    """Accounts that joins opened, with the second of the opening. They are empty and take no transfers: a transfer
    names an account's reputation by 32 bytes, and an identity's is a different digest in every field."""
    _root: list[bytes] = field(default_factory=list, compare=False, repr=False)

    @property
    def supply(self) -> int:
        """Everything there is: balances and collected fees."""
        return sum(a.balance for a in self.accounts.values()) + self.fees

    @property
    def root(self) -> bytes:
        """Blake2s-256 over the accounts sorted by key, and the fees. Computed once."""
        if not self._root:
            h = hashlib.blake2s(b"SIMNET-STATE-V1" + self.fees.to_bytes(16, "little"))
            for key in sorted(self.accounts):
                h.update(key)
                h.update(self.accounts[key].encode())
            for key in sorted(self.opened):
                h.update(key + self.opened[key].to_bytes(8, "little"))
            self._root.append(h.digest())
        return self._root[0]

    def why_inapplicable(self, tx: SignedTransfer) -> str | None:
        """Why a transfer cannot be applied now, or `None`. `stale`: its account moved on; `future`: not there yet."""
        account = self.accounts.get(tx.transfer.sender)
        if account is not None and account != tx.account:
            return "future" if tx.account.nonce > account.nonce else "stale"
        why = why_invalid(tx.transfer, account)
        if why is not None:
            return why
        receiver = self.accounts.get(tx.transfer.receiver)
        if receiver is None:
            return "unknown_receiver"
        return None if has_room(receiver, tx.transfer) else "overflow"

    def apply(self, txs: Iterable[SignedTransfer]) -> tuple["Ledger", list[SignedTransfer]]:
        """Applies transfers in order. Returns the new ledger and the transfers that could not be applied."""
        accounts = dict(self.accounts)
        fees = self.fees
        refused = []
        for tx in txs:
            after = _step(accounts, tx)
            if after is None:
                refused.append(tx)
                continue
            accounts.update(after)
            fees += tx.transfer.fee
        return Ledger(accounts, fees, self.opened), refused

    def with_opened(self, keys: Iterable[bytes], at: int) -> "Ledger":
        """The ledger after joins of these keys in a block of second `at`."""
        new = dict.fromkeys(keys, at)
        return Ledger(self.accounts, self.fees, {**self.opened, **new}) if new else self

    def transitions(self, txs: Iterable[SignedTransfer]) -> Iterator["Transition"]:
        """What each transfer does, in order. Raises `ValueError` at one that does not apply."""
        accounts = dict(self.accounts)
        for tx in txs:
            received = accounts[tx.transfer.receiver]
            after = _step(accounts, tx)
            if after is None:
                raise ValueError("a transfer does not apply")
            accounts.update(after)
            yield Transition(tx, after[tx.transfer.sender], received, after[tx.transfer.receiver])


def _step(accounts: Mapping[bytes, Account], tx: SignedTransfer) -> dict[bytes, Account] | None:
    """The two accounts that one transfer changes, or `None` when it does not apply."""
    sender = accounts.get(tx.transfer.sender)
    receiver = accounts.get(tx.transfer.receiver)
    if sender is None or receiver is None or sender != tx.account:
        return None
    if why_invalid(tx.transfer, sender) is not None:
        return None
    credited = credit(receiver, tx.transfer)
    if credited is None:
        return None
    return {tx.transfer.sender: debit(sender, tx.transfer), tx.transfer.receiver: credited}
