"""Where a drawing puts the nodes: close to their neighbours, and the same place in every drawing of the same network."""

from collections.abc import Iterable

SEED = 1
ROUNDS = 80


def positions(nodes: int, edges: Iterable[tuple[int, int]]) -> list[tuple[float, float]]:
    """A place in [-1, 1]² for each node: Fruchterman and Reingold's forces, from fixed first places."""
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges)
    places = nx.spring_layout(graph, seed=SEED, iterations=ROUNDS)
    return [(float(places[node][0]), float(places[node][1])) for node in range(nodes)]
