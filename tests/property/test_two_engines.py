"""Two engines, one result: floods computed at once leave the very trace that their copies leave one by one."""

from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from simnet.base.units import NodeId, SimTime
from simnet.events import MessageDelivered
from simnet.net.flood import FloodGraph
from simnet.net.link import LOST
from simnet.net.rules import Hold, Uplink
from simnet.net.topology import Edge, edges_of
from simnet.scenario.upstream import Topology
from tests.netkit import Bench, scenario
from tests.property.test_network_laws import topologies

PASSED_ON = frozenset({"transaction"})
links = st.fixed_dictionaries(
    {"delay_ms": st.integers(2, 40), "jitter_ms": st.sampled_from([0, 0, 1, 20]), "loss": st.sampled_from([0, 0.1])}
)
gossips = st.fixed_dictionaries(
    {
        "lazy_peers": st.integers(0, 6),
        "heartbeat_ms": st.sampled_from([20, 50, 700]),
        "queue_messages_max": st.sampled_from([1, 3, 6, 5000, 5000, 5000]),
        "duplicate_cache_ms": st.sampled_from([30, 200, 60_000]),
        "iwant_timeout_ms": st.sampled_from([60, 3000]),
    }
)


@st.composite
def stories(draw: Any) -> tuple[Any, ...]:
    """A network, and what is done to it: (ms, what, argument)."""
    topology = draw(topologies(10))
    edges = edges_of(topology, 1)
    deeds = ["publish"] * 4 + (["cut", "join", "send", "throttle", "hold", "crash"] if edges else [])
    steps = [
        (draw(st.integers(0, 150)), deed, draw(st.integers(0, topology.n - 1)) if deed == "publish" else draw(st.sampled_from(edges)))
        for deed in draw(st.lists(st.sampled_from(deeds), min_size=1, max_size=14))
    ]
    return topology, edges, draw(links), draw(gossips), sorted(steps, key=lambda step: step[0])


def play(engine: str, story: tuple[Any, ...]) -> tuple[list[str], int]:
    """The trace, and how many floods were computed at once."""
    topology, edges, link, gossip, steps = story
    bench = Bench(scenario(topology.n, gossip={**gossip, "engine": engine}, links={"default": link}), edges, 3, PASSED_ON)
    waves = 0
    for at, deed, argument in steps:
        if bench.env.now < at * 1_000_000:
            bench.run(at)
        if deed == "publish":
            message = bench.publish(argument)
            waves += message is not None and message.wave is not None
        elif deed == "send":
            low, high = argument
            bench.network.send(NodeId(low), NodeId(high), "status", None, 9)
        else:
            disturb(bench, deed, argument)
    bench.run(8000)
    return [repr(found) for found in bench.events], waves


def disturb(bench: Bench, deed: str, edge: Edge) -> None:
    """A fault on a link or on its lower end."""
    network, now = bench.network, bench.network.clock.now
    if deed == "throttle":
        network.add_rules({edge: Uplink(40_000)})
    elif deed == "hold":
        until = SimTime(now + 70_000_000)
        network.hold(edge[0], until)
        network.add_rules({end: Hold(until, end[0] == edge[0]) for end in (edge, edge[::-1])})
    elif deed == "crash":
        network.forget_all(edge[0])
    else:
        getattr(network, deed)([edge], "fault")


@settings(max_examples=80, deadline=None)
@given(stories())
def test_waves_and_events_leave_the_same_trace(story: tuple[Any, ...]) -> None:
    one_by_one, none = play("events", story)
    at_once, waves = play("waves", story)
    event(f"waves: {min(waves, 3)}")
    assert none == 0
    assert at_once == one_by_one


def test_waves_are_used_where_they_can_be() -> None:
    """Or the property above would hold for nothing."""
    ring = Topology(type="ring", n=4, k=2)
    story: tuple[Any, ...] = (
        ring,
        edges_of(ring, 1),
        {"delay_ms": 9, "jitter_ms": 1, "loss": 0},
        {},
        [(5, "publish", 0), (6, "publish", 2)],
    )
    assert play("waves", story)[1] == 2


def test_a_repaired_copy_that_overtakes_the_flood_dissolves_the_wave() -> None:
    """Heartbeats every millisecond and hops of 1 to 41 ms: offer, request and answer are at times faster than a copy."""
    traces = []
    for engine in ("events", "waves"):
        gossip = {"heartbeat_ms": 1, "engine": engine}
        bench = Bench(
            scenario(6, delay_ms=21, jitter_ms=20, gossip=gossip), [(a, b) for a in range(6) for b in range(a + 1, 6)], 1, PASSED_ON
        )
        for number in range(60):
            bench.publish(number % 6)
            bench.run(200 * (number + 1))
        traces.append([repr(found) for found in bench.events])
        assert any(found.repaired for found in bench.of(MessageDelivered)), "or this would show nothing"
    assert traces[0] == traces[1]


@settings(max_examples=60, deadline=None)
@given(topologies(14), st.integers(0, 2**32), st.integers(1, 4))
def test_a_plan_is_the_flood_copy_by_copy(topology: Topology, seed: int, most: int) -> None:
    """Against a heap of copies; delays from 1 to `most`, so that many arrive together, and some that lose the copy."""
    edges = edges_of(topology, 1)
    ends = sorted({end for low, high in edges for end in ((low, high), (high, low))})
    delays = np.random.default_rng(seed).integers(0, most, len(ends), endpoint=True)
    delays[delays == 0] = LOST
    plan = FloodGraph(topology.n, ends).plan(0, delays)
    at, over, first = one_by_one(ends, delays.tolist())
    assert (plan.at.tolist(), plan.edges.tolist(), plan.first.tolist()) == (at, over, first)
    assert np.isfinite(FloodGraph(topology.n, ends).distances(0, delays)).sum() == sum(first) + 1


def one_by_one(ends: list[Edge], delays: list[int]) -> tuple[list[int], list[int], list[bool]]:
    """Arrival times, directed edges, and whether the copy is its receiver's first, of a flood from node 0."""
    number = count()
    waiting = [(delays[i], next(number), i) for i, (source, _) in enumerate(ends) if source == 0 and delays[i] != LOST]
    heapify(waiting)
    has, arrived = {0}, []
    while waiting:
        at, _, over = heappop(waiting)
        source, node = ends[over]
        arrived.append((at, over, node not in has))
        if node not in has:
            has.add(node)
            for i, (start, end) in enumerate(ends):
                if start == node and end != source and delays[i] != LOST:
                    heappush(waiting, (at + delays[i], next(number), i))
    times, overs, firsts = zip(*arrived, strict=True) if arrived else ((), (), ())
    return list(times), list(overs), list(firsts)
