"""What neighbours tell each other of their votes: colluding liars crowd out nothing that an honest validator may have voted for."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.protocol.messages import Phase, Vote
from simnet.protocol.validators import Validator, ValidatorSet
from simnet.protocol.votes import HANDED_PER_MEMBER, PROPOSALS_MAX, SLOTS_KEPT, TOLD_MAX, TOLD_SLOTS, VALUES_MAX, VoteBook
from tests.property.test_consensus_safety import vote

LOCKED = b"\xfe" * 32
NOW = SLOTS_KEPT + TOLD_SLOTS


@dataclass(frozen=True)
class Setting:
    """Members of any number and weight, of whom less than a third by weight lie."""

    members: ValidatorSet
    liars: frozenset[int]

    @property
    def honest(self) -> list[int]:
        return [v for v in self.members.weights if v not in self.liars]


def setting(n: int, random: np.random.Generator) -> Setting:
    members = ValidatorSet.of(Validator(i, bytes([i, 7]) * 16, b"", int(random.integers(1, 25)), 0, 0) for i in range(n))
    liars, room = set[int](), (sum(members.weights.values()) - 1) // 3
    for v in map(int, random.permutation(n)):
        if members.weights[v] <= room:
            liars.add(v)
            room -= members.weights[v]
    return Setting(members, frozenset(liars))


def proposals(slot: int, locked: int) -> list[bytes]:
    """As many as count, as if a liar led each slot."""
    return [bytes([0x80, slot, k]) + bytes(29) for k in range(PROPOSALS_MAX)] if slot != locked else [LOCKED]


def lies(of: Setting, slot: int, proposed: list[bytes], together: bool) -> list[Vote]:
    """Each liar votes for all that was proposed, for nil, and for as many invented values as the book admits; made up alone or together."""
    out = []
    for liar in sorted(of.liars):
        invented = [bytes([1, slot, k, 0 if together else liar + 1]) + bytes(28) for k in range(VALUES_MAX + 2)]
        out += [vote(slot, phase, value, liar) for phase in Phase for value in (*invented, *proposed, None)]
    return out


def filled(of: Setting, locked: int, now: int, together: bool, random: np.random.Generator) -> tuple[VoteBook, list[Vote]]:
    """A book after many slots of lies, and the honest votes of the proof's slot and of about now that are in it."""
    book, honest = VoteBook(1, of.members), list[Vote]()
    for slot in range(min(locked, now - SLOTS_KEPT), now + 1):
        if slot >= 0:
            book.begin(slot)
        for at in (slot, now + 1) if slot == now else (slot,):
            proposed = proposals(at, locked)
            for value in proposed:
                book.propose(at, value)
            own = [
                vote(at, phase, LOCKED if at == locked and phase is Phase.PREVOTE else _choice([*proposed, None], random), v)
                for phase in Phase
                for v in of.honest
            ]
            for one in (*lies(of, at, proposed, together), *own):
                book.add(one, proposed=one.block in proposed)
            if at in (locked, now - 1, now, now + 1):
                honest += own
        if slot == locked:
            book.pin(locked, LOCKED)
    return book, honest


def _choice(values: list[bytes | None], random: np.random.Generator) -> bytes | None:
    return values[int(random.integers(len(values)))]


@settings(max_examples=25, deadline=None)
@given(n=st.integers(4, 64), ago=st.integers(0, SLOTS_KEPT + 5), together=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_liars_below_a_third_crowd_out_no_honest_vote_of_now_and_no_proof_of_lock(n: int, ago: int, together: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    of, locked = setting(n, random), NOW - ago
    book, honest = filled(of, locked, NOW, together, random)
    told = book.holdings()
    assert len(told) <= TOLD_MAX
    places = {(h.slot, h.phase, h.block): h.voters for h in told}
    assert all(places.get((v.slot, v.phase, v.block), 0) >> v.validator & 1 for v in honest)
    handed = book.missing_at(())
    assert len(handed) <= HANDED_PER_MEMBER * n and set(map(_named, honest)) <= set(map(_named, handed))
    assert not {_named(v) for v in book.missing_at(told)} & {_named(v) for h in told for v in book.votes(h.slot, h.phase, h.block)}
    proof = [_named(v) for v in book.votes(locked, Phase.PREVOTE, LOCKED)]
    assert [_named(v) for v in handed[: len(proof)]] == proof and len(proof) == n, "the liars' part of a proof of lock, too"


def _named(v: Vote) -> tuple[int, Phase, bytes | None, int]:
    return v.slot, v.phase, v.block, v.validator
