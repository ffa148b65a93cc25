"""Drives the traffic of a run: who publishes what, when; probes; byzantine spam beside publications."""

from collections.abc import Callable, Sequence
from typing import Protocol

from simnet.base.units import NodeId, SimTime
from simnet.events import FaultInjected, PublicationSkipped
from simnet.net.clockwork import Clockwork
from simnet.net.faults import ActiveNodes, Spam
from simnet.net.wire import Emit
from simnet.runs.arrivals import Arrivals, Payloads, PublisherChoice, probe_ticks
from simnet.scenario.model import Scenario
from simnet.scenario.upstream import SpamKind

Again = Callable[[tuple[SpamKind, ...]], None]
"""Publishes a publication again, spoiled in these ways."""


class Publishers(Protocol):
    """The nodes, as far as traffic needs them."""

    ahead: int
    """How long before its time a publication is prepared, in nanoseconds."""

    def prepare(self, node: NodeId, number: int, payload: bytes) -> None:
        """A publication is to come."""

    def publish(self, node: NodeId, number: int, payload: bytes, published: Callable[[NodeId, Again], None]) -> None:
        """It is due; `published` hears of it when it is out."""

    def give_up(self, node: NodeId, number: int) -> None:
        """What was prepared is not published by this node."""

    def probe(self, node: NodeId, kind: str, payload: bytes) -> None:
        """Publishes an opaque probe."""


class TrafficGenerator:
    """Schedules every publication at its exact time, and its preparation ahead of it."""

    def __init__(
        self,
        clock: Clockwork,
        scenario: Scenario,
        seed: int,
        publishers: Publishers,
        active: ActiveNodes,
        classes: Sequence[str],
        emit: Emit,
    ) -> None:
        self._clock = clock
        self._publishers = publishers
        self._active = active
        self._emit = emit
        self._arrivals = iter(Arrivals(scenario, seed))
        self._choice = PublisherChoice(scenario.traffic.tx.publisher_bias, seed)
        self._payloads = Payloads(scenario.traffic.tx.payload, seed)
        self._spam = Spam(scenario.faults.byzantine)
        self._probers = [NodeId(classes.index(c)) for c in ("trusted", "untrusted") if c in classes]
        self._ticks = probe_ticks(scenario)
        self._sequence = 0
        self._origin = SimTime(0)

    def start(self) -> None:
        """The traffic clock's zero."""
        self._origin = self._clock.now
        self._schedule_next()
        for tick in self._ticks:
            self._clock.after(tick, self._probe)

    def _schedule_next(self) -> None:
        """Schedules the next arrival: prepared ahead of its time, or at once if that is past."""
        arrival = next(self._arrivals, None)
        if arrival is None:
            return
        now = self._clock.now
        due = SimTime(self._origin + arrival.at)
        draw = self._choice.draw()
        self._clock.after(max(0, due - self._publishers.ahead - now), lambda: self._prepare(arrival.number, due, draw))

    def _prepare(self, number: int, due: SimTime, draw: float) -> None:
        payload = self._payloads.message(number)
        publisher = self._pick(draw)
        if publisher is not None:
            self._publishers.prepare(publisher, number, payload)
        self._clock.after(due - self._clock.now, lambda: self._publish(number, draw, publisher, payload))
        self._schedule_next()

    def _publish(self, number: int, draw: float, prepared_by: NodeId | None, payload: bytes) -> None:
        """The arrival is due: the publisher is drawn among the nodes that are active now."""
        publisher = self._pick(draw)
        if prepared_by is not None and prepared_by != publisher:
            self._publishers.give_up(prepared_by, number)
        if publisher is None:
            self._emit(PublicationSkipped(self._clock.now, None, "no_active_node"))
        else:
            self._publishers.publish(publisher, number, payload, self._published)

    def _published(self, node: NodeId, again: Again) -> None:
        if self._spam.triggers(node, SimTime(self._clock.now - self._origin)):
            self._emit(FaultInjected(self._clock.now, "byzantine_spam", f"node:{node}"))
            again(self._spam.copies())

    def _pick(self, draw: float) -> NodeId | None:
        active = self._active.nodes
        return self._choice.pick(draw, active) if active else None

    def _probe(self) -> None:
        """One block probe and one transaction probe from the lowest node of each class."""
        for node in self._probers:
            self._sequence += 1
            for kind in ("block", "transaction"):
                self._publishers.probe(node, f"{kind}_probe", self._payloads.probe(kind, self._sequence))
