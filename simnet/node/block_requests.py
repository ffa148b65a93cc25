"""Whom a node that is behind asks for blocks, and when it asks again.

The neighbours stand in a queue: first who was never asked, and behind them who was, the last one last. Asked is the first that says to have
more. By that it goes to the end; and to the front if, before anybody else is asked, it gives as many blocks as an answer may have, all of them
the chain's. Nobody owes anything: what a neighbour says to have, gives late or gives little at a time earns it no place before one that
was not asked since.

**Bound.** Let one of n neighbours say that it has the blocks up to some height, have them, and answer before the next one is asked. A node
that misses k of these blocks has them after ceil(k / m) + n - 1 requests at most, m being the blocks of an answer, whatever the others say and give.
For of the requests that bring m blocks at once there are no more than k / m, rounded down. By any other one somebody goes to the end of the queue, behind that neighbour. It
comes to the front again by an answer to a request only, thus never before that neighbour, for it would be the one that was asked: so it happens once for each of the n - 1
others. That neighbour itself answers with m blocks, and is asked again, until fewer are missing, and then with those. Each answer of its that is lost sends it to the end, and adds n
requests at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from simnet.base.units import NodeId, SimTime


@dataclass(frozen=True, slots=True)
class Request:
    """For blocks from a height on."""

    peer: NodeId
    first: int


class BlockRequests:
    """Those of one node. They know what neighbours say, and nothing of blocks."""

    def __init__(self, most: int, patience: SimTime) -> None:
        """`most`: blocks in an answer. `patience`: how long nobody else is asked."""
        self._most = most
        self._patience = patience
        self._heights: dict[NodeId, int] = {}
        """As neighbours told them."""
        self._places: dict[NodeId, int] = {}
        """In the queue; who was never asked is at 0."""
        self._turn = 0
        self._open: dict[NodeId, int] = {}
        """The first height of a request that is not answered."""
        self._latest: Request | None = None
        self._next_at = SimTime(0)

    def told(self, peer: NodeId, height: int) -> None:
        """A neighbour says how far it is."""
        self._heights[peer] = height

    def is_behind(self, height: int, neighbours: Sequence[NodeId]) -> bool:
        """Whether some neighbour says to have more than up to `height`."""
        return any(self._heights.get(p, 0) > height for p in neighbours)

    def ask(self, now: SimTime, height: int, named: NodeId | None, neighbours: Sequence[NodeId]) -> NodeId | None:
        """Whom to ask now for the blocks after `height`; `None`: nobody yet. `named` is known to have more, though it may not have said so.

        Where nobody is known to have more, each may.
        """
        if now < self._next_at or not neighbours:
            return None
        able = [p for p in neighbours if p == named or self._heights.get(p, 0) > height]
        peer = min(able or neighbours, key=lambda p: (self._places.get(p, 0), p != named, p))
        self._turn += 1
        self._places[peer] = self._turn
        self._open[peer] = height + 1
        self._latest = Request(peer, height + 1)
        self._next_at = SimTime(now + self._patience)
        return peer

    def expects(self, peer: NodeId, first: int) -> bool:
        """Whether a neighbour was asked for blocks from `first` on and has not answered; it has now."""
        if self._open.get(peer) != first:
            return False
        del self._open[peer]
        return True

    def took(self, peer: NodeId, first: int, count: int) -> None:
        """All `count` blocks of an answer are the chain's. Of the latest request it ends the waiting; a late one changes nothing, or what is
        given late could put off what is asked of others."""
        if self._latest != Request(peer, first):
            return
        self._latest = None
        self._next_at = SimTime(0)
        if count >= self._most:
            self._turn += 1
            self._places[peer] = -self._turn
