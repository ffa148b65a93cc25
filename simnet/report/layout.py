"""Where a drawing puts the nodes: close to their neighbours, and the same place in every drawing of the same network."""

from collections.abc import Iterable, Sequence

SEED = 1
SAME_REGION = 3.0
"""How much more a link within a region pulls than one between two: so a cut between regions is a gap to be seen."""
LARGE, ROUNDS, ROUNDS_LARGE = 200, 100, 30
"""From so many nodes on fewer rounds have to do."""


def positions(regions: Sequence[str], edges: Iterable[tuple[int, int]]) -> list[tuple[float, float]]:
    """A place in [0, 1]² for each node, by Fruchterman and Reingold's forces from fixed first places; the outermost ones touch the sides.

    `regions`: each node's; `edges`: pairs of nodes.
    """
    import networkx as nx
    import numpy as np

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(regions)))
    graph.add_weighted_edges_from((low, high, SAME_REGION if regions[low] == regions[high] else 1.0) for low, high in edges)
    found = nx.spring_layout(graph, seed=SEED, iterations=ROUNDS if len(regions) <= LARGE else ROUNDS_LARGE)
    at = np.array([found[node] for node in range(len(regions))], dtype=np.float64).reshape(-1, 2)
    low, high = at.min(axis=0, initial=np.inf), at.max(axis=0, initial=-np.inf)
    return [(float(x), float(y)) for x, y in (at - low) / np.where(high > low, high - low, 1.0)]
