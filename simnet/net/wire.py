"""The wire: copies on their way over directed hops, all of them in flight together.

Every copy is one item in the clockwork's lighter queue. Nothing waits for another copy, so a 120 ms hop stays a
120 ms hop under load. What arrives at the same instant does so in the clockwork's written order.
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappush
from typing import Any, Protocol

import simpy

from simnet.base.units import NodeId, SimTime
from simnet.events import Event, MessageLost
from simnet.net.clockwork import Clockwork
from simnet.net.link import LOST, HopDelays
from simnet.net.message import Message
from simnet.net.rules import Fate, Rule

NO_MESSAGE = -1
"""`MessageLost.message` of a point-to-point message, and the group of those in the clockwork."""
REPAIRED = 1 << 40
"""Repaired copies are numbered from here: among simultaneous copies of a message they arrive last."""
Emit = Callable[[Event], None]
Item = tuple[SimTime, int, int, Callable[[Any], None], "Hop", int, Any, Any]
"""(time, message id, number, deliver, hop, epoch of the hop, message or kind, repaired or payload)."""


class Receiver(Protocol):
    """The far end of a hop."""

    def on_copy(self, message: Message, hop: "Hop", repaired: bool, now: SimTime) -> None: ...

    def on_direct(self, kind: str, payload: object, hop: "Hop") -> None: ...


class Hop:
    """One direction of one link."""

    __slots__ = ("delays", "epoch", "flying", "index", "receiver", "rules", "source", "source_bit", "target", "target_bit")

    def __init__(self, index: int, source: NodeId, target: NodeId, receiver: Receiver, delays: HopDelays) -> None:
        self.index = index
        """Place of its delay in `Message.delays`."""
        self.source, self.target = source, target
        self.source_bit, self.target_bit = 1 << source, 1 << target
        self.receiver = receiver
        self.delays = delays
        """For what is not part of a flood."""
        self.epoch = 0
        """Counts the cuts; a copy of an earlier epoch is lost."""
        self.flying = 0
        self.rules: tuple[Rule, ...] = ()
        """What faults and bandwidth do to copies, in order."""

    def cut(self) -> None:
        self.epoch += 1
        self.flying = 0


class Ahead(Protocol):
    """Computes floods before they happen."""

    def start(self, message: Message, origin: NodeId) -> bool:
        """Takes over the flood of a message that its origin has just accepted; False when it cannot be computed."""

    def dissolve_all(self) -> None:
        """Turns what was computed ahead into copies that are counted."""


class CopyByCopy:
    """Computes nothing ahead."""

    def start(self, _message: Message, _origin: NodeId) -> bool:
        return False

    def dissolve_all(self) -> None:
        """There is nothing."""


class Wire:
    """Carries copies. Knows no topology and no gossip."""

    def __init__(self, clock: Clockwork, emit: Emit, queue_max: int) -> None:
        self.clock = clock
        self.emit = emit
        self.queue_max = queue_max
        self.waves = 0
        """Floods computed ahead: each has at most one copy on a hop, not counted in `Hop.flying`."""
        self.ahead: Ahead = CopyByCopy()
        """Who computes floods ahead; whoever builds the network chooses."""
        self._sent = 0

    def after(self, delay: int, callback: Callable[[simpy.Event], None], value: object = None) -> None:
        """Calls `callback` with an event that carries `value`, `delay` nanoseconds from now."""
        simpy.Timeout(self.clock, delay, value).callbacks.append(callback)

    def flood(self, hops: Iterable[Hop], message: Message, known: int) -> None:
        """Sends a copy over every hop whose target is not in the bit set `known`. This is the hot path."""
        clock, delays, arrives, most = self.clock, message.delays, self.copy_arrives, self.queue_max - self.waves
        now, carried, number, id_ = clock.now, clock.carried, message.copies, message.id
        for hop in hops:
            if known & hop.target_bit:
                continue
            delay = delays[hop.index]
            if hop.flying >= most and self._is_full(hop):
                self.lost(hop, id_, "queue_full")
            elif delay == LOST:
                self.lost(hop, id_, "loss")
            elif hop.rules:
                self._send_by_rules(hop, id_, number, arrives, message, False, delay, message.size)
                number += 1
            else:
                hop.flying += 1
                heappush(carried, (now + delay, id_, number, arrives, hop, hop.epoch, message, False))
                number += 1
        message.copies = number

    def repair(self, hop: Hop, message: Message) -> bool:
        """Sends one more copy to a neighbour that asked for it; False when the hop takes no more."""
        return self._send(hop, message.id, self.copy_arrives, message, True, message.size)

    def direct(self, hop: Hop, kind: str, payload: object, size: int) -> bool:
        """Sends a point-to-point message; False when the hop takes no more."""
        return self._send(hop, NO_MESSAGE, self._direct_arrives, kind, payload, size)

    def _send(self, hop: Hop, group: int, arrives: Callable[[Item], None], what: object, more: object, size: int) -> bool:
        if hop.flying >= self.queue_max - self.waves and self._is_full(hop):
            return self.lost(hop, group, "queue_full")
        delay = hop.delays.draw()
        if delay == LOST:
            self.lost(hop, group, "loss")
            return True
        self._sent += 1
        if hop.rules:
            self._send_by_rules(hop, group, REPAIRED + self._sent, arrives, what, more, delay, size)
            return True
        hop.flying += 1
        item = (self.clock.now + delay, group, REPAIRED + self._sent, arrives, hop, hop.epoch, what, more)
        heappush(self.clock.carried, item)
        return True

    def _send_by_rules(
        self, hop: Hop, group: int, number: int, arrives: Callable[[Item], None], what: object, more: object, delay: int, size: int
    ) -> None:
        """Lets the hop's rules decide when the copy arrives, how often, and whether."""
        now, fate = self.clock.now, Fate([delay])
        for rule in hop.rules:
            rule.judge(fate, now, size)
            if fate.lost is not None:
                self.lost(hop, group, fate.lost)
                return
        for place, arrival in enumerate(fate.delays):
            hop.flying += 1
            if place:
                self._sent += 1
                number = REPAIRED + self._sent
            delivered = self._spoiled_arrives if fate.spoiled else arrives
            heappush(self.clock.carried, (now + arrival, group, number, delivered, hop, hop.epoch, what, more))

    def hold(self, node: NodeId, until: SimTime) -> None:
        """Puts off what is on its way to a node."""
        self.ahead.dissolve_all()
        late = [(until, *item[1:]) if item[4].target == node and item[0] < until else item for item in self.clock.carried]
        self.clock.carried[:] = late
        heapify(self.clock.carried)

    def _spoiled_arrives(self, item: Item) -> None:
        """A copy with flipped bytes: the receiver's checksum finds it and drops it."""
        _, group, _, _, hop, epoch, _, _ = item
        if hop.epoch == epoch:
            hop.flying -= 1
        self.lost(hop, group, "corrupt")

    def copy_arrives(self, item: Item) -> None:
        """A copy of a gossip message, flooded or repaired, reaches the end of its hop."""
        now, id_, _, _, hop, epoch, message, repaired = item
        if hop.epoch != epoch:
            self.lost(hop, id_, "link_down")
            return
        hop.flying -= 1
        hop.receiver.on_copy(message, hop, repaired, now)

    def _direct_arrives(self, item: Item) -> None:
        _, _, _, _, hop, epoch, kind, payload = item
        if hop.epoch != epoch:
            self.lost(hop, NO_MESSAGE, "link_down")
            return
        hop.flying -= 1
        hop.receiver.on_direct(kind, payload, hop)

    def _is_full(self, hop: Hop) -> bool:
        """Looks closer at a hop that may take no more: the copies of waves must be counted."""
        self.ahead.dissolve_all()
        return hop.flying >= self.queue_max

    def lost(self, hop: Hop, message: int, reason: str) -> bool:
        """Reports a copy that does not arrive; False."""
        self.emit(MessageLost(self.clock.now, hop.source, hop.target, message, reason))
        return False
