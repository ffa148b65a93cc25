"""Gossip at one node: validate, then forward to everybody who is not known to have the message.

No mesh is kept: a message goes to every connected neighbour, so an undisturbed network carries
2E - (N - 1) copies of it (every node but the origin spares the one it heard from). What links lose is repaired
lazily (`simnet.net.repair`). Ids that a node has met are remembered for a while, whatever the verdict.
"""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from simnet.base.units import NodeId, SimTime
from simnet.events import DirectSent, LimitReached, MessageArrived, MessageDelivered, MessageValidated
from simnet.net.message import Application, Message, Validation
from simnet.net.wire import Hop, Wire

SEEN_MAX = 131_072
"""Most ids that a node remembers: two thousand messages a second for a minute."""
CONTROL_KINDS = frozenset({"ihave", "iwant"})


class Entry:
    """One remembered message."""

    __slots__ = ("known", "message", "offered_window", "peer", "seen_at", "verdict")

    def __init__(self, message: Message, peer: NodeId, seen_at: SimTime, known: int) -> None:
        self.message = message
        self.peer = peer
        """Who sent the first copy; the node itself for its own messages."""
        self.seen_at = seen_at
        self.known = known
        """Bit set of the neighbours that are known to have it, because a copy or an offer came from them."""
        self.verdict: Validation | None = None
        self.offered_window = 0
        """Heartbeat window in which it was last put up for repair."""


class Repair(Protocol):
    """What the router needs of lazy repair."""

    def accepted(self, entry: Entry) -> None: ...

    def arrived(self, message: int) -> None: ...

    def handle(self, kind: str, ids: tuple[int, ...], hop: Hop) -> None: ...

    def forget_all(self) -> None: ...


