"""The wire: copies on their way over directed hops, all of them in flight together.

Every copy is one scheduled callback. Nothing waits for another copy, so a 120 ms hop stays a 120 ms hop under
load. Copies that arrive at the same instant do so in the order in which they were sent (simpy's order).
"""

from collections.abc import Callable
from typing import Any, Protocol, cast

import simpy

from simnet.events import Event, MessageLost
from simnet.net.link import LOST, HopDelays
from simnet.net.message import Message
from simnet.units import NodeId, SimTime

NO_MESSAGE = -1
"""`MessageLost.message` of a point-to-point message."""
Emit = Callable[[Event], None]


class Clock(Protocol):
    """simpy's environment, whose `now` is whole nanoseconds here."""

    @property
    def now(self) -> SimTime: ...


class Receiver(Protocol):
    """The far end of a hop."""

    def on_copy(self, message: Message, hop: "Hop", repaired: bool) -> None: ...

    def on_direct(self, kind: str, payload: object, hop: "Hop") -> None: ...


class Hop:
    """One direction of one link."""

    __slots__ = ("delays", "epoch", "flying", "receiver", "source", "source_bit", "target", "target_bit")

    def __init__(self, source: NodeId, target: NodeId, receiver: Receiver, delays: HopDelays) -> None:
        self.source, self.target = source, target
        self.source_bit, self.target_bit = 1 << source, 1 << target
        self.receiver = receiver
        self.delays = delays
        self.epoch = 0
        """Counts the cuts; a copy of an earlier epoch is lost."""
        self.flying = 0

    def cut(self) -> None:
        self.epoch += 1
        self.flying = 0


class Wire:
    """Carries copies. Knows no topology and no gossip."""

    def __init__(self, env: simpy.Environment, emit: Emit, queue_max: int) -> None:
        self._env = env
        self.clock = cast("Clock", env)
        self.emit = emit
        self._queue_max = queue_max

    def after(self, delay: int, callback: Callable[[simpy.Event], None], value: object = None) -> None:
        """Calls `callback` with an event that carries `value`, `delay` nanoseconds from now."""
        simpy.Timeout(self._env, delay, value).callbacks.append(callback)

    def gossip(self, hop: Hop, message: Message, repaired: bool) -> bool:
        """Sends a copy of a gossip message; False when the hop takes no more."""
        if hop.flying >= self._queue_max:
            return self._lost(hop, message.id, "queue_full")
        delay = hop.delays.draw()
        if delay == LOST:
            self._lost(hop, message.id, "loss")
            return True
        hop.flying += 1
        self.after(delay, self._copy_arrives, (hop, hop.epoch, message, repaired))
        return True

    def direct(self, hop: Hop, kind: str, payload: object) -> bool:
        """Sends a point-to-point message; False when the hop takes no more."""
        if hop.flying >= self._queue_max:
            return self._lost(hop, NO_MESSAGE, "queue_full")
        delay = hop.delays.draw()
        if delay == LOST:
            self._lost(hop, NO_MESSAGE, "loss")
            return True
        hop.flying += 1
        self.after(delay, self._direct_arrives, (hop, hop.epoch, kind, payload))
        return True

    def _copy_arrives(self, event: simpy.Event) -> None:
        carried: Any = event.value
        hop, epoch, message, repaired = carried
        if hop.epoch != epoch:
            self._lost(hop, message.id, "link_down")
            return
        hop.flying -= 1
        hop.receiver.on_copy(message, hop, repaired)

    def _direct_arrives(self, event: simpy.Event) -> None:
        carried: Any = event.value
        hop, epoch, kind, payload = carried
        if hop.epoch != epoch:
            self._lost(hop, NO_MESSAGE, "link_down")
            return
        hop.flying -= 1
        hop.receiver.on_direct(kind, payload, hop)

    def _lost(self, hop: Hop, message: int, reason: str) -> bool:
        self.emit(MessageLost(self.clock.now, hop.source, hop.target, message, reason))
        return False
