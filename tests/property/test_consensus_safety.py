"""Tendermint's promises under hostile schedules: agreement always, a decision when the network is kind.

The network of this test delivers votes and proposals in any order, late, repeatedly or never, while up to a
third (by weight) of the validators vote for two blocks at once. Each test of one assumption breaks without it.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.protocol import consensus
from simnet.protocol.blocks import EMPTY_TX_ROOT, GENESIS_PARENT, Block, Body, Header, tx_root
from simnet.protocol.consensus import Cast, Deadline, Decide, Effect, Propose, SlotBegan, Voted, Voting
from simnet.protocol.evidence import BrokenLock, EvidenceBook, SignedHeader
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.protocol.validators import Electorate, Registry, Validator, ValidatorSet
from simnet.protocol.votes import PROPOSALS_MAX

SLOTS = 6


def electorate(n: int) -> Electorate:
    return Electorate(ValidatorSet.of(Validator(i, bytes([i, 7]) * 16, b"", 1, 1, 0) for i in range(n)), Registry({}))


def block(slot: int, proposer: int, salt: int = 0) -> Block:
    header = Header(
        1, slot, GENESIS_PARENT, proposer, 1, bytes([salt]) * 32, tx_root(()), 0, 0, EMPTY_TX_ROOT, EMPTY_TX_ROOT, EMPTY_TX_ROOT, ()
    )
    return Block.assemble(header, Body())


def vote(slot: int, phase: Phase, subject: bytes | None, validator: int) -> Vote:
    return Vote(1, slot, phase, subject, validator, b"", b"")


class Net:
    """Honest validators joined by a schedule; the last `liars` equivocate in everything."""

    def __init__(self, n: int, liars: int, seed: int) -> None:
        self.electorate = electorate(n)
        self.random = np.random.default_rng(seed)
        self.liars = range(n - liars, n)
        self.nodes = {i: Voting(1, i, self.electorate) for i in range(n - liars)}
        self.mail: list[tuple[int, Proposal | Vote]] = []
        self.decided: dict[int, bytes] = {}
        self.seen: list[SignedHeader | Vote] = []
        """Everything that anybody has signed."""

    def broadcast(self, item: Proposal | Vote) -> None:
        self.mail += [(to, item) for to in self.nodes]
        self.seen.append(SignedHeader.of(item) if isinstance(item, Proposal) else item)

    def carry_out(self, node: int, effects: list[Effect]) -> None:
        for e in effects:
            match e:
                case Propose(slot, kept, valid_slot, lock):
                    assert valid_slot < slot, "nobody honest accepts it, and who sent it is blamed"
                    self.broadcast(Proposal(slot, kept or block(slot, node), valid_slot, node, b"", lock))
                case Cast(slot, phase, subject):
                    self.broadcast(vote(slot, phase, subject, node))
                case Decide(decided, _):
                    self.decided[node] = decided.hash

    def lie(self, slot: int) -> None:
        """Equivocating votes for everything that was proposed, and two proposals if a liar leads."""
        leader = self.electorate.leader(slot)
        if leader in self.liars:
            for salt in (1, 2):
                self.broadcast(Proposal(slot, block(slot, leader, salt), -1, leader, b""))
        subjects = {item.block.hash for _, item in self.mail if isinstance(item, Proposal)} | {None}
        for liar in self.liars:
            for subject in sorted(subjects, key=repr):
                for phase in (Phase.PREVOTE, Phase.PRECOMMIT):
                    self.broadcast(vote(slot, phase, subject, liar))

    def deliver(self, share: float) -> None:
        """Delivers about `share` of the mail in random order; the rest stays for later."""
        self.random.shuffle(self.mail)
        count = int(len(self.mail) * share)
        batch, self.mail = self.mail[:count], self.mail[count:]
        for to, item in batch:
            event: consensus.Input = Voted(item) if isinstance(item, Vote) else consensus.Proposed(item, True)
            self.carry_out(to, self.nodes[to].handle(event))

    def exchange(self) -> None:
        """Neighbours hand each other the votes that they lack, and blocks that they have committed."""
        for node in self.nodes.values():
            if self.decided:
                self.decided.setdefault(node.me, next(iter(self.decided.values())))
            for other in self.nodes.values():
                for missing in other.book.missing_at(node.book.holdings()):
                    self.carry_out(node.me, node.handle(Voted(missing)))

    def run_slot(self, slot: int, share: float) -> None:
        for i, node in self.nodes.items():
            self.carry_out(i, node.handle(SlotBegan(slot)))
        for phase in (Phase.PREVOTE, Phase.PRECOMMIT, None):
            self.lie(slot)
            for _ in range(4):
                self.deliver(share)
            if phase is not None:
                for i, node in self.nodes.items():
                    self.carry_out(i, node.handle(Deadline(slot, phase)))


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(4, 10),
    shares=st.lists(st.floats(0.05, 1.0), min_size=SLOTS, max_size=SLOTS),
    seed=st.integers(0, 2**32 - 1),
)
def test_honest_validators_never_decide_differently(n: int, shares: list[float], seed: int) -> None:
    net = Net(n, liars=(n - 1) // 3, seed=seed)
    for slot, share in enumerate(shares):
        net.run_slot(slot, share)
    assert len(set(net.decided.values())) <= 1


def accused_of_amnesia(net: Net) -> set[int]:
    """Whom somebody who has heard everything accuses of a broken lock."""
    book, order = EvidenceBook(), list(range(len(net.seen)))
    net.random.shuffle(order)
    return {found.offence[0] for i in order for found in book.saw(net.seen[i]) if isinstance(found, BrokenLock)}


def jumpy(net: Net, slots: int, share: float, wrong: float) -> None:
    """Every clock goes its own way: ahead, put back, ahead again, and now and then a node is alone, so that it only listens. What comes of a
    slot that has not begun here is not taken."""
    now = dict.fromkeys(net.nodes, 0)
    for right in range(slots):
        for i, node in net.nodes.items():
            now[i] = max(0, right + (int(net.random.integers(-3, 4)) if net.random.random() < wrong else 0))
            net.carry_out(i, node.handle(SlotBegan(now[i], votes=bool(net.random.random() < 0.7))))
        for phase in (Phase.PREVOTE, Phase.PRECOMMIT):
            for slot in sorted(set(now.values())):
                net.lie(slot)
            early = [(to, item) for to, item in net.mail if item.slot > now[to]]
            net.mail = [(to, item) for to, item in net.mail if item.slot <= now[to]]
            net.deliver(share)
            net.deliver(share)
            net.mail += early
            for i, node in net.nodes.items():
                net.carry_out(i, node.handle(Deadline(now[i], phase)))


@settings(max_examples=300, deadline=None)
@given(n=st.integers(4, 8), liars=st.integers(0, 6), share=st.floats(0.3, 1.0), wrong=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
def test_nobody_honest_breaks_a_lock(n: int, liars: int, share: float, wrong: float, seed: int) -> None:
    """However many lie, whatever comes late and wherever clocks jump: no two votes and a header accuse an honest validator."""
    net = Net(n, liars=min(liars, n - 1), seed=seed)
    jumpy(net, 2 * SLOTS, share, wrong)
    assert accused_of_amnesia(net) <= set(net.liars)


def test_who_forgets_its_lock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Voting, "_free_for", lambda _self, _block, _valid_slot: True)
    found = set[int]()
    for seed in range(20):
        net = Net(5, liars=2, seed=seed)
        jumpy(net, SLOTS, 0.6, 0.5)
        found |= accused_of_amnesia(net) - set(net.liars)
    assert found, "the schedules of the test above can make it happen"


@settings(max_examples=50, deadline=None)
@given(n=st.integers(4, 10), bad_slots=st.integers(0, 3), seed=st.integers(0, 2**32 - 1))
def test_a_kind_network_decides(n: int, bad_slots: int, seed: int) -> None:
    """After any bad slots, one slot in which everything arrives decides at every validator (no liars here)."""
    net = Net(n, liars=0, seed=seed)
    for slot in range(bad_slots):
        net.run_slot(slot, 0.3)
    for slot in range(bad_slots, bad_slots + 2):
        net.run_slot(slot, 1.0)
    assert set(net.decided) == set(net.nodes)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(4, 10), lost_slots=st.integers(1, 80), seed=st.integers(0, 2**32 - 1))
def test_no_outage_is_final(n: int, lost_slots: int, seed: int) -> None:
    """All mail of some slots is lost for good, after a slot that has locked some validators; liars go on lying. Neighbours
    that exchange votes, and proofs of lock that travel with re-proposals, are enough to decide."""
    net = Net(n, liars=(n - 1) // 3, seed=seed)
    net.run_slot(0, 0.5)
    for slot in range(1, lost_slots):
        net.mail.clear()
        net.run_slot(slot, 0.0)
    net.mail.clear()
    for slot in range(lost_slots, lost_slots + 3 * n):
        net.exchange()
        net.run_slot(slot, 1.0)
        if len(net.decided) == len(net.nodes):
            break
    assert len(set(net.decided.values())) == 1
    assert set(net.decided) == set(net.nodes)


def bystander(slots: int = 3) -> tuple[Electorate, int, list[int]]:
    """Four validators: one that leads none of the first slots, and the slots' leaders."""
    four = electorate(4)
    leaders = [four.leader(s) for s in range(slots)]
    return four, next(i for i in range(4) if i not in leaders), leaders


