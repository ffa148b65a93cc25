"""Validators that keep to themselves what others wait for: the others go on without, take over, and take notice."""

from collections import Counter
from typing import Any

import pytest

from simnet.events import (
    BlockAggregated,
    BlockCommitted,
    BlockProven,
    BlockProving,
    DirectSent,
    EvidenceTaken,
    FaultInjected,
    ProofMade,
    ProofTakenOver,
    Proposed,
    VoteCast,
    Withheld,
)
from tests.mocks import Bench, scenario, summarised

LIARS = frozenset({1, 4})


def bench(what: list[str], *nodes: int, slots: int = 16, start_ms: int = 0, duration_ms: int = 10**6, **sections: Any) -> Bench:
    fault = {"kind": "withholding", "nodes": list(nodes), "what": what, "start_ms": start_ms, "duration_ms": duration_ms}
    return Bench(scenario(7, slots=slots, rate=4.0, faults={"nodes": [fault]}, **sections))


def evidence(b: Bench, node: int = 0) -> Counter[tuple[str, int]]:
    return Counter((e.evidence, int(e.validator)) for e in b.of(EvidenceTaken) if e.node == node)


def led_by(b: Bench, slots: int, nodes: frozenset[int] = LIARS) -> list[int]:
    return [slot for slot in range(slots) if b.leader(slot) in nodes]


def test_the_chain_goes_on_without_the_votes_of_two_of_seven() -> None:
    b = bench(["votes"], *LIARS)
    summary = summarised(b)
    assert not {e.node for e in b.of(VoteCast)} & LIARS
    assert summary["finality"]["blocks"] == summary["finality"]["blocks_proven"] == 16
    assert {e.node for e in b.of(Proposed)} == {b.leader(s) for s in range(16)} >= LIARS, "they propose"
    kept = [e for e in b.of(Withheld) if e.what == "votes"]
    assert summary["simnet"]["node_faults"]["withholding"]["withheld"] == {"votes": len(kept)}
    # Slots 0 to 14 are over when the last one begins: five rows of three missed votes in each of two phases.
    found = evidence(b)
    assert {v: found["censorship", v] for v in LIARS} == {1: 10, 4: 10}
    assert {v for _, v in found} == LIARS
    assert found["vote_withholding", 1] >= 4, "it sent heartbeats all the while"
    against = {k: f["against"] for k, f in summary["slashing"]["evidence"].items()}
    assert against["censorship"] == against["vote_withholding"] == [1, 4]
    assert summary["slashing"]["penalised"] == [1, 4] and summary["slashing"]["alarms"]["standing"] == 0


def test_who_is_just_away_is_no_withholder() -> None:
    """Cut off for seven slots: nothing of it is heard, so votes are missing, but nobody says they were kept back."""
    b = Bench(scenario(7, slots=16, rate=4.0, consensus={"slashing": True}))
    b.isolate(3, 3900, 10900)
    summarised(b)
    found = evidence(b)
    assert found["censorship", 3] >= 4 and found["inactivity", 3] >= 1 and not found["vote_withholding", 3]
    assert {v for _, v in found} == {3}
    assert not evidence(b, 3), "and who is away judges nobody"


def test_too_few_votes_stop_the_chain_and_nobody_is_judged() -> None:
    b = bench(["votes"], 1, 4, 5)
    b.run()
    assert not b.of(BlockCommitted) and not b.of(EvidenceTaken)


def test_the_next_leader_takes_over_from_one_that_proposes_nothing() -> None:
    b = bench(["proposals"], *LIARS)
    summary = summarised(b)
    lost = led_by(b, 16)
    assert [e.slot for e in b.of(Proposed)] == [s for s in range(16) if s not in lost]
    assert summary["finality"]["blocks"] == 16 - len(lost) and len(lost) >= 4
    assert {e.node for e in b.of(VoteCast)} >= LIARS, "they vote"
    assert set(evidence(b)) == {("censorship", v) for v in LIARS}
    details = {e.detail.split()[0] for e in b.of(EvidenceTaken)}
    assert details == {"stage=proof"}
    assert summary["simnet"]["node_faults"]["withholding"]["withheld"] == {"proposals": len(lost)}


