"""Whole nodes by a script: the test carries their messages, tells them when slots begin, and sees all that they do."""

from dataclasses import replace

import pytest

from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events import BlockCommitted, VoteCast
from simnet.net.faults import SETTLE
from simnet.net.network import Validation
from simnet.node.letters import Handed
from simnet.node.status import Status
from simnet.protocol.messages import Phase, Proposal, Vote
from tests.mocks import scenario
from tests.node.alone import Puppet, gossiped, puppets

SLOT_MS = 1000


@pytest.fixture
def four() -> list[Puppet]:
    """Four validators, of whom three are a quorum, in slot 0."""
    made = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}))
    begin(made, 0)
    return made


def begin(nodes: list[Puppet], slot: int) -> None:
    """A slot begins for these, whose clocks show it."""
    for one in nodes:
        one.ports.pass_time(SETTLE + from_ms(slot * SLOT_MS) - one.ports.now)
        one.node.on_slot(slot)


def leader_of(four: list[Puppet], slot: int) -> Puppet:
    return four[four[0].node.chain.electorate.leader(slot)]


def others(four: list[Puppet], *but: Puppet) -> list[Puppet]:
    return [one for one in four if one not in but]


def votes_of(one: Puppet, phase: Phase, slot: int = 0) -> list[Vote]:
    return [v for v in one.said("vote") if v.phase is phase and v.slot == slot]


def carry(four: list[Puppet], phase: Phase, to: list[Puppet], slot: int = 0) -> None:
    """Everybody's votes of a phase reach these."""
    votes = [vote for one in four for vote in votes_of(one, phase, slot)]
    for one in to:
        for vote in votes:
            if vote.validator != one.node.id:
                assert one.hear("vote", vote, vote.validator)[0] is Validation.ACCEPT


def proposed(four: list[Puppet], slot: int = 0) -> Proposal:
    (proposal,) = leader_of(four, slot).said("proposal")
    assert isinstance(proposal, Proposal)
    return proposal


def decided(four: list[Puppet], nodes: list[Puppet]) -> None:
    """These go through slot 0 with each other."""
    proposal = proposed(four)
    for one in others(nodes, leader_of(four, 0)):
        assert one.hear("proposal", proposal, proposal.leader) == (Validation.ACCEPT, "")
    carry(nodes, Phase.PREVOTE, nodes)
    carry(nodes, Phase.PRECOMMIT, nodes)


def test_one_height_by_its_messages(four: list[Puppet]) -> None:
    proposal = proposed(four)
    block = proposal.block.hash
    for one in others(four, leader_of(four, 0)):
        assert one.said("vote") == []
        one.hear("proposal", proposal, proposal.leader)
    assert [[v.block for v in votes_of(one, Phase.PREVOTE)] for one in four] == [[block]] * 4
    assert not any(votes_of(one, Phase.PRECOMMIT) for one in four)
    carry(four, Phase.PREVOTE, four)
    assert [[v.block for v in votes_of(one, Phase.PRECOMMIT)] for one in four] == [[block]] * 4
    assert not any(one.node.chain.height for one in four)
    carry(four, Phase.PRECOMMIT, four)
    assert [one.node.chain.head for one in four] == [block] * 4
    assert [[v.block for v in votes_of(one, Phase.COMMIT)] for one in four] == [[block]] * 4
    for one in four:
        assert [(e.phase, e.slot) for e in one.ports.events if isinstance(e, VoteCast)] == [("prevote", 0), ("precommit", 0), ("commit", 0)]


def test_two_of_four_decide_nothing(four: list[Puppet]) -> None:
    decided(four, [leader_of(four, 0), others(four, leader_of(four, 0))[0]])
    assert not any(votes_of(one, Phase.PRECOMMIT) for one in four) and not any(one.node.chain.height for one in four)


def test_without_a_proposal_in_time_all_vote_nil_and_the_next_slot_has_another_leader(four: list[Puppet]) -> None:
    silent = leader_of(four, 0)
    rest = others(four, silent)
    for one in rest:
        one.node.voter.on_deadline(0, Phase.PREVOTE)
    assert [[v.block for v in votes_of(one, Phase.PREVOTE)] for one in rest] == [[None]] * 3
    for one in rest:
        assert one.hear("proposal", proposed(four), silent.node.id)[0] is Validation.ACCEPT, "it is passed on, and voted on no more"
        one.node.voter.on_deadline(0, Phase.PRECOMMIT)
    assert [[v.block for v in votes_of(one, Phase.PRECOMMIT)] for one in rest] == [[None]] * 3
    begin(four, 1)
    assert leader_of(four, 1).said("proposal")[-1].slot == 1


