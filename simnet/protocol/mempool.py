"""A node's mempool: verified transfers that wait for a block. Pure; the node decides what to verify first."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from simnet.protocol.ledger import Ledger, SignedTransfer


@dataclass(slots=True)
class Mempool:
    """Transfers in order of admission. At most one per sender account (wallets keep lanes): of two that a cheating sender has
    signed the one with the smaller id, whichever came first, so that all pools agree in the end."""

    limit: int
    pending: dict[bytes, SignedTransfer] = field(default_factory=dict)
    _by_sender: dict[bytes, bytes] = field(default_factory=dict)
    _busy: dict[bytes, int] = field(default_factory=dict)
    """Accounts that a pending transfer pays from or to, with the number of such transfers."""

    def why_not(self, tx: SignedTransfer) -> str | None:
        """Why the pool will not take a transfer, before any proof work; `None` when it will."""
        if tx.id in self.pending:
            return "already_pending"
        rival = self._by_sender.get(tx.transfer.sender)
        if rival is not None:
            return "lane_busy" if rival < tx.id else None
        if len(self.pending) >= self.limit:
            return "mempool_full"
        return None

    def admit(self, tx: SignedTransfer) -> SignedTransfer | None:
        """Takes a verified transfer for which `why_not` is `None`; returns the one of the same sender that it replaces."""
        rival = self._by_sender.get(tx.transfer.sender)
        replaced = None if rival is None else self.pending[rival]
        if replaced is not None:
            self._remove(replaced)
        self.pending[tx.id] = tx
        self._by_sender[tx.transfer.sender] = tx.id
        for key in (tx.transfer.sender, tx.transfer.receiver):
            self._busy[key] = self._busy.get(key, 0) + 1
        return replaced

    def is_busy(self, key: bytes) -> bool:
        """Whether a pending transfer pays from or to this account."""
        return key in self._busy

    def after_block(self, ledger: Ledger, committed: Iterable[bytes]) -> tuple[list[SignedTransfer], list[SignedTransfer]]:
        """Drops what a block committed and what it made stale; returns both lists."""
        done = [self.pending[i] for i in committed if i in self.pending]
        for tx in done:
            self._remove(tx)
        stale = [tx for tx in self.pending.values() if ledger.accounts.get(tx.transfer.sender) != tx.account]
        for tx in stale:
            self._remove(tx)
        return done, stale

    def drop(self, txs: Iterable[SignedTransfer]) -> None:
        """Takes pending transfers out."""
        for tx in txs:
            self._remove(tx)

    def select(self, ledger: Ledger, limit: int, timestamp: int) -> list[SignedTransfer]:
        """Up to `limit` transfers for a block of this second, oldest first, that apply one after the other."""
        chosen: list[SignedTransfer] = []
        touched: set[bytes] = set()
        for tx in self.pending.values():
            if len(chosen) == limit:
                break
            # A transfer into its sender's account earlier in the block would make this one stale.
            if tx.transfer.timestamp > timestamp or tx.transfer.sender in touched or ledger.why_inapplicable(tx) is not None:
                continue
            chosen.append(tx)
            touched.update((tx.transfer.sender, tx.transfer.receiver))
        _, refused = ledger.apply(chosen)  # Several payments to one account may overflow it together.
        return [tx for tx in chosen if tx not in refused]

    def _remove(self, tx: SignedTransfer) -> None:
        del self.pending[tx.id]
        del self._by_sender[tx.transfer.sender]
        for key in (tx.transfer.sender, tx.transfer.receiver):
            self._busy[key] -= 1
            if not self._busy[key]:
                del self._busy[key]
