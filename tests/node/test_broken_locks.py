"""Amnesia: validators that forget their locks fork a chain without signing two things in one slot, and what they signed convicts them."""

from typing import Any

from simnet.events import EvidenceTaken, MisconductFound
from simnet.node.committee import vote_tag_of
from simnet.protocol.blocks import Block
from simnet.protocol.evidence import BrokenLock
from simnet.protocol.messages import Phase, Proposal, RollCall, Vote
from tests.mocks import scenario
from tests.node.alone import Puppet, puppets
from tests.node.test_by_script import SLOT_MS, begin, leader_of

Said = tuple[str, Any, int]


class Fork:
    """Two of four validators precommit one block with the first leader and a later one with another leader, who have not heard of each other."""

    def __init__(self, **sections: Any) -> None:
        four = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}, **sections))
        begin(four, 0)
        self.first = leader_of(four, 0)
        self.later = next(s for s in range(1, 30) if leader_of(four, s) is not self.first)
        self.second = leader_of(four, self.later)
        self.bad = [one for one in four if one not in (self.first, self.second)]
        self.said: list[Said] = []
        self._decide(self.first, 0)
        for slot in range(1, self.later + 1):
            for one in self.bad:
                call = one.node.keyring.signed(RollCall(int(one.node.id), slot, 1, b""))
                self.second.hear("roll_call", call, int(one.node.id))
            begin([self.second], slot)
            if slot == self.later and not self.second.said("proposal"):
                self.second.node.validator.on_slot(slot)
        self._decide(self.second, self.later)
        begin([self.first], self.later)

    def _decide(self, honest: Puppet, slot: int) -> None:
        proposal: Proposal = honest.said("proposal")[-1]
        self.said.append(("proposal", proposal, int(honest.node.id)))
        for phase in (Phase.PREVOTE, Phase.PRECOMMIT):
            for one in self.bad:
                vote = self._vote(one, slot, phase, proposal.block)
                self.said.append(("vote", vote, int(one.node.id)))
                honest.hear("vote", vote, int(one.node.id))

    def _vote(self, one: Puppet, slot: int, phase: Phase, block: Block) -> Vote:
        node = one.node
        tag = vote_tag_of(node._facts, node.keyring, node.chain.electorate, block, slot, phase)
        return node.keyring.signed(Vote(1, slot, phase, block.hash, int(node.id), tag, b""))

    @property
    def guilty(self) -> set[int]:
        return {int(one.node.id) for one in self.bad}

    def join(self) -> None:
        """Everything that was said reaches both."""
        own = [("vote", v, int(one.node.id)) for one in (self.first, self.second) for v in one.said("vote")]
        for one in (self.first, self.second):
            for kind, message, author in [*self.said, *own]:
                if author != one.node.id:
                    one.hear(kind, message, author)


def accused(one: Puppet) -> set[int]:
    return {int(e.validator) for e in one.ports.events if isinstance(e, MisconductFound) and e.what == "amnesia"}


def test_two_decisions_over_two_slots_name_who_made_them() -> None:
    fork = Fork()
    assert fork.first.node.chain.head != fork.second.node.chain.head and fork.first.node.chain.height == fork.second.node.chain.height == 1
    assert accused(fork.first) == accused(fork.second) == set()
    fork.join()
    assert accused(fork.first) == accused(fork.second) == fork.guilty
    weights = fork.first.node.chain.electorate.members
    assert 3 * weights.weight_of(fork.guilty) > weights.total


def test_the_evidence_convinces_who_has_seen_nothing_and_costs_what_a_double_sign_does() -> None:
    fork = Fork(consensus={"slashing": True})
    fork.join()
    pieces = [p for p in fork.first.said("evidence") if isinstance(p, BrokenLock)]
    assert len(pieces) == 2
    (third, *_) = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}, consensus={"slashing": True}))
    for piece in pieces:
        assert third.hear("evidence", piece, 3)[1] == ""
    assert accused(third) == fork.guilty
    booked = [(int(e.validator), e.evidence, e.detail) for e in third.ports.events if isinstance(e, EvidenceTaken)]
    assert sorted(booked) == [(v, "double_sign", "height=1") for v in sorted(fork.guilty)]
