"""Laws of topologies and of gossip that hold for every graph, seed and schedule of cuts."""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.base.units import NodeId
from simnet.events import MessageArrived, MessageDelivered, MessageLost, PeerConnected, PeerDisconnected
from simnet.net.topology import components, edges_of
from simnet.scenario.upstream import Topology
from tests.netkit import Bench, scenario

CHEAP = settings(max_examples=60, deadline=None)
seeds = st.integers(0, 2**64 - 1)


@st.composite
def topologies(draw: Any, max_nodes: int = 24) -> Topology:
    n = draw(st.integers(2, max_nodes))
    kind = draw(st.sampled_from(["ring", "erdos_renyi", "k_regular", "small_world", "scale_free"]))
    k = draw(st.integers(1, n - 1).filter(lambda k: kind != "k_regular" or n * k % 2 == 0))
    p = draw(st.floats(0, 1))
    return Topology(type=kind, n=n, k=k, p=p, rewire_p=p)


@CHEAP
@given(topologies(), seeds)
def test_edges_are_sorted_unique_and_in_range(topology: Topology, seed: int) -> None:
    edges = edges_of(topology, seed)
    assert list(edges) == sorted(set(edges))
    assert all(0 <= low < high < topology.n for low, high in edges)


@CHEAP
@given(topologies(), seeds)
def test_edge_counts_follow_from_the_type(topology: Topology, seed: int) -> None:
    n, k, edges = topology.n, topology.k or 0, edges_of(topology, seed)
    if topology.type in ("ring", "small_world"):
        assert len(edges) == n * (k // 2)
    elif topology.type == "k_regular":
        assert len(edges) == n * k // 2
    elif topology.type == "scale_free":
        m = -(-k // 2)
        core = min(m + 1, n)
        assert len(edges) == core * (core - 1) // 2 + m * (n - core)
        assert len(components(n, edges)) == 1


@CHEAP
@given(topologies(12), seeds, st.integers(0, 30))
def test_floods_reach_the_whole_component_without_echo(topology: Topology, seed: int, jitter_ms: int) -> None:
    edges = edges_of(topology, seed)
    bench = Bench(scenario(topology.n, delay_ms=40, jitter_ms=jitter_ms), edges, seed)
    message = bench.publish(0)
    bench.run()
    mine = next(part for part in components(topology.n, edges) if 0 in part)
    assert (message is None) == (len(mine) == 1)
    assert {event.node for event in bench.of(MessageDelivered)} == set(mine) - {0}
    inside = sum(low in mine for low, _ in edges)
    assert len(bench.of(MessageArrived)) == 2 * inside - (len(mine) - 1)


@CHEAP
@given(st.data())
def test_cuts_and_joins_lose_no_copy_from_the_books(data: Any) -> None:
    """Whatever is cut: each message once a node, ups and downs alternate, and what flew has arrived or is lost."""
    topology = data.draw(topologies(8))
    edges = edges_of(topology, 1)
    bench = Bench(scenario(topology.n, delay_ms=30, jitter_ms=20, loss=0.1), edges, 1)
    for step in range(data.draw(st.integers(1, 12))):
        bench.run(step * 25 + 1)
        some = data.draw(st.lists(st.sampled_from(edges), max_size=3)) if edges else []
        why = data.draw(st.sampled_from(["partition", "churn"]))
        getattr(bench.network, data.draw(st.sampled_from(["cut", "join"])))(some, *[why])
        bench.publish(data.draw(st.integers(0, topology.n - 1)))
    bench.run()
    delivered = [(event.node, event.message) for event in bench.of(MessageDelivered)]
    assert len(delivered) == len(set(delivered))
    assert all(hop.flying == 0 for pair in bench.network._hops.values() for hop in pair)
    for low, high in edges:
        changes = [e for e in bench.events if isinstance(e, PeerConnected | PeerDisconnected)]
        of_link = [isinstance(e, PeerConnected) for e in changes if (e.node, e.peer) == (low, high)]
        assert all(a != b for a, b in pairwise(of_link))
        assert (high in bench.network.connected(NodeId(low))) == (not of_link or of_link[-1])
    assert {event.reason for event in bench.of(MessageLost)} <= {"loss", "link_down"}
