"""agreement, finality, no_double_spend, supply: each is broken in a run and says so."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import NodeId
from simnet.events import BlockCommitted
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.voting import Validator
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
    commit = Validator.commit

    def later(self: Validator, block: Block, *rest: Any, **named: Any) -> None:
        if self is b.nodes[3].validator and block.header.height == 2:
            block = Block.assemble(replace(block.header, timestamp=block.header.timestamp + 1), block.body)
        commit(self, block, *rest, **named)

    monkeypatch.setattr(Validator, "commit", later)
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
