"""Runs of the network alone: opaque payloads instead of transfers, no chain, no proofs (`chain.enabled = false`).

Every node passes every message on at once, so topology, links, gossip, repair and network faults can be studied for
themselves, and much larger networks than the consensus circuits hold.
"""

import hashlib
import time
from collections.abc import Callable, Sequence

from simnet.errors import SimnetError
from simnet.events import Event, FaultInjected, Observer, PublicationSkipped, RunEnded, TrafficStarted
from simnet.net.clockwork import Clockwork
from simnet.net.faults import SETTLE, ActiveNodes, Faults, Spam, run_end
from simnet.net.message import Message, Verdict
from simnet.net.network import Network
from simnet.net.peers import classes_for, peer_id
from simnet.net.topology import edges_of
from simnet.net.traffic import Arrival, Arrivals, Payloads, PublisherChoice, probe_ticks
from simnet.net.wire import Emit
from simnet.node.identity import node_secrets
from simnet.node.node import TX_TOPIC
from simnet.proofs import native
from simnet.run_info import RunInfo
from simnet.scenario.model import Scenario
from simnet.simulation import RunResult
from simnet.timings import timing_report
from simnet.units import NodeId, SimTime, from_ms

PASSED_ON = frozenset({"transaction", "block_probe", "transaction_probe"})
NO_PROOFS = hashlib.sha256().hexdigest()


class Endpoint:
    """A node that has no opinion on anything."""

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        raise AssertionError("all kinds are passed on")

    def on_verdict(self, message: Message, peer: NodeId, verdict: Verdict, reason: str) -> None:
        raise AssertionError("nobody is asked for a verdict")

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        raise AssertionError("nodes of an opaque run send each other nothing but gossip")

    def on_connected(self, peer: NodeId) -> None:
        """Nothing to say."""

    def on_disconnected(self, peer: NodeId) -> None:
        """Nothing to forget."""


class _Traffic:
    """Publishes what the scenario's phases say, its probes, and the copies of byzantine publishers."""

    def __init__(
        self, clock: Clockwork, scenario: Scenario, seed: int, network: Network, active: ActiveNodes, classes: Sequence[str], emit: Emit
    ) -> None:
        self._clock, self._network, self._active = clock, network, active
        self._arrivals = iter(Arrivals(scenario, seed))
        self._choice = PublisherChoice(scenario.traffic.tx.publisher_bias, seed)
        self._payloads = Payloads(scenario.traffic.tx.payload, seed)
        self._spam = Spam(scenario.faults.byzantine)
        self._probers = [NodeId(classes.index(c)) for c in ("trusted", "untrusted") if c in classes]
        self._ticks = probe_ticks(scenario)
        self._sequence = 0
        self._emit = emit

    def start(self) -> None:
        """The traffic clock's zero."""
        for tick in self._ticks:
            self._clock.after(tick, self._probe)
        self._schedule(self._clock.now)

    def _schedule(self, origin: SimTime) -> None:
        arrival = next(self._arrivals, None)
        if arrival is not None:
            self._clock.after(origin + arrival.at - self._clock.now, lambda: self._publish(arrival, origin))

    def _publish(self, arrival: Arrival, origin: SimTime) -> None:
        draw, payload = self._choice.draw(), self._payloads.message(arrival.number)
        active = self._active.nodes
        if active:
            self._publish_from(self._choice.pick(draw, active), payload, arrival.at)
        else:
            self._emit(PublicationSkipped(self._clock.now, None, "no_active_node"))
        self._schedule(origin)

    def _publish_from(self, node: NodeId, payload: bytes, at: SimTime) -> None:
        if self._send(node, payload) is None:
            self._emit(PublicationSkipped(self._clock.now, node, "no_peer"))
        elif self._spam.triggers(node, at):
            self._emit(FaultInjected(self._clock.now, "byzantine_spam", f"node:{node}"))
            for _ in self._spam.copies():
                # There is no proof to spoil: every extra copy is the same payload, as upstream's is.
                self._send(node, payload, "copy")

    def _send(self, node: NodeId, payload: bytes, spam: str | None = None) -> Message | None:
        return self._network.publish(node, topic=TX_TOPIC, kind="transaction", payload=payload, size=len(payload), spam=spam)

    def _probe(self) -> None:
        for node in self._probers:
            self._sequence += 1
            for kind in ("block", "transaction"):
                payload = self._payloads.probe(kind, self._sequence)
                self._network.publish(node, topic=TX_TOPIC, kind=f"{kind}_probe", payload=payload, size=len(payload))


class OpaqueRun:
    """One run of the network alone. Attach observers, then `run` once."""

    def __init__(self, scenario: Scenario, seed: int, static_key_seed: str | None = None) -> None:
        self._scenario = scenario
        self._clock = Clockwork()
        self._tell: list[Callable[[Event], None]] = []
        self._events, self._events_max = 0, scenario.limits.events_max
        keys = [native.ed25519_public_key(secret) for secret in node_secrets(scenario.topology.n, seed, static_key_seed)]
        classes, edges, regions = classes_for(keys), edges_of(scenario.topology, seed), scenario.region_of_node
        self.network = Network(self._clock, scenario, seed, edges, regions, classes, self.emit)
        for node in range(scenario.topology.n):
            self.network.attach(NodeId(node), Endpoint(), PASSED_ON)
        faults = Faults(self._clock, scenario, seed, self.network, self.emit)
        self._traffic = _Traffic(self._clock, scenario, seed, self.network, faults.active, classes, self.emit)
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

    def attach(self, observer: Observer) -> None:
        """Adds an observer; it sees every event from now on."""
        self._tell.append(observer.on_event)

    def emit(self, event: Event) -> None:
        """Tells the observers. Raises SimnetError when there are more events than the scenario allows."""
        for tell in self._tell:
            tell(event)
        self._events += 1
        if self._events > self._events_max:
            raise SimnetError(f"more than limits.events_max = {self._events_max} events")

    def run(self) -> RunResult:
        """Runs to the end or to an interrupt (Ctrl-C)."""
        wall, cpu = time.perf_counter(), time.process_time()
        interrupted = False
        try:
            self._clock.after(SETTLE, self._start_traffic)
            self._clock.run(until=run_end(self._scenario))
            self.emit(RunEnded(self._clock.now))
        except KeyboardInterrupt:
            interrupted = True
        spent = time.process_time() - cpu
        timings = timing_report({}, (time.perf_counter() - wall, spent, spent), self._clock.now, self._events)
        return RunResult(not interrupted, interrupted, self._clock.now, (), {}, {}, timings, NO_PROOFS)

    def _start_traffic(self) -> None:
        self.emit(TrafficStarted(self._clock.now))
        self._traffic.start()
