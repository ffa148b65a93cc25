"""Partition, churn and spam: timing, records, and what they do to links."""

from types import SimpleNamespace
from typing import Any

from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events import Event, FaultInjected, PeerDisconnected
from simnet.net.faults import DRAIN, SETTLE, ActiveNodes, FaultInjector, Spam, run_end
from simnet.record.summary import Labels, SummaryRecorder
from simnet.runs.opaque import OpaqueRun
from simnet.scenario.upstream import SPAM_KINDS, Byzantine
from tests.netkit import Bench, scenario

RING = [(0, 1), (0, 3), (1, 2), (2, 3)]
PARTITION = {"start_ms": 1000, "duration_ms": 2000, "group_a": "A", "group_b": "B"}
CHURN = {"start_ms": 500, "rate_per_min": 18.0, "restart_after_ms": 2600}


def run(until_ms: int, regions: list[str] | None = None, seed: int = 1, **faults: Any) -> tuple[Bench, FaultInjector]:
    given = scenario(4, regions={"assignments": regions or ["A", "B", "C", "B"]}, faults=faults)
    bench = Bench(given, RING)
    running = FaultInjector(bench.env, given, seed, bench.network, bench.events.append)
    bench.run(until_ms)
    return bench, running


def records(bench: Bench) -> list[tuple[float, str, str]]:
    return [(event.at / 1e6, event.kind, event.detail) for event in bench.of(FaultInjected)]


def test_clocks() -> None:
    assert (SETTLE, DRAIN) == (500_000_000, 1_000_000_000)
    assert run_end(scenario(2)) == 61_500_000_000


def test_partition_cuts_exactly_the_edges_between_the_groups() -> None:
    bench, _ = run(2000, partition=PARTITION)
    assert records(bench) == [(1000, "partition_start", "A-B")]
    assert [bench.network.connected(NodeId(i)) for i in range(4)] == [(), (2,), (1, 3), (2,)]
    assert {event.why for event in bench.of(PeerDisconnected)} == {"partition"}
    bench.run(3001)
    assert records(bench)[1:] == [(3000, "partition_end", "A-B")]
    assert bench.network.connected(NodeId(0)) == (1, 3)


def test_a_partition_without_crossing_edges_is_silent() -> None:
    bench, _ = run(5000, regions=["A", "C", "B", "C"], partition=PARTITION)
    assert records(bench) == []


def test_churn_takes_one_node_down_at_a_time() -> None:
    bench, running = run(31_000, churn=CHURN)
    found = records(bench)
    downs, ups = found[::2], found[1::2]
    period = 3333 + 2600
    assert [at for at, _, _ in downs] == [500 + 3333 + i * period for i in range(len(downs))]
    assert [at for at, _, _ in ups] == [at + 2600 for at, _, _ in downs[: len(ups)]]
    assert [kind for _, kind, _ in found] == ["churn_down", "churn_up"] * len(ups)
    assert all(down[2] == up[2] and down[2].startswith("node:") for down, up in zip(downs, ups, strict=False))
    assert running.active.nodes == (0, 1, 2, 3)


def test_a_churned_node_has_no_links_and_is_not_active() -> None:
    bench, running = run(4000, churn=CHURN)
    node = NodeId(int(records(bench)[0][2].removeprefix("node:")))
    assert node not in running.active and len(running.active.nodes) == 3
    assert bench.network.connected(node) == ()
    bench.run(6500)
    assert node in running.active and len(bench.network.connected(node)) == 2


def test_churn_choice_is_uniform_and_seeded() -> None:
    quick = {"start_ms": 0, "rate_per_min": 60_000.0, "restart_after_ms": 1}
    details = [detail for _, kind, detail in records(run(16_000, churn=quick)[0]) if kind == "churn_down"]
    shares = [details.count(f"node:{i}") / len(details) for i in range(4)]
    assert len(details) >= 7900 and all(abs(share - 0.25) < 0.017 for share in shares)
    again = [detail for _, kind, detail in records(run(16_000, churn=quick)[0]) if kind == "churn_down"]
    assert details == again


