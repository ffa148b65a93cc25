"""Our own network faults: rules on links, crash and pause of nodes, bandwidth. Worked out by hand."""

from typing import Any

import pytest
from pydantic import ValidationError

from simnet.base.units import NodeId
from simnet.events import FaultInjected, MessageArrived, MessageDelivered, MessageLost, PeerDisconnected
from simnet.net.faults import ActiveNodes, FaultInjector
from tests.netkit import Bench, scenario

REGIONS = {"assignments": ["A", "B"]}
FOREVER = {"start_ms": 0, "duration_ms": 100_000}


def bench(*links: dict[str, Any], nodes: tuple[dict[str, Any], ...] = (), delay_ms: int = 10, **gossip: Any) -> Bench:
    """Two nodes, 0 in region A and 1 in B."""
    given = scenario(
        2,
        delay_ms=delay_ms,
        regions=REGIONS,
        gossip={"lazy_peers": 0, **gossip},
        faults={"links": list(links), "nodes": list(nodes)},
    )
    made = Bench(given, [(0, 1)])
    FaultInjector(made.env, given, 1, made.network, made.events.append)
    made.run(1)
    return made


def arrivals(made: Bench) -> list[float]:
    return [event.at / 1e6 for event in made.of(MessageArrived)]


def losses(made: Bench) -> list[tuple[float, int, str]]:
    return [(event.at / 1e6, event.node, event.reason) for event in made.of(MessageLost)]


def test_one_way_loses_one_direction_and_nobody_is_told() -> None:
    made = bench({"kind": "one_way", "start_ms": 50, "duration_ms": 100, "source": "A", "target": "B"})
    for at in (40, 60, 149, 151):
        made.run(at)
        made.publish(0)
        made.publish(1)
    made.run(1000)
    assert losses(made) == [(60, 0, "one_way"), (149, 0, "one_way")]
    assert sum(event.node == 0 for event in made.of(MessageDelivered)) == 4
    assert made.network.connected(NodeId(0)) == (1,)
    assert [(e.kind, e.detail, e.at) for e in made.of(FaultInjected)] == [
        ("one_way_start", "A->B", 50_000_000),
        ("one_way_end", "A->B", 150_000_000),
    ]


def test_both_ways_and_any_region() -> None:
    made = bench({"kind": "one_way", **FOREVER, "source": "A", "both_ways": True})
    made.publish(0)
    made.publish(1)
    made.run(100)
    assert losses(made) == [(1, 0, "one_way"), (1, 1, "one_way")]


def test_flapping_follows_its_rhythm() -> None:
    made = bench({"kind": "flapping", "start_ms": 100, "duration_ms": 1000, "up_ms": 30, "down_ms": 20})
    for at in range(95, 205, 10):
        made.run(at)
        made.publish(0)
    made.run(2000)
    assert [at for at, _, why in losses(made) if why == "flapping"] == [135, 145, 185, 195]


def test_duplicates_arrive_twice() -> None:
    made = bench({"kind": "duplicate", **FOREVER, "probability": 1.0, "delay_ms": 5})
    for _ in range(50):
        made.publish(0)
    made.run(100)
    assert len(arrivals(made)) == 100 and len(made.of(MessageDelivered)) == 50
    assert set(arrivals(made)) > {11.0} and max(arrivals(made)) <= 16


def test_a_duplicate_share_is_a_probability() -> None:
    made = bench({"kind": "duplicate", **FOREVER, "probability": 0.3})
    for _ in range(2000):
        made.publish(0)
    made.run(100)
    assert abs(len(arrivals(made)) - 2000 - 600) < 3.3 * (2000 * 0.3 * 0.7) ** 0.5


def test_reordered_copies_are_overtaken() -> None:
    made = bench({"kind": "reorder", **FOREVER, "probability": 0.5, "delay_ms": 50})
    for number in range(60):
        made.run(2 + number)
        made.publish(0)
    made.run(1000)
    order = [event.message for event in made.of(MessageDelivered)]
    assert sorted(order) == list(range(60)) != order


def test_corrupt_copies_are_dropped_at_the_far_end() -> None:
    made = bench({"kind": "corrupt", **FOREVER, "probability": 1.0})
    made.publish(0)
    made.network.send(NodeId(0), NodeId(1), "status", 1, 8)
    made.run(100)
    assert losses(made) == [(11, 0, "corrupt")] * 2
    assert not made.of(MessageArrived) and made.nodes[1].direct == []
    assert made.network._hops[NodeId(0), NodeId(1)][0].flying == 0


def test_bandwidth_sends_one_after_another() -> None:
    """100 bytes at 80 kbit/s: 10 ms each, then 10 ms of delay. The way back is a queue of its own."""
    made = bench({"kind": "bandwidth", **FOREVER, "kbps": 80})
    for _ in range(3):
        made.publish(0)
    made.publish(1)
    made.run(25)
    made.publish(0)
    made.run(1000)
    assert arrivals(made) == [21, 21, 31, 41, 51]


