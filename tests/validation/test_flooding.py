"""Flooding against theory and against Maelstrom's published figures.

A flood without echo sends 2E - (N - 1) copies: each of the N nodes sends to all its neighbours but, save the origin,
the one that it heard from first.

Maelstrom (Jepsen), repository jepsen-io/maelstrom, doc/03-broadcast/02-performance.md, commit
8f29453d96ac36a4256010d095ef51e72285413e: server messages of 20-second runs, latencies until a value was seen everywhere.
Half of the operations, give or take chance, are broadcasts, so the totals are whole multiples of the copies of one.
"""

import networkx as nx
import numpy as np
import pytest

from simnet.base.rng import generator
from simnet.base.units import NS_PER_MS
from simnet.net.flood import FloodGraph
from tests.validation.kit import Graph, flood, grid, line, total, tree

MAELSTROM_TOTALS = [
    # graph, nodes, messages between servers, messages per operation
    ("grid", grid(5), 5, 5916, 2.94182),
    ("grid", grid(25), 25, 56280, 27.806324),
    ("line", line(25), 25, 24120, 12.005973),
    ("total", total(25), 25, 587520, 290.5638),
    ("tree4", tree(25, 4), 25, 24744, 11.994184),
]
QUANTILES = (0.5, 0.95, 0.99, 1.0)
MAELSTROM_LATENCIES_MS = [
    # graph, latency of a hop, hops between the nodes furthest apart, published quantiles
    ("line", line(25), 10, 24, (86, 170, 193, 224)),
    ("grid", grid(25), 10, 8, (11, 42, 56, 72)),
    ("grid", grid(25), 100, 8, (452, 656, 748, 791)),
    ("total", total(25), 100, 1, (77, 95, 96, 97)),
    ("tree4", tree(25, 4), 100, 5, (386, 489, 498, 505)),
]
MAELSTROM_OVERHEAD = 0.02
"""Its processes run in wall time: the published maximum of the tree lies 1 % above its five hops."""


@pytest.mark.parametrize(("name", "edges", "nodes", "published", "per_operation"), MAELSTROM_TOTALS)
@pytest.mark.parametrize("engine", ["events", "waves"])
def test_maelstroms_totals_are_reproduced_exactly(
    name: str, edges: Graph, nodes: int, published: int, per_operation: float, engine: str
) -> None:
    one = flood(nodes, edges, [0], engine=engine).copies
    assert one == 2 * len(edges) - (nodes - 1)
    broadcasts, rest = divmod(published, one)
    assert rest == 0
    operations = round(published / per_operation)
    assert abs(broadcasts - operations / 2) < 2.576 * (operations / 4) ** 0.5, "half of the operations, within 99 %"
    if engine == "waves" or published < 100_000:
        origins = generator(1, "origins").integers(nodes, size=broadcasts).tolist()
        assert flood(nodes, edges, origins, engine=engine).copies == published


@pytest.mark.parametrize(("name", "edges", "latency_ms", "hops", "published"), MAELSTROM_LATENCIES_MS)
def test_maelstroms_latencies_lie_within_the_hop_bound(
    name: str, edges: Graph, latency_ms: int, hops: int, published: tuple[int, ...]
) -> None:
    """Ours are what an observer at every node sees. Maelstrom reads two nodes a second, so it sees less, never more."""
    farthest = flood(25, edges, range(25), latency_ms).last_at
    ours = np.quantile([at / NS_PER_MS for at in farthest.values()], QUANTILES, method="inverted_cdf")
    assert ours[-1] == hops * latency_ms == nx.diameter(nx.Graph(edges)) * latency_ms
    assert all(seen <= real * (1 + MAELSTROM_OVERHEAD) for seen, real in zip(published, ours, strict=True))


def test_exponential_latencies_make_the_grid_faster() -> None:
    """Maelstrom's grid at 100 ms: quantiles 452, 656, 748, 791 ms with constant and 229, 431, 520, 630 ms with exponential
    latencies. Every quantile of ours falls likewise, and none lies below the published one."""
    ends = sorted({end for a, b in grid(25) for end in ((a, b), (b, a))})
    graph, draws = FloodGraph(25, ends), generator(1, "exponential")
    farthest = []
    for origin in range(2000):
        delays = np.maximum(1, draws.exponential(100 * NS_PER_MS, len(ends))).astype(np.int64)
        farthest.append(graph.distances(origin % 25, delays).max() / NS_PER_MS)
    exponential = np.quantile(farthest, QUANTILES)
    constant = np.quantile([at / NS_PER_MS for at in flood(25, grid(25), range(25), 100).last_at.values()], QUANTILES)
    assert (exponential[:3] < constant[:3]).all()
    assert (exponential * (1 + MAELSTROM_OVERHEAD) >= (229, 431, 520, 630)).all()


def test_messages_in_flight_overlap() -> None:
    """A 120 ms hop stays a 120 ms hop at a thousand messages a second; taken one at a time they would need two minutes."""
    nodes, edges = 2, line(2)
    arrived = flood_all_at_once(nodes, edges, 1000)
    assert arrived == {120 * NS_PER_MS}


def flood_all_at_once(nodes: int, edges: Graph, messages: int) -> set[int]:
    """Delays of messages that are published every millisecond."""
    from simnet.events import MessageDelivered
    from tests.netkit import Bench, scenario

    bench = Bench(scenario(nodes, delay_ms=120, gossip={"lazy_peers": 0}), edges)
    for number in range(messages):
        bench.publish()
        bench.run(number + 1)
    bench.run()
    assert len(bench.of(MessageDelivered)) == messages
    return {event.at - event.published_at for event in bench.of(MessageDelivered)}


def test_dijkstra_gives_simpys_arrival_times() -> None:
    """3,000 nodes of degree 16: the distances over the drawn delays are the times at which the copies come first."""
    from simnet.events import MessageDelivered
    from simnet.net.topology import edges_of
    from simnet.scenario.upstream import Topology
    from tests.netkit import Bench, scenario

    nodes, edges = 3000, edges_of(Topology(type="k_regular", n=3000, k=16), 1)
    given = scenario(
        nodes, delay_ms=60, jitter_ms=40, gossip={"lazy_peers": 0, "engine": "events"}, topology={"type": "k_regular", "n": nodes, "k": 16},
        chain={"enabled": False},
    )  # fmt: skip
    bench = Bench(given, edges, 1, frozenset({"transaction"}))
    message = bench.publish(7)
    assert message is not None
    bench.run(20_000)
    arrived = {event.node: event.at for event in bench.of(MessageDelivered)}
    ends = sorted({end for a, b in edges for end in ((a, b), (b, a))})
    distances = FloodGraph(nodes, ends).distances(7, np.array(message.delays))
    assert len(arrived) == nodes - 1
    assert all(distances[node] == at for node, at in arrived.items())
