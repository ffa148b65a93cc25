"""Transfers, ledger and mempool: value rules, staleness, lanes, supply."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.mempool import Mempool
from simnet.protocol.transfer import NO_MEMO, U64_MAX, Account, Transfer, why_invalid

A, B, C = (bytes([i]) * 32 for i in (1, 2, 3))


def transfer(sender: bytes = A, receiver: bytes = B, amount: int = 10, nonce: int = 1, **other: object) -> Transfer:
    base = Transfer(sender, receiver, amount, 1, nonce, 1, 0, NO_MEMO)
    return replace(base, **other)  # type: ignore[arg-type]


def ledger(**balances: int) -> Ledger:
    return Ledger({key: Account(balances.get(name, 100)) for name, key in (("a", A), ("b", B), ("c", C))})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, None),
        ({"receiver": A}, "self_transfer"),
        ({"amount": 0}, "zero_amount"),
        ({"amount": 100}, "insufficient_balance"),
        ({"amount": 99}, None),
        ({"nonce": 2}, "wrong_nonce"),
        ({"nonce": 0}, "wrong_nonce"),
        ({"required_tier": 2}, "tier_too_low"),
    ],
)
def test_value_rules(changed: dict[str, object], why: str | None) -> None:
    assert why_invalid(transfer(**changed), Account(100)) == why  # type: ignore[arg-type]


def test_encodings_have_the_lengths_of_the_circuit_statement() -> None:
    assert len(transfer().statement(Account(1))) == 194


def test_a_transfer_moves_value_and_collects_the_fee() -> None:
    after, refused = ledger().apply([SignedTransfer.of(transfer(), Account(100))])
    assert refused == []
    assert (after.accounts[A], after.accounts[B].balance, after.fees) == (Account(89, nonce=1), 110, 1)


def test_a_receiver_cannot_overflow() -> None:
    before = ledger(b=U64_MAX - 5)
    after, refused = before.apply([SignedTransfer.of(transfer(), Account(100))])
    assert len(refused) == 1
    assert after.accounts == before.accounts


def test_applying_the_same_transfer_twice_is_refused() -> None:
    tx = SignedTransfer.of(transfer(), Account(100))
    _, refused = ledger().apply([tx, tx])
    assert refused == [tx]


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from([A, B, C]), st.integers(0, 120)), max_size=20))
def test_supply_never_changes(payments: list[tuple[bytes, bytes, int]]) -> None:
    state = ledger()
    for sender, receiver, amount in payments:
        account = state.accounts[sender]
        tx = SignedTransfer.of(transfer(sender, receiver, amount, account.nonce + 1), account)
        state, _ = state.apply([tx])
        assert state.supply == 300


def test_the_state_root_depends_on_every_account() -> None:
    roots = {ledger().root, ledger(a=99).root, ledger(c=101).root, Ledger(ledger().accounts, fees=1).root}
    assert len(roots) == 4


def test_stale_and_future_are_told_apart() -> None:
    moved = replace(Account(100), nonce=3)
    assert ledger().why_inapplicable(SignedTransfer.of(transfer(nonce=4), moved)) == "future"
    assert ledger(a=90).why_inapplicable(SignedTransfer.of(transfer(), Account(100))) == "stale"


def test_a_lane_takes_one_pending_transfer() -> None:
    """Of two the smaller id, whichever comes first: a cheating sender's conflict ends alike in all pools."""
    smaller, larger = sorted((SignedTransfer.of(transfer(amount=n), Account(100)) for n in (10, 11)), key=lambda tx: tx.id)
    pool, other = Mempool(10), Mempool(10)
    assert other.admit(larger) is None and other.why_not(smaller) is None
    assert other.admit(smaller) == larger
    assert pool.why_not(smaller) is None
    assert pool.admit(smaller) is None
    assert pool.why_not(smaller) == "already_pending"
    assert pool.why_not(larger) == "lane_busy"
    assert pool.pending == other.pending and pool._busy == other._busy
    assert pool.is_busy(A)
    assert pool.is_busy(B)
    assert not pool.is_busy(C)


def test_a_full_pool_says_so() -> None:
    pool = Mempool(1)
    pool.admit(SignedTransfer.of(transfer(), Account(100)))
    assert pool.why_not(SignedTransfer.of(transfer(sender=C), Account(100))) == "mempool_full"


def test_a_block_clears_what_it_commits_and_what_it_makes_stale() -> None:
    pool = Mempool(10)
    committed = SignedTransfer.of(transfer(A, B), Account(100))
    stale = SignedTransfer.of(transfer(B, C), Account(100))
    for tx in (committed, stale):
        pool.admit(tx)
    after, _ = ledger().apply([committed])
    assert pool.after_block(after, [committed.id]) == ([committed], [stale])
    assert pool.pending == {}
    assert not any(map(pool.is_busy, (A, B, C)))


def test_a_selection_applies_in_order() -> None:
    """A transfer out of an account that an earlier one pays into is left for a later block."""
    pool = Mempool(10)
    into_b = SignedTransfer.of(transfer(A, B), Account(100))
    out_of_b = SignedTransfer.of(transfer(B, C), Account(100))
    for tx in (into_b, out_of_b):
        pool.admit(tx)
    chosen = pool.select(ledger(), 10, 10)
    assert chosen == [into_b]
    assert ledger().apply(chosen)[1] == []
