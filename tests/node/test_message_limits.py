"""How much of one author's or neighbour's messages a node keeps and passes on: each limit is reached, and holds."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.catalogue import BackendId
from simnet.base.units import NodeId, SimTime, from_ms
from simnet.net.faults import SETTLE
from simnet.node.facts import Facts
from simnet.node.finality import DISCLOSURES_MAX, ENDORSEMENTS_MAX
from simnet.node.letters import Signed, TransfersWanted, TransferVerified
from simnet.node.status import PROOFS_MAX
from simnet.node.sync import ANSWERED_MAX
from simnet.node.voting import EARLY_MAX, HANDED_MAX, REGISTER_AGAIN_SLOTS, VOTES_MAX
from simnet.node.waiting import SLOTS_WAITED, WAITING_MAX, WaitingProposals
from simnet.protocol.blocks import Block, Body, tx_root
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.joins import JOINS_MAX
from simnet.protocol.messages import Endorsement, KeyDisclosure, Phase, ProofsOf, Proposal, RollCall, Vote
from simnet.protocol.validators import Lane, epoch_of
from simnet.protocol.votes import PROPOSALS_MAX
from tests.mocks import Bench, misbehaving, scenario
from tests.node.alone import Puppet, Written, puppets, transfer_of
from tests.node.test_by_script import SLOT_MS, begin, decided

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


def test_a_neighbour_hands_over_votes_so_often_in_a_slot_and_only_such_as_count() -> None:
    one, _, liar, _ = alone(slot=100)
    keyring = liar.node.keyring

    def handed(slot: int) -> bool:
        vote = keyring.signed(Vote(1, slot, Phase.PREVOTE, bytes(32), int(liar.node.id), b"", b""))
        one.node.on_direct("votes", (vote,), liar.node.id)
        return vote in one.node.watch.remembers(1)[0].get(vote.validator, ())

    times = range(100, 100 - HANDED_MAX, -1)
    assert all(handed(slot) for slot in times[:-2])
    assert not handed(10) and not handed(150), "what no vote can count for is not remembered either"
    assert not handed(50) and one.ports.limits == ["votes_of_peer"]
    begin([one], 101)
    assert handed(50)


@pytest.mark.parametrize(("ahead", "kept"), [(1, EARLY_MAX), (2, 0)])
def test_few_early_messages_of_one_author_are_kept_and_none_of_a_later_height(ahead: int, kept: int) -> None:
    four = alone()
    one = four[0]
    assert answers(one, "vote", votes(four[LIAR].node.keyring, 1 + ahead, range(3), VOTES_MAX)) == {("accept", ""): 3 * VOTES_MAX}
    assert len(one.node.voter._early[LIAR]) == kept
    assert one.ports.limits == (["early_messages"] * (3 * VOTES_MAX - EARLY_MAX) if ahead == 1 else [])


def test_an_early_message_is_taken_up_at_its_height() -> None:
    b, heard, sent = bench(), list[object](), list[Vote]()
    b.hear(0, Signed, lambda letter: heard.append(letter.item))

    def say() -> None:
        sent.extend(votes(b.nodes[LIAR].keyring, b.nodes[0].voter.voting.height + 1, range(2, 3), 1))
        b.publish(LIAR, "vote", sent[0], 100)

    b.at(2500, say)
    assert b.run().complete
    assert heard.count(sent[0]) == 2, "once as it came, and once when its height had begun"


def test_few_votes_of_one_author_about_one_slot_are_passed_on() -> None:
    four = alone()
    one = four[0]
    given = answers(one, "vote", votes(four[LIAR].node.keyring, 1, range(2, 3), VOTES_MAX + 8))
    assert given == {("accept", ""): VOTES_MAX, ("drop", "too_many"): 8} and one.ports.limits == ["votes_of_author"] * 8


def test_few_proposals_and_one_roll_call_of_one_author_about_one_slot_are_passed_on() -> None:
    four = alone()
    led = next(slot for slot in range(2, 9) if four[0].node.chain.electorate.leader(slot) == LIAR)
    four = alone(led)
    one, liar = four[0], four[LIAR].node
    block = liar.voter._build(led)
    made = [Block.assemble(replace(block.header, state_root=bytes([n]) * 32), block.body) for n in range(1, 8)]
    calls = [liar.keyring.signed(RollCall(LIAR, led, h, b"")) for h in range(5)]
    assert answers(one, "roll_call", calls) == {("accept", ""): 1, ("drop", "too_many"): 4}
    given = answers(one, "proposal", [liar.voter._signed_proposal(led, m, -1, ()) for m in made])
    assert given == {("accept", ""): PROPOSALS_MAX, ("drop", "too_many"): 7 - PROPOSALS_MAX}
    assert Counter(one.ports.limits) == {"roll_calls_of_author": 4, "proposals_of_author": 7 - PROPOSALS_MAX}


def test_the_first_registration_of_a_validator_for_an_epoch_counts_and_is_passed_on_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is published again in case it was lost; a flood of it, or of others, goes no further."""
    # Only their roots are wrong: an author may sign one text twice, which the signer here does not.
    monkeypatch.setattr(Facts, "registration_valid", lambda *_: True)
    four = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}))
    begin(four[:1], 20)
    one, liar = four[0], four[LIAR].node.keyring
    given = [liar.registration(one.node._facts.genesis.chain_id, epoch) for epoch in (2, 3)]
    others = [liar.signed(replace(given[0], otk_roots=((bytes([n]) * 32,) * 3,) * 3, signature=b"")) for n in range(9)]
    assert answers(one, "registration", [given[0]] * 9 + others) == {("accept", ""): 1, ("ignore", "known"): 8, ("ignore", "another"): 9}
    assert one.node.voter._registrations[int(LIAR), 2] == given[0]
    assert answers(one, "registration", [given[1]]) == {("drop", "epoch"): 1}, "it may come again when it is time"
    passed = []
    for slot in range(21, 21 + 2 * REGISTER_AGAIN_SLOTS):
        begin(four[:1], slot)
        passed.append(answers(one, "registration", [given[0], others[0]]).get(("accept", ""), 0))
    assert passed == [0, 0, 1, 0, 0, 1, 0, 0]
    begin(four[:1], 32)
    assert answers(one, "registration", [given[1]]) == {("accept", ""): 1}


