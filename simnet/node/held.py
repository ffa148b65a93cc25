"""Bounds on what nodes keep or pass on for others before it can be judged."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from simnet.base.units import NodeId
from simnet.events import LimitReached
from simnet.node.chain import Chain
from simnet.node.world import World

HELD_MAX = 128
"""Messages kept from one neighbour for blocks that are not here."""

SLOTS_BACK, SLOTS_AHEAD = 64, 2
"""About which slots messages are passed on; what is older, neighbours hand over (`node.sync`)."""


HEIGHTS_AHEAD = 4
"""Blocks beyond the own head that messages are kept for."""


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits for its block."""

    peer: NodeId
    action: Callable[[], None]


class UntilCommitted:
    """Runs what concerns a block once the block is committed here; keeps a bounded number from each neighbour."""

    def __init__(self, world: World, node: NodeId, chain: Chain, what: str) -> None:
        self._world = world
        self._node = node
        self._chain = chain
        self._what = what
        """The name of the limit."""
        self._held: dict[int, list[Held]] = defaultdict(list)
        self._count: Counter[NodeId] = Counter()

    def run(self, height: int, peer: NodeId, action: Callable[[], None], refuse: Callable[[], None]) -> None:
        """Runs `action` now, or once the block of this height is committed here; `refuse`, at once, if it never will be or there is
        no room: every message gets its answer."""
        if self._chain.at(height) is not None:
            action()
        elif not 1 <= height <= self._chain.height + HEIGHTS_AHEAD:
            refuse()  # There is no such block and may never be; who is that far behind is given all of it with the blocks.
        elif self._count[peer] < HELD_MAX:
            self._held[height].append(Held(peer, action))
            self._count[peer] += 1
        else:
            self._world.emit(LimitReached(self._world.now, self._node, self._what))
            refuse()

    def on_commit(self, height: int) -> None:
        """A block was committed here."""
        held = self._held.pop(height, [])
        for one in held:
            self._count[one.peer] -= 1
        for one in held:
            one.action()


class Quota:
    """How many messages of a kind a node takes from each author in one slot."""

    def __init__(self, world: World, node: NodeId, what: str, limit: int) -> None:
        self._world = world
        self._node = node
        self._what = what
        self._limit = limit
        self._taken: Counter[int] = Counter()

    def begin(self) -> None:
        """A slot begins."""
        self._taken.clear()

    def takes(self, author: int) -> bool:
        """Whether there is room for one more; counts it."""
        self._taken[author] += 1
        if self._taken[author] <= self._limit:
            return True
        self._world.emit(LimitReached(self._world.now, self._node, self._what))
        return False


class OncePerSlot:
    """What was taken of each author about each slot: every content once, so that old messages which anybody may send again take
    nobody's place, and a bounded number."""

    def __init__(self, world: World, node: NodeId, what: str, limit: int) -> None:
        self._world = world
        self._node = node
        self._what = what
        self._limit = limit
        self._taken: dict[tuple[int, int], set[Hashable]] = {}
        """Messages by (slot, author)."""
        self._now = -1

    def begin(self, slot: int) -> None:
        """A slot begins: what is about old ones is forgotten."""
        self._now = slot
        for place in [p for p in self._taken if p[0] < slot - SLOTS_BACK]:
            del self._taken[place]

    def why_not(self, author: int, slot: int, message: Hashable) -> str | None:
        """Why a message is not worth passing on; `None` when it is: then it is noted. Two are the same when all of them is."""
        if not self._now - SLOTS_BACK <= slot <= self._now + SLOTS_AHEAD:
            return "slot"
        taken = self._taken.setdefault((slot, author), set())
        if message in taken:
            return "replay"
        if len(taken) >= self._limit:
            self._world.emit(LimitReached(self._world.now, self._node, self._what))
            return "too_many"
        taken.add(message)
        return None

    def note(self, author: int, slot: int, message: Hashable) -> None:
        """An own message, which this node passes on as it publishes it: one that comes back is old."""
        self._taken.setdefault((slot, author), set()).add(message)
