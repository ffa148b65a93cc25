"""Services that stop: jobs wait, are counted, and are worked off; limits hold; nothing goes missing unseen."""

from pathlib import Path
from typing import Any

import pytest

from simnet.base.units import SimTime, from_ms
from simnet.events import (
    BacklogWorkedOff,
    FaultInjected,
    LimitReached,
    MessagePublished,
    ProofMade,
    ProofVerified,
    PublicationSkipped,
    ServiceResumed,
    TransferLate,
    TransferStale,
)
from simnet.node import services
from tests.mocks import Bench, cost_file, scenario, summarised
from tests.runs import not_held

START, END = 2000, 4500
"""In run time; traffic begins at 500."""


def stop(service: str, *nodes: int, start_ms: int = START, duration_ms: int = END - START) -> dict[str, Any]:
    return {"kind": "service_stop", "service": service, "nodes": list(nodes), "start_ms": start_ms, "duration_ms": duration_ms}


def bench(tmp_path: Path, *faults: dict[str, Any], slots: int = 8, rate: float = 6.0, prove_ms: float = 20, **sections: Any) -> Bench:
    given = scenario(5, slots=slots, rate=rate, faults={"nodes": list(faults)}, **sections)
    circuits = Bench(given).facts.circuits
    costs = cost_file(tmp_path / "costs.toml", [getattr(circuits, name) for name in circuits.__slots__], prove_ms=prove_ms, verify_ms=5)
    return Bench(given, costs=costs)


def transfers(b: Bench) -> list[MessagePublished]:
    return [e for e in b.of(MessagePublished) if e.kind == "transaction"]


def within(at: SimTime, start: int = START, end: int = END) -> bool:
    return from_ms(start) < at < from_ms(end)


@pytest.mark.parametrize("service", ["verifier", "prover", "wallet"])
def test_the_records_and_figures_of_a_stop(tmp_path: Path, service: str) -> None:
    b = bench(tmp_path, stop(service, 1, 3))
    summary = summarised(b)
    assert [(e.kind, e.detail, e.at) for e in b.of(FaultInjected)] == [
        *(("service_stop_start", f"node:{n}", from_ms(START)) for n in (1, 3)),
        *(("service_stop_end", f"node:{n}", from_ms(END)) for n in (1, 3)),
    ]
    figures = summary["simnet"]["node_faults"]["service_stop"][service]
    resumed, done = b.of(ServiceResumed), b.of(BacklogWorkedOff)
    assert [e.node for e in resumed] == [1, 3] and {e.at for e in resumed} == {from_ms(END)}
    assert figures["stops"] == figures["worked_off"] == 2 == len(done) and figures["stopped_ms"] == 2 * (END - START)
    assert figures["backlog_max"] == max(e.waiting for e in resumed) > 0
    assert 500 < figures["oldest_age_ms"] <= END - START
    assert figures["depth_max"] >= figures["backlog_max"] and figures["refused"] == 0
    assert not_held(summary["checks"], "aggregated") == []


def test_a_stopped_verifier_answers_afterwards(tmp_path: Path) -> None:
    b = bench(tmp_path, stop("verifier", 1))
    summary = summarised(b)
    answers = [e for e in b.of(ProofVerified) if e.node == 1]
    assert not [e for e in answers if within(e.at)]
    late = [e for e in answers if within(e.queued_at) and e.at >= from_ms(END)]
    resumed = b.of(ServiceResumed)[0]
    assert len(late) == resumed.waiting > 5
    assert from_ms(END) - min(e.queued_at for e in late) == resumed.oldest_age
    (done,) = b.of(BacklogWorkedOff)
    assert done.at == max(e.at for e in late) and done.took == done.at - from_ms(END) > 0
    assert [e for e in b.of(ProofVerified) if e.node == 2 and within(e.at)], "others go on"
    heights = [sum(within(e.at) for e in b.commits(node)) for node in (1, 2)]
    assert heights[0] == 0 < heights[1], "four of five are a quorum, and the fifth cannot judge"
    assert summary["finality"]["height_min"] == summary["finality"]["height_max"]


