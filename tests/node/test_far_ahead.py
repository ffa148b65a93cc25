"""What is of a slot or second far ahead costs nobody the windows in between."""

from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import to_s
from simnet.net.network import Validation
from simnet.node.chain import Chain
from simnet.protocol.blocks import Block, Body, Header
from simnet.protocol.evidence import InvalidProposal
from simnet.protocol.heartbeats import UptimeState
from simnet.protocol.messages import Proposal
from simnet.protocol.state import Outcome, Position, advance
from tests.mocks import scenario
from tests.node.alone import Puppet, puppets
from tests.node.test_by_script import begin, leader_of, others

FAR = 10**12


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> list[Puppet]:
    """Four in slot 0, none of whom works out what a block makes of the chain."""
    made = puppets(scenario(4, slot_ms=1000, chain={"block_proofs": ["identity", "uptime"]}))
    begin(made, 0)
    monkeypatch.setattr(Chain, "_outcome", lambda *_: pytest.fail("worked out"))
    return made


def said_by(author: Puppet, slot: int, proposal: Proposal, **changes: Any) -> Proposal:
    """The proposal with another header, signed by its author for a slot."""
    header: Header = replace(proposal.block.header, slot=slot, proposer=int(author.node.id), **changes)
    return author.node.keyring.signed(Proposal(slot, Block.assemble(header, proposal.block.body), -1, author.node.id, b""))


def test_an_accusation_about_a_slot_that_has_not_begun_is_dropped(four: list[Puppet]) -> None:
    leader = leader_of(four, 0)
    liar = others(four, leader)[0]
    slot = next(s for s in range(FAR, FAR + 100) if liar.node.chain.electorate.leader(s) == liar.node.id)
    claim = InvalidProposal(said_by(liar, slot, leader.said("proposal")[-1]))
    assert others(four, leader, liar)[0].hear("evidence", claim, liar.node.id) == (Validation.DROP, "slot")


def test_an_accusation_about_a_date_to_come_is_dropped(four: list[Puppet]) -> None:
    leader = leader_of(four, 0)
    claim = InvalidProposal(said_by(leader, 0, leader.said("proposal")[-1], timestamp=FAR))
    assert others(four, leader)[0].hear("evidence", claim, leader.node.id) == (Validation.DROP, "slot")


def test_a_block_dated_far_ahead_is_not_voted_for_nor_worked_out(four: list[Puppet]) -> None:
    leader = leader_of(four, 0)
    other = others(four, leader)[0]
    precision_s = other.node._facts.scenario.clock_precision_ms / 1000
    for timestamp in (FAR, int(to_s(other.ports.now) + precision_s) + 1):
        other.hear("proposal", said_by(leader, 0, leader.said("proposal")[-1], timestamp=timestamp), leader.node.id)
    assert [vote.block for vote in other.said("vote")] == [None]


def test_a_chain_without_heartbeats_counts_no_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    node = puppets(scenario(4, chain={"block_proofs": []}))[0].node
    monkeypatch.setattr(UptimeState, "after", lambda *_: pytest.fail("counted"))
    outcome = advance(node.chain.state, node._facts.rules, Position(1, FAR, FAR), Body(), {})
    assert isinstance(outcome, Outcome) and outcome.closed == ()
