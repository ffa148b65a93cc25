"""Drives the traffic of a run: who publishes what, when; probes; byzantine spam beside publications."""

from collections.abc import Sequence

from simnet.events import FaultInjected, PublicationSkipped
from simnet.net.faults import ActiveNodes, Spam
from simnet.net.traffic import Arrivals, Payloads, PublisherChoice, probe_ticks
from simnet.node.node import Node
from simnet.node.world import World
from simnet.protocol.messages import TxMessage
from simnet.units import NodeId, SimTime, from_ms


class Traffic:
    """Schedules every publication at its exact time, and its preparation ahead of it."""

    def __init__(self, world: World, nodes: list[Node], active: ActiveNodes, classes: Sequence[str]) -> None:
        scenario = world.scenario
        self._world = world
        self._nodes = nodes
        self._active = active
        self._arrivals = iter(Arrivals(scenario, world.seed))
        self._choice = PublisherChoice(scenario.traffic.tx.publisher_bias, world.seed)
        self._payloads = Payloads(scenario.traffic.tx.payload, world.seed)
        self._spam = Spam(scenario.faults.byzantine)
        self._ahead = from_ms(scenario.chain.prepare_ahead_ms)
        self._probers = [NodeId(classes.index(c)) for c in ("trusted", "untrusted") if c in classes]
        self._sequence = 0
        self._origin = SimTime(0)

    def start(self) -> None:
        """The traffic clock's zero."""
        self._origin = self._world.now
        self._schedule_next()
        for tick in probe_ticks(self._world.scenario):
            self._world.after(tick, self._probe)

    def _schedule_next(self) -> None:
        """Schedules the next arrival: prepared `prepare_ahead_ms` before it is due, or at once if that is past."""
        arrival = next(self._arrivals, None)
        if arrival is None:
            return
        now = self._world.now
        due = self._origin + arrival.at
        draw = self._choice.draw()
        self._world.after(max(0, due - self._ahead - now), lambda: self._prepare(arrival.number, SimTime(due), draw))

    def _prepare(self, number: int, due: SimTime, draw: float) -> None:
        payload = self._payloads.message(number)
        publisher = self._pick(draw)
        if publisher is not None:
            self._nodes[publisher].wallet.prepare(number, payload)
        self._world.after(due - self._world.now, lambda: self._publish(number, draw, publisher, payload))
        self._schedule_next()

    def _publish(self, number: int, draw: float, prepared_by: NodeId | None, payload: bytes) -> None:
        """The arrival is due: the publisher is drawn among the nodes that are active now."""
        publisher = self._pick(draw)
        if prepared_by is not None and prepared_by != publisher and self._nodes[prepared_by].wallet.is_prepared(number):
            self._nodes[prepared_by].wallet.give_up(number)
        if publisher is None:
            self._world.emit(PublicationSkipped(self._world.now, None, "no_active_node"))
            return
        node = self._nodes[publisher]
        node.wallet.publish(number, payload, lambda message: self._published(node, message))

    def _published(self, node: Node, message: TxMessage) -> None:
        at = SimTime(self._world.now - self._origin)
        if node.spammer is not None and self._spam.triggers(node.id, at):
            self._world.emit(FaultInjected(self._world.now, "byzantine_spam", f"node:{node.id}"))
            node.spammer.publish(message, self._spam.copies())

    def _pick(self, draw: float) -> NodeId | None:
        active = self._active.nodes
        return self._choice.pick(draw, active) if active else None

    def _probe(self) -> None:
        """One block probe and one transaction probe from the lowest node of each class."""
        for node in self._probers:
            self._sequence += 1
            for kind in ("block", "transaction"):
                self._nodes[node].publish_probe(f"{kind}_probe", self._payloads.probe(kind, self._sequence))
