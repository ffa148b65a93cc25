"""agreement, finality, no_double_spend, supply: each is broken in a run and says so."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import NodeId
from simnet.events import BlockCommitted
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.finality import Finality
from simnet.node.voting import Voter
from simnet.node.wallet import Draft, Wallet
from simnet.protocol import ledger
from simnet.protocol.blocks import Block
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.mempool import Mempool
from simnet.protocol.transfer import Account, Transfer, debit
from tests.checks.kit import Bench, bench, breaks, entry


def committing(b: Bench, monkeypatch: pytest.MonkeyPatch, node: int, change: Any) -> None:
    """What one node makes of every block as it commits it."""
    append, victim = Chain.append, b.nodes[node].chain

    def other(self: Chain, block: Block, *rest: Any, **named: Any) -> CommittedBlock:
        committed = append(self, block, *rest, **named)
        if self is victim:
            change(committed)
        return committed

    monkeypatch.setattr(Chain, "append", other)


def test_an_undisturbed_run_holds_and_says_on_what() -> None:
    result = bench(rate=6.0).run()
    assert result.complete, result.violations
    assert entry(result, "agreement") == {"held": True, "status": "held", "commits": 20, "blocks": 5, "proven": 20}
    assert entry(result, "finality") == {"held": True, "status": "held", "commits": 20}
    assert entry(result, "supply")["blocks"] == 20
    transfers = entry(result, "no_double_spend")["transfers"]
    assert isinstance(transfers, int) and transfers > 40


def test_another_block_at_one_node_is_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()
    commit = Voter.commit

    def later(self: Voter, block: Block, *rest: Any, **named: Any) -> None:
        if self is b.nodes[3].voter and block.header.height == 2:
            block = Block.assemble(replace(block.header, timestamp=block.header.timestamp + 1), block.body)
        commit(self, block, *rest, **named)

    monkeypatch.setattr(Voter, "commit", later)
    violation = breaks(b.run(), "agreement", "committed")
    assert NodeId(3) in violation.nodes and len(violation.nodes) == 2
    commits = [e for e in b.of(BlockCommitted) if e.height == 2]
    assert violation.at == next(e.at for e in commits if 3 in (e.node, commits[0].node))
    assert not b.commits(0)[2:], "the run ended there"


def test_a_hash_that_is_not_the_headers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()

    def undated(c: CommittedBlock) -> None:
        c.block = replace(c.block, header=replace(c.block.header, slot=c.block.header.slot + 1))

    committing(b, monkeypatch, 0, undated)
    assert breaks(b.run(), "agreement", "hashes to").nodes == (0,)


def test_a_body_that_is_not_the_headers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(rate=6.0)

    def emptied(c: CommittedBlock) -> None:
        if c.block.tx_ids:
            c.block = replace(c.block, body=replace(c.block.body, tx_ids=c.block.tx_ids[1:]))

    committing(b, monkeypatch, 2, emptied)
    assert breaks(b.run(), "agreement", "other transfers than its header").nodes == (2,)


@pytest.mark.parametrize("at_ms", [2500, 4990])
def test_a_committed_block_that_changes_is_found(at_ms: int) -> None:
    """At the node's next commit, or at the end."""
    b = bench()

    def rewrite() -> None:
        last = b.nodes[1].chain.committed[-1]
        last.block = replace(last.block, header=replace(last.block.header, proposer=0 if last.block.header.proposer else 1))

    b.at(at_ms, rewrite)
    result = b.run()
    violation = breaks(result, "finality", "node 1")
    assert violation.nodes == (1,) and (violation.at < 4_000_000_000) == (at_ms == 2500)


def test_a_block_that_is_there_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()
    chain = b.nodes[1].chain
    committing(b, monkeypatch, 1, lambda c: chain.committed.append(c) if c.block.header.height == 2 else None)
    assert breaks(b.run(), "finality", "announced height 2 and holds 3").nodes == (1,)


def test_a_block_on_another_than_the_last_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()

    def adopted(c: CommittedBlock) -> None:
        if c.block.header.height == 3:
            c.block = Block.assemble(replace(c.block.header, parent=bytes(32)), c.block.body)

    committing(b, monkeypatch, 1, adopted)
    assert breaks(b.run(), "finality", "went from height 2").nodes == (1,)


