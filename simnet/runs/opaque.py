"""Runs of the network alone: opaque payloads instead of transfers, no chain, no proofs (`chain.enabled = false`).

Every node passes every message on at once, so topology, links, gossip, repair and network faults can be studied for
themselves, and much larger networks than the consensus circuits hold.
"""

import hashlib
from collections.abc import Callable

from simnet.base.units import NodeId, from_ms
from simnet.events import PublicationSkipped
from simnet.events.bus import Bus
from simnet.events.network import TX_TOPIC
from simnet.events.run_info import RunInfo
from simnet.net.clockwork import Clockwork
from simnet.net.faults import FaultInjector
from simnet.net.message import Message, Validation
from simnet.net.network import Network
from simnet.net.peers import classes_for, peer_id
from simnet.net.topology import edges_of
from simnet.node.keyring import make_keyrings
from simnet.proofs.costs import MeasuredCosts
from simnet.runs.engine import Findings, Run
from simnet.runs.traffic import Again, TrafficGenerator
from simnet.scenario.model import Scenario

PASSED_ON = frozenset({"transaction", "block_probe", "transaction_probe"})
NO_PROOFS = hashlib.sha256().hexdigest()


class Endpoint:
    """A node that has no opinion on anything."""

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        raise AssertionError("all kinds are passed on")

    def on_verdict(self, message: Message, peer: NodeId, verdict: Validation, reason: str) -> None:
        raise AssertionError("nobody is asked for a verdict")

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        raise AssertionError("nodes of an opaque run send each other nothing but gossip")

    def on_connected(self, peer: NodeId) -> None:
        """Nothing to say."""

    def on_disconnected(self, peer: NodeId) -> None:
        """Nothing to forget."""


class Sources:
    """Traffic's publishers: nodes that send payloads as they are."""

    ahead = 0

    def __init__(self, clock: Clockwork, network: Network, bus: Bus) -> None:
        self._clock = clock
        self._network = network
        self._bus = bus

    def prepare(self, node: NodeId, number: int, payload: bytes) -> None:
        """Nothing to do."""

    def publish(self, node: NodeId, number: int, payload: bytes, published: Callable[[NodeId, Again], None]) -> None:
        """At once."""
        if self._send(node, "transaction", payload) is None:
            self._bus.emit(PublicationSkipped(self._clock.now, node, "no_peer"))
        else:
            published(node, lambda kinds: self._copies(node, payload, len(kinds)))

    def give_up(self, node: NodeId, number: int) -> None:
        """Nothing was prepared."""

    def probe(self, node: NodeId, kind: str, payload: bytes) -> None:
        """Publishes an opaque probe."""
        self._send(node, kind, payload)

    def _copies(self, node: NodeId, payload: bytes, count: int) -> None:
        """There is no proof to spoil: every extra copy is the same payload, as upstream's is."""
        for _ in range(count):
            self._send(node, "transaction", payload, "copy")

    def _send(self, node: NodeId, kind: str, payload: bytes, spam: str | None = None) -> Message | None:
        return self._network.publish(node, topic=TX_TOPIC, kind=kind, payload=payload, size=len(payload), spam=spam)


class OpaqueRun(Run):
    """One run of the network alone."""

    def __init__(self, scenario: Scenario, seed: int, static_key_seed: str | None = None) -> None:
        clock, bus = Clockwork(), Bus(scenario.limits.events_max)
        super().__init__(clock, scenario, bus)
        keys = [keyring.key for keyring in make_keyrings(scenario.topology.n, seed, static_key_seed)]
        classes, edges, regions = classes_for(keys), edges_of(scenario.topology, seed), scenario.region_of_node
        self.network = Network(clock, scenario, seed, edges, regions, classes, bus.emit)
        for node in range(scenario.topology.n):
            self.network.attach(NodeId(node), Endpoint(), PASSED_ON)
        faults = FaultInjector(clock, scenario, seed, self.network, bus.emit)
        self._traffic = TrafficGenerator(clock, scenario, seed, Sources(clock, self.network, bus), faults.active, classes, bus.emit)
        self.info = RunInfo(
            scenario=scenario.name,
            seed=seed,
            duration=from_ms(scenario.sim.duration_ms),
            regions=tuple(regions),
            backends=((),) * len(keys),
            peer_ids=tuple(map(peer_id, keys)),
            classes=classes,
            stakes=(0,) * len(keys),
            edges=edges,
            reproducible=True,
            security=scenario.provers.security,
            heartbeat=from_ms(scenario.gossip.heartbeat_ms),
            security_bits={},
        )

    def _start(self) -> None:
        self._traffic.start()

    def _findings(self) -> Findings:
        return Findings(NO_PROOFS, costs=MeasuredCosts().used())

    def _come_to_rest(self, end: int) -> None:
        """Nobody waits for anything."""

    def _close(self) -> None:
        """There is nothing to let go of."""
