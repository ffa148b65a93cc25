"""The in-field trees advance as the ledger does, and every proof of a block begins where the one before ended."""

from collections.abc import Iterable

import pytest

from simnet.base.catalogue import BackendId
from simnet.proofs import native
from simnet.proofs.field import address, empty_leaf, field_of
from simnet.protocol.blocks import Body
from simnet.protocol.heartbeats import UptimeState
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.roots import FieldState, apply_block, genesis_state
from simnet.protocol.state import ChainState, Outcome, Position, Rules, advance
from simnet.protocol.transfer import Account
from tests import block_samples as samples

START = {samples.key("wallet", i): Account(1_000_000) for i in range(samples.WALLETS)}
RULES = Rules(samples.WINDOWS, 64, (1, 2), joins=True, heartbeats=True)
each_field = pytest.mark.parametrize("which", BackendId)


def chain_state(fields: Iterable[BackendId] = BackendId) -> ChainState:
    return ChainState(Ledger(START), tuple(genesis_state(field_of(b), START)[0] for b in fields), UptimeState(), {})


def body(transfers: int, joins: int) -> tuple[Body, dict[bytes, SignedTransfer]]:
    txs = {t.tx.id: t.tx for t in samples.transitions(transfers)}
    return Body(tx_ids=tuple(txs), joins=tuple(samples.join(i) for i in range(joins))), txs


def outcome(state: ChainState, transfers: int = 20, joins: int = 2, height: int = 1) -> Outcome:
    contents, txs = body(transfers, joins)
    done = advance(state, RULES, Position(height, height, samples.TIMESTAMP), contents, txs)
    assert isinstance(done, Outcome), done
    return done


@each_field
def test_the_account_tree_is_that_of_the_ledger(which: BackendId) -> None:
    done = outcome(chain_state([which]), joins=0)
    assert done.after.ledger.accounts != START
    rebuilt, lost = genesis_state(field_of(which), done.after.ledger.accounts)
    assert lost == []
    assert done.after.fields[0].accounts.root == rebuilt.accounts.root


@each_field
def test_joins_open_accounts_and_write_identities_one_after_the_other(which: BackendId) -> None:
    done = outcome(chain_state([which]), transfers=0, joins=3)
    block = done.field(which)
    assert [r.identity_root_before for r in block.registered] == [
        block.before.identities.root,
        *(r.identity_root_after for r in block.registered[:-1]),
    ]
    assert block.registered[-1].identity_root_after == block.roots.identity
    for r in block.registered:
        a = address(which, r.join.key)
        opened = native.opened_account_leaf(which, r.join.key, r.commitment, samples.TIMESTAMP)
        assert block.after.accounts.leaf(a) == opened
        assert block.after.identities.leaf(a) == native.identity_leaf(which, a, r.commitment)
        assert block.after.commitments[r.join.key] == r.commitment
        assert done.after.ledger.opened[r.join.key] == samples.TIMESTAMP
    assert done.after.registered == {i: samples.key("node", i) for i in range(3)}


@each_field
def test_chunks_lead_from_the_joins_to_the_block(which: BackendId) -> None:
    state, done = genesis_state(field_of(which), START)[0], samples.transitions(40)
    block = apply_block(state, [samples.join(0)], done, (1, 1000), 64, chunked=True)
    assert len(block.chunks) == 1 + 3
    assert len({tree.root for tree in block.chunks}) == 4
    whole = apply_block(state, [samples.join(0)], done, (1, 1000), 64, chunked=False)
    assert whole.roots == block.roots
    assert len(whole.chunks) == 2
    half = apply_block(state, [samples.join(0)], done[:16], (1, 1000), 64, chunked=True)
    assert half.roots.state == block.chunks[1].root


@each_field
def test_header_digests_chain(which: BackendId) -> None:
    state, done = genesis_state(field_of(which), START)[0], samples.transitions(3)
    assert state.head == native.lift(which, bytes(32))
    first = apply_block(state, [], done, (1, 1000), 16, chunked=True)
    second = apply_block(first.after, [], [], (2, 1006), 16, chunked=True)
    assert second.roots.parent == first.after.head
    root = native.merkle_root(which, b"".join(first.digests), 4, empty_leaf(which, 8))
    assert first.roots.transactions == root
    assert first.after.head == native.header_digest(which, state.head, 1, first.roots.state, root, 1000, 3)


def test_a_block_that_breaks_a_rule_has_no_outcome() -> None:
    state = chain_state([BackendId.STWO])
    contents, txs = body(3, 1)
    at = Position(1, 1, samples.TIMESTAMP)
    after = outcome(state, transfers=0, joins=1).after
    assert advance(after, RULES, at, Body(joins=contents.joins), {}) == "inapplicable_join"
    no_joins = Rules(samples.WINDOWS, 64, (1, 2), joins=False, heartbeats=True)
    assert advance(state, no_joins, at, contents, txs) == "unexpected_join"
    twice = Body(tx_ids=(*contents.tx_ids, contents.tx_ids[0]))
    assert advance(state, RULES, at, twice, txs) == "inapplicable_transfer"


def test_an_opened_account_neither_pays_nor_is_paid() -> None:
    state = outcome(chain_state([BackendId.STWO]), transfers=0, joins=1).after
    payer, payee = samples.transitions(1)[0].tx, samples.key("node", 0)
    assert payee in state.ledger.opened
    for sender, receiver in ((payer.transfer.sender, payee), (payee, payer.transfer.sender)):
        transfer = type(payer.transfer)(sender, receiver, 1, 0, 1, 1, 900, bytes(32))
        assert state.ledger.apply([SignedTransfer.of(transfer, Account(1_000_000))])[1], "applied"


def test_two_keys_of_one_slot_cannot_both_have_it() -> None:
    """32 bits are too many to find a collision in a test: the second key is the first one again."""
    state: FieldState = genesis_state(field_of(BackendId.STWO), START)[0]
    key = samples.key("node", 0)
    assert state.has_room([key])
    assert not state.has_room([key, key])
    assert not state.has_room([next(iter(START))])
