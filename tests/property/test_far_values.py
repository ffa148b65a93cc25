"""Signed messages with any number in any place: none costs a node more than a bounded number of steps, or ends it."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import IntEnum
from functools import partial
from types import FrameType
from typing import Any

import pytest

from simnet.base.catalogue import BackendId
from simnet.net.network import Validation
from simnet.protocol.blocks import Block, Body, Registration, digests_root, registrations_root
from simnet.protocol.evidence import DoubleSign, InvalidProposal
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.joins import Join
from simnet.protocol.messages import Endorsement, KeyDisclosure, Phase, Proposal, RollCall, Vote
from simnet.protocol.shapes import is_shaped
from simnet.protocol.validators import Lane, epoch_of
from tests.mocks import scenario
from tests.node.alone import Puppet, gossiped, puppets
from tests.node.test_by_script import begin, decided, others

NUMBERS = (0, 1, 3, 2**16 - 1, 10**6, 10**9, 2**32 - 1, 2**62, 2**63 - 1)
STEPS_MAX = 20_000
"""Calls of Python functions; an honest message takes some hundreds."""
LIAR = 1


class TooManySteps(BaseException):
    """Nothing catches it."""


def steps(action: Callable[[], object]) -> int:
    """Calls that an action makes; raises at the limit, so that nothing hangs."""
    made = 0

    def count(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal made
        made += event == "call"
        if made > STEPS_MAX:
            raise TooManySteps

    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(None)
    return made


def changed(value: Any) -> Iterator[Any]:
    """The value with one of its numbers another one, at any depth."""
    for f in fields(value):
        old = getattr(value, f.name)
        if isinstance(old, int) and not isinstance(old, (bool, IntEnum)):
            yield from (replace(value, **{f.name: n}) for n in NUMBERS if n != old)
        elif is_dataclass(old) and not isinstance(old, type):
            yield from (replace(value, **{f.name: inner}) for inner in changed(old))


def whole(block: Block) -> Block:
    """The block with hash and roots of what it now says."""
    body = block.body
    registered, beats = registrations_root(body.registrations), digests_root(body.heartbeats)
    return Block.assemble(replace(block.header, registrations_root=registered, heartbeats_root=beats), body)


@pytest.fixture
def four() -> list[Puppet]:
    """One block is decided; the present slot is the liar's."""
    made = puppets(scenario(4, slot_ms=1000, consensus={"slashing": True}))
    begin(made, 0)
    decided(made, made)
    begin(made, next(s for s in range(1, 100) if made[0].node.chain.electorate.leader(s) == LIAR))
    return made


def beat(author: Puppet, t: int) -> Heartbeat:
    bare = Heartbeat(LIAR, t, author.node.chain.head, b"")
    return replace(bare, signature=author.node.keyring.sign(bare.signing_bytes(author.node._facts.genesis.chain_id)))


def bodies(author: Puppet) -> list[Body]:
    chain_id = author.node._facts.genesis.chain_id
    registered = [author.node.keyring.registration(chain_id, epoch) for epoch in (3, 10**6)]
    return [Body(), *(Body(registrations=(r,)) for r in registered), *(Body(heartbeats=(beat(author, t),)) for t in (0, 10**9, 2**62))]


def proposals(four: list[Puppet]) -> Iterator[Proposal]:
    """Of slots that their author leads, near and far, dated near and far, with what a body may bring."""
    author, chain = four[LIAR], four[LIAR].node.chain
    template = author.node.voter._build(1)
    for near in (1, *NUMBERS):
        slot = next(s for s in range(near, near + 200) if chain.electorate.leader(s) == LIAR)
        for timestamp in NUMBERS:
            for body in bodies(author):
                header = replace(template.header, slot=slot, proposer=LIAR, timestamp=timestamp, tx_count=0)
                if is_shaped(header):
                    yield author.node.keyring.signed(Proposal(slot, whole(Block(header, body, b"")), -1, LIAR, b""))


def said(four: list[Puppet]) -> Iterator[tuple[str, Any]]:
    """One of each kind that its author signs whole."""
    author = four[LIAR].node
    keyring, block = author.keyring, author.chain.committed[0].block
    count = author.chain.registry.count(epoch_of(1))
    yield "vote", Vote(2, 1, Phase.PREVOTE, block.hash, LIAR, b"t" * 32, b"")
    yield "roll_call", RollCall(LIAR, 1, 2, b"")
    yield "endorsement", Endorsement(1, 1, Lane.RECOVER, block.hash, 1, count, LIAR, (b"t" * 32,) * 3, b"")
    yield "key_disclosure", KeyDisclosure(1, 0, Lane.VOTE, 1, block.hash, LIAR, keyring.one_time(BackendId.STWO, 0, Lane.VOTE), b"")
    yield "registration", keyring.registration(author._facts.genesis.chain_id, 3)


def heard(one: Puppet, kind: str, payload: Any) -> tuple[Validation, str]:
    answer: list[tuple[Validation, str]] = []
    steps(lambda: answer.append(one.hear(kind, payload, LIAR)))
    return answer[0]


def test_signed_messages_of_any_number_are_cheap(four: list[Puppet]) -> None:
    one, keyring, tried = others(four, four[LIAR])[0], four[LIAR].node.keyring, 0
    for kind, message in said(four):
        for other in changed(message):
            if is_shaped(replace(other, signature=bytes(64))):
                signed = keyring.signed(other)
                heard(one, kind, signed)
                tried += 1
                if isinstance(signed, Vote):
                    heard(one, "evidence", DoubleSign(signed, keyring.signed(replace(signed, block=bytes(32)))))
    assert tried > 90


def test_heartbeats_and_joins_of_any_number_are_cheap(four: list[Puppet]) -> None:
    one, author = others(four, four[LIAR])[0], four[LIAR].node
    for t in NUMBERS:
        heard(one, "heartbeat", beat(four[LIAR], t))
    genuine: Join = author.keyring.join(author._facts.genesis.chain_id)
    assert all(heard(one, "join", other)[0] is not Validation.ACCEPT for other in changed(genuine) if is_shaped(other))


def test_proposals_and_accusations_of_any_slot_and_date_are_cheap(four: list[Puppet]) -> None:
    one, tried = others(four, four[LIAR])[0], 0
    for proposal in proposals(four):
        if is_shaped(proposal):
            heard(one, "proposal", proposal)
            # Past what bounds how many of them are judged.
            if proposal.slot <= one.node.voter.slot:
                steps(partial(one.node.voter._judge, proposal))
            claim = InvalidProposal(proposal)
            steps(partial(one.node.watch._court.judge, claim, gossiped(tried, "evidence", claim), one.node.id))
            tried += 1
    assert tried > 300


def test_the_count_stops_what_never_ends() -> None:
    with pytest.raises(TooManySteps):
        steps(lambda: [Registration for _ in iter(lambda: 1, 2)])
