"""Validators that sign two of everything: noticed, proven, told to all, penalised, and harmless below a third."""

from dataclasses import replace
from typing import Any

import pytest

from simnet.events import DoubleSignFound, Equivocated, EvidenceTaken, FaultInjected, MessageDelivered, MessageValidated, PenaltyBooked
from simnet.node.letters import Signed
from simnet.protocol.evidence import DoubleSign
from simnet.protocol.messages import Phase, Vote
from simnet.record.penalties import PenaltyLog
from tests.mocks import Bench, misbehaving, scenario, summarised

FOREVER = {"start_ms": 0, "duration_ms": 10**6}


def bench(*faults: dict[str, Any], nodes: int = 7, slots: int = 8, **sections: Any) -> Bench:
    return Bench(scenario(nodes, slots=slots, rate=4.0, faults={"nodes": list(faults)}, **sections))


def cheat(*nodes: int, **more: Any) -> dict[str, Any]:
    return {"kind": "equivocation", "nodes": list(nodes), **FOREVER, **more}


def test_two_of_seven_equivocate_and_nothing_breaks() -> None:
    b = bench(cheat(1, 4))
    summary = summarised(b)
    assert summary["checks"]["agreement"]["held"] and summary["finality"]["conflicting_heights"] == 0
    assert summary["finality"]["blocks"] >= 5
    assert {e.what for e in b.of(Equivocated)} == {"proposal", "prevote", "precommit"}
    found = b.of(DoubleSignFound)
    offences = {(e.validator, e.height, e.slot) for e in found}
    assert {v for v, _, _ in offences} == {1, 4}, "nobody else is accused"
    assert len(found) == 7 * len(offences), "each offence is known to every node, once"
    assert any(e.heard for e in found) and any(not e.heard for e in found)
    faults = summary["simnet"]["node_faults"]["equivocation"]
    assert faults["offences_found"] == len(offences) and faults["found_by_nodes_min"] == 7
    assert faults["found_by_gossip"] == sum(e.heard for e in found)
    assert faults["pairs_sent"] == {w: sum(e.what == w for e in b.of(Equivocated)) for w in ("precommit", "prevote", "proposal")}


def test_both_messages_reach_everybody_and_different_halves_first() -> None:
    b = bench(cheat(2, what=["votes"]), slots=2)
    first: dict[int, set[bytes | None]] = {}
    seen: dict[int, set[bytes | None]] = {}
    for node in b.nodes:
        if node.id != 2:
            b.hear(node.id, Signed, lambda letter, n=node.id: note(letter.item, n))  # type: ignore[misc]

    def note(message: object, node: int) -> None:
        if isinstance(message, Vote) and message.validator == 2 and (message.slot, message.phase) == (1, Phase.PREVOTE):
            seen.setdefault(node, set()).add(message.block)
            first.setdefault(node, {message.block})

    b.run()
    assert len({frozenset(f) for f in first.values()}) == 2, "neighbours begin with different votes"
    assert all(len(blocks) == 2 for blocks in seen.values()) and len(seen) == 6


def test_an_honest_network_finds_nothing() -> None:
    b = bench(consensus={"slashing": True})
    summary = summarised(b)
    assert not b.of(DoubleSignFound) and not b.of(EvidenceTaken)
    assert summary["slashing"]["penalties"] == 0 and "node_faults" not in summary["simnet"]