def test_partition_and_churn_on_one_edge_must_both_end() -> None:
    churn = {"start_ms": 0, "rate_per_min": 40.0, "restart_after_ms": 10_000}  # down from 1500 to 11500
    for seed in range(20):
        bench, _ = run(2900, seed=seed, partition=PARTITION, churn=churn)
        node = NodeId(int(records(bench)[1][2].removeprefix("node:")))
        bench.run(3500)
        assert bench.network.connected(node) == (), "the healing partition leaves the churned node alone"
        bench.run(11_600)
        assert len(bench.network.connected(node)) == 2


def test_churn_does_not_heal_a_partition() -> None:
    churn = {"start_ms": 0, "rate_per_min": 40.0, "restart_after_ms": 500}  # down from 1500 to 2000
    for seed in range(20):
        bench, _ = run(2100, seed=seed, partition=PARTITION, churn=churn)
        assert bench.network.connected(NodeId(0)) == ()


def test_a_node_is_active_again_when_all_its_faults_are_over() -> None:
    active = ActiveNodes(3)
    active.down(NodeId(1))
    active.down(NodeId(1))
    assert list(active.nodes) == [0, 2] and NodeId(1) not in active
    active.up(NodeId(1))
    assert list(active.nodes) == [0, 2]
    active.up(NodeId(1))
    assert list(active.nodes) == [0, 1, 2]


def test_spam_needs_a_listed_publisher_and_its_time() -> None:
    spam = Spam(Byzantine(start_ms=1000, spam_factor=2, publishers=(1,)))
    assert spam.triggers(NodeId(1), from_ms(1000))
    assert not spam.triggers(NodeId(1), SimTime(from_ms(1000) - 1))
    assert not spam.triggers(NodeId(0), from_ms(5000))
    assert not Spam(None).triggers(NodeId(1), from_ms(5000))


def test_spam_kinds_take_turns() -> None:
    spam = Spam(Byzantine(spam_factor=4, publishers=(1,)))
    assert [*spam.copies(), *spam.copies()] == [*SPAM_KINDS, "copy"]
    assert Spam(Byzantine(spam_factor=1, publishers=(1,))).copies() == ()
    assert Spam(Byzantine(spam_factor=3, publishers=(1,), spam_kinds=("copy",))).copies() == ("copy", "copy")


ENDING = {"start_ms": 500, "duration_ms": 1500}
TO_THE_END: dict[str, Any] = {
    "partition": {**ENDING, "group_a": "A", "group_b": "B"},
    "links": [{"kind": "one_way", **ENDING}],
    "nodes": [{"kind": "crash", "node": 0, **ENDING}, {"kind": "pause", "node": 2, **ENDING}],
}


def ends(duration_ms: int) -> tuple[set[str], dict[str, bool]]:
    """Of faults that last until 2000 ms: the ends that a run of this length records, and what its summary says of each."""
    given = scenario(
        4, sim={"seed": 1, "duration_ms": duration_ms}, regions={"assignments": ["A", "B", "C", "B"]}, faults=TO_THE_END,
        traffic={"tx": {"phases": [{"model": "poisson", "duration_ms": duration_ms, "lambda_per_sec": 1.0}]}},
        topology={"type": "ring", "n": 4, "k": 2}, chain={"enabled": False},
    )  # fmt: skip
    run = OpaqueRun(given, 1)
    recorder, seen = SummaryRecorder(run.info, Labels("0" * 64, "calibrated", "inprocess")), list[Event]()
    run.bus.attach(*recorder.collectors, SimpleNamespace(handlers={Event: seen.append}))
    result = run.run()
    effects = recorder.summary(result, run.bus)["simnet"]["fault_effects"]  # type: ignore[index]
    found = {e.kind for e in seen if isinstance(e, FaultInjected) and e.kind.endswith(("_end", "_up"))}
    return found, {effect["kind"]: effect["ended"] for effect in effects}


def test_a_fault_that_would_end_with_the_run_is_recorded_without_an_end() -> None:
    """What docs/scenario.md says of that very moment; a millisecond more of the run and all have ended."""
    assert ends(500) == (set(), dict.fromkeys(("partition", "one_way", "crash", "pause"), False))
    assert ends(501) == (
        {"partition_end", "one_way_end", "crash_up", "pause_end"},
        dict.fromkeys(("partition", "one_way", "crash", "pause"), True),
    )
