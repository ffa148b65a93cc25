"""Floods without contention as a shortest-path problem.

When every node passes a message on at once, and to everybody but the neighbour it came from first, a copy's time of
arrival is the sender's distance from the origin plus the delay drawn for the edge. SciPy's Dijkstra gives all
distances in one call. Delays are whole nanoseconds above zero and sums stay below 2^53, so its doubles are exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simnet.net.link import LOST

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
EXACT_MAX = float(2**53)
"""Whole numbers up to here are doubles; a hundred days in nanoseconds."""


@dataclass(frozen=True, slots=True)
class FloodPlan:
    """Every copy of one flood, in order of arrival; simultaneous ones in the order in which they were sent."""

    at: Ints
    """Nanoseconds since publication."""
    edges: Ints
    """Index of the directed edge that the copy comes over."""
    numbers: Ints
    """Place in the order of sending."""
    first: npt.NDArray[np.bool_]
    """Whether it is the receiver's first copy."""
    sent_by: Ints
    """`sent_by[k]` copies are sent by the origin and the first k nodes that the flood reaches."""
    parents: Ints
    """For each node the neighbour its first copy came from; -1 for the origin and for nodes not reached."""


class FloodGraph:
    """A network's directed edges, sorted by (source, target), ready for floods over any delays."""

    def __init__(self, nodes: int, ends: Sequence[tuple[int, int]]) -> None:
        pairs = np.array(ends, dtype=np.int64).reshape(-1, 2)
        self.sources, self.targets = pairs[:, 0].copy(), pairs[:, 1].copy()
        assert (np.diff(self.sources * nodes + self.targets) > 0).all(), "edges come sorted, each once"
        self.nodes = nodes
        starts = np.searchsorted(self.sources, np.arange(nodes + 1))
        # Late: they take a fifth of a second to load, and small networks do without.
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        self._dijkstra = dijkstra
        self._matrix = csr_array((np.zeros(len(pairs)), self.targets.astype(np.int32), starts.astype(np.int32)), shape=(nodes, nodes))

    def distances(self, origin: int, delays: Ints, usable: npt.NDArray[np.bool_] | None = None) -> Floats:
        """Nanoseconds from publication to each node's first copy; infinite where none comes.

        `delays` has one entry a directed edge, `LOST` for one that loses the copy; edges that are not `usable` carry
        none. Raises ValueError for a delay of zero.
        """
        return self._distances(origin, self._weights(delays, usable))

    def plan(self, origin: int, delays: Ints, usable: npt.NDArray[np.bool_] | None = None) -> FloodPlan:
        """All copies of a flood; the arguments are those of `distances`."""
        weights = self._weights(delays, usable)
        distances = self._distances(origin, weights)
        order, parent_edges = self._order(origin, weights, distances)
        rank = np.full(self.nodes, self.nodes)
        rank[order] = np.arange(len(order))
        parents = np.full(self.nodes, -1)
        reached = order[1:]
        parents[reached] = self.sources[parent_edges[reached]]

        sent = np.flatnonzero(np.isfinite(weights) & (rank[self.sources] < self.nodes) & (self.targets != parents[self.sources]))
        sent = sent[np.argsort(rank[self.sources[sent]], kind="stable")]
        at = (distances[self.sources[sent]] + weights[sent]).astype(np.int64)
        numbers = np.argsort(at, kind="stable")
        edges = sent[numbers]
        first = parent_edges[self.targets[edges]] == edges
        sent_by = np.bincount(rank[self.sources[sent]], minlength=len(order)).cumsum()
        return FloodPlan(at[numbers], edges, numbers, first, sent_by, parents)

    def _weights(self, delays: Ints, usable: npt.NDArray[np.bool_] | None) -> Floats:
        if not delays.all():
            raise ValueError("a delay of zero has no order of arrivals")
        carries = delays != LOST if usable is None else (delays != LOST) & usable
        return np.where(carries, delays, np.inf)

    def _distances(self, origin: int, weights: Floats) -> Floats:
        self._matrix.data = weights
        found: Floats = self._dijkstra(self._matrix, indices=origin)
        if found[np.isfinite(found)].max() + weights[np.isfinite(weights)].max(initial=0) > EXACT_MAX:
            raise ValueError("delays add up to more than 2^53 ns")
        return found

    def _order(self, origin: int, weights: Floats, distances: Floats) -> tuple[Ints, Ints]:
        """The nodes in the order of their first copies, and the edge that each node's comes over.

        Copies that arrive together count in the order in which they were sent, which is that of their senders. So the
        order is looked for again until it agrees with itself; each round settles the nodes one hop further away.
        """
        over = np.flatnonzero(np.isfinite(weights) & np.isfinite(distances[self.sources]))
        over = over[distances[self.sources[over]] + weights[over] == distances[self.targets[over]]]
        order = np.argsort(distances, kind="stable")[: np.isfinite(distances).sum()]
        parent_edges = np.full(self.nodes, -1)
        rank = np.zeros(self.nodes, dtype=np.int64)
        while True:
            rank[order] = np.arange(len(order))
            # Of a node's simultaneous first copies the one from the earliest sender wins: written last.
            latest_first = over[np.argsort(-rank[self.sources[over]], kind="stable")]
            parent_edges[self.targets[latest_first]] = latest_first
            others = order[1:]
            edges = parent_edges[others]
            again = np.append(origin, others[np.lexsort((edges, rank[self.sources[edges]], distances[others]))])
            if (again == order).all():
                return order, parent_edges
            order = again
