"""Bytes that signatures, ids and circuits are computed from: no two different things share them, and damaged ones are refused."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet import _zk
from simnet.base.catalogue import BackendId
from simnet.protocol.messages import KeyDisclosure, Phase, Vote
from simnet.protocol.transfer import NO_REPUTATION, Account, Transfer, transfer_id, why_invalid
from simnet.protocol.validators import Lane

BOUNDED = settings(max_examples=60, deadline=None)
KEYS = {b: _zk.Key.generate(b, 1, [], bytes(32)) for b in BackendId}
ELEMENT_BYTES = {BackendId.STWO: 4, BackendId.PLONKY3: 4, BackendId.GROTH16: 32}
u64 = st.integers(0, 2**64 - 1)
b32 = st.binary(min_size=32, max_size=32)
backends = st.sampled_from(list(BackendId))
transfers = st.builds(Transfer, b32, b32, u64, u64, u64, st.integers(0, 255), u64, b32)
accounts = st.builds(Account, u64, u64, u64, st.integers(0, 255), u64, st.just(NO_REPUTATION) | b32)
votes = st.builds(
    Vote,
    height=st.integers(0, 3),
    slot=st.integers(0, 3),
    phase=st.sampled_from(list(Phase)),
    block=st.none() | st.sampled_from([bytes(32), b"\1" * 32]),
    validator=st.integers(0, 3),
    tag=st.sampled_from([b"", bytes(32), b"\1" * 32]),
    signature=st.just(b""),
)
disclosures = st.builds(
    KeyDisclosure,
    height=st.integers(0, 3),
    slot=st.integers(0, 3),
    lane=st.sampled_from(Lane),
    backend=st.integers(1, 3),
    block=st.sampled_from([bytes(32), b"\1" * 32]),
    validator=st.integers(0, 3),
    keys=st.tuples(*[st.sampled_from([bytes(32), b"\1" * 32])] * 4),
    signature=st.just(b""),
)


def edited(value: Any, data: st.DataObject, strategy: st.SearchStrategy[Any]) -> Any:
    """`value` with one field of another value of its kind."""
    other = data.draw(strategy)
    name = data.draw(st.sampled_from([f for f in value.__dataclass_fields__ if f != "signature"]))
    return replace(value, **{name: getattr(other, name)})


@given(transfers, st.data())
def test_different_transfers_have_different_bytes(transfer: Transfer, data: st.DataObject) -> None:
    other = edited(transfer, data, transfers)
    assert (transfer.encode() == other.encode()) == (transfer == other)
    account = Account(balance=100)
    assert (transfer_id(transfer, account) == transfer_id(other, account)) == (transfer == other)


@given(accounts, st.data())
def test_different_accounts_have_different_bytes(account: Account, data: st.DataObject) -> None:
    other = edited(account, data, accounts)
    transfer = data.draw(transfers)
    assert (transfer_id(transfer, account) == transfer_id(transfer, other)) == (account == other)
    assert (account.encode() == other.encode()) == (account == other)


@settings(max_examples=400)
@given(votes, votes)
def test_different_votes_sign_different_bytes(a: Vote, b: Vote) -> None:
    assert (a.signing_bytes() == b.signing_bytes()) == (a == b)


def test_a_tag_is_not_a_block() -> None:
    nil = Vote(1, 1, Phase.PREVOTE, None, 0, b"\1" * 32, b"")
    assert nil.signing_bytes() != replace(nil, block=nil.tag, tag=b"").signing_bytes()


@given(disclosures, disclosures)
def test_different_disclosures_sign_different_bytes(a: KeyDisclosure, b: KeyDisclosure) -> None:
    assert (a.signing_bytes() == b.signing_bytes()) == (a == b)


@BOUNDED
@given(backends, transfers, accounts)
def test_statements_parse_or_are_refused(which: BackendId, transfer: Transfer, account: Account) -> None:
    """A statement with a vector carries its own integers in it; whatever the native rules allow has one."""
    try:
        vector = KEYS[which].public_inputs(transfer.statement(account))
    except _zk.ZkError:
        assert why_invalid(transfer, account) is not None or account.rep != NO_REPUTATION
        return
    assert len(vector) == KEYS[which].public_len * ELEMENT_BYTES[which]
    if which is BackendId.GROTH16:
        numbers = [int.from_bytes(vector[at : at + 32], "little") for at in range(64, 160, 32)]
        assert numbers == [transfer.amount, transfer.fee, transfer.nonce]


@BOUNDED
@given(backends, st.binary(max_size=400))
def test_any_bytes_are_a_statement_or_an_error(which: BackendId, data: bytes) -> None:
    if len(data) != 194:
        with pytest.raises(_zk.ZkError):
            KEYS[which].public_inputs(data)
        with pytest.raises(_zk.ZkError):
            KEYS[which].prove(data, bytes(32), 1)


@BOUNDED
@given(backends, st.binary(max_size=600), st.binary(max_size=400))
def test_any_bytes_get_a_reason(which: BackendId, public: bytes, envelope: bytes) -> None:
    assert KEYS[which].verify(public, envelope, 1 << 20) in _zk.REJECT_REASONS


@BOUNDED
@given(backends, st.binary(max_size=600))
def test_any_bytes_are_no_key(which: BackendId, data: bytes) -> None:
    with pytest.raises(_zk.ZkError, match="InvalidKeyEncoding"):
        _zk.Key.load(which, 1, [], data)