def test_a_transfer_that_is_committed_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither mempool nor ledger looks at what has been spent."""

    def step(accounts: Mapping[bytes, Account], tx: SignedTransfer) -> dict[bytes, Account]:
        receiver = accounts[tx.transfer.receiver]
        paid = {tx.transfer.sender: debit(accounts[tx.transfer.sender], tx.transfer)}
        return {**paid, tx.transfer.receiver: replace(receiver, balance=receiver.balance + tx.transfer.amount)}

    monkeypatch.setattr(Mempool, "after_block", lambda self, ledger, committed: ([], []))
    monkeypatch.setattr(Ledger, "why_inapplicable", lambda self, tx: None)
    monkeypatch.setattr(ledger, "_step", step)
    result = bench(rate=6.0, chain={"block_proofs": []}).run()
    breaks(result, "no_double_spend", "where 2 is next")


def test_money_from_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fees are collected that nobody pays: all nodes agree on it, and every header."""

    def free(account: Account, transfer: Transfer) -> Account:
        return replace(account, balance=account.balance - transfer.amount, nonce=transfer.nonce)

    monkeypatch.setattr(ledger, "debit", free)
    breaks(bench(rate=6.0).run(), "supply", "recomputed")


def test_a_header_of_another_state_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()

    def restated(c: CommittedBlock) -> None:
        c.block = Block.assemble(replace(c.block.header, state_root=bytes(32)), c.block.body)

    committing(b, monkeypatch, 2, restated)
    assert breaks(b.run(), "supply", "the header's state root is 0000000000000000").nodes == (2,)


def test_a_node_with_other_balances_than_its_header_says_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(rate=6.0)
    append, victim = Chain.append, b.nodes[2].chain

    def richer(self: Chain, block: Block, *rest: Any, **named: Any) -> CommittedBlock:
        committed = append(self, block, *rest, **named)
        if self is victim:
            key, account = next(iter(self.state.ledger.accounts.items()))
            accounts = {**self.state.ledger.accounts, key: replace(account, balance=account.balance + 1)}
            self.state = replace(self.state, ledger=replace(self.state.ledger, accounts=accounts))
        return committed

    monkeypatch.setattr(Chain, "append", richer)
    assert breaks(b.run(), "supply", "has balance").nodes == (2,)


