"""What is wrong with a proposal whatever its block says, and what a validator signs and repeats."""

from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import NS_PER_S
from simnet.events import MessagePublished, VoteCast
from simnet.node.voting import REGISTER_AGAIN_SLOTS, Voter
from simnet.protocol.blocks import Block
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.protocol.validators import SLOTS_PER_EPOCH
from tests.mocks import Bench, scenario, slot_start_ns


class Made:
    """After two slots, a block of slot 2's leader, which some later leader proposes again with its proof of lock."""

    def __init__(self) -> None:
        self.bench = Bench(scenario(4, slots=2, rate=0.5))
        assert self.bench.run().complete
        self.judge = self.bench.nodes[(self.bench.leader(2) + 1) % 4].voter
        self.block = self.bench.nodes[self.bench.leader(2)].voter._build(2)
        self.height = self.block.header.height

    def vote(self, validator: int, **change: Any) -> Vote:
        bare = replace(Vote(self.height, 2, Phase.PREVOTE, self.block.hash, validator, b"", b""), **change)
        return self.bench.nodes[validator].keyring.signed(bare)

    def why(self, slot: int, valid_slot: int, lock: tuple[Vote, ...], block: Block | None = None, leader: int | None = None) -> str | None:
        author = self.bench.leader(slot) if leader is None else leader
        unsigned = Proposal(slot, block or self.block, valid_slot, author, b"", lock)
        return self.judge._why_not_proposal(self.bench.nodes[author].keyring.signed(unsigned))


@pytest.fixture(scope="module")
def made() -> Made:
    return Made()


def test_a_fresh_block_is_of_its_proposals_slot_and_leader_and_has_no_lock(made: Made) -> None:
    assert made.why(2, -1, ()) is None
    assert made.why(2, -1, tuple(map(made.vote, range(4)))) == "slot"
    other = next(slot for slot in range(3, 30) if made.bench.leader(slot) != made.bench.leader(2))
    assert made.why(other, -1, ()) == "slot"
    stranger = Block.assemble(replace(made.block.header, proposer=made.bench.leader(other)), made.block.body)
    assert made.why(2, -1, (), stranger) == "slot"


def test_a_block_that_is_proposed_again_brings_the_prevotes_of_a_quorum(made: Made) -> None:
    lock = tuple(map(made.vote, range(4)))
    assert made.why(4, 2, lock) is None and made.why(4, 2, lock[:3]) is None
    assert made.why(4, 2, lock[:2]) == made.why(4, 2, (lock[0],) * 3) == made.why(4, 2, (*lock[:3], lock[0])) == "proof_of_lock"
    assert made.why(4, 2, (*lock[:2], replace(lock[2], signature=bytes(64)))) == "proof_of_lock"


@pytest.mark.parametrize("change", [{"slot": 3}, {"height": 1}, {"phase": Phase.PRECOMMIT}, {"block": bytes(32)}])
def test_votes_for_something_else_prove_no_lock(made: Made, change: dict[str, Any]) -> None:
    assert made.why(4, 2, (made.vote(0), made.vote(1), made.vote(2, **change))) == "proof_of_lock"


@pytest.mark.parametrize("slot", [1, 4, 5])
def test_a_lock_is_of_a_slot_between_the_blocks_and_the_proposals(made: Made, slot: int) -> None:
    assert made.why(4, slot, tuple(made.vote(v, slot=slot) for v in range(4))) == "proof_of_lock"


def test_a_proposal_is_signed_by_the_slots_leader(made: Made) -> None:
    wrong = next(v for v in range(4) if v != made.bench.leader(2))
    assert made.why(2, -1, (), leader=wrong) == "foreign_leader"
    unsigned = Proposal(2, made.block, -1, made.bench.leader(2), bytes(64))
    assert made.judge._why_not_proposal(unsigned) == "SignatureInvalid"


def test_a_block_of_the_future_is_no_candidate(made: Made) -> None:
    """Dated further ahead than the precision: not even a decision on it is taken from here."""
    leader, now = made.bench.leader(2), made.bench.now // NS_PER_S
    late = Block.assemble(replace(made.block.header, timestamp=now + 9), made.block.body)
    made.judge.voting.blocks.clear()
    for block in (late, made.block):
        made.judge._judge(Proposal(2, block, -1, leader, b""))
    assert set(made.judge.voting.blocks) == {made.block.hash}


def test_keys_of_a_slot_that_served_another_height_sign_nothing(made: Made) -> None:
    cast, validator, before = Phase.COMMIT, made.bench.nodes[1].voter, len(made.bench.of(VoteCast))
    validator._signed.signed(7, 900)
    electorate = validator.voting.electorate
    for height, slot in ((8, 900), (7, 900), (8, 901)):
        validator._cast(height, electorate, slot, cast, None)
    assert [(e.height, e.slot) for e in made.bench.of(VoteCast)[before:]] == [(7, 900), (8, 901)]


def test_a_registration_that_no_block_takes_is_published_again_and_not_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Voter, "_pending_registrations", lambda self, slot: ())
    b = Bench(scenario(4, slots=SLOTS_PER_EPOCH - 2, rate=0.05, consensus={"key_horizon_epochs": 1}, chain={"block_proofs": []}))
    b.run()
    begins = [e.at for e in b.of(MessagePublished) if e.kind == "registration" and e.node == 0]
    half = SLOTS_PER_EPOCH // 2
    assert begins == [slot_start_ns(slot, 1000) for slot in range(half, SLOTS_PER_EPOCH - 2, REGISTER_AGAIN_SLOTS)]
    assert REGISTER_AGAIN_SLOTS == 4
