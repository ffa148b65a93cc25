"""How much of one author's or neighbour's messages a node keeps and passes on: each limit is reached, and holds."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import NodeId, SimTime, from_ms
from simnet.net.faults import SETTLE
from simnet.node.letters import Signed, TransferVerified
from simnet.node.sync import ANSWERED_MAX, OWED_MAX, PROOFS_MAX
from simnet.node.voting import EARLY_MAX, PROPOSALS_MAX, VOTES_MAX, WAITING_MAX
from simnet.protocol.blocks import Block, Body, tx_root
from simnet.protocol.messages import Phase, ProofsOf, RollCall, Vote
from tests.mocks import Bench, misbehaving, scenario
from tests.node.alone import Puppet, puppets, transfer_of

LIAR = NodeId(1)
MANY: dict[str, Any] = {"gossip": {"peer_score_max": 10**6}}
"""Nobody is cut off, however much it sends."""


def bench(slots: int = 5, **sections: Any) -> Bench:
    return Bench(scenario(4, slots=slots, rate=0.5, faults={"nodes": [misbehaving(LIAR)]}, **MANY, **sections))


def alone(slot: int = 2, **sections: Any) -> list[Puppet]:
    """Four nodes without a network, in a slot."""
    made = puppets(scenario(4, slots=30, **MANY, **sections))
    for one in made:
        one.ports.now = SimTime(SETTLE + from_ms(1000 * slot))
        one.node.on_slot(slot)
    return made


def votes(keyring: Any, height: int, slots: range, each: int) -> list[Vote]:
    """Different ones, all signed by the liar."""
    bare = [Vote(height, slot, Phase.PREVOTE, bytes([n + 1]) * 32, LIAR, b"", b"") for slot in slots for n in range(each)]
    return [keyring.signed(vote) for vote in bare]


def answers(one: Puppet, kind: str, payloads: list[Any]) -> dict[tuple[str, str], int]:
    """How often a node gives each answer to the liar's messages."""
    given = (one.hear(kind, payload, LIAR) for payload in payloads)
    return dict(Counter((verdict.value, reason) for verdict, reason in given))


@pytest.mark.parametrize(("ahead", "kept"), [(1, EARLY_MAX), (2, 0)])
def test_few_early_messages_of_one_author_are_kept_and_none_of_a_later_height(ahead: int, kept: int) -> None:
    four = alone()
    one = four[0]
    assert answers(one, "vote", votes(four[LIAR].node.keyring, 1 + ahead, range(3), VOTES_MAX)) == {("accept", ""): 3 * VOTES_MAX}
    assert len(one.node.validator._early[LIAR]) == kept
    assert one.ports.limits == (["early_messages"] * (3 * VOTES_MAX - EARLY_MAX) if ahead == 1 else [])


def test_an_early_message_is_taken_up_at_its_height() -> None:
    b, heard, sent = bench(), list[object](), list[Vote]()
    b.hear(0, Signed, lambda letter: heard.append(letter.item))

    def say() -> None:
        sent.extend(votes(b.nodes[LIAR].keyring, b.nodes[0].validator.voting.height + 1, range(2, 3), 1))
        b.publish(LIAR, "vote", sent[0], 100)

    b.at(2500, say)
    assert b.run().complete
    assert heard.count(sent[0]) == 2, "once as it came, and once when its height had begun"


def test_few_votes_of_one_author_about_one_slot_are_passed_on() -> None:
    four = alone()
    one = four[0]
    given = answers(one, "vote", votes(four[LIAR].node.keyring, 1, range(2, 3), VOTES_MAX + 8))
    assert given == {("accept", ""): VOTES_MAX, ("ignore", "too_many"): 8} and one.ports.limits == ["votes_of_author"] * 8


def test_few_proposals_and_one_roll_call_of_one_author_about_one_slot_are_passed_on() -> None:
    four = alone()
    led = next(slot for slot in range(2, 9) if four[0].node.chain.electorate.leader(slot) == LIAR)
    four = alone(led)
    one, liar = four[0], four[LIAR].node
    block = liar.validator._build(led)
    made = [Block.assemble(replace(block.header, state_root=bytes([n]) * 32), block.body) for n in range(1, 8)]
    calls = [liar.keyring.signed(RollCall(LIAR, led, h, b"")) for h in range(5)]
    assert answers(one, "roll_call", calls) == {("accept", ""): 1, ("ignore", "too_many"): 4}
    given = answers(one, "proposal", [liar.validator._signed_proposal(led, m, -1, ()) for m in made])
    assert given == {("accept", ""): PROPOSALS_MAX, ("ignore", "too_many"): 7 - PROPOSALS_MAX}
    assert Counter(one.ports.limits) == {"roll_calls_of_author": 4, "proposals_of_author": 7 - PROPOSALS_MAX}