@pytest.mark.parametrize("what", ["registrations", "joins", "heartbeats"])
def test_every_part_of_a_body_is_compared_with_its_header(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    b = bench(rate=0.5)

    def other(c: CommittedBlock) -> None:
        more = {"registrations": tuple(c.electorate.registry.epochs[0].values())[:1]}.get(what, ())
        if getattr(c.block.body, what) != more:
            c.block = replace(c.block, body=replace(c.block.body, **{what: more}))  # type: ignore[arg-type]

    committing(b, monkeypatch, 2, other)
    assert breaks(b.run(), "agreement", f"has other {what} than its header").nodes == (2,)


def test_as_many_transfers_in_another_order_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(rate=6.0)

    def turned(c: CommittedBlock) -> None:
        if len(c.block.tx_ids) > 1:
            c.block = replace(c.block, body=replace(c.block.body, tx_ids=c.block.tx_ids[::-1]))

    committing(b, monkeypatch, 2, turned)
    assert breaks(b.run(), "agreement", "has other transfers than its header").nodes == (2,)


def test_a_wrong_number_of_transfers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every leader counts one too many, and nobody looks."""
    build = Voter._build

    def miscounted(self: Voter, slot: int, **more: Any) -> Block:
        block = build(self, slot, **more)
        return Block.assemble(replace(block.header, tx_count=block.header.tx_count + 1), block.body)

    monkeypatch.setattr(Voter, "_build", miscounted)
    monkeypatch.setattr(Block, "why_malformed", lambda self: None)
    breaks(bench(chain={"block_proofs": []}).run(), "agreement", "has other transfers than its header")


def test_a_proof_of_another_block_than_the_own_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is proven, one node has changed its block."""
    b = bench()
    note, victim = Finality._note_proven, b.nodes[1].finality

    def changed(self: Finality, committed: CommittedBlock, proof: Any) -> None:
        if self is victim and committed.block.header.height == 2:
            committed.block = Block.assemble(replace(committed.block.header, timestamp=9), committed.block.body)
        note(self, committed, proof)

    monkeypatch.setattr(Finality, "_note_proven", changed)
    assert breaks(b.run(), "agreement", "not its block at height 2").nodes == (1,)


def lenient(accounts: Mapping[bytes, Account], tx: SignedTransfer) -> dict[bytes, Account]:
    """Whoever pays whom, how much and from what: it applies."""
    sender, receiver = accounts[tx.transfer.sender], accounts.get(tx.transfer.receiver)
    paid = {tx.transfer.sender: replace(sender, balance=max(0, sender.balance - tx.transfer.amount - 1), nonce=tx.transfer.nonce)}
    return paid if receiver is None else {**paid, tx.transfer.receiver: replace(receiver, balance=receiver.balance + tx.transfer.amount)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": 2 * 10**9}, "spends 2000000000 + 1 of 1000000000"),
        ({"amount": 0}, "spends 0 + 1 of 1000000000"),
        ({"nonce": 5}, "has nonce 5 where 1 is next"),
        ({"receiver": bytes(32)}, "is between accounts that are not two of the chain's"),
        ({"receiver": None}, "is between accounts that are not two of the chain's"),
        ({"balance": 10**9 - 1}, "starts from another account than the chain's"),
    ],
)
def test_a_transfer_that_does_not_apply_is_found(monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], words: str) -> None:
    """Wallets sign it, and neither mempool nor ledger looks."""
    draft = Wallet.draft

    def other(self: Wallet, lane: bytes, *what: Any) -> Draft | None:
        made = draft(self, lane, *what)
        assert made is not None
        account = replace(made.tx.account, **{k: v for k, v in change.items() if k == "balance"})
        fields: dict[str, Any] = {k: lane if v is None else v for k, v in change.items() if k != "balance"}
        transfer = replace(made.tx.transfer, **fields)
        signed = transfer.signing_bytes(account, self._facts.genesis.chain_id)
        return Draft(SignedTransfer.of(transfer, account), self._keyring.sign_for_lane(self._lane_numbers[lane], signed), made.payload)

    monkeypatch.setattr(Wallet, "draft", other)
    monkeypatch.setattr(Ledger, "why_inapplicable", lambda self, tx: None)
    monkeypatch.setattr(ledger, "_step", lenient)
    breaks(bench(rate=6.0, chain={"block_proofs": []}).run(), "no_double_spend", words)


def test_a_transfer_that_the_node_does_not_hold_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(rate=6.0)
    held = b.nodes[2].transactions.verified
    committing(b, monkeypatch, 2, lambda c: [held.pop(i) for i in c.block.tx_ids[:1]])
    result = b.run()
    assert breaks(result, "no_double_spend", "names transfers that it does not hold").nodes == (2,)
    assert breaks(result, "nothing_unverified", "which it does not hold").nodes == (2,)


@pytest.mark.parametrize("what", ["fees", "lost", "opened"])
def test_a_ledger_that_differs_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    b = bench(rate=6.0)
    append, victim = Chain.append, b.nodes[2].chain

    def other(self: Chain, block: Block, *rest: Any, **named: Any) -> CommittedBlock:
        committed = append(self, block, *rest, **named)
        if self is victim:
            own = self.state.ledger
            changes: dict[str, Any] = {
                "fees": {"fees": own.fees + 1},
                "lost": {"accounts": dict(list(own.accounts.items())[1:])},
                "opened": {"opened": {**own.opened, bytes(32): 1}},
            }
            self.state = replace(self.state, ledger=replace(own, **changes[what]))
        return committed

    monkeypatch.setattr(Chain, "append", other)
    words = "fees are" if what == "fees" else "other accounts than recomputed"
    assert breaks(b.run(), "supply", words).nodes == (2,)


def test_a_block_that_is_not_the_announced_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, but another: what the node says it has committed is not what it holds."""
    b = bench()

    def other(c: CommittedBlock) -> None:
        c.block = Block.assemble(replace(c.block.header, timestamp=c.block.header.timestamp + 1), c.block.body)

    committing(b, monkeypatch, 2, other)
    assert breaks(b.run(), "agreement", "hashes to").nodes == (2,)
