"""Validators whose clocks are wrong: what they do early or late, what others refuse, and that the chain goes on."""

from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import NS_PER_S
from simnet.events import BlockCommitted, ClockSkewed, FaultInjected, MessagePublished, MessageValidated, Proposed, Untimely, VoteCast
from simnet.protocol.blocks import Block
from tests.mocks import SETTLE_MS, Bench, scenario, slot_start_ns, summarised

WRONG = frozenset({1, 4})


def bench(*, slots: int = 12, precision_ms: int = 500, start_ms: int = 0, duration_ms: int = 10**6, **skew: int) -> Bench:
    fault = {"kind": "clock_skew", "nodes": sorted(WRONG), "start_ms": start_ms, "duration_ms": duration_ms, **skew}
    consensus = {"clock_precision_ms": precision_ms}
    return Bench(scenario(7, slots=slots, rate=4.0, faults={"nodes": [fault]}, consensus=consensus))


def led(b: Bench, slots: int) -> list[int]:
    """Slots whose leader's clock is wrong."""
    return [slot for slot in range(slots) if b.leader(slot) in WRONG]


def offsets(b: Bench) -> dict[int, set[float]]:
    """How long after its slot's true start each node proposed, in ms."""
    found: dict[int, set[float]] = {}
    for e in b.of(Proposed):
        found.setdefault(e.node, set()).add((e.at - slot_start_ns(e.slot, 1000)) / 1e6)
    return found


def figures(summary: dict[str, Any]) -> dict[str, Any]:
    found = summary["simnet"]["node_faults"]["clock_skew"]
    assert isinstance(found, dict)
    return found


def test_a_little_ahead_is_kept_until_the_slot_begins() -> None:
    b = bench(offset_ms=200)
    summary = summarised(b)
    assert summary["finality"]["blocks"] == 12, "no slot is lost"
    early = {at for node in WRONG for at in offsets(b).get(node, ())}
    assert early == {-200.0} or early == {-200.0, 0.0}, "slot 0 cannot begin before traffic"
    assert all(times == {0.0} for node, times in offsets(b).items() if node not in WRONG)
    kept = [e for e in b.of(Untimely) if e.outcome == "kept"]
    assert {e.author for e in kept} <= WRONG and {e.by for e in kept} == {190_000_000}
    assert figures(summary)["kept"] == {"proposal": len(kept)} and figures(summary)["largest_ms"] == 200
    assert figures(summary)["nodes"] == 2 and not figures(summary)["refused"]


def test_far_ahead_is_refused_and_others_lead_on() -> None:
    b = bench(offset_ms=1700)
    summary = summarised(b)
    committed = {e.slot for e in b.of(BlockCommitted)}
    assert not committed & set(led(b, 12)) and len(committed) == 12 - len(led(b, 12))
    refused = [e for e in b.of(Untimely) if e.outcome == "refused" and e.node not in WRONG]
    assert {e.author for e in refused} == WRONG and {e.kind for e in refused} == {"proposal", "heartbeat"}
    beats = [e for e in b.of(MessageValidated) if e.reason == "future"]
    assert len(beats) == sum(e.kind == "heartbeat" for e in b.of(Untimely)) == figures(summary)["refused"]["heartbeat"] > 0
    assert figures(summary)["late"]["vote"] > 0, "to a fast clock, the others' votes are late"


def test_the_bound_is_the_scenarios() -> None:
    strict, lax = bench(offset_ms=200, precision_ms=100), bench(offset_ms=700, precision_ms=800)
    for b, outcome in ((strict, "refused"), (lax, "kept")):
        summarised(b)
        told = [e for e in b.of(Untimely) if e.kind == "proposal" and e.node not in WRONG]
        assert {e.author for e in told} == WRONG and {e.outcome for e in told} == {outcome}
    committed = [{e.slot for e in b.of(BlockCommitted)} for b in (strict, lax)]
    wrong = set(led(strict, 12)) - {0}
    assert wrong and not committed[0] & wrong and committed[1] & wrong