class Router:
    """One node's gossip. Its neighbours' hops come and go with the links."""

    __slots__ = ("_by_age", "_memory", "app", "node", "passed_on", "repair", "seen", "up", "wire")

    def __init__(self, node: NodeId, wire: Wire, memory: SimTime) -> None:
        self.node = node
        self.wire = wire
        self.app: Application | None = None
        self.passed_on: frozenset[str] = frozenset()
        """Kinds that are accepted without asking the application."""
        self.repair: Repair
        self.up: dict[NodeId, Hop] = {}
        """Hops to the connected neighbours, ascending."""
        self.seen: dict[int, Entry] = {}
        self._by_age: deque[Entry] = deque()
        self._memory = memory

    # --- links -------------------------------------------------------------------------------

    def link_up(self, hop: Hop) -> None:
        self.up[hop.target] = hop
        self.up = dict(sorted(self.up.items()))

    def link_down(self, hop: Hop) -> None:
        hop.cut()
        del self.up[hop.target]

    # --- messages ----------------------------------------------------------------------------

    def publish(self, message: Message, spared: int = 0) -> None:
        """Sends the node's own message to all connected neighbours but those in the bit set `spared`, to whom it is not offered
        later either."""
        entry = self._remember(message, self.node, spared)
        entry.verdict = Validation.ACCEPT
        self.repair.accepted(entry)
        if spared or not self.wire.ahead.start(message, self.node):
            self.wire.flood(self.up.values(), message, spared)

    def on_copy(self, message: Message, hop: Hop, repaired: bool, now: SimTime) -> None:
        """A copy came over `hop`, whose source is the neighbour. This is the hot path."""
        wire = self.wire
        entry = self.seen.get(message.id)
        if entry is not None and (now - entry.seen_at < self._memory or entry.verdict is None):
            entry.known |= hop.source_bit
            wire.emit(MessageArrived(now, self.node, hop.source, message.id, message.size, True))
            return
        if message.wave is not None:
            message.wave.dissolve(message)  # It was to come here later, by another way.
        entry = self.first_copy(message, hop, repaired)
        if message.kind in self.passed_on:
            self.pass_on(entry)
            wire.flood(self.up.values(), message, entry.known)
        else:
            assert self.app is not None, "a node without an application got a message"
            self.app.on_gossip(message, hop.source)

    def first_copy(self, message: Message, hop: Hop, repaired: bool) -> Entry:
        """Remembers and reports a message that is new here."""
        wire, peer, now = self.wire, hop.source, self.wire.clock.now
        wire.emit(MessageArrived(now, self.node, peer, message.id, message.size, False))
        entry = self._remember(message, peer, hop.source_bit)
        self.repair.arrived(message.id)
        wire.emit(
            MessageDelivered(now, self.node, peer, message.id, message.topic, message.kind, message.published_at, message.size, repaired)
        )
        return entry

    def pass_on(self, entry: Entry) -> None:
        """Accepts a message of a kind that needs no examination; sending it is left to the caller."""
        self.wire.emit(MessageValidated(self.wire.clock.now, self.node, entry.peer, entry.message.id, Validation.ACCEPT.value, ""))
        entry.verdict = Validation.ACCEPT
        self.repair.accepted(entry)

    def verdict(self, message: Message, verdict: Validation, reason: str) -> None:
        """The application's answer to `on_gossip`. Raises `RuntimeError` on a second one about a message."""
        entry = self.seen[message.id]
        if entry.verdict is not None:
            raise RuntimeError(f"node {self.node} gave a second verdict on message {message.id}")
        self.wire.emit(MessageValidated(self.wire.clock.now, self.node, entry.peer, message.id, verdict.value, reason))
        entry.verdict = verdict
        if verdict is Validation.ACCEPT:
            self.repair.accepted(entry)
            self.wire.flood(self.up.values(), message, entry.known)
        elif verdict is Validation.DROP:
            del self.seen[message.id]
        assert self.app is not None
        self.app.on_verdict(message, entry.peer, verdict, reason)

    # --- memory ------------------------------------------------------------------------------

    def knows(self, message: int) -> Entry | None:
        """The entry of a message that is still remembered."""
        entry = self.seen.get(message)
        return entry if entry is not None and self._alive(entry, self.wire.clock.now) else None

    def remembered(self) -> Iterator[Entry]:
        """All entries, oldest first."""
        now = self.wire.clock.now
        return (entry for entry in self._by_age if self._alive(entry, now))

    def _alive(self, entry: Entry, now: SimTime) -> bool:
        return entry.verdict is None or now - entry.seen_at < self._memory

    def _remember(self, message: Message, peer: NodeId, known: int) -> Entry:
        now = self.wire.clock.now
        self._forget_old(now)
        entry = Entry(message, peer, now, known)
        self.seen[message.id] = entry
        self._by_age.append(entry)
        return entry

    def _forget_old(self, now: SimTime) -> None:
        """Drops what is past its time, and the oldest when there are too many; never one that awaits its verdict."""
        by_age = self._by_age
        while by_age and now - by_age[0].seen_at >= self._memory:
            self._forget(by_age.popleft(), now)
        if len(by_age) >= SEEN_MAX:
            self.wire.emit(LimitReached(now, self.node, "duplicate_cache"))
            self._forget(by_age.popleft(), now)

    def _forget(self, oldest: Entry, now: SimTime) -> None:
        if oldest.verdict is None:
            oldest.seen_at = now
            self._by_age.append(oldest)
        elif self.seen.get(oldest.message.id) is oldest:
            del self.seen[oldest.message.id]  # A dropped message is gone already, or here anew.

    def forget_all(self) -> None:
        """A crash: whatever has its verdict is forgotten. The rest is the application's, which still owes an answer."""
        self.seen = {number: entry for number, entry in self.seen.items() if entry.verdict is None}
        self._by_age = deque(entry for entry in self._by_age if entry.verdict is None)
        self.repair.forget_all()

    # --- point to point ----------------------------------------------------------------------

    def send(self, hop: Hop, kind: str, payload: object, size: int) -> bool:
        """Sends to one connected neighbour."""
        self.wire.emit(DirectSent(self.wire.clock.now, self.node, hop.target, kind, size))
        return self.wire.direct(hop, kind, payload, size)

    def on_direct(self, kind: str, payload: object, hop: Hop) -> None:
        if kind in CONTROL_KINDS:
            assert isinstance(payload, tuple)
            self.repair.handle(kind, payload, hop)
            return
        assert self.app is not None, "a node without an application got a message"
        self.app.on_direct(kind, payload, hop.source)