def test_old_messages_that_are_sent_again_take_no_place_of_a_members_new_ones() -> None:
    """Endorsements of many slots of an outage, and one disclosure many times, before those of now."""
    four = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}))
    begin(four, 0)
    decided(four, four)
    one, keyring = four[0], four[1].node.keyring
    block = one.node.chain.committed[0].block
    for slot in range(1, 80):
        begin([one], slot)

    def endorsed(slot: int, lane: Lane = Lane.RECOVER) -> Endorsement:
        registered = one.node.chain.registry.count(epoch_of(slot))
        return keyring.signed(Endorsement(1, slot, lane, block.hash, BackendId.STWO, registered, 1, (b"t" * 32,) * 3, b""))

    def disclosed(lane: Lane) -> KeyDisclosure:
        backend, slot = BackendId(block.header.backend), block.header.slot
        return keyring.signed(KeyDisclosure(1, slot, lane, backend, block.hash, 1, keyring.one_time(backend, slot, lane), b""))

    old = [endorsed(slot) for slot in range(5, 5 + ENDORSEMENTS_MAX + 1)]
    assert answers(one, "endorsement", old) == {("accept", ""): ENDORSEMENTS_MAX, ("drop", "too_many"): 1}
    assert answers(one, "endorsement", [endorsed(79), endorsed(block.header.slot, Lane.ENDORSE)]) == {("accept", ""): 2}
    given = answers(one, "key_disclosure", [disclosed(Lane.VOTE)] * (DISCLOSURES_MAX + 1) + [disclosed(Lane.ENDORSE)])
    assert given == {("accept", ""): 2, ("ignore", "replay"): DISCLOSURES_MAX}


