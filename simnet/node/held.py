"""Bounds on what nodes keep or pass on for others before it can be judged."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable
from enum import Enum, auto
from typing import Generic, TypeVar

from simnet.base.units import NodeId
from simnet.net.network import Validation
from simnet.node.chain import Chain
from simnet.node.ports import Ports

HELD_MAX = 64
"""Messages of one author kept from one neighbour for blocks that are not here."""
Source = tuple[NodeId, int | None]
"""Who brought a message, and who signed it; `None` when many did. Of both, as a neighbour may bring an author's words again without end, and
what an author says without end, honest neighbours pass on."""

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
    """Keeps what concerns a block until the block is committed here; a bounded number of each author from each neighbour."""

    def __init__(self, ports: Ports, chain: Chain, what: str) -> None:
        self._ports = ports
        self._chain = chain
        self._what = what
        """The name of the limit."""
        self._held: dict[int, list[tuple[Source, T]]] = defaultdict(list)
        self._count: Counter[Source] = Counter()

    def fate(self, height: int, source: Source) -> Fate:
        """What would become of an item."""
        if self._chain.at(height) is not None:
            return Fate.NOW
        if not 1 <= height <= self._chain.height + HEIGHTS_AHEAD:
            return Fate.NEVER  # Who is that far behind is given all of it with the blocks.
        if self._count[source] >= HELD_MAX:
            self._ports.limit_reached(self._what)
            return Fate.NEVER
        return Fate.LATER

    def hold(self, height: int, source: Source, item: T) -> Fate:
        """Keeps an item if its block is not here yet."""
        fate = self.fate(height, source)
        if fate is Fate.LATER:
            self._held[height].append((source, item))
            self._count[source] += 1
        return fate

    def release(self, height: int) -> list[T]:
        """What was kept for a block, which is committed here now."""
        held = self._held.pop(height, [])
        self._count.subtract(source for source, _ in held)
        self._count = +self._count
        return [item for _, item in held]


TOO_MANY, FULL, TOO_EARLY, NOT_COMMITTED = "too_many", "full", "epoch", "not_committed"
"""Why a message is not taken at a limit, or not yet."""


def verdict_of(why: str | None) -> Validation:
    """What becomes of a gossip message that is not worth passing on for this reason. At a limit it is forgotten: another copy may come."""
    if why is None:
        return Validation.ACCEPT
    return Validation.DROP if why in (TOO_MANY, FULL, TOO_EARLY, NOT_COMMITTED) else Validation.IGNORE


K = TypeVar("K", bound=Hashable)


class Repeats(Generic[K]):
    """What was taken of things that are said again: each content once, and a bounded number of each kind, so that what is old, and anybody
    may send again, takes nobody's place."""

    def __init__(self, ports: Ports, what: str, limit: int) -> None:
        self._ports = ports
        self._what = what
        self._limit = limit
        self._taken: dict[K, set[Hashable]] = {}
        """Contents by kind."""

    def __len__(self) -> int:
        return len(self._taken)

    def begin(self) -> None:
        """A slot begins, and all may be said again."""
        self._taken.clear()

    def forget(self, is_old: Callable[[K], bool]) -> None:
        """Kinds that are old may be said again."""
        for kind in [kind for kind in self._taken if is_old(kind)]:
            del self._taken[kind]

    def why_not(self, kind: K, content: Hashable, *, counts: bool = True) -> str | None:
        """Why something is not taken; `None` when it is: then it is noted. What does not count is taken beyond the limit, too."""
        taken = self._taken.setdefault(kind, set())
        if content in taken:
            return "replay"
        if counts and len(taken) >= self._limit:
            self._ports.limit_reached(self._what)
            return TOO_MANY
        taken.add(content)
        return None

    def note(self, kind: K, content: Hashable) -> None:
        """An own message: one that comes back is old."""
        self._taken.setdefault(kind, set()).add(content)


class OncePerSlot:
    """What was taken of each author about each slot: every content once, so that old messages which anybody may send again take
    nobody's place, and a bounded number."""

    def __init__(self, ports: Ports, what: str, limit: int) -> None:
        self._taken = Repeats[tuple[int, int]](ports, what, limit)
        """By (slot, author)."""
        self._now = -1
        self._begun = deque[int](maxlen=SLOTS_BACK + SLOTS_AHEAD + 1)
        """The last slots, by a clock that may be wrong and put right again."""

    def begin(self, slot: int) -> None:
        """A slot begins. What is about old ones is forgotten once it has been old for as long as anything is new: what is passed on twice,
        because a clock was ahead for a while, costs points."""
        self._now = slot
        self._begun.append(slot)
        oldest = min(self._begun) - SLOTS_BACK
        self._taken.forget(lambda place: place[0] < oldest)

    def why_not(self, author: int, slot: int, message: Hashable) -> str | None:
        """Why a message is not worth passing on; `None` when it is: then it is noted. Two are the same when all of them is."""
        if not self._now - SLOTS_BACK <= slot <= self._now + SLOTS_AHEAD:
            return "slot"
        return self._taken.why_not((slot, author), message)

    def note(self, author: int, slot: int, message: Hashable) -> None:
        """An own message, which this node passes on as it publishes it: one that comes back is old."""
        self._taken.note((slot, author), message)
