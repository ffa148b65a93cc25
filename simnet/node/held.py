"""Bounds on what nodes keep or pass on for others before it can be judged."""

from collections import Counter, defaultdict
from collections.abc import Hashable
from enum import Enum, auto
from typing import Generic, TypeVar

from simnet.base.units import NodeId
from simnet.net.network import Verdict
from simnet.node.chain import Chain
from simnet.node.ports import Ports

HELD_MAX = 128
"""Messages kept from one neighbour for blocks that are not here."""

SLOTS_BACK, SLOTS_AHEAD = 64, 2
"""About which slots messages are passed on; what is older, neighbours hand over (`node.sync`)."""


HEIGHTS_AHEAD = 4
"""Blocks beyond the own head that messages are kept for."""


class Fate(Enum):
    """What becomes of a message about a block."""

    NOW = auto()
    """The block is committed here."""
    LATER = auto()
    """It is kept until then."""
    NEVER = auto()
    """It is not kept: there may never be such a block, or there is no room."""


T = TypeVar("T")


class UntilCommitted(Generic[T]):
    """Keeps what concerns a block until the block is committed here; a bounded number from each neighbour."""

    def __init__(self, ports: Ports, chain: Chain, what: str) -> None:
        self._ports = ports
        self._chain = chain
        self._what = what
        """The name of the limit."""
        self._held: dict[int, list[tuple[NodeId, T]]] = defaultdict(list)
        self._count: Counter[NodeId] = Counter()

    def hold(self, height: int, peer: NodeId, item: T) -> Fate:
        """Keeps an item if its block is not here yet."""
        if self._chain.at(height) is not None:
            return Fate.NOW
        if not 1 <= height <= self._chain.height + HEIGHTS_AHEAD:
            return Fate.NEVER  # Who is that far behind is given all of it with the blocks.
        if self._count[peer] >= HELD_MAX:
            self._ports.limit_reached(self._what)
            return Fate.NEVER
        self._held[height].append((peer, item))
        self._count[peer] += 1
        return Fate.LATER

    def release(self, height: int) -> list[T]:
        """What was kept for a block, which is committed here now."""
        held = self._held.pop(height, [])
        for peer, _ in held:
            self._count[peer] -= 1
        return [item for _, item in held]


class Quota:
    """How many messages of a kind a node takes from each author in one slot."""

    def __init__(self, ports: Ports, what: str, limit: int) -> None:
        self._ports = ports
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
        self._ports.limit_reached(self._what)
        return False


TOO_MANY, FULL, TOO_EARLY = "too_many", "full", "epoch"
"""Why a message is not taken at a limit, or not yet."""


def verdict_of(why: str | None) -> Verdict:
    """What becomes of a gossip message that is not worth passing on for this reason. At a limit it is forgotten: another copy may come."""
    if why is None:
        return Verdict.ACCEPT
    return Verdict.DROP if why in (TOO_MANY, FULL, TOO_EARLY) else Verdict.IGNORE


class OncePerSlot:
    """What was taken of each author about each slot: every content once, so that old messages which anybody may send again take
    nobody's place, and a bounded number."""

    def __init__(self, ports: Ports, what: str, limit: int) -> None:
        self._ports = ports
        self._what = what
        self._limit = limit
        self._taken: dict[tuple[int, int], dict[Hashable, str]] = {}
        """Messages by (slot, author), each with the share that it counts in."""
        self._now = -1

    def begin(self, slot: int) -> None:
        """A slot begins: what is about old ones is forgotten."""
        self._now = slot
        for place in [p for p in self._taken if p[0] < slot - SLOTS_BACK]:
            del self._taken[place]

    def why_not(self, author: int, slot: int, message: Hashable, share: str = "") -> str | None:
        """Why a message is not worth passing on; `None` when it is: then it is noted. Two are the same when all of them is. Each
        share of an author's messages has the limit to itself."""
        if not self._now - SLOTS_BACK <= slot <= self._now + SLOTS_AHEAD:
            return "slot"
        taken = self._taken.setdefault((slot, author), {})
        if message in taken:
            return "replay"
        if sum(own == share for own in taken.values()) >= self._limit:
            self._ports.limit_reached(self._what)
            return TOO_MANY
        taken[message] = share
        return None

    def note(self, author: int, slot: int, message: Hashable) -> None:
        """An own message, which this node passes on as it publishes it: one that comes back is old."""
        self._taken.setdefault((slot, author), {}).setdefault(message, "")
