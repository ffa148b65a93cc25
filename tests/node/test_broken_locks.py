"""Amnesia: validators that forget their locks fork a chain without signing two things in one slot, and what they signed convicts them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.blob import Blob
from simnet.base.units import from_ms
from simnet.events import EvidenceTaken, MisconductFound, PeerScored
from simnet.node.committee import vote_tag_of
from simnet.node.forks import ASK_AGAIN_SLOTS
from simnet.node.letters import Proven, Signed
from simnet.node.status import Status
from simnet.protocol import testimony
from simnet.protocol.blocks import Block
from simnet.protocol.evidence import ROOM, SEEN_MAX, BrokenLock, EvidenceBook
from simnet.protocol.messages import ConsensusProof, Phase, Proposal, RollCall, Vote
from simnet.protocol.slashing import PENDING_MAX, Evidence, Kind
from simnet.protocol.testimony import Branch
from tests.mocks import scenario
from tests.node.alone import Puppet, puppets
from tests.node.test_by_script import SLOT_MS, begin, decided, leader_of

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
                self.second.node.voter.on_slot(slot)
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


def test_what_the_books_had_no_room_for_is_booked_after_the_next_proven_block() -> None:
    fork = Fork(consensus={"slashing": True})
    node = fork.first.node
    assert node.enforcement is not None
    books = node.enforcement.books
    for i in range(PENDING_MAX):
        books.on_evidence(Evidence(Kind.INACTIVITY, 0, str(i)), 1)
    fork.join()
    assert accused(fork.first) == fork.guilty and not [e for e in fork.first.ports.events if isinstance(e, EvidenceTaken)]
    node.enforcement.on_proven(Proven(1))
    taken = {int(e.validator) for e in fork.first.ports.events if isinstance(e, EvidenceTaken)}
    assert taken == fork.guilty == {e.validator for e in books.pending}


def test_what_is_found_without_neighbours_is_told_when_there_is_one() -> None:
    fork = Fork()
    ports = fork.first.ports
    neighbours, ports.neighbours = ports.neighbours, ()
    fork.join()
    assert accused(fork.first) == fork.guilty and not fork.first.said("evidence")
    ports.neighbours = neighbours
    for _ in range(2):
        fork.first.node.on_connected(neighbours[0])
    assert [piece.offence[0] for piece in fork.first.said("evidence")] == sorted(fork.guilty), "once"


# --- two chains meet -------------------------------------------------------------------------------


def meet(fork: Fork, lost: frozenset[str] = frozenset()) -> list[str]:
    """Both say how far they are, and everything that they send each other comes, but for these kinds; the kinds that were sent."""
    one, two = fork.first, fork.second
    ends = ((one, two), (two, one))
    for own, other in ends:
        own.node.sync.send_status([other.node.id])
    sent, moved = [], True
    while moved:
        moved = False
        for own, other in ends:
            for kind, payload in own.take_sent(int(other.node.id)):
                sent.append(kind)
                moved = True
                if kind not in lost:
                    other.node.on_direct(kind, payload, own.node.id)
    return sent


def test_neighbours_on_two_chains_find_out_why() -> None:
    """Neither hears again of what was said before they were connected: each has it from the other."""
    fork = Fork()
    sent = meet(fork)
    assert sent.count("fork_request") == sent.count("fork_response") == 2
    assert accused(fork.first) == accused(fork.second) == fork.guilty
    assert {type(p) for p in fork.first.said("evidence")} == {BrokenLock}, "and tells everybody"


def test_a_neighbour_is_asked_and_answered_now_and_then_only() -> None:
    fork = Fork()
    meet(fork, lost=frozenset({"fork_response"}))
    assert "fork_request" not in meet(fork) and accused(fork.first) == set()
    for own in (fork.first, fork.second):
        own.ports.pass_time(ASK_AGAIN_SLOTS * from_ms(SLOT_MS))
    assert meet(fork).count("fork_response") == 2 and accused(fork.first) == fork.guilty
    branch = Branch(1, (fork.first.node.chain.head,))
    fork.second.node.on_direct("fork_request", branch, fork.first.node.id)
    assert not fork.second.take_sent(int(fork.first.node.id)), "not twice in a slot"


def test_neighbours_on_one_chain_ask_nothing() -> None:
    four = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}))
    begin(four, 0)
    decided(four, four)
    assert {one.node.chain.height for one in four} == {1}
    own, other = four[:2]
    own.node.sync.send_status([other.node.id])
    for kind, payload in own.take_sent(int(other.node.id)):
        other.node.on_direct(kind, payload, own.node.id)
    assert not [kind for kind, _ in other.take_sent(int(own.node.id)) if kind.startswith("fork")]
    other.node.on_direct("fork_request", Branch(1, (own.node.chain.head,) * 3), own.node.id)
    assert not other.take_sent(int(own.node.id)), "what is beyond its own head may be so"


def test_nobody_is_told_what_it_has_not_asked_and_what_is_not_signed_costs_points() -> None:
    fork = Fork()
    first, second = fork.first, fork.second
    first.node.on_direct("fork_request", Branch(1, (second.node.chain.head,)), second.node.id)
    ((kind, told),) = [said for said in first.take_sent(int(second.node.id)) if said[0] == "fork_response"]
    second.node.on_direct(kind, told, first.node.id)
    assert accused(second) == set(), "it has not asked"
    spoiled = replace(told, votes=(replace(told.votes[0], signature=bytes(64)), *told.votes[1:]))
    meet(fork, lost=frozenset({"fork_response"}))
    second.node.on_direct(kind, spoiled, first.node.id)
    assert accused(second) == set() and [e.peer for e in second.ports.events if isinstance(e, PeerScored)] == [first.node.id]


def asked(one: Puppet, liar: Puppet) -> None:
    """The liar says that it has another head, so that it is asked, and may answer."""
    one.node.on_direct("status", Status(1, (), (), 0, (), bytes([7]) * 32), liar.node.id)
    assert [kind for kind, _ in one.take_sent(int(liar.node.id)) if kind.startswith("fork")] == ["fork_request"]


@pytest.mark.parametrize("slot", [10**12, 0], ids=["slots to come", "slots long past"])
def test_junk_in_an_answer_makes_nobody_forget_what_its_authors_signed(slot: int) -> None:
    """The prevotes for the new block come before the block does. Then a colluder has itself asked, and answers with what contradicts nothing."""
    fork = Fork()
    second, liar, book = fork.second, fork.bad[0], EvidenceBook()
    second.node.watch._book = book
    late = [m for kind, m, _ in fork.said if m.slot == fork.later and kind == "vote"]
    (proposal,) = [m for kind, m, _ in fork.said if m.slot == fork.later and kind == "proposal"]
    for vote in late:
        second.node.watch.saw(Signed(vote))
    places = [s for s in range(slot, slot + SEEN_MAX + ROOM + 1) if s != fork.later]
    junk = [Vote(1, s, Phase.PREVOTE, b"j" * 32, int(one.node.id), b"", b"") for one in fork.bad for s in places]
    asked(second, liar)
    second.node.on_direct("fork_response", testimony.Testimony(1, (), tuple(map(liar_of(fork), junk))), liar.node.id)
    assert accused(second) == set() and not [e for e in second.ports.events if isinstance(e, PeerScored)]
    second.node.watch.saw(Signed(proposal))
    meet(fork)
    assert accused(fork.first) == accused(second) == fork.guilty


def liar_of(fork: Fork) -> Callable[[Vote], Vote]:
    """Signs with the key of whoever it names."""
    keys = {int(one.node.id): one.node.keyring for one in fork.bad}
    return lambda vote: keys[vote.validator].signed(vote)


@pytest.mark.parametrize("change", [{"block": None}, {"phase": Phase.COMMIT}, {"height": 2}])
def test_an_answer_that_no_honest_node_gives_costs_points(change: dict[str, Any]) -> None:
    fork = Fork()
    second, liar = fork.second, fork.bad[0]
    vote = liar_of(fork)(replace(Vote(1, 0, Phase.PREVOTE, bytes(32), int(liar.node.id), b"", b""), **change))
    asked(second, liar)
    second.node.on_direct("fork_response", testimony.Testimony(1, (), (vote,)), liar.node.id)
    assert [(e.peer, e.cause) for e in second.ports.events if isinstance(e, PeerScored)] == [(liar.node.id, "invalid_evidence")]


def test_what_is_forgotten_but_certified_still_convicts() -> None:
    """The books of messages are bounded; a block's certificates are not forgotten."""
    fork = Fork()
    for one in (fork.first, fork.second):
        one.node.watch._book = EvidenceBook()
    second = fork.second.node.chain.at(1)
    assert second is not None
    prevotes = [m for kind, m, _ in fork.said if kind == "vote" and m.slot == fork.later and m.phase is Phase.PREVOTE]
    every = tuple(sorted((*second.certificate.votes, *prevotes), key=lambda v: (v.validator, v.phase)))
    certificate = replace(second.certificate, votes=every)
    second.proof = ConsensusProof(certificate, (), int(fork.second.node.id), 0, Blob(b"proof"), bytes(64))
    meet(fork)
    assert accused(fork.first) == fork.guilty
