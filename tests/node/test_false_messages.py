"""What one liar says wrongly gets its answer at every node: unsigned, of another time, of another block, or too much at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import NodeId
from simnet.events import MessageValidated, PeerScored
from simnet.events.network import CONSENSUS_TOPIC
from simnet.node.block_parts import Part
from simnet.node.letters import Signed
from simnet.node.status import PROOFS_MAX, PROOFS_TOLD, ProofsHeld, Status, fits
from simnet.protocol.blocks import Block
from simnet.protocol.messages import Phase, RollCall, Vote
from simnet.protocol.votes import TOLD_MAX, Holding
from tests.mocks import Bench, misbehaving, scenario

LIAR = NodeId(1)
OTHERS = (0, 2, 3)
AT_MS = 2500
"""In slot 2, whose block is committed."""


def bench(slots: int = 5, **sections: Any) -> Bench:
    return Bench(scenario(4, slots=slots, rate=0.5, gossip={"peer_score_max": 10**6}, faults={"nodes": [misbehaving(LIAR)]}, **sections))


def answered(b: Bench, kind: str, make: Callable[[], Any], at_ms: float = AT_MS) -> set[tuple[str, str]]:
    """What all others answer to one message of the liar's."""
    sent: list[int] = []

    def publish() -> None:
        message = b.network.publish(LIAR, topic=CONSENSUS_TOPIC, kind=kind, payload=make(), size=100)
        assert message is not None
        sent.append(message.id)

    b.at(at_ms, publish)
    result = b.run()
    assert result.complete, result.violations
    given = [e for e in b.of(MessageValidated) if e.message in sent]
    assert {e.node for e in given} == set(OTHERS)
    return {(e.verdict, e.reason) for e in given}


@pytest.mark.parametrize(
    ("author", "slot", "signs", "answers"),
    [
        (LIAR, 2, True, {("accept", "")}),
        (2, 2, False, {("reject", "SignatureInvalid")}),
        (77, 2, False, {("reject", "SignatureInvalid")}),
        (LIAR, 4, True, {("drop", "slot"), ("accept", "")}),
    ],
)
def test_roll_calls_are_signed_and_of_no_slot_to_come(author: int, slot: int, signs: bool, answers: set[tuple[str, str]]) -> None:
    """What is dropped comes again: then its slot has begun."""
    b = bench()
    call = RollCall(author, slot, 4, bytes(64))
    assert answered(b, "roll_call", lambda: b.nodes[LIAR].keyring.signed(call) if signs else call) == answers


@pytest.mark.parametrize(
    ("author", "slot", "signs", "answers"),
    [
        (LIAR, 2, True, {("accept", "")}),
        (2, 2, False, {("reject", "SignatureInvalid")}),
        (LIAR, 4, True, {("drop", "slot"), ("accept", "")}),
    ],
)
def test_votes_are_signed_and_of_no_slot_to_come(author: int, slot: int, signs: bool, answers: set[tuple[str, str]]) -> None:
    b = bench()
    vote = Vote(4, slot, Phase.PREVOTE, bytes([7]) * 32, author, b"", bytes(64))
    assert answered(b, "vote", lambda: b.nodes[LIAR].keyring.signed(vote) if signs else vote) == answers


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"epoch": 50}, ("drop", "epoch")),
        ({"epoch": 0}, ("ignore", "registered")),
        ({"signature": bytes(64)}, ("reject", "registration")),
    ],
)
def test_registrations_are_signed_and_of_an_epoch_that_is_near(change: dict[str, Any], answer: tuple[str, str]) -> None:
    b = bench(consensus={"key_horizon_epochs": 1})

    def make() -> Any:
        genuine = b.nodes[LIAR].keyring.registration(b.facts.genesis.chain_id, int(change.get("epoch", 1)))
        return replace(genuine, **change)

    assert answered(b, "registration", make) == {answer}


def test_another_body_under_a_signed_header_is_refused() -> None:
    b = bench(9)
    led = next(slot for slot in range(2, 9) if b.leader(slot) == LIAR)

    def make() -> Any:
        validator = b.nodes[LIAR].voter
        block = validator._build(led)
        other = Block(block.header, replace(block.body, tx_ids=(bytes(32),)), block.hash)
        return validator._signed_proposal(led, other, -1, ())

    assert answered(b, "proposal", make, 1000 * led + 500) == {("reject", "tx_count")}


@pytest.mark.parametrize(
    ("change", "taken", "costs"),
    [
        ({}, True, False),
        ({"slot": 4}, False, False),
        ({"height": 9}, False, False),
        ({"height": 1}, False, False),
        ({"signature": bytes(64)}, False, True),
    ],
)
def test_votes_that_are_handed_over_are_looked_at_like_any_others(change: dict[str, Any], taken: bool, costs: bool) -> None:
    b, heard = bench(), list[object]()
    b.hear(0, Signed, lambda letter: heard.append(letter.item))
    given: list[Vote] = []

    def hand_over() -> None:
        bare = Vote(b.nodes[0].voter.voting.height, 2, Phase.PREVOTE, bytes([7]) * 32, int(LIAR), b"", b"")
        fields = {k: v for k, v in change.items() if k != "signature"}
        signed = b.nodes[LIAR].keyring.signed(replace(bare, **fields))
        given.append(replace(signed, signature=change.get("signature", signed.signature)))
        b.network.send(LIAR, NodeId(0), "votes", tuple(given), 100)

    b.at(AT_MS, hand_over)
    assert b.run().complete
    assert (given[0] in heard) is taken
    assert [(e.node, e.peer, e.cause) for e in b.of(PeerScored)] == ([(0, LIAR, "invalid_vote")] if costs else [])


def test_what_neighbours_tell_of_themselves_has_a_limit() -> None:
    held = ProofsHeld(1, True, frozenset((BackendId.STWO, Part(CircuitId.STATE, n)) for n in range(PROOFS_MAX)))
    more = replace(held, parts=held.parts | {(BackendId.STWO, Part(CircuitId.STATE, PROOFS_MAX))})
    vote = Holding(1, Phase.PREVOTE, None, 3)
    full = Status(1, (vote,) * TOLD_MAX, (), 0, (held,) * PROOFS_TOLD, bytes(32))
    assert fits("status", full) and fits("proof_request", held)
    assert not fits("status", replace(full, votes=(vote,) * (TOLD_MAX + 1)))
    assert not fits("status", replace(full, proofs=(held,) * (PROOFS_TOLD + 1)))
    assert not fits("status", replace(full, proofs=(more,))) and not fits("proof_request", more)


@pytest.mark.parametrize("kind", ["proposal", "roll_call"])
def test_an_own_message_that_comes_back_goes_no_further(kind: str) -> None:
    b = bench(12)
    own = next(n for n in range(4) if n != LIAR and any(b.leader(slot) == n for slot in range(2)))
    sent: list[Any] = []
    publish = b.network.publish

    def noting(node: NodeId, **message: Any) -> Any:
        if node == own and message["kind"] == kind:
            sent.append(message["payload"])
        return publish(node, **message)

    b.network.publish = noting  # type: ignore[method-assign]
    if kind == "roll_call":
        b.at(2200, b.nodes[own].voter._call_roll)
    echo: list[int] = []
    b.at(AT_MS, lambda: echo.append(publish(LIAR, topic=CONSENSUS_TOPIC, kind=kind, payload=sent[-1], size=100).id))  # type: ignore[union-attr]
    assert b.run().complete
    assert {(e.node, e.verdict) for e in b.of(MessageValidated) if e.message in echo} == {(n, "ignore") for n in OTHERS}