def test_penalties_follow_a_proven_block_and_concern_time_tokens_only() -> None:
    b = bench(cheat(2, start_ms=2500, duration_ms=2000, what=["votes"]))
    before = dict(b.nodes[0].enforcement.books.standings)  # type: ignore[union-attr]
    summary = summarised(b)
    booked = [e for e in b.of(PenaltyBooked) if e.node == 0]
    taken = [e for e in b.of(EvidenceTaken) if e.node == 0]
    assert {(e.validator, e.evidence, e.penalty) for e in booked} == {(2, "double_sign", 10)}
    assert [(e.validator, e.detail) for e in booked] == [(e.validator, e.detail) for e in taken] != []
    books = b.nodes[0].enforcement.books  # type: ignore[union-attr]
    lost, honest = books.standings[2], books.standings[3]
    assert lost.stake == before[2].stake and lost.tier == max(0, before[2].tier - len(booked))
    assert lost.time_tokens < honest.time_tokens - 10 * len(booked) + max(v.timetoke_hours for v in b.facts.genesis.validators)
    block = summary["slashing"]
    assert block["evidence"]["double_sign"]["against"] == [2] and block["evidence"]["double_sign"]["nodes_min"] == 7
    assert block["penalty_tokens"] == 10 * block["penalties"] == 10 * len(booked)
    assert block["queue_left_max"] == 0 and block["alarms"]["standing"] == 0 < block["alarms"]["cleared"]
    assert block["rewards_withheld_tokens"] >= 5
    assert [e.kind for e in b.of(FaultInjected)] == ["equivocation_start", "equivocation_end"]
    assert {e.detail for e in b.of(FaultInjected)} == {"node:2"}


def test_no_penalty_without_a_verified_proof() -> None:
    b = bench(cheat(2, what=["votes"]), slots=4)
    for node in b.nodes:
        b.network._routers[node.id].app._handlers.pop("consensus_proof")  # type: ignore[union-attr]
        node.finality.examine = lambda *_: None  # type: ignore[method-assign]
    b.run()
    assert b.of(EvidenceTaken) and not b.of(PenaltyBooked)


def test_noticed_without_slashing_too() -> None:
    b = bench(cheat(2), consensus={"slashing": False}, slots=4)
    summary = summarised(b)
    assert b.of(DoubleSignFound) and not b.of(EvidenceTaken) and "slashing" not in summary


def test_forged_evidence_is_refused() -> None:
    b = bench(misbehaving(1), slots=3)

    def accuse() -> None:
        certificate = b.nodes[1].chain.committed[0].certificate
        real = certificate.votes[0]
        forged = replace(real, block=b"x" * 32)
        for pair in (DoubleSign(real, forged), DoubleSign(real, replace(real, tag=b"t" * 32))):
            b.publish(b.nodes[1].id, "evidence", pair, pair.size)

    b.at(1500, accuse)
    b.run()
    reasons = {e.reason for e in b.of(MessageValidated) if e.verdict == "reject"}
    assert reasons == {"SignatureInvalid", "same_block"} and not b.of(DoubleSignFound)
    told = [e for e in b.of(MessageDelivered) if e.kind == "evidence"]
    assert len(told) == 2 * 6 and {e.peer for e in told} == {1}, "refused evidence is not passed on"


def test_the_log_has_upstreams_line(tmp_path: Any) -> None:
    b = bench(cheat(2, what=["votes"]), slots=4)
    with PenaltyLog(tmp_path / "slashing.log") as log:
        b.simulation.bus.attach(log)
        b.run()
    lines = (tmp_path / "slashing.log").read_text().splitlines()
    assert len(lines) == len(b.of(PenaltyBooked)) > 0
    start = 'level=info target=consensus backend=stwo validator=2 penalty=10 evidence=double_sign event="applied slashing penalty"'
    assert all(line.startswith(start) for line in lines)


@pytest.mark.parametrize("seed", range(4))
def test_safe_and_repeatable_under_losses(seed: int) -> None:
    """Two of seven, losses and jitter: agreement holds, and a second run is the same."""

    def run() -> tuple[list[str], dict[str, Any]]:
        links = {"default": {"delay_ms": 40, "jitter_ms": 30, "loss": 0.05}}
        b = Bench(scenario(7, slots=8, rate=4.0, sim={"seed": seed}, links=links, faults={"nodes": [cheat(0, 5)]}))
        summary = summarised(b)
        return [repr(e) for e in b.events], summary

    events, summary = run()
    assert summary["finality"]["conflicting_heights"] == 0 and summary["checks"]["agreement"]["held"]
    again, repeated = run()
    assert events == again
    for s in (summary, repeated):
        s.pop("resource_usage")
    assert summary == repeated