def test_a_links_own_bandwidth_stays_last_and_for_good() -> None:
    link = {"delay_ms": 10, "jitter_ms": 0, "loss": 0.0, "bandwidth_kbps": 80}
    given = scenario(
        2,
        links={"default": link},
        gossip={"lazy_peers": 0},
        faults={"links": [{"kind": "duplicate", "start_ms": 0, "duration_ms": 50, "probability": 1.0}]},
    )
    made = Bench(given, [(0, 1)])
    FaultInjector(made.env, given, 1, made.network, made.events.append)
    made.run(1)
    made.publish(0)
    made.run(60)
    made.publish(0)
    made.run(1000)
    assert arrivals(made) == [21, 31, 80], "both copies take their time on the wire; afterwards there is one again"


def test_rules_act_in_order_and_the_first_loss_ends() -> None:
    made = bench({"kind": "one_way", **FOREVER}, {"kind": "bandwidth", **FOREVER, "kbps": 80})
    made.publish(0)
    made.network.send(NodeId(0), NodeId(1), "status", 1, 8)
    made.run(100)
    assert losses(made) == [(1, 0, "one_way")] * 2
    assert made.network._hops[NodeId(0), NodeId(1)][0].rules[1].free_at == 0  # type: ignore[attr-defined]


def test_a_paused_node_gets_and_sends_everything_late() -> None:
    made = bench(nodes=({"kind": "pause", "node": 1, "start_ms": 105, "duration_ms": 100},))
    made.run(100)
    made.publish(0)  # on its way when the pause begins
    made.run(150)
    made.publish(0)
    made.publish(1)
    made.run(199)
    made.publish(0)
    made.run(1000)
    at = [(event.node, event.at / 1e6) for event in made.of(MessageDelivered)]
    assert at == [(1, 205), (1, 205), (1, 209), (0, 215)]
    assert [event.kind for event in made.of(FaultInjected)] == ["pause_start", "pause_end"]


def test_a_crashed_node_forgets_and_is_told_again() -> None:
    made = bench(nodes=({"kind": "crash", "node": 1, "start_ms": 100, "duration_ms": 400},), lazy_peers=6)
    first = made.publish(0)
    made.run(200)
    assert made.network.connected(NodeId(1)) == ()
    made.publish(0)
    made.run(3000)
    assert first is not None
    assert [event.message for event in made.of(MessageDelivered)] == [first.id, first.id], "once before and once after the crash"
    assert [event.kind for event in made.of(FaultInjected)] == ["crash_down", "crash_up"]


def test_two_faults_must_both_let_go_of_a_node() -> None:
    crash = {"kind": "crash", "node": 1}
    made = bench(nodes=({**crash, "start_ms": 100, "duration_ms": 400}, {**crash, "start_ms": 200, "duration_ms": 100}))
    made.run(350)
    assert made.network.connected(NodeId(1)) == ()
    made.run(501)
    assert made.network.connected(NodeId(1)) == (0,)
    assert {event.why for event in made.of(PeerDisconnected)} == {"crash"}
    active = ActiveNodes(2)
    for change in (active.down, active.down, active.up):
        change(NodeId(1))
    assert list(active.nodes) == [0]
    active.up(NodeId(1))
    assert list(active.nodes) == [0, 1]


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"links": [{"kind": "one_way", "duration_ms": 5, "source": "C"}]}, "no node is in this region; there are A, B"),
        ({"nodes": [{"kind": "pause", "duration_ms": 5, "node": 2}]}, "must be below n"),
        ({"links": [{"kind": "flapping", "duration_ms": 5, "up_ms": 3}]}, "down_ms"),
        ({"links": [{"kind": "duplicate", "duration_ms": 5, "probability": 1.5}]}, "probability"),
        ({"links": [{"kind": "wormhole", "duration_ms": 5}]}, "wormhole"),
        ({"links": [{"kind": "one_way", "duration_ms": 5, "probability": 1.0}]}, "probability"),
        ({"nodes": [{"kind": "equivocation", "duration_ms": 5, "nodes": [0, 2]}]}, r"nodes.1: node index 2 must be below n"),
        ({"nodes": [{"kind": "equivocation", "duration_ms": 5, "nodes": [1, 1]}]}, "names one twice"),
        ({"nodes": [{"kind": "equivocation", "duration_ms": 5, "nodes": []}]}, "at least 1"),
        ({"nodes": [{"kind": "equivocation", "duration_ms": 5, "node": 1}]}, "nodes"),
        ({"nodes": [{"kind": "withholding", "duration_ms": 5, "nodes": [1], "what": ["sleep"]}]}, "what"),
        ({"nodes": [{"kind": "service_stop", "duration_ms": 5, "nodes": [1]}]}, "service"),
        ({"nodes": [{"kind": "clock_skew", "duration_ms": 5, "nodes": [1], "drift_ppm": 10**6}]}, "drift_ppm"),
    ],
)
def test_bad_faults_are_refused(faults: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        scenario(2, regions=REGIONS, faults=faults)


def test_faults_of_a_node_itself_need_a_chain() -> None:
    fault = {"kind": "equivocation", "duration_ms": 5, "nodes": [1]}
    with pytest.raises(ValidationError, match=r"faults.nodes.0.kind: needs a chain"):
        scenario(2, chain={"enabled": False}, faults={"nodes": [fault]})
