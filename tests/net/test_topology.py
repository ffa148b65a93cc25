"""The five topologies against their rules."""

from collections import Counter

import pytest

from simnet.net.topology import Edge, components, crossing, edges_of
from simnet.scenario.upstream import Topology


def build(seed: int = 1, **keys: object) -> tuple[Edge, ...]:
    return edges_of(Topology.model_validate(keys), seed)


def degrees(edges: tuple[Edge, ...]) -> Counter[int]:
    return Counter(end for edge in edges for end in edge)


def test_ring_is_exact() -> None:
    assert build(type="ring", n=5, k=2) == ((0, 1), (0, 4), (1, 2), (2, 3), (3, 4))
    assert build(type="ring", n=6, k=3) == build(type="ring", n=6, k=2), "odd k: floor(k / 2) a side"


@pytest.mark.parametrize("kind", ["ring", "erdos_renyi", "k_regular", "small_world", "scale_free"])
def test_one_node_has_no_edges(kind: str) -> None:
    assert build(type=kind, n=1) == ()


def test_erdos_renyi_edge_share_follows_p() -> None:
    assert len(build(type="erdos_renyi", n=10, p=1.0)) == 45
    assert build(type="erdos_renyi", n=10, p=0.0) == ()
    pairs = 60 * 59 // 2
    found = len(build(type="erdos_renyi", n=60, p=0.3))
    assert abs(found - 0.3 * pairs) < 3.3 * (pairs * 0.3 * 0.7) ** 0.5


@pytest.mark.parametrize(("n", "k"), [(2, 1), (8, 3), (9, 4), (10, 9), (24, 6), (24, 5)])
def test_k_regular_degrees(n: int, k: int) -> None:
    assert set(degrees(build(type="k_regular", n=n, k=k)).values()) == {k}


def test_k_regular_permutes_the_circulant() -> None:
    assert build(1, type="k_regular", n=12, k=2) != build(2, type="k_regular", n=12, k=2)


def test_small_world_without_rewiring_is_the_lattice() -> None:
    assert build(type="small_world", n=24, k=6, rewire_p=0.0) == build(type="ring", n=24, k=6)


def test_small_world_rewires_the_expected_share_but_never_wraparound_edges() -> None:
    lattice = set(build(type="ring", n=200, k=6))
    moved = lattice - set(build(type="small_world", n=200, k=6, rewire_p=0.17))
    assert all(b - a <= 3 for a, b in moved), "edges that wrap around stay"
    assert abs(len(moved) - 0.17 * 594) < 3.3 * (594 * 0.17 * 0.83) ** 0.5 + 3


def test_small_world_rewires_all_at_one() -> None:
    lattice = set(build(type="ring", n=100, k=4))
    kept = lattice & set(build(type="small_world", n=100, k=4, rewire_p=1.0))
    assert 3 <= len(kept) < 20, "three edges wrap around; a few come back by chance"


def test_scale_free_counts_and_preference() -> None:
    edges = build(type="scale_free", n=200, k=6)
    assert len(edges) == 6 + 3 * 196, "a clique of four, then three edges a node"
    by_age = degrees(edges)
    assert min(by_age.values()) == 3
    assert sum(by_age[i] for i in range(20)) > 3 * sum(by_age[i] for i in range(180, 200))


def test_scale_free_falls_back_to_two_and_to_a_clique() -> None:
    assert len(build(type="scale_free", n=10)) == 9, "m = 1: a tree"
    assert len(build(type="scale_free", n=3, k=2)) == 2
    assert len(build(type="scale_free", n=4, k=3)) == 5, "m = 2: a triangle and two edges"


@pytest.mark.parametrize("kind", ["erdos_renyi", "k_regular", "small_world", "scale_free"])
def test_the_seed_fixes_the_graph(kind: str) -> None:
    keys = {"type": kind, "n": 24, "k": 6, "p": 0.3, "rewire_p": 0.5}
    assert build(5, **keys) == build(5, **keys)
    assert build(5, **keys) != build(6, **keys)


def test_components_and_crossing_edges() -> None:
    edges = build(type="ring", n=4, k=2)
    assert components(4, edges) == ((0, 1, 2, 3),)
    assert components(4, edges[:1]) == ((0, 1), (2,), (3,))
    assert crossing(edges, ["A", "B", "C", "B"], "B", "A") == ((0, 1), (0, 3))
    assert crossing(edges, ["A", "A", "B", "B"], "A", "A") == ((0, 1),)