def test_few_proposals_wait_for_transfers_the_newest_ones() -> None:
    """A leader names transfers that nobody has, in every slot that it leads."""
    last = 24
    four = alone(last)
    one, validator = four[0], four[LIAR].node.validator
    led = [slot for slot in range(last + 1) if one.node.chain.electorate.leader(slot) == LIAR]
    assert len(led) * PROPOSALS_MAX > WAITING_MAX + 2
    block, made = validator._build(last), []
    for slot in led:
        for n in range(PROPOSALS_MAX):
            ids = (bytes([slot, n]) * 16,)
            header = replace(block.header, slot=slot, proposer=int(LIAR), tx_count=1, tx_root=tx_root(ids))
            body = Body(ids, block.body.registrations, block.body.joins, block.body.heartbeats)
            made.append(validator._signed_proposal(slot, Block.assemble(header, body), -1, ()))
    assert answers(one, "proposal", made) == {("accept", ""): len(made)}
    waiting = [w.proposal for w in one.node.validator._waiting]
    assert waiting == made[-WAITING_MAX:]
    assert one.ports.limits == ["waiting_proposals"] * (len(made) - WAITING_MAX)


def test_few_transfers_are_owed_to_one_neighbour() -> None:
    one = alone()[0]
    ids = [n.to_bytes(2, "little") * 16 for n in range(OWED_MAX + 88)]
    for first in range(0, len(ids), 100):
        one.node.on_direct("tx_request", tuple(ids[first : first + 100]), LIAR)
    assert one.ports.limits == ["owed_transfers"] * 88 and len(one.node.sync._owed) == OWED_MAX


def test_few_proofs_of_one_answer_are_looked_at_and_none_of_another_block() -> None:
    b, taken = bench(), list[object]()
    node = b.nodes[0]
    node.aggregation.take = lambda incoming: taken.append(incoming.proof)  # type: ignore[method-assign]
    node.finality.take = lambda proof, *_: taken.append(proof)  # type: ignore[method-assign]
    given: list[ProofsOf] = []

    def give() -> None:
        taken.clear()
        genuine = next(iter(b.nodes[LIAR].aggregation.proofs_of(1)))
        consensus = b.nodes[LIAR].chain.committed[0].proof
        given.append(ProofsOf(2, consensus, (genuine, *(replace(genuine, height=2, index=n) for n in range(PROOFS_MAX + 44)))))
        b.network.send(LIAR, NodeId(0), "proof_response", given[0], 100)

    b.at(2500, give)
    b.at(2520, lambda: given.append(ProofsOf(0, None, tuple(taken))))  # type: ignore[arg-type]
    b.run()
    assert given[1].proofs == given[0].proofs[1:PROOFS_MAX]


def test_so_many_transfers_of_a_request_are_answered_however_small_blocks_are() -> None:
    one = alone(chain={"block_transactions_max": 1, "block_proofs": []})[0]
    asked = tuple(n.to_bytes(32, "big") for n in range(ANSWERED_MAX + 40))
    one.node.on_direct("tx_request", asked, LIAR)
    assert list(one.node.sync._owed) == list(asked[:ANSWERED_MAX])


def test_what_was_owed_is_given_once_and_makes_room() -> None:
    """Asked for twice before it is here."""
    four = alone()
    one, sender = four[0], four[3].node
    given = transfer_of(sender._facts, sender.keyring, sender.chain.ledger)
    for _ in range(2):
        one.node.on_direct("tx_request", (given.tx.id,), LIAR)
    assert one.take_sent(LIAR) == []
    one.node.transactions.note_verified(given)
    assert one.take_sent(LIAR) == [("tx_response", given)] and one.node.sync._owed_to[LIAR] == 0
    one.node.sync.on_verified(TransferVerified(given.tx.id))
    assert one.take_sent(LIAR) == []
