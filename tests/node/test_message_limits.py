"""How much of one author's or neighbour's messages a node keeps and passes on: each limit is reached in a run, and holds."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import NodeId
from simnet.events import LimitReached, MessageValidated
from simnet.node.letters import Signed, TransferVerified
from simnet.node.ports import CONSENSUS_TOPIC
from simnet.node.sync import ANSWERED_MAX, OWED_MAX, PROOFS_MAX
from simnet.node.voting import EARLY_MAX, PROPOSALS_MAX, VOTES_MAX, WAITING_MAX
from simnet.protocol.blocks import Block, Body, tx_root
from simnet.protocol.messages import Phase, ProofsOf, Proposal, RollCall, Vote
from tests.mocks import Bench, misbehaving, scenario

LIAR = NodeId(1)
OTHERS = (0, 2, 3)


def bench(slots: int = 5, **sections: Any) -> Bench:
    """Nobody is cut off, however much it sends."""
    return Bench(scenario(4, slots=slots, rate=0.5, gossip={"peer_score_max": 10**6}, faults={"nodes": [misbehaving(LIAR)]}, **sections))


def publish(b: Bench, kind: str, payload: Vote | Proposal | RollCall) -> int:
    sent = b.network.publish(LIAR, topic=CONSENSUS_TOPIC, kind=kind, payload=payload, size=100)
    assert sent is not None
    return sent.id


def votes(b: Bench, height: int, slots: range, each: int) -> list[Vote]:
    """Different ones, all signed by the liar."""
    bare = [Vote(height, slot, Phase.PREVOTE, bytes([n + 1]) * 32, LIAR, b"", b"") for slot in slots for n in range(each)]
    return [b.nodes[LIAR].keyring.signed(vote) for vote in bare]


def reached(b: Bench, what: str) -> dict[int, int]:
    """How often each node has reached a limit."""
    return dict(Counter(int(e.node) for e in b.of(LimitReached) if e.what == what))


def answers(b: Bench, messages: list[int]) -> dict[tuple[int, str, str], int]:
    """How often each node has given each answer."""
    return dict(Counter((int(e.node), e.verdict, e.reason) for e in b.of(MessageValidated) if e.message in messages))


def spoken(b: Bench, ms: float, say: Callable[[], list[int]]) -> list[int]:
    """Runs it; at a time the liar speaks."""
    sent: list[int] = []
    b.at(ms, lambda: sent.extend(say()))
    result = b.run()
    assert result.complete, result.violations
    return sent


@pytest.mark.parametrize(("ahead", "kept"), [(1, EARLY_MAX), (2, 0)])
def test_few_early_messages_of_one_author_are_kept_and_none_of_a_later_height(ahead: int, kept: int) -> None:
    b, held = bench(), dict[int, int]()
    b.at(2550, lambda: held.update({n: len(b.nodes[n].validator._early[LIAR]) for n in OTHERS}))
    spoken(b, 2500, lambda: [publish(b, "vote", v) for v in votes(b, b.nodes[0].validator.voting.height + ahead, range(3), VOTES_MAX)])
    assert held == dict.fromkeys(OTHERS, kept)
    assert reached(b, "early_messages") == (dict.fromkeys(OTHERS, 3 * (VOTES_MAX - 3) - EARLY_MAX) if ahead == 1 else {}), (
        "its own three of each slot count"
    )


def test_an_early_message_is_taken_up_at_its_height() -> None:
    b, heard, sent = bench(), list[object](), list[Vote]()
    b.hear(0, Signed, lambda letter: heard.append(letter.item))

    def say() -> list[int]:
        sent.extend(votes(b, b.nodes[0].validator.voting.height + 1, range(2, 3), 1))
        return [publish(b, "vote", sent[0])]

    spoken(b, 2500, say)
    assert heard.count(sent[0]) == 2, "once as it came, and once when its height had begun"


def test_few_votes_of_one_author_about_one_slot_are_passed_on() -> None:
    b = bench()
    sent = spoken(b, 2500, lambda: [publish(b, "vote", v) for v in votes(b, b.nodes[0].validator.voting.height, range(2, 3), 20)])
    given = answers(b, sent)
    own = {n: 20 - given[n, "accept", ""] for n in OTHERS}
    assert all(given[n, "ignore", "too_many"] == own[n] >= 20 - VOTES_MAX for n in OTHERS), given
    assert all(VOTES_MAX - 3 <= given[n, "accept", ""] <= VOTES_MAX for n in OTHERS), "its three honest ones count, too"
    assert reached(b, "votes_of_author") == own


def test_few_proposals_and_one_roll_call_of_one_author_about_one_slot_are_passed_on() -> None:
    b = bench(9)
    led = next(slot for slot in range(2, 9) if b.leader(slot) == LIAR)
    calls: list[int] = []

    def propose() -> list[int]:
        validator = b.nodes[LIAR].validator
        block = validator._build(led)
        made = [Block.assemble(replace(block.header, state_root=bytes([n]) * 32), block.body) for n in range(1, 8)]
        keyring = b.nodes[LIAR].keyring
        calls.extend(publish(b, "roll_call", keyring.signed(RollCall(LIAR, led, h, b""))) for h in range(5))
        return [publish(b, "proposal", validator._signed_proposal(led, m, -1, ())) for m in made]

    given = answers(b, spoken(b, 1000 * led + 500, propose))
    accepted = {n: given[n, "accept", ""] for n in OTHERS}
    assert set(accepted.values()) <= {PROPOSALS_MAX, PROPOSALS_MAX - 1}, "one was genuine"
    assert reached(b, "proposals_of_author") == {n: 7 - accepted[n] for n in OTHERS}
    assert answers(b, calls) == {(n, *a): c for n in OTHERS for a, c in ((("accept", ""), 1), (("ignore", "too_many"), 4))}


def test_few_proposals_wait_for_transfers_the_newest_ones() -> None:
    """A leader names transfers that nobody has, in every slot that it leads."""
    slots = 26
    b, held = bench(slots), dict[int, list[int]]()
    led = [slot for slot in range(slots - 2) if b.leader(slot) == LIAR]
    assert len(led) * PROPOSALS_MAX > WAITING_MAX + 2

    def propose() -> list[int]:
        validator, sent = b.nodes[LIAR].validator, list[int]()
        for slot in led:
            block = validator._build(slots - 3)
            for n in range(PROPOSALS_MAX):
                ids = (bytes([slot, n]) * 16,)
                header = replace(block.header, slot=slot, proposer=int(LIAR), tx_count=1, tx_root=tx_root(ids))
                made = Block.assemble(header, Body(ids, block.body.registrations, block.body.joins, block.body.heartbeats))
                sent.append(publish(b, "proposal", validator._signed_proposal(slot, made, -1, ())))
        return sent

    at = 1000 * (slots - 3) + 500
    b.at(at + 50, lambda: held.update({n: [w.proposal.slot for w in b.nodes[n].validator._waiting] for n in OTHERS}))
    given = answers(b, spoken(b, at, propose))
    accepted = {n: given[n, "accept", ""] for n in OTHERS}
    assert {n: len(waiting) for n, waiting in held.items()} == dict.fromkeys(OTHERS, WAITING_MAX)
    assert all(max(waiting) == led[-1] for waiting in held.values())
    assert reached(b, "waiting_proposals") == {n: accepted[n] - WAITING_MAX for n in OTHERS}


def test_few_transfers_are_owed_to_one_neighbour() -> None:
    b = bench()
    ids = [n.to_bytes(2, "little") * 16 for n in range(OWED_MAX + 88)]

    def ask() -> None:
        for first in range(0, len(ids), 100):
            b.network.send(LIAR, NodeId(0), "tx_request", tuple(ids[first : first + 100]), 100)

    b.at(2500, ask)
    assert b.run().complete
    assert reached(b, "owed_transfers") == {0: 88} and len(b.nodes[0].sync._owed) == OWED_MAX


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
    b = bench(chain={"block_transactions_max": 1, "block_proofs": []})
    asked = tuple(n.to_bytes(32, "big") for n in range(ANSWERED_MAX + 40))
    b.at(2500, lambda: b.network.send(LIAR, NodeId(0), "tx_request", asked, 100))
    assert b.run().complete
    assert list(b.nodes[0].sync._owed) == list(asked[:ANSWERED_MAX])


def test_what_was_owed_is_given_once_and_makes_room() -> None:
    """Asked for twice before it is here."""
    b = bench(6)
    sync, sent = b.nodes[0].sync, list[bytes]()
    send = sync._send_transfer

    def noting(tx_id: bytes, peer: NodeId) -> None:
        sent.append(tx_id)
        send(tx_id, peer)

    sync._send_transfer = noting  # type: ignore[method-assign]
    message = b.nodes[2].transactions
    unknown = bytes(32)

    def ask() -> None:
        for _ in range(2):
            b.network.send(LIAR, NodeId(0), "tx_request", (unknown,), 32)

    def arrive() -> None:
        """What it waited for is here, by whatever name."""
        known = next(iter(message.verified))
        sync._owed[known] = sync._owed.pop(unknown)
        sync.on_verified(TransferVerified(known))

    b.at(4500, ask)
    b.at(4600, arrive)
    assert b.run().complete
    assert len(sent) == 1 and sync._owed_to[LIAR] == 0