def test_a_proposal_again_with_another_proof_of_lock_is_a_repeat(four: list[Puppet]) -> None:
    """The leader does not sign the proof: any relay could make a new proposal of it by leaving votes out or turning them round."""
    proposal = proposed(four)
    for one in others(four, leader_of(four, 0)):
        one.hear("proposal", proposal, proposal.leader)
    carry(four, Phase.PREVOTE, four)
    begin(four, 1)
    again = leader_of(four, 1).said("proposal")[-1]
    assert again.valid_slot == 0 and len(again.lock) == 4
    one = others(four, leader_of(four, 1))[0]
    others_lock = [replace(again, lock=lock) for lock in (again.lock[:3], again.lock[1:], again.lock[::-1])]
    answers = [one.hear("proposal", p, 3) for p in (others_lock[0], again, *others_lock[1:])]
    assert answers == [(Validation.ACCEPT, "")] + [(Validation.IGNORE, "replay")] * 3
    assert one.hear("proposal", again.bare, 3) == (Validation.REJECT, "proof_of_lock")


def test_who_was_cut_off_asks_and_is_given_the_block(four: list[Puppet]) -> None:
    behind = others(four, leader_of(four, 0))[-1]
    present = others(four, behind)
    decided(four, present)
    assert [one.node.chain.height for one in four].count(1) == 3 and behind.node.chain.height == 0
    helper = present[0]
    for one in (helper, behind):
        one.ports.sent.clear()
    helper.node.on_connected(behind.node.id)
    told = helper.take_sent(behind.node.id)
    assert [kind for kind, _ in told] == ["status"] and told[0][1].height == 1
    exchange(helper, behind, told)
    assert behind.node.chain.head == helper.node.chain.head
    (commit,) = [e for e in behind.ports.events if isinstance(e, BlockCommitted)]
    assert commit.caught_up and [v.phase for v in behind.said("vote")][-1] is Phase.COMMIT


def exchange(first: Puppet, second: Puppet, told: list[tuple[str, object]]) -> None:
    """What one has sent reaches the other, whose answers come back, until neither has anything to say."""
    while told:
        for kind, payload in told:
            second.node.on_direct(kind, payload, first.node.id)
        first, second, told = second, first, second.take_sent(first.node.id)


def test_a_vote_of_a_slot_to_come_is_dropped_and_may_come_again(four: list[Puppet]) -> None:
    one = four[1]
    vote = four[0].node.keyring.signed(Vote(1, 5, Phase.PREVOTE, None, 0, b"", b""))
    assert one.hear("vote", vote, vote.validator) == (Validation.DROP, "slot")
    one.ports.now = SimTime(SETTLE + from_ms(5 * SLOT_MS))
    one.node.on_slot(5)
    assert one.hear("vote", vote, vote.validator) == (Validation.ACCEPT, "")


def test_a_neighbour_that_forges_is_cut_off(four: list[Puppet]) -> None:
    one, liar = four[0], NodeId(3)
    forged = Vote(1, 0, Phase.PREVOTE, None, 2, b"", bytes(64))
    before = one.node.peers.score(liar)
    assert one.hear("vote", forged, liar) == (Validation.REJECT, "SignatureInvalid")
    one.node.on_verdict(gossiped(one.heard, "vote", forged, liar), liar, Validation.REJECT, "SignatureInvalid")
    assert one.node.peers.score(liar) < before


def test_a_neighbour_that_gives_a_little_each_time_is_not_the_only_one_that_is_asked(four: list[Puppet]) -> None:
    """Its answers are of use, so it is never silent; what it keeps back is asked of the others, too."""
    decided(four, four)
    one, told = four[3], Status(1, (), (), 9, (), bytes(32))
    asked = []
    for _ in range(6):
        one.ports.pass_time(from_ms(SLOT_MS))
        one.ports.sent.clear()
        for peer in (0, 1, 2):
            one.node.on_direct("status", told, NodeId(peer))
        asked += [to for to, kind, _ in one.ports.sent if kind == "proof_request"]
        one.node.sync.on_answer(Handed("block_proof", NodeId(0)), Validation.ACCEPT, "")
    assert asked[0] == 0 and {1, 2} <= set(asked[:4])