def of_unknown_transfers(four: list[Puppet], author: int, slot: int, salt: int = 0, count: int = 1) -> Proposal:
    """A proposal of a block that names transfers which nobody has."""
    validator = four[author].node.voter
    block = validator._build(slot)
    ids = tuple(bytes([slot, salt, n % 256, n // 256]) * 8 for n in range(count))
    header = replace(block.header, slot=slot, proposer=author, tx_count=count, tx_root=tx_root(ids))
    return validator._signed_proposal(slot, Block.assemble(header, replace(block.body, tx_ids=ids)), -1, ())


def test_a_proposal_waits_in_its_slot_and_the_next_one_whatever_is_said_of_others() -> None:
    """A leader names transfers that nobody has, in every slot that it leads, and says so again while an honest one's proposal waits."""
    leader = alone()[0].node.chain.electorate.leader
    last = next(slot for slot in range(20, 40) if leader(slot) != LIAR == leader(slot - 1))
    four = alone(last)
    one = next(p for p in four if p.node.id not in (LIAR, leader(last)))
    honest = of_unknown_transfers(four, leader(last), last)
    made = [of_unknown_transfers(four, LIAR, s, n) for s in range(last) if leader(s) == LIAR for n in range(PROPOSALS_MAX)]
    assert len(made) > 2 * WAITING_MAX
    assert one.hear("proposal", honest, honest.leader)[0].value == "accept"
    assert answers(one, "proposal", made) == {("accept", ""): len(made)}
    assert [w.proposal for w in one.node.voter._waiting] == [honest, *(p for p in made if p.slot >= last - SLOTS_WAITED)]
    assert one.ports.limits == []
    for slot, kept in ((last + 1, [honest]), (last + 2, [])):
        one.node.on_slot(slot)
        assert [w.proposal for w in one.node.voter._waiting] == kept


def test_no_more_proposals_wait_than_three_slots_have() -> None:
    ports = Written()
    waiting, one = WaitingProposals(ports), of_unknown_transfers(alone(), LIAR, 2)
    waiting.begin(2)
    assert [waiting.add(one, {b""}) for _ in range(WAITING_MAX + 1)] == [True] * WAITING_MAX + [False]
    assert ports.limits == ["waiting_proposals"]


def test_a_block_of_more_than_a_block_may_have_is_refused_before_anything_waits_for_it() -> None:
    leader = alone()[0].node.chain.electorate.leader
    slot = next(s for s in range(2, 30) if leader(s) == LIAR)
    four = alone(slot, chain={"block_transactions_max": 16, "block_proofs": []})
    one = four[0]
    assert one.hear("proposal", of_unknown_transfers(four, LIAR, slot, count=17), LIAR)[1] == "too_many_transactions"
    assert list(one.node.voter._waiting) == [] and one.take_sent(LIAR) == []
    most = of_unknown_transfers(four, LIAR, slot, count=16)
    assert one.hear("proposal", most, LIAR)[0].value == "accept"
    registration = four[LIAR].node.keyring.registration(one.node._facts.genesis.chain_id, 0)
    join = four[LIAR].node.keyring.join(one.node._facts.genesis.chain_id)
    beat = Heartbeat(LIAR, 0, bytes(32), bytes(64))
    bodies = {
        "too_many_registrations": Body(registrations=(registration,) * 13),
        "joins": Body(joins=(join,) * (JOINS_MAX + 1)),
        "too_many_heartbeats": Body(heartbeats=(beat,) * 9999),
    }
    for why, body in bodies.items():
        assert one.node._facts.why_too_large(replace(most.block, body=body)) == why
    assert one.node._facts.why_too_large(replace(most.block, body=Body(registrations=(registration,) * 12))) is None


def test_what_is_asked_for_is_asked_for_in_parts_that_are_answered() -> None:
    one = alone()[0]
    ids = frozenset(n.to_bytes(32, "big") for n in range(2 * ANSWERED_MAX + 5))
    one.node.sync.on_transfers_wanted(TransfersWanted(ids, LIAR))
    parts = [payload for _, payload in one.take_sent(LIAR)]
    assert [len(part) for part in parts] == [ANSWERED_MAX, ANSWERED_MAX, 5] and {i for part in parts for i in part} == ids


def test_few_transfers_are_owed_to_one_neighbour_and_not_for_long() -> None:
    """Transfers that do not exist never come: they must not keep a neighbour from being owed others."""
    one = alone(chain={"block_transactions_max": 100, "block_proofs": []})[0]
    most, owed = WAITING_MAX * 100, one.node.sync._owed
    ids = [n.to_bytes(2, "little") * 16 for n in range(most + 88)]

    def ask(asked: list[bytes]) -> None:
        for first in range(0, len(asked), 100):
            one.node.on_direct("tx_request", tuple(asked[first : first + 100]), LIAR)

    ask(ids)
    assert one.ports.limits == ["owed_transfers"] * 88 and owed.owed_to(LIAR) == most
    one.node.on_slot(3)
    ask(ids[:7])
    assert owed.owed_to(LIAR) == most, "what is asked for again is owed once"
    one.node.on_slot(4)
    assert owed.owed_to(LIAR) == 7
    ask(ids[88:])
    assert owed.owed_to(LIAR) == most and len(one.ports.limits) == 88 + 7
    for slot in (5, 6):
        one.node.on_slot(slot)
    assert owed.owed_to(LIAR) == 0 and owed.pay(ids[99]) == ()


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
    assert [i for i in asked if one.node.sync._owed.pay(i)] == list(asked[:ANSWERED_MAX])


def test_what_was_owed_is_given_once_and_makes_room() -> None:
    """Asked for twice before it is here."""
    four = alone()
    one, sender = four[0], four[3].node
    given = transfer_of(sender._facts, sender.keyring, sender.chain.ledger)
    for _ in range(2):
        one.node.on_direct("tx_request", (given.tx.id,), LIAR)
    assert one.take_sent(LIAR) == []
    one.node.transactions.note_verified(given)
    assert one.take_sent(LIAR) == [("tx_response", given)] and one.node.sync._owed.owed_to(LIAR) == 0
    one.node.sync.on_verified(TransferVerified(given.tx.id))
    assert one.take_sent(LIAR) == []