def test_a_block_dated_too_far_ahead_is_refused_in_whatever_slot() -> None:
    cheats = {"nodes": [{"kind": "withholding", "nodes": [0], "what": ["blocks"], "start_ms": 0, "duration_ms": 100}]}
    b = Bench(scenario(5, slots=2, faults=cheats, consensus={"clock_precision_ms": 500}))
    b.run()
    maker, judge = b.nodes[0], b.nodes[1].voter._timing
    block = maker.voter._build(1)
    for ahead, timely in ((0, True), (1, b.now % NS_PER_S >= 500_000_000), (2, False)):
        header = replace(block.header, timestamp=b.now // NS_PER_S + ahead)
        proposal = maker.voter._signed_proposal(1, Block.assemble(header, block.body), -1, ())
        assert judge.timely(proposal) == timely and maker.voter._timing.timely(proposal)
        b.nodes[1].voter._judge(proposal)
    assert [(e.node, e.author, e.outcome) for e in b.of(Untimely)][-1] == (1, 0, "refused")


def test_behind_proposes_late_and_catches_up() -> None:
    b = bench(offset_ms=-400)
    summary = summarised(b)
    assert {at for node in WRONG for at in offsets(b).get(node, ())} == {400.0}
    late = [e for e in b.of(Untimely) if e.outcome == "late" and e.kind == "proposal" and e.node not in WRONG]
    assert {e.author for e in late} == WRONG, "the others gave up a third of a slot after its start"
    assert figures(summary)["late"]["proposal"] >= len(late) and figures(summary)["largest_ms"] == -400
    assert summary["finality"]["blocks"] == 12 - len(led(b, 12))
    deadlines = {(e.at - slot_start_ns(e.slot, 1000)) / 1e6 for e in b.of(VoteCast) if e.node in WRONG and e.block is None}
    assert min(deadlines) >= 400


def test_drift_grows() -> None:
    b = bench(drift_ppm=20_000)
    summary = summarised(b)
    errors = [e.error for e in b.of(ClockSkewed) if e.node == 1]
    assert errors == sorted(errors) and errors[0] == 0
    assert figures(summary)["largest_ms"] == pytest.approx(max(errors) / 1e6) == pytest.approx(0.02 * 11_500, rel=0.05)
    for e in b.of(Proposed):
        if e.node in WRONG:
            assert (slot_start_ns(e.slot, 1000) - e.at) / 1e6 == pytest.approx(0.02 * (e.at / 1e6), abs=0.01) or e.slot == 0


def test_blocks_are_dated_by_the_proposers_clock_and_never_fall_back() -> None:
    b = bench(offset_ms=800, precision_ms=1000)
    summarised(b)
    headers = [c.block.header for c in b.nodes[0].chain.committed]
    stamps = [h.timestamp for h in headers]
    assert stamps == sorted(stamps) and {h.proposer for h in headers} & WRONG
    for header, proposed in zip(headers, [e for e in b.of(Proposed) if e.slot in {h.slot for h in headers}], strict=True):
        shown = proposed.at + (800_000_000 if proposed.node in WRONG else 0)
        parent = headers[header.height - 2].timestamp if header.height > 1 else 0
        assert header.timestamp == max(shown // NS_PER_S, parent)


def test_heartbeats_and_epochs_follow_the_own_clock_but_delivery_does_not() -> None:
    b = bench(offset_ms=300, slots=4)
    b.run()
    beats = {n: [e.at for e in b.of(MessagePublished) if e.kind == "heartbeat" and e.node == n] for n in (0, 1)}
    calm = Bench(scenario(7, slots=4, rate=4.0))
    calm.run()
    due = [e.at for e in calm.of(MessagePublished) if e.kind == "heartbeat" and e.node == 1]
    later = [at for at in due if at > (SETTLE_MS + 300) * 1_000_000]
    assert {at - 300_000_000 for at in later} <= set(beats[1]), "each 300 ms before it is due"
    assert beats[0] == [e.at for e in calm.of(MessagePublished) if e.kind == "heartbeat" and e.node == 0]


def test_the_clock_is_right_again_afterwards() -> None:
    b = bench(offset_ms=-2500, start_ms=2500, duration_ms=3000)
    summary = summarised(b)
    assert [e.kind for e in b.of(FaultInjected)] == ["clock_skew_start"] * 2 + ["clock_skew_end"] * 2
    assert {e.detail for e in b.of(FaultInjected)} == {"node:1", "node:4"}
    # 5500 ms: slot 5 has just begun.
    assert all((e.at - slot_start_ns(e.slot, 1000)) / 1e6 == 0.0 for e in b.of(Proposed) if e.slot > 5)
    assert [e.error for e in b.of(ClockSkewed) if e.node == 1][-1] == 0
    assert summary["finality"]["height_min"] == summary["finality"]["height_max"] and figures(summary)["largest_ms"] == -2500


def test_right_clocks_report_nothing() -> None:
    b = Bench(scenario(7, slots=3))
    summary = summarised(b)
    assert not b.of(ClockSkewed) and not b.of(Untimely) and "node_faults" not in summary["simnet"]


def test_skew_repeats() -> None:
    runs = []
    for _ in range(2):
        b = bench(offset_ms=-300, drift_ppm=1000, slots=6)
        b.run()
        runs.append([repr(e) for e in b.events])
    assert runs[0] == runs[1]