def test_a_lock_is_kept_against_a_new_proposal() -> None:
    """Line 23: a validator that has locked on a block prevotes nil for another one without a newer valid slot."""
    four, me, leaders = bystander()
    voting = Voting(1, me, four)
    first, second = block(0, leaders[0]), block(1, leaders[1], salt=9)
    voting.handle(SlotBegan(0))
    voting.handle(consensus.Proposed(Proposal(0, first, -1, leaders[0], b""), True))
    effects: list[Effect] = []
    for v in range(3):
        effects += voting.handle(Voted(vote(0, Phase.PREVOTE, first.hash, v)))
    assert Cast(0, Phase.PRECOMMIT, first.hash) in effects
    voting.handle(SlotBegan(1))
    fresh = Proposal(1, second, -1, leaders[1], b"")
    assert voting.handle(consensus.Proposed(fresh, True)) == [Cast(1, Phase.PREVOTE, None)]
    voting.handle(SlotBegan(2))
    again = replace(fresh, slot=2, block=first, leader=leaders[2])
    assert voting.handle(consensus.Proposed(again, True)) == [Cast(2, Phase.PREVOTE, first.hash)]


def test_a_lock_gives_way_to_a_newer_proof_of_lock_only() -> None:
    """Lines 28–29: a re-proposal counts with its prevote quorum, and against a lock if that is no older."""
    four, me, leaders = bystander(4)
    first, second = block(0, leaders[0]), block(1, leaders[1], salt=9)

    def after(valid_slot: int, voters: int) -> list[Effect]:
        voting = Voting(1, me, four)
        voting.handle(SlotBegan(1))
        voting.handle(consensus.Proposed(Proposal(1, first, -1, leaders[1], b""), True))
        for v in range(3):
            voting.handle(Voted(vote(1, Phase.PREVOTE, first.hash, v)))
        assert voting.locked == (1, first.hash)
        voting.handle(SlotBegan(3))
        lock = tuple(vote(valid_slot, Phase.PREVOTE, second.hash, v) for v in range(voters))
        return voting.handle(consensus.Proposed(Proposal(3, second, valid_slot, leaders[3], b"", lock), True))

    assert after(2, 3) == [Cast(3, Phase.PREVOTE, second.hash)]
    assert after(0, 3) == [Cast(3, Phase.PREVOTE, None)], "older than the lock"
    assert after(2, 2) == [], "two of four are no quorum"


