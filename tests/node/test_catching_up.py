"""Whom a node asks for what it missed, what it takes of the answer, and how much it gives: one rule at a time."""

import inspect
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from simnet.base.units import NS_PER_S, NodeId, SimTime
from simnet.events import BlockAggregated, BlockProven, LimitReached, PeerScored
from simnet.net.network import Validation
from simnet.node.answer_limits import LIMIT, AnswerLimits
from simnet.node.block_requests import BlockRequests
from simnet.node.finality import Finality
from simnet.node.letters import Handed
from simnet.node.status import ProofsHeld, Status, Told
from simnet.node.sync import Fetched
from simnet.node.waiting import WAITING_MAX
from simnet.proofs.backend import Verification
from simnet.protocol.messages import Certificate, Phase, SyncedBlock
from tests.mocks import Bench, scenario
from tests.node.alone import Written, puppets

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
    sync._requests._open.clear()
    sync.on_direct("block_response", (synced(bench, 3),), NodeId(0))
    assert not sync._verifying and bench.nodes[BEHIND].chain.height == 2


def test_an_answer_of_many_blocks_is_taken_without_deeper_and_deeper_calls() -> None:
    """A hundred blocks here, where there may be a thousand, and a stack that is short in proportion."""
    b = Bench(scenario(4, slots=112, rate=0.001, slot_ms=300, chain={"block_proofs": [], "sync_blocks_max": 1024}))
    b.isolate(BEHIND, 600, 300 * 105)
    depth, before = len(inspect.stack(0)), sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 70)
    try:
        assert b.run().complete
    finally:
        sys.setrecursionlimit(before)
    assert sum(e.caught_up for e in b.commits(BEHIND)) > 70


def test_an_answer_that_comes_while_another_one_is_verified_waits_for_its_turn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a late answer, timed well, would cost who answers in time its place."""
    node, peers = bench.nodes[BEHIND], (NodeId(0), NodeId(1))
    sync, given, verified = node.sync, synced(bench, 3), dict[bytes, Any]()
    assert given.transfers
    monkeypatch.setattr(node.transactions, "verified", verified)
    monkeypatch.setattr(node.transactions, "verify", lambda *_: None)
    monkeypatch.setattr(sync, "_requests", requests := BlockRequests(1, SimTime(1)))
    taken: list[tuple[NodeId, int, int]] = []
    monkeypatch.setattr(requests, "took", lambda *what: taken.append(what))
    monkeypatch.setattr(sync, "_commit", lambda *_: True)
    for now, peer in enumerate(peers):
        assert requests.ask(SimTime(now), 2, peer, peers) == peer
    for peer in peers:
        sync.on_direct("block_response", (given,), peer)
    assert sync._verifying and not taken
    verified.update({t.tx.id: t for t in given.transfers})
    sync.on_verdict(Fetched(given.transfers[0], peers[0]), Verification(True, ""))
    assert taken == [(peer, 3, 1) for peer in peers] and not sync._answers


# --- how much it gives ---------------------------------------------------------------------------------------


def test_an_answer_is_given_a_few_times_a_slot_and_again_in_the_next_or_over_a_new_link(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked for: ten bytes must not fetch a hundred kilobytes as often as a neighbour likes."""
    giver, asker, sent = bench.nodes[0], NodeId(BEHIND), Counter[str]()
    monkeypatch.setattr(giver.sync._ports, "send", lambda _peer, kind, *_: sent.update([kind]))
    most, height = giver.sync._limits.most, giver.chain.height
    tx_id = next(iter(giver.transactions.verified))
    monkeypatch.setattr(giver.voter.voting.book, "missing_at", lambda _: (SimpleNamespace(size=1),))
    requests: dict[str, Callable[[], None]] = {
        "block_response": lambda: giver.sync.on_direct("block_request", height, asker),
        "proof_response": lambda: giver.sync.on_direct("proof_request", ProofsHeld(1, False, frozenset()), asker),
        "tx_response": lambda: giver.sync.on_direct("tx_request", (tx_id,), asker),
        "votes": lambda: giver.sync.on_direct("status", Status(height, (), (), 0, (), bytes(32)), asker),
    }
    bound = dict.fromkeys(requests, most) | {"tx_response": most + WAITING_MAX}
    for ask in requests.values():
        for _ in range(3 * most + WAITING_MAX):
            ask()
    assert {kind: sent[kind] for kind in requests} == bound
    assert [e.what for e in bench.of(LimitReached) if e.node == 0].count(LIMIT) == len(requests), "told once each"
    giver.sync.on_direct("block_request", height, NodeId(1))
    assert sent["block_response"] == most + 1, "each neighbour has its own"
    giver.sync.on_connected(asker)
    requests["block_response"]()
    assert sent["block_response"] == most + 2


def test_a_new_span_renews_what_may_be_given() -> None:
    ports = Written()
    limits = AnswerLimits(ports, SimTime(NS_PER_S), SimTime(NS_PER_S // 2))
    assert limits.most == 6
    assert [limits.allows(NodeId(1), 7) for _ in range(8)] == [True] * 6 + [False] * 2 and ports.limits == [LIMIT]
    ports.pass_time(NS_PER_S)
    assert limits.allows(NodeId(1), 7)


@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_who_catches_up_honestly_never_reaches_the_limit(loss: float) -> None:
    links = {"default": {"delay_ms": 30, "jitter_ms": 20, "loss": loss}}
    doubled = {"kind": "duplicate", "probability": 1.0, "start_ms": 100, "duration_ms": 39_000}
    faults = {"links": [doubled]}
    b = Bench(scenario(4, slots=40, rate=2.0, links=links, faults=faults, chain={"sync_blocks_max": 1}, topology={"type": "ring", "k": 2}))
    b.isolate(BEHIND, 1500, 25_000)
    assert b.run().complete
    assert sum(e.caught_up for e in b.commits(BEHIND)) > 3
    assert LIMIT not in {e.what for e in b.of(LimitReached)}


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


def test_who_has_answered_is_asked_about_that_block_again_after_a_while_and_another_at_once() -> None:
    """What it gave is still being verified: asked at once it would give the same again."""
    a = Asking()
    a.sync._told = {NodeId(1): MORE}
    a.sync._request_proofs(OWN)
    a.sync._asked[OWN.height].unanswered = None  # It has answered.
    a.sync._request_proofs(OWN)
    assert a.asked == [(1, "proof_request")]
    a.sync._told[NodeId(2)] = MORE
    a.sync._request_proofs(OWN)
    assert [peer for peer, _ in a.asked] == [1, 2]
    a.sync._asked[OWN.height].unanswered = None
    a.later(0.6)
    a.sync._request_proofs(OWN)
    assert [peer for peer, _ in a.asked] == [1, 2, 1]


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
