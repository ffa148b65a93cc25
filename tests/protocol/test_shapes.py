"""The shape of messages: every field of every type is in the table, and one of another length or range is refused."""

from dataclasses import fields, replace
from typing import Any

import pytest

from simnet.protocol.messages import Phase, Vote
from simnet.protocol.shapes import GOSSIP, SHAPES, fits_direct, fits_gossip, is_shaped
from simnet.protocol.transfer import Account

VOTE = Vote(3, 7, Phase.PREVOTE, b"a" * 32, 1, b"", b"s" * 64)


def test_the_table_has_every_field() -> None:
    for kind, shape in SHAPES.items():
        assert {f.name for f in fields(kind) if f.init} == set(shape), kind


@pytest.mark.parametrize(
    "change",
    [
        {"block": b"a" * 31},
        {"block": b"a" * 33},
        {"tag": b"a"},
        {"tag": b"t" * 40},
        {"signature": b"s" * 63},
        {"validator": 1 << 16},
        {"validator": -1},
        {"height": 1 << 63},
        {"slot": True},
        {"slot": 1.0},
        {"phase": 1},
        {"block": bytearray(32)},
        {"tag": None},
    ],
    ids=repr,
)
def test_another_length_or_range_is_no_vote(change: dict[str, Any]) -> None:
    assert fits_gossip("vote", VOTE) and fits_gossip("vote", replace(VOTE, block=None))
    wrong = replace(VOTE, **change)
    assert not fits_gossip("vote", wrong) and not fits_direct("votes", (VOTE, wrong))


def test_kinds_carry_what_they_say() -> None:
    assert not fits_gossip("proposal", VOTE) and not fits_gossip("transaction", None)
    assert fits_gossip("block_probe", b"anything") and "block_probe" not in GOSSIP
    assert not fits_direct("block_request", -1) and fits_direct("block_request", 3)
    assert not fits_direct("tx_request", (b"x" * 31,)) and not fits_direct("tx_request", [b"x" * 32])
    assert not is_shaped(object()) and is_shaped(Account(1))