def test_an_equivocators_votes_count_for_each_value() -> None:
    """Half of the network has heard one vote first, the rest the other: both halves must be able to see the quorum."""
    four, me, leaders = bystander()
    real, rival = block(0, leaders[0]), b"r" * 32
    for order in ((rival, real.hash), (real.hash, rival)):
        voting = Voting(1, me, four)
        voting.handle(SlotBegan(0))
        voting.handle(consensus.Proposed(Proposal(0, real, -1, leaders[0], b""), True))
        for subject in order:
            voting.handle(Voted(vote(0, Phase.PRECOMMIT, subject, 3)))
        others = [voting.handle(Voted(vote(0, Phase.PRECOMMIT, real.hash, v))) for v in (0, 1)]
        assert others[-1] == [Decide(real, 0)]


def test_an_equivocator_cannot_fill_the_memory() -> None:
    four, me, leaders = bystander()
    voting = Voting(1, me, four)
    voting.handle(SlotBegan(0))
    for i in range(1000):
        voting.handle(Voted(vote(0, Phase.PREVOTE, i.to_bytes(32, "big"), 3)))
        voting.handle(consensus.Proposed(Proposal(0, block(0, leaders[0], i % 256), -1, leaders[0], b""), True))
    kept = sum(h.voters.bit_count() for h in voting.book.holdings())
    assert kept <= PROPOSALS_MAX + 3
    assert len(voting.blocks) == PROPOSALS_MAX
    # A value that was proposed counts all the same.
    assert voting.book.add(vote(0, Phase.PREVOTE, next(iter(voting.blocks)), 3), proposed=True)


def test_a_quorum_is_more_than_two_thirds_of_everybody() -> None:
    four, me, leaders = bystander()
    voting = Voting(1, me, four)
    voting.handle(SlotBegan(0))
    proposal = Proposal(0, block(0, leaders[0]), -1, leaders[0], b"")
    voting.handle(consensus.Proposed(proposal, True))
    for v in (0, 1):
        assert voting.handle(Voted(vote(0, Phase.PRECOMMIT, proposal.block.hash, v))) == []
    assert voting.handle(Voted(vote(0, Phase.PRECOMMIT, proposal.block.hash, 2))) == [Decide(proposal.block, 0)]


def test_a_slot_that_served_another_height_is_sat_out() -> None:
    four, _, leaders = bystander()
    voting = Voting(1, leaders[0], four)
    assert voting.handle(SlotBegan(0, votes=False)) == [], "it leads, and has signed for the parent in this slot"
    proposal = Proposal(0, block(0, leaders[0]), -1, leaders[0], b"")
    assert voting.handle(consensus.Proposed(proposal, True)) == []
    assert voting.handle(Deadline(0, Phase.PREVOTE)) == voting.handle(Deadline(0, Phase.PRECOMMIT)) == []
    for v in range(3):
        effects = voting.handle(Voted(vote(0, Phase.PRECOMMIT, proposal.block.hash, v)))
    assert effects == [Decide(proposal.block, 0)], "it sees what others decide"
