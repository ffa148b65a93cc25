"""Tendermint's promises under hostile schedules: agreement always, a decision when the network is kind.

The network of this test delivers votes and proposals in any order, late, repeatedly or never, while up to a
third (by stake) of the validators vote for two blocks at once.
"""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.protocol.blocks import EMPTY_TX_ROOT, GENESIS_PARENT, Block, Body, Header, tx_root
from simnet.protocol.consensus import Cast, Decide, Effect, Propose, SetsOf, Voting
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.protocol.validators import EpochSet, Member, Validator

SLOTS = 6


def validator_set(n: int) -> EpochSet:
    members = tuple(Member(Validator(i, bytes([i]) * 32, b"", 1, 1, 0), (b"",) * 3, bytes([i, 7]) * 16) for i in range(n))
    return EpochSet(0, members)


def block(slot: int, proposer: int, salt: int = 0) -> Block:
    header = Header(
        1, slot, GENESIS_PARENT, proposer, 1, bytes([salt]) * 32, tx_root(()), 0, 0, EMPTY_TX_ROOT, EMPTY_TX_ROOT, EMPTY_TX_ROOT, ()
    )
    return Block.assemble(header, Body())


class Net:
    """Honest validators joined by a schedule; the last `liars` equivocate in everything."""

    def __init__(self, n: int, liars: int, seed: int) -> None:
        self.members = validator_set(n)
        self.random = np.random.default_rng(seed)
        self.liars = range(n - liars, n)
        self.nodes = {i: Voting(1, i, SetsOf({0: self.members})) for i in range(n - liars)}
        self.mail: list[tuple[int, Proposal | Vote]] = []
        self.decided: dict[int, bytes] = {}

    def broadcast(self, item: Proposal | Vote) -> None:
        self.mail += [(to, item) for to in self.nodes]

    def carry_out(self, node: int, effects: list[Effect]) -> None:
        for e in effects:
            match e:
                case Propose(slot, kept, valid_slot):
                    proposal = Proposal(slot, kept or block(slot, node), valid_slot, node, b"")
                    self.broadcast(proposal)
                case Cast(slot, phase, subject):
                    self.broadcast(Vote(1, slot, phase, subject, node, b"", b""))
                case Decide(decided, _):
                    self.decided[node] = decided.hash

    def lie(self, slot: int) -> None:
        """Equivocating votes for everything that was proposed, and two proposals if a liar leads."""
        leader = self.members.leaders(slot)[0]
        if leader in self.liars:
            for salt in (1, 2):
                self.broadcast(Proposal(slot, block(slot, leader, salt), -1, leader, b""))
        subjects = {item.block.hash for _, item in self.mail if isinstance(item, Proposal)} | {None}
        for liar in self.liars:
            for subject in sorted(subjects, key=repr):
                for phase in (Phase.PREVOTE, Phase.PRECOMMIT):
                    self.broadcast(Vote(1, slot, phase, subject, liar, b"", b""))

    def deliver(self, share: float) -> None:
        """Delivers about `share` of the mail in random order; the rest stays for later."""
        self.random.shuffle(self.mail)
        count = int(len(self.mail) * share)
        batch, self.mail = self.mail[:count], self.mail[count:]
        for to, item in batch:
            node = self.nodes[to]
            effects = node.on_vote(item) if isinstance(item, Vote) else node.on_proposal(item, True)
            self.carry_out(to, effects)

    def run_slot(self, slot: int, share: float) -> None:
        for i, node in self.nodes.items():
            self.carry_out(i, node.start_slot(slot))
        for phase in (Phase.PREVOTE, Phase.PRECOMMIT, None):
            self.lie(slot)
            for _ in range(4):
                self.deliver(share)
            if phase is not None:
                for i, node in self.nodes.items():
                    self.carry_out(i, node.on_deadline(slot, phase))


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


def test_a_lock_is_kept_against_a_new_proposal() -> None:
    """Line 23: a validator that has locked on a block prevotes nil for another one without a newer valid slot."""
    members = validator_set(4)
    leader = members.leaders(0)[0]
    me = next(i for i in range(4) if i != leader and i != members.leaders(1)[0])
    voting = Voting(1, me, SetsOf({0: members}))
    first, second = block(0, leader), block(1, members.leaders(1)[0], salt=9)
    voting.start_slot(0)
    voting.on_proposal(Proposal(0, first, -1, leader, b""), True)
    effects: list[Effect] = []
    for v in range(3):
        effects += voting.on_vote(Vote(1, 0, Phase.PREVOTE, first.hash, v, b"", b""))
    assert Cast(0, Phase.PRECOMMIT, first.hash) in effects
    voting.start_slot(1)
    fresh = Proposal(1, second, -1, members.leaders(1)[0], b"")
    assert voting.on_proposal(fresh, True) == [Cast(1, Phase.PREVOTE, None)]
    voting.start_slot(2)
    again = replace(fresh, slot=2, block=first, leader=members.leaders(2)[0])
    assert voting.on_proposal(again, True) == [Cast(2, Phase.PREVOTE, first.hash)]
