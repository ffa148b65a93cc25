"""How often a neighbour is given the same thing: a request has some bytes, an answer may have megabytes.

An honest node asks a neighbour for the same block, or for proofs of the same block, again only when its patience is over, and tells it how far it is once a
slot and when a link comes up. Twice as often as that, since requests may come doubled, is never exceeded by it; but for delays
that let many requests come at once, which is why it costs no points.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable

from simnet.base.units import NodeId, SimTime
from simnet.node.ports import Ports

LIMIT = "answers_to_neighbour"


class AnswerLimits:
    """What each neighbour was given in the present span of a slot's length. Spans are of true time: a clock that jumps renews nothing."""

    def __init__(self, ports: Ports, span: SimTime, patience: SimTime) -> None:
        self._ports = ports
        self._span = span
        self.most = 2 * (span // patience + 1)
        """Answers of one content to one neighbour in a span."""
        self._now = 0
        self._given: defaultdict[NodeId, Counter[Hashable]] = defaultdict(Counter)

    def connected(self, peer: NodeId) -> None:
        """A link came up: what went over it before may be lost."""
        self._given.pop(peer, None)

    def allows(self, peer: NodeId, what: Hashable, more: int = 0) -> bool:
        """Whether a neighbour may be given this once more, `more` times more often than others; notes it. The limit is told once."""
        span = self._ports.now // self._span
        if span != self._now:
            self._now = span
            self._given.clear()
        given = self._given[peer]
        given[what] += 1
        if given[what] == self.most + more + 1:
            self._ports.limit_reached(LIMIT)
        return given[what] <= self.most + more
