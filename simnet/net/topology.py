"""Who is joined to whom: the five topologies of the scenario files (specification, section 1.3).

The only importer of networkx. Edges are (low, high) pairs, sorted, without duplicates; a graph may fall
into several components, see `components`.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TypeVar

import networkx as nx
import numpy as np

from simnet.base.rng import generator
from simnet.base.units import NodeId
from simnet.scenario.upstream import Group, Topology, members

Edge = tuple[NodeId, NodeId]
T = TypeVar("T")


def edges_of(topology: Topology, seed: int) -> tuple[Edge, ...]:
    """The edges that a scenario's topology and seed give."""
    draws = generator(seed, "topology")
    n, k = topology.n, topology.k
    if n < 2:
        return ()
    if topology.type == "ring":
        return circulant(n, _needed(k) // 2)
    if topology.type == "erdos_renyi":
        return erdos_renyi(n, _needed(topology.p), draws)
    if topology.type == "k_regular":
        return k_regular(n, _needed(k), draws)
    if topology.type == "small_world":
        return small_world(n, _needed(k), _needed(topology.rewire_p), draws)
    return scale_free(n, 2 if k is None else k, draws)


def circulant(n: int, per_side: int) -> tuple[Edge, ...]:
    """Node i is joined to the next `per_side` nodes modulo n. An odd degree k arrives here as k // 2 a side."""
    return _sorted(nx.circulant_graph(n, list(range(1, per_side + 1))).edges)


def erdos_renyi(n: int, p: float, draws: np.random.Generator) -> tuple[Edge, ...]:
    """Each pair i < j, in lexicographic order, with one uniform draw u: an edge if u <= p."""
    found: list[tuple[int, int]] = []
    for low in range(n - 1):  # row by row: all pairs of a large network at once would not fit into memory
        hits = np.flatnonzero(draws.random(n - 1 - low) <= p)
        found += [(low, low + 1 + int(hit)) for hit in hits]
    return _sorted(found)


def k_regular(n: int, k: int, draws: np.random.Generator) -> tuple[Edge, ...]:
    """A circulant over a random permutation; for odd k every position is also joined to the opposite one."""
    order = draws.permutation(n).tolist()
    offsets = [*range(1, k // 2 + 1), *([n // 2] if k % 2 else [])]
    graph = nx.circulant_graph(n, offsets)
    assert all(degree == k for _, degree in graph.degree), "the scenario allows only even n * k with k < n"
    return _sorted((order[a], order[b]) for a, b in graph.edges)


def small_world(n: int, k: int, rewire_p: float, draws: np.random.Generator) -> tuple[Edge, ...]:
    """A ring lattice of degree 2 * (k // 2), some of whose edges are moved; their number stays the same.

    Each lattice edge that does not wrap around is drawn for once, unless `rewire_p` is 0. One that is to move
    tries up to 2n uniform candidates for its far end (itself and present edges do not count, its old place
    does) and else stays.
    """
    edges = set(circulant(n, k // 2))
    if rewire_p == 0:
        return _sorted(edges)
    for node in range(n):
        for neighbour in range(node + 1, min(node + k // 2, n - 1) + 1):
            if draws.random() <= rewire_p:
                edges.remove(_edge(node, neighbour))
                edges.add(_new_place(node, neighbour, edges, n, draws))
    return _sorted(edges)


def _new_place(node: int, neighbour: int, edges: set[Edge], n: int, draws: np.random.Generator) -> Edge:
    for _ in range(2 * n):
        candidate = int(draws.integers(n))
        if candidate != node and _edge(node, candidate) not in edges:
            return _edge(node, candidate)
    return _edge(node, neighbour)


def scale_free(n: int, k: int, draws: np.random.Generator) -> tuple[Edge, ...]:
    """A clique of max(m + 1, 2) nodes, m = ceil(k / 2); each later node is joined to m distinct nodes drawn by degree.

    Differs from `networkx.barabasi_albert_graph`, which starts from a star. Targets are kept in the order of
    their draws, so that the seed fixes the graph (upstream's does not).
    """
    m = -(-k // 2)
    core = min(max(m + 1, 2), n)
    edges = [_edge(a, b) for a, b in combinations(range(core), 2)]
    ends = [end for edge in edges for end in edge]
    for node in range(core, n):
        targets: dict[int, None] = {}
        while len(targets) < m:
            targets[int(ends[int(draws.integers(len(ends)))])] = None
        for target in targets:
            edges.append(_edge(node, target))
            ends += edges[-1]
    return _sorted(edges)


def components(n: int, edges: Iterable[Edge]) -> tuple[tuple[NodeId, ...], ...]:
    """The connected components, each ascending, ordered by their lowest node."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(edges)
    return tuple(sorted(tuple(NodeId(v) for v in sorted(part)) for part in nx.connected_components(graph)))


def crossing(edges: Iterable[Edge], regions: Sequence[str], group_a: Group, group_b: Group) -> tuple[Edge, ...]:
    """The edges with one end in each of two groups."""
    one, other = members(group_a, regions), members(group_b, regions)
    return tuple((a, b) for a, b in edges if (a in one and b in other) or (a in other and b in one))


def _edge(a: int, b: int) -> Edge:
    return (NodeId(a), NodeId(b)) if a < b else (NodeId(b), NodeId(a))


def _sorted(pairs: Iterable[tuple[int, int]]) -> tuple[Edge, ...]:
    return tuple(sorted({_edge(a, b) for a, b in pairs}))


def _needed(value: T | None) -> T:
    assert value is not None, "a checked scenario has the parameters of its topology"
    return value
