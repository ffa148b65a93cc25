"""Clocks that jump by minutes and are put back: nobody is lost, no key is spent, nothing is left behind in a pool."""

from collections import Counter
from pathlib import Path

import pytest

from simnet.base.catalogue import CircuitId
from simnet.base.units import NodeId
from simnet.events import BlockCommitted, MessagePublished, MessageValidated, TxEvicted, VoteCast
from simnet.net.network import Message, Validation
from simnet.node.genesis import make_circuits
from simnet.node.letters import Signed
from simnet.protocol.messages import RollCall, Vote
from tests.checks.kit import breaks, entry
from tests.mocks import Bench, cost_file, misbehaving, scenario, slot_start_ns

HOUR_MS = 3_600_000
AHEAD_MS = [2_000, 3_100, 6_000, 7_000, 7_900, 9_000, 20_000, HOUR_MS]
"""Slots are of a second; three of them are the fault."""


def jump(nodes: list[int], offset_ms: int, *, start_ms: int = 5000, duration_ms: int = 3000) -> dict[str, object]:
    return {"kind": "clock_skew", "nodes": nodes, "offset_ms": offset_ms, "start_ms": start_ms, "duration_ms": duration_ms}


def bench(nodes: int, *faults: dict[str, object], slots: int = 24, rate: float = 1.0) -> Bench:
    return Bench(scenario(nodes, slots=slots, rate=rate, faults={"nodes": list(faults)}))


@pytest.mark.parametrize("offset_ms", [7_000, 11_000, 20_000, HOUR_MS])
def test_who_was_ahead_votes_again_at_once(offset_ms: int) -> None:
    b = bench(7, jump([0, 1], offset_ms))
    result = b.run()
    assert result.complete, result.violations
    late = Counter(e.node for e in b.of(VoteCast) if e.phase == "precommit" and e.at > 9_000_000_000)
    assert min(late.values()) >= max(late.values()) - 2 and len(late) == 7
    assert not [e for e in b.of(VoteCast) if slot_start_ns(e.slot - 2, 1000) > e.at], "nothing is signed in slots that are not the present"


@pytest.mark.parametrize("offset_ms", AHEAD_MS)
def test_half_of_the_stake_ahead_stops_the_chain_only_meanwhile(offset_ms: int) -> None:
    b = bench(6, jump([0, 1, 2], offset_ms))
    result = b.run()
    assert result.complete, result.violations
    assert {len(b.chain(n)) for n in range(6)} == {len(b.chain(0))} and len(b.chain(0)) >= 18
    commits = sorted({e.slot for e in b.of(BlockCommitted)})
    assert min(s for s in commits if s >= 8) <= 8 + 3


@pytest.mark.parametrize(("offset_ms", "duration_ms"), [(10_000, 15_000), (20_000, 25_000), (6_000, 12_000)])
def test_half_that_was_ahead_for_longer_than_its_error_hears_itself_again(offset_ms: int, duration_ms: int) -> None:
    """It has heard its roll calls for the present slots before, when they were to come."""
    b = bench(6, jump([0, 1, 2], offset_ms, duration_ms=duration_ms), slots=50)
    result = b.run()
    assert result.complete, result.violations
    over = 5 + duration_ms // 1000
    assert min(e.slot for e in b.of(BlockCommitted) if e.slot >= over) <= over + 3


@pytest.mark.parametrize("offsets", [(3_000, 6_000, 9_000), (10_000, 13_000, 16_000), (-7_000, 8_000, 3_000)])
def test_several_clocks_are_wrong_by_different_amounts(offsets: tuple[int, ...]) -> None:
    b = bench(7, *(jump([node], ms) for node, ms in enumerate(offsets)), slots=30)
    result = b.run()
    assert result.complete, result.violations


def test_votes_say_what_slot_it_is_so_that_nobody_calls_the_roll() -> None:
    """Nor where a clock is a little wrong; who is further ahead or behind than two slots does."""
    for offset_ms, called in ((0, False), (900, False), (4_000, True)):
        b = bench(7, *([jump([0], offset_ms)] if offset_ms else []), slots=12)
        result = b.run()
        assert result.complete, result.violations
        assert bool([e for e in b.of(MessagePublished) if e.kind == "roll_call"]) is called, offset_ms


def test_votes_that_neighbours_hand_over_say_what_slot_it_is() -> None:
    """To one whom no vote and no roll call reaches by gossip."""
    b = Bench(scenario(4, slots=12, rate=0.5))
    victim = b.nodes[3]
    for kind in ("vote", "roll_call"):
        victim._handlers[kind] = lambda message, _peer: b.network.verdict(victim.id, message, Validation.DROP, "lost")
    b.run()
    assert {e.slot for e in b.of(VoteCast) if e.node == 3 and e.phase == "prevote" and e.slot >= 5}


