"""Small-world graphs against Watts & Strogatz (Nature 393, 1998, p. 440) and Barrat & Weigt (Eur. Phys. J. B 13, 2000, p. 547).

Ring lattice of degree K: clustering C(0) = 3(K - 2) / 4(K - 1); path length L(0) about N / 2K.
Rewired with probability p: C(p) about C(0) (1 - p)^3 for the share of triangles among connected triples; L(1) about
ln N / ln K. networkx's own generator is the second opinion for what lies between.
"""

import math

import networkx as nx
import numpy as np
import pytest

from simnet.net.topology import edges_of
from simnet.scenario.upstream import Topology

N, SEEDS = 1000, range(5)


def graph(k: int, p: float, seed: int = 1, n: int = N) -> "nx.Graph[int]":
    found: nx.Graph[int] = nx.Graph()
    found.add_nodes_from(range(n))
    found.add_edges_from(edges_of(Topology(type="small_world", n=n, k=k, rewire_p=p), seed))
    return found


def path_length(given: "nx.Graph[int]", origins: int = 60) -> float:
    """Mean distance from evenly spread nodes to all others that they reach."""
    found = [
        d for origin in range(0, len(given), len(given) // origins) for d in nx.single_source_shortest_path_length(given, origin).values()
    ]
    return sum(found) / (len(found) - found.count(0))


@pytest.mark.parametrize("k", [4, 6, 10, 16])
def test_clustering_of_the_lattice_is_exact(k: int) -> None:
    expected = 3 * (k - 2) / (4 * (k - 1))
    assert nx.average_clustering(graph(k, 0.0)) == pytest.approx(expected, abs=1e-12)
    assert nx.transitivity(graph(k, 0.0)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [4, 6, 10])
def test_path_length_of_the_lattice_is_exact(k: int) -> None:
    """A node d places away is ceil(d / (K / 2)) hops away; that is N / 2K for large N."""
    exact = sum(math.ceil(min(d, N - d) / (k // 2)) for d in range(1, N)) / (N - 1)
    assert path_length(graph(k, 0.0)) == pytest.approx(exact, abs=1e-9)
    assert exact == pytest.approx(N / (2 * k), rel=0.02)


@pytest.mark.parametrize("p", [0.01, 0.05, 0.17, 0.4])
def test_clustering_falls_with_the_third_power(p: float) -> None:
    k = 10
    found = np.mean([nx.transitivity(graph(k, p, seed)) for seed in SEEDS])
    assert found == pytest.approx(3 * (k - 2) / (4 * (k - 1)) * (1 - p) ** 3, rel=0.03, abs=0.01)


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 1.0])
def test_path_length_and_clustering_agree_with_networkx(p: float) -> None:
    """Five graphs each; networkx also rewires the few edges that wrap around, hence the 5 %."""
    k = 10
    ours = [graph(k, p, seed) for seed in SEEDS]
    theirs = [nx.watts_strogatz_graph(N, k, p, seed) for seed in SEEDS]
    assert np.mean(list(map(path_length, ours))) == pytest.approx(np.mean(list(map(path_length, theirs))), rel=0.05)
    assert np.mean(list(map(nx.transitivity, ours))) == pytest.approx(np.mean(list(map(nx.transitivity, theirs))), rel=0.05, abs=0.004)


def test_the_small_world_lies_between_lattice_and_random_graph() -> None:
    """Figure 2 of Watts & Strogatz, N = 1000, K = 10: at p = 0.01 paths are short already, clustering is not yet gone."""
    lattice, small, random = (graph(10, p) for p in (0.0, 0.01, 1.0))
    assert path_length(small) / path_length(lattice) < 0.3
    assert nx.transitivity(small) / nx.transitivity(lattice) > 0.95
    assert path_length(random) == pytest.approx(math.log(N) / math.log(10), rel=0.12)
    assert nx.transitivity(random) < 0.03