def test_others_prove_what_its_proposer_does_not() -> None:
    b = bench(["proofs"], *LIARS)
    summary = summarised(b)
    theirs = {e.height for e in b.of(Proposed) if e.node in LIARS}
    assert summary["finality"]["blocks_proven"] == summary["aggregation"]["blocks_aggregated"] == 16
    assert not [e for e in b.of(ProofMade) if e.node in LIARS and e.circuit != "transaction"]
    assert not [e for e in b.of(BlockProving) if e.node in LIARS]
    taken = b.of(ProofTakenOver)
    assert {e.height for e in taken} == theirs and {int(e.proposer) for e in taken} <= LIARS
    assert summary["simnet"]["node_faults"]["withholding"]["consensus_proofs_taken_over"] == len(taken)
    committed = {e.height: e.at for e in b.commits(0)}
    proven = {e.height: e.at for e in b.of(BlockProven) if e.node == 0}
    late = {h: (proven[h] - committed[h]) / 1e9 for h in committed}
    assert all((late[h] > 1.5) == (h in theirs) for h in committed), "from the second slot after it, of a second each"
    assert set(evidence(b)) == {("censorship", v) for v in LIARS if sum(b.leader(s) == v for s in range(13)) >= 2}


def test_a_substitute_that_withholds_too_is_passed_over() -> None:
    b = bench(["proofs"], 0, 1, slots=8)
    summarised(b)
    committed = b.nodes[0].chain.committed
    turns = {c.block.header.height: committed[0].electorate.leaders(c.block.header.slot)[:3] for c in committed}
    theirs = {e.height: turns[e.height] for e in b.of(Proposed) if e.node == 1}
    assert theirs == {1: (1, 5, 3), 4: (1, 0, 2)}, "the fourth block's first substitute withholds, too"
    taken = [(e.height, int(e.node), e.rank) for e in b.of(ProofTakenOver)]
    assert taken == [(1, 5, 1), (4, 0, 1), (4, 2, 2), (4, 5, 3)]
    assert not b.unproven()


def test_proposers_prove_again_when_it_is_over() -> None:
    b = bench(["proofs"], 0, 1, 2, 3, 4, 5, 6, duration_ms=2400, slots=8)
    summary = summarised(b)
    assert summary["finality"]["blocks"] == summary["finality"]["blocks_proven"] == 8
    assert {e.height for e in b.of(ProofTakenOver)} == {1}, "the second block's proposer is asked again in time"
    assert [e.kind for e in b.of(FaultInjected)] == ["withholding_start"] * 7 + ["withholding_end"] * 7


def test_a_node_that_catches_up_asks_another_one() -> None:
    """Node 6 comes back with no way to the others but 0 and 2; the first answers nothing."""
    # A short memory of gossip, or its offers at reconnection would bring all of it.
    b = bench(["blocks"], 0, slots=16, gossip={"duplicate_cache_ms": 3100})
    b.isolate(6, 900, 5400)
    network = b.network
    b.at(0, lambda: network.cut([e for e in network.edges if 6 in e and min(e) not in (0, 2)], "churn:other"))
    summary = summarised(b)
    kept = b.of(Withheld)
    assert {e.what for e in kept} == {"blocks"} and {int(e.node) for e in kept} == {0}
    assert kept and summary["finality"]["caught_up"] >= 3
    assert summary["finality"]["height_min"] == summary["finality"]["height_max"] >= 14
    answers = {int(e.node) for e in b.of(DirectSent) if e.kind in ("block_response", "proof_response") and e.peer == 6}
    assert answers == {2}


@pytest.mark.parametrize("what", ["proposals", "votes", "proofs", "blocks"])
def test_only_what_is_named_is_withheld(what: str) -> None:
    b = bench([what], 0, 2, slots=6)
    b.isolate(5, 900, 3200)
    b.run()
    assert {e.what for e in b.of(Withheld)} == {what}
    assert any(e.node in (0, 2) for e in b.of(VoteCast)) == (what != "votes")
    assert {e.node for e in b.of(BlockAggregated)} >= {0, 2}


def test_withholding_repeats() -> None:
    def run() -> list[str]:
        b = bench(["votes", "proofs", "proposals", "blocks"], 2, slots=8)
        b.run()
        return [repr(e) for e in b.events]

    assert run() == run()