def test_roll_calls_of_long_ago_do_not_make_a_wrong_clock_right() -> None:
    """Four of seven were ahead and said so; one keeps that, and sends it to another whose clock then shows those slots."""
    keeper = NodeId(6)
    b = bench(7, jump([1, 2, 3, 4], 26_000), jump([0], 16_000, start_ms=15_000), misbehaving(keeper), slots=40)
    kept: list[RollCall] = []
    node = b.nodes[keeper]
    heard = node._handlers["roll_call"]

    def keeping(message: Message, peer: NodeId) -> None:
        if isinstance(message.payload, RollCall) and message.payload.slot > 25:
            kept.append(message.payload)
        heard(message, peer)

    node._handlers["roll_call"] = keeping

    def replay() -> None:
        for call in kept:
            b.network.publish(keeper, topic="/test", kind="roll_call", payload=call, size=call.size)

    for ms in range(15_200, 18_000, 400):
        b.at(ms, replay)
    result = b.run()
    assert result.complete, result.violations
    assert {call.validator for call in kept} >= {1, 2, 3, 4}
    assert not [e for e in b.of(VoteCast) if slot_start_ns(e.slot, 1000) > e.at + 2_000_000_000]


def test_old_votes_sent_again_do_not_silence_who_was_ahead() -> None:
    """Two of seven say nothing themselves, and replay what two others signed long ago just before every slot."""
    silent = {"kind": "withholding", "what": ["votes", "blocks"], "nodes": [5, 6], "start_ms": 0, "duration_ms": 10**6}
    b = bench(7, jump([0, 1], 26_000), silent, slots=30)
    kept: list[Vote] = []

    def replay() -> None:
        for vote in [v for v in kept if v.validator in (0, 1) and v.slot < 5][:4]:
            b.network.publish(NodeId(5), topic="/test", kind="vote", payload=vote, size=vote.size)

    b.hear(4, Signed, lambda letter: kept.append(letter.item) if isinstance(letter.item, Vote) else None)
    for slot in range(8, 30):
        b.at(1000 * slot - 10, replay)
    result = b.run()
    assert entry(result, "progress")["held"], result.violations


def test_who_was_ahead_makes_up_for_one_who_is_gone() -> None:
    b = bench(7, jump([0, 1], HOUR_MS), {"kind": "crash", "node": 2, "start_ms": 11_000, "duration_ms": 60_000})
    result = b.run()
    assert entry(result, "progress")["held"], result.violations
    assert len(b.chain(3)) >= 18


def test_a_quorum_ahead_is_the_chains_time() -> None:
    """Nobody can tell it from a right one: the chain stands still until true time has come up, and the run says so."""
    b = bench(6, jump([0, 1, 2, 3, 4], 15_000), slots=40)
    breaks(b.run(), "progress", "for 6.00 slots of calm")
    assert len(b.chain(0)) >= 18, "then it goes on"


def test_transfers_dated_by_a_wrong_clock_leave_the_pool() -> None:
    b = bench(7, jump([3], 300_000, duration_ms=8000), rate=8.0)
    result = b.run()
    assert result.complete, result.violations
    gone = [e for e in b.of(TxEvicted) if e.reason == "dated_ahead"]
    assert gone and {e.node for e in gone} == {3}


def test_a_proposal_that_waits_for_a_transfer_survives_a_clock_put_back(tmp_path: Path) -> None:
    """Its other transfers are dated ahead by then, and must not be forgotten."""
    given = scenario(4, slots=9, rate=8.0, faults={"nodes": [jump([1], -60_000, start_ms=5520, duration_ms=2000)]})
    circuits = make_circuits(given)
    costs = cost_file(tmp_path / "costs.toml", map(circuits.of, CircuitId), verify_ms=20)
    result = Bench(given, costs=costs).run()
    assert result.complete, result.violations


@pytest.mark.parametrize("verify_ms", [100, 400, 700])
def test_a_proof_that_is_being_verified_when_the_clock_is_put_back_is_of_a_slot_to_come(tmp_path: Path, verify_ms: int) -> None:
    """It comes again when that slot has begun; until then it is not believed."""
    given = scenario(6, slots=40, chain={"block_proofs": []}, faults={"nodes": [jump([0, 1, 2, 3, 4], 6000, duration_ms=6600)]})
    costs = cost_file(tmp_path / "costs.toml", map(make_circuits(given).of, CircuitId), verify_ms=verify_ms)
    b = Bench(given, costs=costs)
    result = b.run()
    assert entry(result, "nothing_unverified")["held"], result.violations
    assert entry(result, "proven")["open"] == 0
    assert any(e.reason == "slot" and e.verdict == "drop" for e in b.of(MessageValidated))


def test_a_fetched_block_waits_for_its_slot_when_the_clock_is_put_back_meanwhile(tmp_path: Path) -> None:
    """Node 5 fetches what was decided in slots to come; before it has verified the transfers its clock is right again."""
    given = scenario(
        6, slots=30, rate=4.0, chain={"block_proofs": []}, faults={"nodes": [jump([0, 1, 2, 3, 4, 5], 6000, duration_ms=6600)]}
    )
    costs = cost_file(tmp_path / "costs.toml", map(make_circuits(given).of, CircuitId), verify_ms=150)
    b = Bench(given, costs=costs)
    b.isolate(5, 6000, 10_500)
    result = b.run()
    assert all(entry(result, check)["held"] for check in ("nothing_unverified", "finality")), result.violations
    assert len(b.chain(5)) == len(b.chain(0))
