"""progress, proven, aggregated, coherence: what they ask for while it is calm, and runs in which it does not happen."""

from dataclasses import replace
from typing import Any

import pytest

from simnet.events.run_result import RunResult
from simnet.node.aggregation import Aggregation
from simnet.node.block_prover import BlockProver
from simnet.node.chain import CommittedBlock
from simnet.node.finality import Finality
from simnet.node.sync import Sync
from simnet.node.transactions import Transactions
from simnet.node.voting import Voter
from simnet.protocol.blocks import Block
from simnet.protocol.certification import Certifier
from simnet.protocol.validators import Electorate
from tests.checks.kit import Bench, bench, breaks, broken, entry
from tests.mocks import SETTLE_MS, misbehaving

S = 1_000_000_000


def proposing_only(monkeypatch: pytest.MonkeyPatch, slots: Any) -> None:
    """Leaders of other slots say nothing."""
    propose = Voter._propose
    monkeypatch.setattr(Voter, "_propose", lambda self, effect: propose(self, effect) if effect.slot in slots else None)


def test_a_chain_that_stops_is_found_within_the_run_which_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    proposing_only(monkeypatch, range(3))
    b = bench(14)
    result = b.run()
    violation = breaks(result, "progress", "no block after height 3 for 6.00 slots of calm")
    last = max(e.at for e in b.commits(0))
    assert violation.at - last == pytest.approx(6 * S, abs=S // 10) and violation.nodes == (0, 1, 2, 3)
    told = entry(result, "progress")
    assert (told["height"], told["calms"], told["calm_slots"], told["commits_in_calm"]) == (3, 1, 14.0, 3)
    assert told["longest_gap_slots"] == pytest.approx(11.9, abs=0.1) and told["overdue"] == 1
    assert result.end > 15 * S, "a broken promise of progress does not end the run"


def test_of_several_halts_the_first_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    proposing_only(monkeypatch, (0, 1, 2, 10))
    result = bench(20).run()
    breaks(result, "progress", "no block after height 3 for 6.00 slots of calm")
    assert [v.invariant for v in result.violations].count("progress") == 1 and entry(result, "progress")["overdue"] == 2


def test_a_chain_that_never_starts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    proposing_only(monkeypatch, ())
    result = bench(8).run()
    assert breaks(result, "progress", "no block after height 0").at == (SETTLE_MS + 6000) * 1_000_000
    assert {name for name, told in result.checks.items() if told["status"] == "not_exercised"} >= {
        "agreement",
        "finality",
        "supply",
        "proven",
    }


def test_one_block_in_three_slots_is_enough_and_one_in_four_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        proposing_only(patched, range(0, 40, 3))
        assert entry(bench(40, rate=0.5).run(), "progress")["held"] is True
    proposing_only(monkeypatch, range(0, 40, 4))
    result = bench(40, rate=0.5).run()
    violation = breaks(result, "progress", "slots of calm")
    assert entry(result, "progress")["longest_gap_slots"] == pytest.approx(4, abs=0.05), "no single gap is too long"
    assert violation.at < 30 * S


def test_early_haste_excuses_no_later_halt(monkeypatch: pytest.MonkeyPatch) -> None:
    proposing_only(monkeypatch, range(20))
    violation = breaks(bench(27, rate=0.5).run(), "progress", "after height 20")
    assert violation.at < 26.5 * S


def test_too_short_a_calm_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    proposing_only(monkeypatch, ())
    told = entry(bench(5).run(), "progress")
    assert (told["held"], told["status"], told["calm_slots"]) == (None, "not_exercised", 5.0)


def cut_off(b: Bench, nodes: tuple[int, ...], start_ms: float, end_ms: float) -> None:
    for node in nodes:
        b.isolate(node, start_ms, end_ms)


def test_a_fault_explains_a_gap_but_not_what_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four are away for ten slots; the rest is no quorum. Then all are back."""
    b = bench(24, rate=0.5)
    cut_off(b, (1, 2), 2900, 12900)
    result = b.run()
    told = entry(result, "progress")
    assert told["held"] is True and told["calms"] == 2 and told["calm_slots"] == pytest.approx(14, abs=0.01)
    assert told["longest_gap_slots"] < 6
    b = bench(24, rate=0.5)
    cut_off(b, (1, 2), 2900, 12900)
    proposing_only(monkeypatch, range(13))
    violation = breaks(b.run(), "progress", "for 6.00 slots of calm")
    assert violation.at == (SETTLE_MS + 12900 + 6000) * 1_000_000


def test_a_node_that_stays_behind_for_a_while_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Node 3 comes back and is told nothing of what it has missed for a while; at the end it is level."""
    direct = Sync.on_direct
    for deaf_ms, late in ((20_000, True), (13_000, False)):
        b = bench(24, rate=0.5)
        cut_off(b, (3,), 1500, 9000)
        deaf = [b.nodes[3].sync]
        monkeypatch.setattr(Sync, "on_direct", lambda self, *what, deaf=deaf: None if self in deaf else direct(self, *what))
        b.at(deaf_ms, deaf.clear)
        result = b.run()
        assert len({n.chain.height for n in b.nodes}) == 1
        if late:
            violation = breaks(result, "coherence", "was not committed at node 3 within 8 slots of calm")
            assert violation.at == (SETTLE_MS + 9000 + 8000) * 1_000_000 and violation.nodes == (3,)
        else:
            told = entry(result, "coherence")
            assert told["held"] is True and 3.5 < told["slowest_slots"] < 8


def test_a_node_that_is_away_alone_ends_no_calm() -> None:
    b = bench(12, rate=0.5)
    cut_off(b, (1,), 1500, 9000)
    told = entry(b.run(), "progress")
    assert told["held"] is True and told["calms"] == 1 and told["calm_slots"] == 12.0


def test_nodes_that_leave_one_after_the_other_end_a_calm_in_the_end() -> None:
    """When the second of four goes before the first has been back for three slots, no quorum has been there all the time."""
    b = bench(12, rate=0.5)
    cut_off(b, (1,), 1500, 3500)
    cut_off(b, (2,), 4500, 6500)
    assert entry(b.run(), "progress")["calms"] == 2
    b = bench(14, rate=0.5)
    cut_off(b, (1,), 1500, 3500)
    cut_off(b, (2,), 7500, 9500)
    assert entry(b.run(), "progress")["calms"] == 1


@pytest.mark.parametrize(("blocks", "status"), [(1, "held"), (16, "broken")])
def test_a_quorum_that_needs_nodes_that_are_behind_gets_a_slot_for_each_answer(
    monkeypatch: pytest.MonkeyPatch, blocks: int, status: str
) -> None:
    """Node 3 comes back in the moment in which node 2 goes, nine blocks behind; nobody proposes for the next sixteen slots."""
    proposing_only(monkeypatch, {*range(10), *range(26, 40)})
    b = bench(33, rate=0.1, chain={"sync_blocks_max": blocks, "block_proofs": []})
    cut_off(b, (3,), 900, 10_000)
    cut_off(b, (2,), 10_000, 60_000)
    assert entry(b.run(), "progress")["status"] == status


@pytest.mark.parametrize(("last", "status"), [(9, "held"), (30, "broken")])
def test_slots_that_an_absent_node_leads_do_not_count_up_to_six(monkeypatch: pytest.MonkeyPatch, last: int, status: str) -> None:
    """Node 3 is away, and leads for longer than any luck."""
    order = Electorate.leaders

    def rigged(self: Electorate, slot: int) -> tuple[int, ...]:
        found = order(self, slot)
        return (3, *(v for v in found if v != 3)) if 2 <= slot <= last else found

    monkeypatch.setattr(Electorate, "leaders", rigged)
    b = bench(20, rate=0.5)
    cut_off(b, (3,), 1500, 60_000)
    result = b.run()
    told = entry(result, "progress")
    assert told["status"] == status, told
    if status == "held":
        assert told["leaderless_slots"] >= 6 and told["longest_gap_slots"] < 6, "two of eight count"
    else:
        assert broken(result)["progress"].at == pytest.approx(max(e.at for e in b.commits(0)) + 12 * S, abs=S // 10)


def test_nodes_that_cut_each_other_off_are_no_excuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Honest nodes ban honest ones: no fault of the scenario explains that."""
    b = bench(14, rate=0.5)

    def ban() -> None:
        b.network.cut(b.network.edges, "ban:0")

    b.at(2900, ban)
    breaks(b.run(), "progress", "no block after height 3 for 6.00 slots of calm")


@pytest.mark.parametrize("spams", [True, False])
def test_who_spams_and_is_banned_for_it_is_promised_nothing(spams: bool) -> None:
    """All neighbours have cut it off: a ban that it has earned explains what it misses, any other explains nothing."""
    spam = {"start_ms": 10**6, "spam_factor": 2, "publishers": [3], "spam_kinds": ["copy"]}
    b = bench(14, faults={"byzantine": spam} if spams else {})
    edges = [e for e in b.network.edges if 3 in e]
    b.at(1900, lambda: b.network.cut(edges, "ban:0"))
    result = b.run()
    behind = {name for name in ("proven", "coherence") if entry(result, name)["held"] is False}
    assert bool(behind) is not spams, result.violations
    assert entry(result, "progress")["held"] is True


TROUBLES = {
    "pause": [{"kind": "pause", "node": n, "start_ms": 3000, "duration_ms": 4000} for n in (0, 1)],
    "crash": [{"kind": "crash", "node": n, "start_ms": 3000, "duration_ms": 4000} for n in (0, 1)],
    "clock_skew": [{"kind": "clock_skew", "nodes": [0, 1], "offset_ms": 400, "start_ms": 3000, "duration_ms": 4000}],
    "withholding": [{"kind": "withholding", "nodes": [0, 1], "what": ["votes"], "start_ms": 3000, "duration_ms": 4000}],
    "service_stop": [{"kind": "service_stop", "service": "verifier", "nodes": [0, 1], "start_ms": 3000, "duration_ms": 4000}],
}


@pytest.mark.parametrize("kind", TROUBLES)
def test_nodes_in_trouble_are_no_part_of_a_calm(kind: str) -> None:
    told = entry(bench(12, rate=0.5, faults={"nodes": TROUBLES[kind]}).run(), "progress")
    assert told["calms"] == 2 and told["calm_slots"] == pytest.approx(8, abs=0.01)


@pytest.mark.parametrize("kind", ["one_way", "flapping", "corrupt", "reorder", "bandwidth"])
def test_links_under_a_rule_connect_nobody(kind: str) -> None:
    more: dict[str, dict[str, float]] = {
        "flapping": {"up_ms": 300, "down_ms": 300},
        "corrupt": {"probability": 0.5},
        "bandwidth": {"kbps": 64},
    }
    more["reorder"] = {"probability": 0.5, "delay_ms": 50}
    rule = {"kind": kind, "source": "A", "target": "B", "start_ms": 3000, "duration_ms": 4000, **more.get(kind, {})}
    result = bench(12, rate=0.5, regions={"assignments": ["A", "A", "B", "B"]}, faults={"links": [rule]}).run()
    told = entry(result, "progress")
    assert told["calms"] == 2 and told["calm_slots"] == pytest.approx(8, abs=0.01)


def test_a_stopped_wallet_ends_no_calm() -> None:
    """Not even on nodes of which another service stops at another time."""
    stop = {"kind": "service_stop", "service": "wallet", "nodes": [0, 1], "start_ms": 3000, "duration_ms": 4000}
    assert entry(bench(12, rate=2.0, faults={"nodes": [stop]}).run(), "progress")["calms"] == 1
    other = {"kind": "service_stop", "service": "prover", "nodes": [0, 1], "start_ms": 1000, "duration_ms": 500}
    told = entry(bench(12, rate=2.0, faults={"nodes": [other, stop]}).run(), "progress")
    assert told["calms"] == 2 and told["calm_slots"] == pytest.approx(11.5, abs=0.01)


def test_services_of_one_node_that_stop_together_are_felt_until_the_last_goes_on() -> None:
    stops = [("wallet", 1000, 9000), ("prover", 3000, 4000), ("verifier", 3500, 1000)]
    faults = [{"kind": "service_stop", "service": s, "nodes": [0, 1], "start_ms": at, "duration_ms": ms} for s, at, ms in stops]
    told = entry(bench(12, rate=2.0, faults={"nodes": faults}).run(), "progress")
    assert told["calms"] == 2 and told["calm_slots"] == pytest.approx(8, abs=0.01)


@pytest.mark.parametrize(("offsets", "slots"), [((490, -490), 8.0), ((250, -250), 12.0), ((700, 700), 8.0)])
def test_clocks_agree_when_any_two_are_within_the_precision(offsets: tuple[int, int], slots: float) -> None:
    """And none is wrong by more: then its fault is not over."""
    window = {"start_ms": 3000, "duration_ms": 4000}
    faults = [
        {"kind": "clock_skew", "nodes": nodes, "offset_ms": ms, **window} for nodes, ms in zip(([0, 1], [2, 3]), offsets, strict=True)
    ]
    told = entry(bench(12, rate=0.5, faults={"nodes": faults}, consensus={"clock_precision_ms": 500}).run(), "progress")
    assert told["calm_slots"] == pytest.approx(slots, abs=0.6)


def test_a_partition_of_listed_nodes_ends_a_calm() -> None:
    cut = {"start_ms": 3000, "duration_ms": 4000, "group_a": ["A", 3], "group_b": [2]}
    result = bench(12, rate=0.5, regions={"assignments": ["A", "A", "B", "B"]}, faults={"partition": cut}).run()
    assert entry(result, "progress")["held"], result.violations


def test_nothing_is_said_of_blocks_outside_a_calm() -> None:
    """They are proven in the end; whether in time nobody has looked."""
    stop = {"kind": "service_stop", "service": "verifier", "nodes": [0, 1], "start_ms": 0, "duration_ms": 10**6}
    result = bench(8, rate=0.5, faults={"nodes": [stop]}).run()
    assert entry(result, "progress")["calms"] == 0
    assert [entry(result, name)["status"] for name in ("proven", "progress")] == ["not_exercised"] * 2


# --- proven, aggregated ------------------------------------------------------------------------------


def test_a_block_that_nobody_proves_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    prove = Finality._prove
    monkeypatch.setattr(Finality, "_prove", lambda self, c, *rest: None if c.block.header.height == 2 else prove(self, c, *rest))
    b = bench(12, rate=0.5)
    result = b.run()
    violation = breaks(result, "proven", "block 2 was not proven at node 0 within 8 slots of calm")
    assert violation.at == min(e.at for e in b.of_height(2)) + 8 * S and violation.nodes == (0, 1, 2, 3)
    assert entry(result, "proven")["open"] == 4


def test_the_scenario_says_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Finality, "_prove", lambda self, *_: None)
    result = bench(12, rate=0.5, consensus={"proven_within_slots": 3}).run()
    breaks(result, "proven", "within 3 slots of calm")


def test_a_proof_that_comes_too_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    prove = Finality._prove

    def later(self: Finality, *what: Any) -> None:
        self._ports.after(9 * S, lambda: prove(self, *what))

    monkeypatch.setattr(Finality, "_prove", later)
    result = bench(14, rate=0.5).run()
    breaks(result, "proven", "block 1 was not proven")
    assert entry(result, "proven")["blocks"] > 0


def test_a_block_with_keys_waits_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Block 1 is in time; that it was waiting, too, is no excuse for block 2."""
    prove = Finality._prove

    def later(self: Finality, block: CommittedBlock, *what: Any) -> None:
        self._ports.after(S * (85 if block.block.header.height == 2 else 60) // 10, lambda: prove(self, block, *what))

    monkeypatch.setattr(Finality, "_prove", later)
    breaks(bench(14, rate=0.5).run(), "proven", "block 2 was not proven")


def test_a_block_that_is_never_aggregated_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BlockProver, "on_turn_due", lambda self, letter: None)
    result = bench(12, rate=0.5).run()
    breaks(result, "aggregated", "block 1 was not aggregated at node 0 within 8 slots of calm")
    assert "proven" not in broken(result)


def test_a_field_that_is_dead_is_found_though_another_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block is aggregated in time: but nobody can prove in the field of the nodes that were away any more."""

    def forget(self: Aggregation) -> None:
        self._chain.forget_outcomes(self.height - 3)

    monkeypatch.setattr(Aggregation, "_forget_outcomes", forget)
    away = [{"kind": "crash", "node": node, "start_ms": 1, "duration_ms": 7000} for node in (5, 6)]
    chain = {"block_proofs": ["state", "pruning", "recursive"], "pruning_window_blocks": 4}
    result = bench(
        16, nodes=7, rate=0.2, regions={"assignments": ["STWO"] * 5 + ["PLONKY3"] * 2}, chain=chain, faults={"nodes": away}
    ).run()
    violation = breaks(result, "aggregated", "has to prove in plonky3 (recursive), and has not aggregated it")
    assert set(violation.nodes) <= {5, 6} and "overdue" not in entry(result, "aggregated")


def test_a_chain_without_block_proofs_aggregates_nothing() -> None:
    result = bench(4, chain={"block_proofs": []}).run()
    assert entry(result, "aggregated") == {"held": None, "status": "not_exercised"} and result.complete


def test_blocks_of_an_outage_have_their_time_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no live node could have had is not asked of it: node 1 is away, and gets everything afterwards."""
    b = bench(14, rate=0.5)
    cut_off(b, (1,), 900, 10900)
    result = b.run()
    assert entry(result, "proven")["held"] is True and entry(result, "proven")["blocks"] == 4 * b.nodes[0].chain.height


def without_keys(*block_proofs: str) -> RunResult:
    """Node 3 is away when keys for epoch 1 are registered, and node 1, without which there is no quorum then, helps nobody to
    certify. So blocks of twenty slots wait for keys of node 3, and each takes those of a slot."""
    away = {"kind": "pause", "node": 3, "start_ms": 100, "duration_ms": 50_400}
    forgets = {"kind": "amnesia", "nodes": [1], "start_ms": 28_000, "duration_ms": 44_000}
    keys, proofs = {"key_horizon_epochs": 1}, {"block_proofs": list(block_proofs)}
    return bench(72, nodes=5, rate=0.2, consensus=keys, chain=proofs, faults={"nodes": [away, forgets]}).run()


@pytest.mark.parametrize("block_proofs", [(), ("state",)])
def test_blocks_without_keys_of_their_own_slots_get_a_slot_each(block_proofs: tuple[str, ...]) -> None:
    result = without_keys(*block_proofs)
    checks = ["proven", "aggregated"] if block_proofs else ["proven"]
    for told in (entry(result, check) for check in checks):
        assert told["held"] is True and told["slowest_slots"] > 10, told


def test_blocks_without_keys_that_take_two_slots_each_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    recover = Certifier._recover
    monkeypatch.setattr(Certifier, "_recover", lambda self, late, registry: recover(self, late, registry) if self._slot % 2 else [])
    breaks(without_keys(), "proven", "slots of calm")


# --- coherence -----------------------------------------------------------------------------------------


def test_a_transfer_that_one_node_lacks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(rate=6.0)
    b.at(4990, b.nodes[2].transactions.pool.pending.clear)
    monkeypatch.setattr(Transactions, "lacking", lambda self, ids: ())
    assert breaks(b.run(), "coherence", "transfers are missing at nodes [2]").nodes == (2,)


def test_a_node_that_never_catches_up_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(14, rate=0.5)
    cut_off(b, (3,), 1500, 9000)
    direct, deaf = Sync.on_direct, b.nodes[3].sync
    monkeypatch.setattr(Sync, "on_direct", lambda self, *what: None if self is deaf else direct(self, *what))
    assert breaks(b.run(), "coherence", "was not committed at node 3 within 8 slots").nodes == (3,)


def test_another_aggregate_at_one_node_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()
    commitments, victim = Aggregation._commitments, b.nodes[1].aggregation

    def other(self: Aggregation, *what: Any) -> tuple[str, str] | None:
        found = commitments(self, *what)
        return (found[0], "0" * 16) if found and self is victim else found

    monkeypatch.setattr(Aggregation, "_commitments", other)
    assert 1 in breaks(b.run(), "coherence", "holds aggregate").nodes


def test_another_parent_of_an_aggregate_at_one_node_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()
    commitments, victim = Aggregation._commitments, b.nodes[1].aggregation

    def other(self: Aggregation, *what: Any) -> tuple[str, str] | None:
        found = commitments(self, *what)
        return ("0" * 16, found[1]) if found and self is victim else found

    monkeypatch.setattr(Aggregation, "_commitments", other)
    assert 1 in breaks(b.run(), "coherence", "holds aggregate").nodes


def test_aggregates_that_do_not_follow_each_other_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """All nodes agree on them."""
    commitments = Aggregation._commitments

    def apart(self: Aggregation, height: int, *what: Any) -> tuple[str, str] | None:
        found = commitments(self, height, *what)
        return ("0" * 16, found[1]) if found and height == 3 else found

    monkeypatch.setattr(Aggregation, "_commitments", apart)
    breaks(bench().run(), "coherence", "the aggregate of height 3 in stwo follows 0000000000000000")


def test_an_aggregate_of_another_block_than_the_own_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As its last block is aggregated, one node has changed the header."""
    b = bench()
    commitments, victim = Aggregation._commitments, b.nodes[1].aggregation

    def changed(self: Aggregation, height: int, *what: Any) -> tuple[str, str] | None:
        last = self._chain.at(height)
        if self is victim and height == 5 and last is not None:
            last.block = replace(last.block, header=replace(last.block.header, timestamp=9))
        return commitments(self, height, *what)

    monkeypatch.setattr(Aggregation, "_commitments", changed)
    assert breaks(b.run(), "coherence", "which is not its block of height 5").nodes == (1,)


def test_one_live_node_has_nobody_to_agree_with() -> None:
    b = bench(4, rate=0.5, faults={"nodes": [{"kind": "crash", "node": n, "start_ms": 2500, "duration_ms": 600_000} for n in (0, 1, 2)]})
    result = b.run()
    assert entry(result, "coherence")["status"] == "not_exercised"
    assert entry(result, "agreement")["held"] is True


def test_who_comes_back_just_before_the_end_is_waited_for() -> None:
    b = bench(4)
    b.isolate(3, 1980, 4995)  # nothing has arrived when the run would end
    result = b.run()
    assert result.complete, result.violations
    assert b.chain(3) == b.chain(0) and len(b.chain(0)) == 4
    assert entry(result, "coherence")["nodes"] == 4


def test_who_is_cut_off_at_the_end_is_not_compared() -> None:
    b = bench(6, rate=6.0)
    cut_off(b, (3,), 3500, 600_000)
    assert entry(b.run(), "coherence")["nodes"] == 3
    b = bench(6, rate=6.0)
    cut_off(b, (2, 3), 3500, 600_000)
    assert entry(b.run(), "coherence")["status"] == "not_exercised", "two of four are no quorum: there is no calm"


def test_nothing_at_all_is_never_held() -> None:
    """Nobody is ever connected: every check but that of the faults had nothing to look at, or only what nodes signed."""
    b = bench(8, rate=0.5)
    cut_off(b, (0, 1, 2, 3), -499, 600_000)
    result = b.run()
    signed = {"keys_once", "locks"}
    held = {name for name, told in result.checks.items() if told["status"] != "not_exercised"}
    assert held - signed <= {"nothing_unverified"}, held


# --- what is left out, and what just is not ------------------------------------------------------------


def committing_no_more(monkeypatch: pytest.MonkeyPatch, b: Bench, nodes: tuple[int, ...], height: int) -> None:
    """These nodes commit nothing above a height."""
    commit, victims = Voter.commit, [b.nodes[n].voter for n in nodes]

    def stopping(self: Voter, block: Block, *rest: Any, **named: Any) -> None:
        if self not in victims or block.header.height <= height:
            commit(self, block, *rest, **named)

    monkeypatch.setattr(Voter, "commit", stopping)


def test_a_block_that_few_have_committed_is_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(14, rate=0.5, chain={"block_proofs": []})
    committing_no_more(monkeypatch, b, (1, 2, 3), 3)
    result = b.run()
    assert len(b.chain(0)) == 4
    breaks(result, "progress", "no block after height 3 for 6.00 slots of calm")
    breaks(result, "coherence", "not all hold the same chain of 4 blocks: node 1 at height 3, node 2 at height 3, node 3")


def test_a_liars_chain_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(6, rate=0.5, chain={"block_proofs": []}, faults={"nodes": [misbehaving(3)]})
    committing_no_more(monkeypatch, b, (3,), 4)
    told = entry(b.run(), "coherence")
    assert (told["held"], told["nodes"]) == (True, 3) and len(b.chain(3)) < len(b.chain(0))


def test_what_a_liar_aggregates_is_its_own_affair(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(faults={"nodes": [misbehaving(1)]})
    commitments, liar = Aggregation._commitments, b.nodes[1].aggregation
    monkeypatch.setattr(Aggregation, "_commitments", lambda self, *what: ("0" * 16, "1" * 16) if self is liar else commitments(self, *what))
    assert entry(b.run(), "coherence")["held"] is True


@pytest.mark.parametrize("kind", [k for k in TROUBLES if k != "withholding"])
def test_nodes_that_were_in_trouble_are_compared_at_the_end(kind: str) -> None:
    """What happens to a node is no misconduct of it."""
    result = bench(12, rate=0.5, faults={"nodes": TROUBLES[kind]}).run()
    assert entry(result, "coherence")["nodes"] == 4, result.violations


def test_a_proof_that_comes_a_moment_too_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the next slot begins, at which time is looked at."""
    prove = Finality._prove
    monkeypatch.setattr(Finality, "_prove", lambda self, *what: self._ports.after(8 * S + S // 20, lambda: prove(self, *what)))
    breaks(bench(14, rate=0.5).run(), "proven", "block 1 was not proven")


@pytest.mark.parametrize(
    ("rule", "calms"),
    [
        ({"source": "B", "target": "A"}, 2),
        ({}, 2),
        ({"source": "B"}, 2),
        ({"target": "B"}, 2),
    ],
)
def test_a_rule_either_way_or_on_all_links_connects_nobody(rule: dict[str, str], calms: int) -> None:
    fault = {"kind": "one_way", "start_ms": 3000, "duration_ms": 4000, **rule}
    result = bench(12, rate=0.5, regions={"assignments": ["A", "A", "B", "B"]}, faults={"links": [fault]}).run()
    told = entry(result, "progress")
    assert told["calms"] == calms and told["calm_slots"] == pytest.approx(8, abs=0.01)


def test_a_rule_on_few_links_ends_no_calm() -> None:
    fault = {"kind": "one_way", "source": "A", "target": "B", "start_ms": 3000, "duration_ms": 4000}
    told = entry(bench(12, rate=0.5, regions={"assignments": ["A", "A", "A", "B"]}, faults={"links": [fault]}).run(), "progress")
    assert told["calms"] == 1
