"""Waves: floods that are computed at once and arrive copy by copy, as if every copy had been sent by itself.

A flood may be computed ahead when every node passes the message on the moment it has it (the application said so of
the kind, see `Network.attach`), no hop's queue can become full and no rule (`simnet.net.rules`) judges copies. What a
hop loses is known from the draws. Whatever else could change its course dissolves the wave on the spot: a link that
comes or goes, a copy that lazy repair brings first, a node that has forgotten the message. The copies that are on their
way then become ordinary ones, which the routers handle from there. So the trace is the same, event for event, with and
without waves.
"""

from collections.abc import Sequence
from heapq import heapify, heappush

import numpy as np

from simnet.base.units import NodeId, SimTime
from simnet.events import MessageArrived
from simnet.net.clockwork import Carried
from simnet.net.flood import FloodGraph
from simnet.net.gossip import Router
from simnet.net.link import LOST, FloodDelays
from simnet.net.message import Message
from simnet.net.wire import Hop, Wire


class Wave:
    """One flood on its way."""

    __slots__ = ("accepted", "at", "edges", "first", "lost", "message", "numbers", "position", "sent_by")

    def __init__(
        self, message: Message, at: list[int], edges: list[int], numbers: list[int], first: list[bool], sent_by: list[int]
    ) -> None:
        self.message = message
        self.at, self.edges, self.numbers, self.first, self.sent_by = at, edges, numbers, first, sent_by
        self.lost: dict[int, list[Hop]] = {}
        """For each node the hops that lose its copies."""
        self.position = 0
        """The next arrival."""
        self.accepted = 0
        """Nodes reached so far, the origin not counted."""


class Waves:
    """All waves of a network."""

    def __init__(self, wire: Wire, routers: Sequence[Router], hops: Sequence[Hop], delays: FloodDelays, memory: SimTime) -> None:
        self._wire, self._routers, self._hops, self._delays, self._memory = wire, routers, hops, delays, memory
        self._graph = FloodGraph(len(routers), [(hop.source, hop.target) for hop in hops])
        self._up = np.ones(len(hops), dtype=np.bool_)
        self._active: dict[int, tuple[Wave, Carried]] = {}

    # --- starting ------------------------------------------------------------------------------

    def start(self, message: Message, origin: NodeId) -> bool:
        """Takes over the flood of a message that its origin has just accepted; False when it cannot be computed."""
        if not self._fits(message):
            return False
        delays = self._delays.row(message.id)
        try:
            plan = self._graph.plan(origin, delays, self._up)
        except ValueError:
            return False
        if not len(plan.at) or int(plan.at[-1]) >= self._memory:
            return False
        now = self._wire.clock.now
        at = (plan.at + now).tolist()
        wave = Wave(message, at, plan.edges.tolist(), plan.numbers.tolist(), plan.first.tolist(), plan.sent_by.tolist())
        for edge in np.flatnonzero((delays == LOST) & self._up).tolist():
            hop = self._hops[edge]
            if plan.parents[hop.source] != hop.target:
                wave.lost.setdefault(hop.source, []).append(hop)
        message.wave = self
        self._wire.waves += 1
        self._report_losses(wave, origin)
        self._queue(wave)
        return True

    def _fits(self, message: Message) -> bool:
        """Whether all nodes pass it on at once, no rule judges it, and no queue is near its end: a wave puts one copy on a hop."""
        room = self._wire.queue_max - self._wire.waves - 1
        passed_on = all(message.kind in router.passed_on for router in self._routers)
        return passed_on and all(not hop.rules and hop.flying <= room for hop in self._hops)

    def _report_losses(self, wave: Wave, node: NodeId) -> None:
        for hop in wave.lost.get(node, ()):
            self._wire.lost(hop, wave.message.id, "loss")

    # --- arrivals ------------------------------------------------------------------------------

    def _queue(self, wave: Wave) -> None:
        position = wave.position
        item = (wave.at[position], wave.message.id, wave.numbers[position], self._arrive, wave)
        self._active[wave.message.id] = (wave, item)
        heappush(self._wire.clock.carried, item)

    def _arrive(self, item: Carried) -> None:
        """The next copy, and those after it up to the next thing that happens elsewhere."""
        wave: Wave = item[4]
        clock, at, numbers, id_ = self._wire.clock, wave.at, wave.numbers, wave.message.id
        while self._step(wave):
            position = wave.position
            if position == len(at):
                self._finish(wave)
                return
            key = (at[position], id_, numbers[position])
            if not clock.is_next(key):
                self._queue(wave)
                return
            clock.advance(SimTime(at[position]))

    def _step(self, wave: Wave) -> bool:
        """One arrival. False when the wave had to be dissolved."""
        position, message = wave.position, wave.message
        hop = self._hops[wave.edges[position]]
        router: Router = self._routers[hop.target]
        entry = router.seen.get(message.id)
        if (entry is None) != wave.first[position]:
            self._dissolve(wave)
            return False
        wave.position = position + 1
        if entry is None:
            wave.accepted += 1
            router.pass_on(router.first_copy(message, hop, False))
            if wave.lost:
                self._report_losses(wave, hop.target)
        else:
            entry.known |= hop.source_bit
            wire = self._wire
            wire.emit(MessageArrived(wire.clock.now, hop.target, hop.source, message.id, message.size, True))
        return True

    def _finish(self, wave: Wave) -> None:
        wave.message.copies = len(wave.at)
        wave.message.wave = None
        self._wire.waves -= 1
        self._active.pop(wave.message.id, None)

    # --- disturbances --------------------------------------------------------------------------

    def link_changes(self, hops: Sequence[Hop], up: bool) -> None:
        """Links are about to come up or go down."""
        self.dissolve_all()
        for hop in hops:
            self._up[hop.index] = up

    def dissolve_all(self) -> None:
        """Turns every wave into ordinary copies."""
        for wave, _ in list(self._active.values()):
            self._dissolve(wave)

    def dissolve(self, message: Message) -> None:
        """Turns a message's wave into ordinary copies."""
        self._dissolve(self._active[message.id][0])

    def _dissolve(self, wave: Wave) -> None:
        """Puts the copies that have been sent, and no others, on their way; the routers send the rest."""
        clock, message = self._wire.clock, wave.message
        _, item = self._active[message.id]
        self._finish(wave)
        sent = message.copies = wave.sent_by[wave.accepted]
        carried = [other for other in clock.carried if other is not item]
        for position in range(wave.position, len(wave.at)):
            if wave.numbers[position] < sent:
                hop = self._hops[wave.edges[position]]
                hop.flying += 1
                copy = (wave.at[position], message.id, wave.numbers[position], self._wire.copy_arrives, hop, hop.epoch, message, False)
                carried.append(copy)
        clock.carried[:] = carried
        heapify(clock.carried)