def test_a_full_queue_refuses_and_says_so(tmp_path: Path) -> None:
    """Four jobs may wait. What is refused comes again by the neighbours' status: at the end all pools agree."""
    b = bench(tmp_path, stop("verifier", 1), provers={"queue_jobs_max": 4})
    summary = summarised(b)
    full = [e for e in b.of(LimitReached) if e.node == 1 and within(e.at)]
    figures = summary["simnet"]["node_faults"]["service_stop"]["verifier"]
    assert figures["backlog_max"] == figures["depth_max"] == 4
    assert figures["refused"] >= len(full) > 0 and {e.what for e in full} >= {"provers.queue_jobs_max"}
    assert summary["checks"]["coherence"]["held"] and summary["checks"]["progress"]["held"]


def test_a_stopped_prover_finishes_later(tmp_path: Path) -> None:
    b = bench(tmp_path, stop("prover", 0, 1, 2, 3, 4), prove_ms=400)
    summarised(b)
    made = b.of(ProofMade)
    assert made and not [e for e in made if within(e.at) or within(e.finished_at)]
    assert all(e.at >= e.finished_at for e in made), "nothing is used before it is there"
    under_way = [e for e in made if e.started_at < from_ms(START) < e.finished_at]
    assert under_way and all(e.finished_at - e.started_at == from_ms(400 + END - START) for e in under_way)
    assert [e for e in made if within(e.queued_at) and e.finished_at >= from_ms(END) + from_ms(400)]
    assert {e.circuit for e in under_way} >= {"consensus"} and b.of(TransferLate)


def test_a_stopped_wallet_publishes_what_was_due_when_it_returns(tmp_path: Path) -> None:
    calm, disturbed = bench(tmp_path), bench(tmp_path, stop("wallet", 0, 1, 2, 3, 4))
    summarised(calm)
    summary = summarised(disturbed)
    published = [len(transfers(b)) - len(b.of(TransferStale)) for b in (calm, disturbed)]
    assert published[0] == published[1] > 0, "none is lost; renewed ones do not count"
    assert not [e for e in transfers(disturbed) if within(e.at)]
    late = [e for e in disturbed.of(TransferLate) if e.at >= from_ms(END)]
    assert len(late) >= summary["simnet"]["node_faults"]["service_stop"]["wallet"]["backlog_max"] > 0


def test_a_wallets_backlog_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "WALLET_JOBS_MAX", 1)
    b = bench(tmp_path, stop("wallet", 0, 1, 2, 3, 4), rate=12.0)
    summary = summarised(b)
    assert summary["simnet"]["node_faults"]["service_stop"]["wallet"]["backlog_max"] <= 2
    refused = [e for e in b.of(PublicationSkipped) if e.reason == "wallet_stopped"]
    assert len(refused) == summary["simnet"]["limits_hit"]["wallet_jobs"] > 0


def test_overlapping_stops_are_one_longer_one(tmp_path: Path) -> None:
    b = bench(tmp_path, stop("verifier", 1), stop("verifier", 1, start_ms=3000, duration_ms=2500))
    summarised(b)
    assert not [e for e in b.of(ProofVerified) if e.node == 1 and within(e.at, START, 5500)]
    (resumed,) = b.of(ServiceResumed)
    assert (resumed.at, resumed.stopped_for) == (from_ms(5500), from_ms(3500))


def test_a_stop_that_outlasts_the_run_is_not_waited_for(tmp_path: Path) -> None:
    b = bench(tmp_path, stop("verifier", 1, start_ms=2560, duration_ms=10**6), slots=4)
    result = b.run()
    assert {node for node, _ in b.unproven()} == {1}, "it had just committed a block"
    assert result.complete and result.end < from_ms(6500)
    assert not b.of(ServiceResumed) and not b.of(BacklogWorkedOff)


def test_stops_repeat(tmp_path: Path) -> None:
    runs = []
    for _ in range(2):
        b = bench(tmp_path, stop("verifier", 1), stop("prover", 2), stop("wallet", 3))
        b.run()
        runs.append([repr(e) for e in b.events])
    assert runs[0] == runs[1]
