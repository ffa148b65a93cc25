"""Whom a node asks for what it missed, what it takes of the answer, and how much it gives: one rule at a time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import NS_PER_S, NodeId
from simnet.events import BlockAggregated, BlockProven, PeerScored
from simnet.net.network import Validation
from simnet.node.finality import Finality
from simnet.node.letters import Handed
from simnet.node.sync import ProofsHeld, Told
from simnet.protocol.messages import Certificate, Phase, SyncedBlock
from tests.mocks import Bench, scenario
from tests.node.alone import puppets

BEHIND = 3
"""Has been cut off from slot 1 on."""


@pytest.fixture(scope="module")
def bench() -> Bench:
    b = Bench(scenario(4, slots=6, rate=6.0, chain={"sync_blocks_max": 2}))
    b.isolate(BEHIND, 1500, 600_000)
    b.run()
    assert b.nodes[BEHIND].chain.height == 2 and b.nodes[0].chain.height >= 5
    return b


def synced(b: Bench, height: int) -> SyncedBlock:
    giver = b.nodes[0]
    c = giver.chain.at(height)
    assert c is not None
    return SyncedBlock(
        c.block, c.certificate, tuple(giver.transactions.verified[i] for i in c.block.tx_ids), giver.sync._proofs_of(height, c)
    )


def test_the_next_block_with_its_certificate_is_taken(bench: Bench) -> None:
    assert bench.nodes[BEHIND].sync._why_not_certified(synced(bench, 3)) is None
    assert bench.nodes[BEHIND].sync._why_not_certified(synced(bench, 4)) == "another_block"


def at_slot(b: Bench, c: Certificate, slot: int) -> Certificate:
    """The same votes, really signed, of another slot."""
    return replace(c, slot=slot, votes=tuple(b.nodes[v.validator].keyring.signed(replace(v, slot=slot)) for v in c.votes))


WRONG: dict[str, Callable[[Bench, Certificate], Certificate]] = {
    "certificate": lambda _, c: replace(c, block=bytes(32)),
    "slot": lambda b, c: at_slot(b, c, c.slot - 1),
    "registrations": lambda _, c: replace(c, registered=c.registered - 1),
    "backend": lambda _, c: replace(c, backend=c.backend + 1),
    "SignatureInvalid": lambda _, c: replace(c, votes=(replace(c.votes[0], signature=bytes(64)), *c.votes[1:])),
    "no_quorum": lambda _, c: replace(c, votes=c.votes[:1]),
}


@pytest.mark.parametrize("why", WRONG)
def test_a_certificate_that_decides_nothing_is_refused(bench: Bench, why: str) -> None:
    given = synced(bench, 3)
    assert bench.nodes[BEHIND].sync._why_not_certified(replace(given, certificate=WRONG[why](bench, given.certificate))) == why


def test_prevotes_and_slots_to_come_decide_nothing_either(bench: Bench) -> None:
    sync, given = bench.nodes[BEHIND].sync, synced(bench, 3)
    later = at_slot(bench, given.certificate, 10**6)
    assert sync._why_not_certified(replace(given, certificate=later)) == "slot"
    signed = [bench.nodes[v.validator].keyring.signed(replace(v, phase=Phase.PREVOTE)) for v in given.certificate.votes]
    assert sync._why_not_certified(replace(given, certificate=replace(given.certificate, votes=tuple(signed)))) == "no_quorum"


def test_a_block_comes_with_its_own_transfers(bench: Bench) -> None:
    given = synced(bench, 3)
    assert given.transfers
    assert bench.nodes[BEHIND].sync._why_not_certified(replace(given, transfers=given.transfers[1:])) == "transfers"


def test_an_answer_is_of_few_blocks_and_nobody_takes_what_it_has_not_asked_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(bench.nodes[0]._ports, "send", lambda *what: sent.append(what))
    bench.nodes[0].sync._answer_blocks(1, NodeId(BEHIND))
    ((_, kind, blocks, _),) = sent
    assert kind == "block_response" and [s.block.header.height for s in blocks] == [1, 2]
    sync = bench.nodes[BEHIND].sync
    sync._asked.clear()
    sync.on_direct("block_response", (synced(bench, 3),), NodeId(0))
    assert not sync._busy and bench.nodes[BEHIND].chain.height == 2


# --- whom it asks ------------------------------------------------------------------------------------------


class Asking:
    """One node of four that has just been told things, and whom it asks."""

    def __init__(self) -> None:
        one = puppets(scenario(4, slots=1))[3]
        self.sync, self.ports = one.node.sync, one.ports

    @property
    def asked(self) -> list[tuple[int, str]]:
        return [(peer, kind) for peer, kind, _ in self.ports.sent]

    def later(self, seconds: float) -> None:
        self.ports.pass_time(round(seconds * NS_PER_S))


OWN = ProofsHeld(9, False, frozenset())
MORE, NO_MORE = Told(9, {}), Told(8, {})


def test_proofs_are_asked_of_who_has_more_and_kept_silent_least() -> None:
    a = Asking()
    a.sync._told = {NodeId(0): NO_MORE, NodeId(1): MORE, NodeId(2): MORE}
    a.sync._silent.update({NodeId(1): 3, NodeId(2): 1})
    a.sync._request_proofs(OWN)
    assert a.asked == [(2, "proof_request")] and a.sync._silent[NodeId(2)] == 2


def test_a_request_for_proofs_is_repeated_after_a_while_and_sooner_to_a_better_neighbour() -> None:
    a = Asking()
    a.sync._told = {NodeId(1): MORE}
    a.sync._silent[NodeId(1)] = 4
    for wait in (0.1, 0.25, 0.3):
        a.later(wait)
        a.sync._request_proofs(OWN)
    assert a.asked == [(1, "proof_request")] * 2
    a.sync._told[NodeId(2)] = MORE
    a.sync._request_proofs(OWN)
    a.sync._request_proofs(OWN)
    assert [peer for peer, _ in a.asked] == [1, 1, 2]


def test_an_answer_of_use_ends_a_silence_and_a_false_one_costs() -> None:
    a = Asking()
    a.sync._silent[NodeId(1)] = 4
    given = Handed("block_proof", NodeId(1))
    a.sync.on_answer(given, Validation.IGNORE, "already_proven")
    assert a.sync._silent[NodeId(1)] == 4
    a.sync.on_answer(given, Validation.REJECT, "MockProof")
    assert a.sync._silent[NodeId(1)] == 4 and [(e.node, e.peer, e.cause) for e in a.ports.events if isinstance(e, PeerScored)] == [
        (3, 1, "invalid_proof")
    ]
    a.sync.on_answer(given, Validation.ACCEPT, "")
    assert a.sync._silent[NodeId(1)] == 0


def test_blocks_are_asked_of_who_is_ahead_and_owes_least() -> None:
    a = Asking()
    a.sync._ahead_of_us = {NodeId(0): 0, NodeId(1): 5, NodeId(2): 5}
    a.sync._owes.update({NodeId(0): 0, NodeId(1): 4, NodeId(2): 2})
    a.sync._request_blocks(NodeId(1))
    assert a.asked == [(2, "block_request")] and a.sync._owes[NodeId(2)] == 2 + 5
    a.sync._request_blocks(NodeId(1))
    assert len(a.asked) == 1, "one at a time"
    a.sync._credit(NodeId(2))
    assert a.sync._owes[NodeId(2)] == 2 + 5 - 1


@pytest.mark.parametrize("late_s", [None, 2.3])
def test_a_block_is_aggregated_once_it_is_proven(monkeypatch: pytest.MonkeyPatch, late_s: float | None) -> None:
    """Its other proofs are there long before: it is as soon as the consensus proof has come, and not at all without."""
    prove = Finality._prove

    def later(self: Finality, *what: Any) -> None:
        if late_s is not None:
            self._ports.after(round(late_s * NS_PER_S), lambda: prove(self, *what))

    monkeypatch.setattr(Finality, "_prove", later)
    b = Bench(scenario(4, slots=3, rate=0.5))
    b.run()
    proven = {(e.node, e.height): e.at for e in b.of(BlockProven)}
    found = {(e.node, e.height): e.at for e in b.of(BlockAggregated)}
    assert found == proven and bool(found) is (late_s is not None)
