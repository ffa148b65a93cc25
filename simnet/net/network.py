"""The transport that nodes use: gossip to everyone, messages to a neighbour, links that faults cut and join."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count

from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events import Event, MessagePublished, PeerConnected, PeerDisconnected
from simnet.net.clockwork import Clockwork
from simnet.net.gossip import Router
from simnet.net.link import FloodDelays, HopDelays, LinkLaws, seeds_of
from simnet.net.message import Application, Message, Validation
from simnet.net.repair import LazyRepair
from simnet.net.rules import Rule, Uplink
from simnet.net.topology import Edge
from simnet.net.waves import Waves
from simnet.net.wire import Hop, Wire
from simnet.scenario.model import Scenario

WAVES_NODES_MIN = 150
"""From about here on a computed wave costs less than its copies by themselves (measured, degree 8)."""
__all__ = ["Application", "Message", "Network", "Validation"]


class Network:
    """All nodes' routers and the hops between them.

    Links are up from the start; `PeerConnected` and `Application.on_connected` follow as the first thing at time 0.
    """

    def __init__(
        self,
        clock: Clockwork,
        scenario: Scenario,
        seed: int,
        edges: Sequence[Edge],
        regions: Sequence[str],
        classes: Sequence[str],
        emit: Callable[[Event], None],
    ) -> None:
        settings, nodes = scenario.gossip, scenario.topology.n
        self._wire = Wire(clock, emit, settings.queue_messages_max)
        self._emit = emit
        memory = from_ms(settings.duplicate_cache_ms)
        self._routers = [Router(NodeId(node), self._wire, memory) for node in range(nodes)]
        self._repairs = [LazyRepair(router, settings, nodes) for router in self._routers]
        for router, repair in zip(self._routers, self._repairs, strict=True):
            router.repair = repair
        self._hops: dict[Edge, tuple[Hop, Hop]] = {}
        self._cut_by: dict[Edge, set[str]] = {}
        self._message_ids = count()
        ends = sorted({end for low, high in edges for end in ((low, high), (high, low))})
        laws, seeds = LinkLaws(scenario, regions, classes, ends), seeds_of(scenario, seed)
        self._flood_delays = FloodDelays(laws, seeds)
        hops = {end: Hop(i, *end, self._routers[end[1]], HopDelays(laws, i, end, seeds)) for i, end in enumerate(ends)}
        for hop in hops.values():
            self._routers[hop.source].link_up(hop)
        for low, high in sorted(edges):
            self._hops[low, high] = (hops[low, high], hops[high, low])
        self._limited = set[int]()
        for hop in hops.values():
            low, high = sorted((hop.source, hop.target))
            kbps = scenario.link(regions[low], regions[high]).bandwidth_kbps
            if kbps is not None:
                hop.rules = (Uplink(kbps * 1000),)
                self._limited.add(hop.index)
        self._waves: Waves | None = None
        if settings.engine == "waves" or (settings.engine == "auto" and nodes >= WAVES_NODES_MIN):
            self._wire.ahead = self._waves = Waves(self._wire, self._routers, list(hops.values()), self._flood_delays, memory)
        self._wire.after(0, lambda _: self._announce_all())

    # --- for nodes ---------------------------------------------------------------------------

    def attach(self, node: NodeId, app: Application, passed_on: frozenset[str] = frozenset()) -> None:
        """Puts an application on a node; every node needs one before the run starts.

        Messages of the kinds `passed_on` are accepted and forwarded at once, and the application never hears of them.
        """
        self._routers[node].app, self._routers[node].passed_on = app, passed_on

    def publish(
        self,
        node: NodeId,
        *,
        topic: str,
        kind: str,
        payload: object,
        size: int,
        spam: str | None = None,
        spared: frozenset[NodeId] = frozenset(),
    ) -> Message | None:
        """Floods a new message from `node`; None, and nothing happens, when no neighbour is connected. It is sent to no
        neighbour in `spared`, who may get it from others."""
        router = self._routers[node]
        if not router.up:
            return None
        now = self._wire.clock.now
        number = next(self._message_ids)
        message = Message(number, node, topic, kind, payload, size, now, spam, self._flood_delays.of(number))
        self._emit(MessagePublished(now, node, message.id, topic, kind, size, spam))
        router.publish(message, sum(1 << peer for peer in spared))
        return message

    def verdict(self, node: NodeId, message: Message, verdict: Validation, reason: str = "") -> None:
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
    def clock(self) -> Clockwork:
        """Virtual time."""
        return self._wire.clock

    # --- for faults --------------------------------------------------------------------------

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All links, up or down, sorted."""
        return tuple(self._hops)

    def cut(self, edges: Iterable[Edge], why: str) -> None:
        """Takes links down for a reason; copies on the way are lost. Repeating it changes nothing. What follows a colon
        tells reasons of one kind apart."""
        for edge in edges:
            reasons = self._cut_by.setdefault(_ordered(edge, self._hops), set())
            was_up = not reasons
            reasons.add(why)
            if was_up:
                self._take_down(_ordered(edge, self._hops), why.partition(":")[0])

    def join(self, edges: Iterable[Edge], why: str) -> None:
        """Ends one reason of the links' being down; they come up with the last. Repeating it changes nothing."""
        for edge in edges:
            reasons = self._cut_by.get(_ordered(edge, self._hops), set())
            if why in reasons:
                reasons.remove(why)
                if not reasons:
                    self._bring_up(_ordered(edge, self._hops))

    def add_rules(self, rules: Mapping[tuple[int, int], Rule]) -> None:
        """Puts a rule on each of some directed edges, after those that are there but before the links' bandwidth."""
        self._wire.ahead.dissolve_all()
        for hop in self._all_hops():
            rule = rules.get((hop.source, hop.target))
            if rule is not None:
                place = len(hop.rules) - (hop.index in self._limited)
                hop.rules = (*hop.rules[:place], rule, *hop.rules[place:])

    def remove_rules(self, rules: Mapping[tuple[int, int], Rule]) -> None:
        """Takes rules away again."""
        for hop in self._all_hops():
            rule = rules.get((hop.source, hop.target))
            hop.rules = tuple(other for other in hop.rules if other is not rule)

    def hold(self, node: NodeId, until: SimTime) -> None:
        """Puts off what is on its way to a node."""
        self._wire.hold(node, until)

    def forget_all(self, node: NodeId) -> None:
        """Clears a node's gossip memory."""
        self._wire.ahead.dissolve_all()
        self._routers[node].forget_all()

    def _all_hops(self) -> Iterator[Hop]:
        return (hop for pair in self._hops.values() for hop in pair)

    def _take_down(self, edge: Edge, why: str) -> None:
        now = self._wire.clock.now
        self._links_change(edge, up=False)
        for hop in self._hops[edge]:
            self._routers[hop.source].link_down(hop)
        for hop in self._hops[edge]:
            self._emit(PeerDisconnected(now, hop.source, hop.target, why))
            app = self._routers[hop.source].app
            if app is not None:
                app.on_disconnected(hop.target)

    def _links_change(self, edge: Edge, *, up: bool) -> None:
        if self._waves is not None:
            self._waves.link_changes(self._hops[edge], up)

    def _bring_up(self, edge: Edge) -> None:
        self._links_change(edge, up=True)
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
