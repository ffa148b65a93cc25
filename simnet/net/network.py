"""The transport that nodes use: gossip to everyone, messages to a neighbour, links that faults cut and join."""

from collections.abc import Callable, Iterable, Sequence
from itertools import count

import simpy

from simnet.events import Event, MessagePublished, PeerConnected, PeerDisconnected
from simnet.net.gossip import Router
from simnet.net.link import HopDelays
from simnet.net.message import Application, Message, Verdict
from simnet.net.repair import LazyRepair
from simnet.net.topology import Edge
from simnet.net.wire import Clock, Hop, Wire
from simnet.scenario.model import Scenario
from simnet.units import NodeId, from_ms

__all__ = ["Application", "Message", "Network", "Verdict"]


class Network:
    """All nodes' routers and the hops between them.

    Links are up from the start; `PeerConnected` and `Application.on_connected` follow as the first thing at time 0.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        seed: int,
        edges: Sequence[Edge],
        regions: Sequence[str],
        classes: Sequence[str],
        emit: Callable[[Event], None],
    ) -> None:
        settings, nodes = scenario.gossip, scenario.topology.n
        self._wire = Wire(env, emit, settings.queue_messages_max)
        self._emit = emit
        memory = from_ms(settings.duplicate_cache_ms)
        self._routers = [Router(NodeId(node), self._wire, memory) for node in range(nodes)]
        self._repairs = [LazyRepair(router, settings, nodes) for router in self._routers]
        for router, repair in zip(self._routers, self._repairs, strict=True):
            router.repair = repair
        self._hops: dict[Edge, tuple[Hop, Hop]] = {}
        self._cut_by: dict[Edge, set[str]] = {}
        self._message_ids = count()
        for low, high in sorted(edges):
            there = Hop(low, high, self._routers[high], HopDelays(scenario, seed, regions, classes, (low, high)))
            back = Hop(high, low, self._routers[low], HopDelays(scenario, seed, regions, classes, (high, low)))
            self._hops[low, high] = (there, back)
            self._routers[low].link_up(there)
            self._routers[high].link_up(back)
        self._wire.after(0, lambda _: self._announce_all())

    # --- for nodes ---------------------------------------------------------------------------

    def attach(self, node: NodeId, app: Application) -> None:
        """Puts an application on a node; every node needs one before the run starts."""
        self._routers[node].app = app

    def publish(self, node: NodeId, *, topic: str, kind: str, payload: object, size: int, spam: str | None = None) -> Message | None:
        """Floods a new message from `node`; None, and nothing happens, when no neighbour is connected."""
        router = self._routers[node]
        if not router.up:
            return None
        now = self._wire.clock.now
        message = Message(next(self._message_ids), node, topic, kind, payload, size, now, spam)
        self._emit(MessagePublished(now, node, message.id, topic, kind, size, spam))
        router.publish(message)
        return message

    def verdict(self, node: NodeId, message: Message, verdict: Verdict, reason: str = "") -> None:
        """Answers `Application.on_gossip`, once a message. ACCEPT forwards it to all connected neighbours that are
        not known to have it. Raises `RuntimeError` for a second answer."""
        self._routers[node].verdict(message, verdict, reason)

    def send(self, node: NodeId, peer: NodeId, kind: str, payload: object, size: int) -> bool:
        """Sends to a neighbour over the same link model as gossip, i.e. it may be lost. False: not connected, or the
        hop takes no more."""
        hop = self._routers[node].up.get(peer)
        return hop is not None and self._routers[node].send(hop, kind, payload, size)

    def connected(self, node: NodeId) -> tuple[NodeId, ...]:
        """The neighbours with a link that is up, ascending."""
        return tuple(self._routers[node].up)

    @property
    def clock(self) -> Clock:
        """Virtual time in whole nanoseconds."""
        return self._wire.clock

    # --- for faults --------------------------------------------------------------------------

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All links, up or down, sorted."""
        return tuple(self._hops)

    def cut(self, edges: Iterable[Edge], why: str) -> None:
        """Takes links down for a reason; copies on the way are lost. Repeating it changes nothing."""
        for edge in edges:
            reasons = self._cut_by.setdefault(_ordered(edge, self._hops), set())
            was_up = not reasons
            reasons.add(why)
            if was_up:
                self._take_down(_ordered(edge, self._hops), why)

    def join(self, edges: Iterable[Edge], why: str) -> None:
        """Ends one reason of the links' being down; they come up with the last. Repeating it changes nothing."""
        for edge in edges:
            reasons = self._cut_by.get(_ordered(edge, self._hops), set())
            if why in reasons:
                reasons.remove(why)
                if not reasons:
                    self._bring_up(_ordered(edge, self._hops))

    def _take_down(self, edge: Edge, why: str) -> None:
        now = self._wire.clock.now
        for hop in self._hops[edge]:
            self._routers[hop.source].link_down(hop)
        for hop in self._hops[edge]:
            self._emit(PeerDisconnected(now, hop.source, hop.target, why))
            app = self._routers[hop.source].app
            if app is not None:
                app.on_disconnected(hop.target)

    def _bring_up(self, edge: Edge) -> None:
        for hop in self._hops[edge]:
            self._routers[hop.source].link_up(hop)
        self._announce(edge)
        for hop in self._hops[edge]:
            self._repairs[hop.source].link_up(hop)

    def _announce_all(self) -> None:
        for edge in self._hops:
            if not self._cut_by.get(edge):
                self._announce(edge)

    def _announce(self, edge: Edge) -> None:
        for hop in self._hops[edge]:
            self._emit(PeerConnected(self._wire.clock.now, hop.source, hop.target))
            app = self._routers[hop.source].app
            if app is not None:
                app.on_connected(hop.target)


def _ordered(edge: Edge, known: dict[Edge, tuple[Hop, Hop]]) -> Edge:
    low, high = min(edge), max(edge)
    if (low, high) not in known:
        raise ValueError(f"no link between nodes {low} and {high}")
    return low, high
