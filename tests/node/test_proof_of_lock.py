"""A validator that is locked alone hands its proof of lock over after a cut, whatever a liar votes for meanwhile."""

from functools import partial
from typing import Any

import pytest

from simnet.net.message import Message
from simnet.net.network import Validation
from simnet.protocol.messages import Phase, Vote
from tests.mocks import Bench, misbehaving, scenario

LOCKED, SECOND, THIRD, LIAR = range(4)
SLOT, LOCK, HEALED, SLOTS = 1000, 3, 34, 44
"""With this seed the locked one leads in none of the slots after the cut, so the others have to learn its lock."""


def deaf_to(b: Bench, slot: int) -> None:
    """The two others never hear the votes of a slot by gossip."""
    for n in (SECOND, THIRD):
        node = b.nodes[n]

        def hear(message: Message, peer: Any, node: Any = node, hear: Any = node._handlers["vote"]) -> None:
            if isinstance(message.payload, Vote) and message.payload.slot == slot:
                node._ports.answer(message, Validation.DROP, "lost")
            else:
                hear(message, peer)

        node._handlers["vote"] = hear


@pytest.mark.parametrize("lies", [False, True])
def test_a_lock_that_one_has_alone_is_learnt_after_a_cut_whatever_a_liar_votes_for(lies: bool) -> None:
    silent = misbehaving(LIAR) | {"what": ["votes", "proposals", "proofs", "blocks"]}
    faults = {"nodes": [silent | {"kind": "withholding", "start_ms": 0, "duration_ms": SLOTS * SLOT}]}
    b = Bench(
        scenario(
            4,
            slots=SLOTS,
            slot_ms=SLOT,
            rate=0.1,
            sim={"seed": 6},
            chain={"block_proofs": []},
            consensus={"key_horizon_epochs": 2},
            faults=faults,
        )
    )
    assert LOCKED not in [b.leader(s) for s in range(HEALED, SLOTS)]
    deaf_to(b, LOCK)
    edges = [e for e in b.network.edges if set(e) in ({LOCKED, SECOND}, {LOCKED, THIRD}, {LIAR, SECOND}, {LIAR, THIRD})]
    b.at(LOCK * SLOT + 300, lambda: b.network.cut(edges, "partition"))
    b.at(HEALED * SLOT - 200, lambda: b.network.join(edges, "partition"))
    locks: list[Any] = []
    b.at(HEALED * SLOT - 250, lambda: locks.extend(n.voter.voting.locked for n in b.nodes))

    def lie(slot: int) -> None:
        height = b.nodes[LOCKED].chain.height + 1
        for vote in (Vote(height, slot, phase, bytes([k, slot]) + bytes(30), LIAR, b"", b"") for phase in Phase for k in range(3)):
            signed = b.nodes[LIAR].keyring.signed(vote)
            b.publish(LIAR, "vote", signed, signed.size)

    for slot in range(LOCK + 1, SLOTS) if lies else ():
        b.at(slot * SLOT + 50, partial(lie, slot))
    assert b.run().complete
    assert locks[LOCKED][0] == LOCK and locks[SECOND] is locks[THIRD] is None
    assert [e.slot for e in b.commits(SECOND) if e.height == 2] == [HEALED + 1]
