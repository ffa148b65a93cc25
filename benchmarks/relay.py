"""Relay by announcement, as Bitcoin's nodes pass blocks on: announce, request, then send to one neighbour at a time.

A study beside the gossip of the chain, for networks of thousands of nodes and blocks of hundreds of kilobytes, where
a node's uplink is what takes time. The rules are those of SimBlock (see `internet.py`):

1. a node that has the block announces it to all its neighbours;
2. a node that hears of it for the first time asks the announcer for it, and nobody else;
3. a node sends to those who asked in the order in which they did; a transfer takes the block's bits over the lesser of
   its upload and the receiver's download bandwidth, 2 ms of processing and the latency, and the next one begins when it
   has arrived.

Announcements and requests take the latency and 10 ms. Nothing but the uplinks is contended, so a heap of announcements,
requests and arrivals does: start and end of a transfer follow from arithmetic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from benchmarks.internet import Internet, Ints

CONTROL_MS = 10
PROCESSING_MS = 2
ANNOUNCED, ASKED, ARRIVED = range(3)


@dataclass(frozen=True)
class Spread:
    """How one block spread."""

    at_ms: Ints
    """For each node when it has the block, from its creation; -1 where it never comes."""
    sender: Ints
    """For each node who sent it; -1 for the creator."""
    started_ms: Ints
    """For each node when the transfer to it began; -1 for the creator."""


class BlockRelay:
    """A network of nodes in regions."""

    def __init__(self, internet: Internet, regions: Ints, links: Sequence[tuple[int, int]]) -> None:
        self._internet, self._regions, self.nodes = internet, regions, len(regions)
        ends = np.array(sorted({end for a, b in links for end in ((a, b), (b, a))}), dtype=np.int64).reshape(-1, 2)
        self._sources, self._targets = ends[:, 0], ends[:, 1]
        self._starts = np.searchsorted(self._sources, np.arange(self.nodes + 1)).tolist()
        self._neighbours: list[list[int]] = [self._targets[a:b].tolist() for a, b in pairwise(self._starts)]

    def spread(self, creator: int, size: int, draws: np.random.Generator) -> Spread:
        """One block of `size` bytes. Draws each message's latency by itself."""
        announcing = self._latencies(self._sources, self._targets, draws) + CONTROL_MS
        # A node asks once and is sent one block: two draws a node are enough, made when it is known of whom.
        luck = draws.random((2, self.nodes))
        heard = announcing.tolist()
        transfers = _Transfers(self._internet, self._regions, size, luck)
        starts, neighbours = self._starts, self._neighbours
        at, sender, started = [-1] * self.nodes, [-1] * self.nodes, [-1] * self.nodes
        best = [1 << 62] * self.nodes
        """The earliest announcement on its way to each node."""
        free = [0] * self.nodes
        best[creator] = -1
        waiting = [(0, ARRIVED, creator, -1)]
        while waiting:
            now, what, node, other = heappop(waiting)
            if what == ARRIVED:
                at[node] = now
                for target, delay in zip(neighbours[node], heard[starts[node] : starts[node + 1]], strict=True):
                    if now + delay < best[target]:
                        best[target] = now + delay
                        heappush(waiting, (now + delay, ANNOUNCED, target, node))
            elif what == ANNOUNCED:
                if sender[node] < 0:
                    sender[node] = other
                    best[node] = -1
                    heappush(waiting, (now + transfers.request_ms(node, other), ASKED, other, node))
            else:
                started[other] = max(now, free[node])
                free[node] = started[other] + transfers.transfer_ms(node, other)
                heappush(waiting, (free[node], ARRIVED, other, node))
        return Spread(*(np.array(column, dtype=np.int64) for column in (at, sender, started)))

    def _latencies(self, sources: Ints, targets: Ints, draws: np.random.Generator) -> Ints:
        return self._internet.latencies_ms(self._regions[sources], self._regions[targets], draws)


class _Transfers:
    """Durations of one block's requests and transfers."""

    def __init__(self, internet: Internet, regions: Ints, size: int, luck: npt.NDArray[np.float64]) -> None:
        self._regions: list[int] = regions.tolist()
        self._asked, self._sent = (1 - luck).tolist()
        self._latency = internet.latency_ms
        kinds = np.arange(len(internet.share))
        bandwidth = internet.bandwidths_bps(kinds[:, None], kinds[None, :])
        self._send_ms: list[list[int]] = (size * 8 * 1000 // bandwidth + PROCESSING_MS).tolist()

    def request_ms(self, source: int, target: int) -> int:
        """From `source`, who asks, to `target`."""
        return self._latency_ms(source, target, self._asked[source]) + CONTROL_MS

    def transfer_ms(self, source: int, target: int) -> int:
        """From `source`, who has the block, to `target`."""
        return self._send_ms[self._regions[source]][self._regions[target]] + self._latency_ms(source, target, self._sent[target])

    def _latency_ms(self, source: int, target: int, u: float) -> int:
        mean = self._latency[self._regions[source]][self._regions[target]]
        return round((mean - 5) / float(u ** (5 / mean)))


def outbound_links(nodes: int, outbound: int, draws: np.random.Generator) -> list[tuple[int, int]]:
    """Every node in turn links to `outbound` others that it has no link with yet."""
    linked: list[set[int]] = [set() for _ in range(nodes)]
    links = []
    for node in range(nodes):
        chosen = 0
        for other in draws.permutation(nodes).tolist():
            if chosen == outbound:
                break
            if other != node and other not in linked[node]:
                linked[node].add(other)
                linked[other].add(node)
                links.append((node, other))
                chosen += 1
    return links
