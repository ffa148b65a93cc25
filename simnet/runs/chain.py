"""Runs with a chain: nodes with real provers, the slot clock of those whose own clocks are right, and when such a run may end."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import SimnetError
from simnet.base.rng import Draws
from simnet.base.together import together
from simnet.base.units import NodeId, SimTime, from_ms
from simnet.checks import Checks
from simnet.events import Event, RunEnded
from simnet.events.bus import Bus
from simnet.events.run_info import RunInfo
from simnet.net.clockwork import Clockwork
from simnet.net.faults import FaultInjector
from simnet.net.network import Network
from simnet.net.peers import classes_for, peer_id
from simnet.net.topology import edges_of
from simnet.node.clock import Clock
from simnet.node.facts import Circuits, Facts
from simnet.node.genesis import make_circuits, make_genesis, make_rules, used_backends
from simnet.node.keyring import PublicKeys, make_keyrings
from simnet.node.node import Node
from simnet.node.opponents.plan import Plans
from simnet.node.ports import PROBES, NodePorts
from simnet.node.processor import Proving
from simnet.proofs.backend import Backend, Circuit, Security
from simnet.proofs.costs import cost_model
from simnet.proofs.keys import default_folder
from simnet.proofs.native import is_real, native_backends
from simnet.proofs.workshop import Workshop
from simnet.protocol.messages import Phase, TxMessage
from simnet.runs.engine import BrokenInvariant, Findings, Run
from simnet.runs.expectation import Expectation
from simnet.runs.traffic import Again, TrafficGenerator
from simnet.scenario.model import Scenario

GRACE = from_ms(30_000)
"""After traffic and drain, a run goes on at most this long: for consensus proofs that are still being made, and for
transfers that some node lost and has not been given again."""
GRACE_STEP = from_ms(100)
STATUS_STEPS = 10
"""Neighbours compare notes once in so many steps."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run, apart from the scenario."""

    costs: str = "calibrated"
    """calibrated, measured, or a file."""
    static_key_seed: str | None = None
    """Text from which the nodes' Ed25519 keys follow instead of the run's seed (`RPP_SIM_STATIC_KEY_SEED`)."""


class Wallets:
    """Traffic's publishers: nodes, whose wallets prove their transfers ahead."""

    def __init__(self, nodes: Sequence[Node], ahead_ms: int) -> None:
        self._nodes = nodes
        self.ahead: int = from_ms(ahead_ms)

    def prepare(self, node: NodeId, number: int, payload: bytes) -> None:
        """The wallet begins to prove."""
        self._nodes[node].wallet.prepare(number, payload)

    def publish(self, node: NodeId, number: int, payload: bytes, published: Callable[[NodeId, Again], None]) -> None:
        """As soon as the proof is there."""
        spammer = self._nodes[node].spammer

        def out(message: TxMessage) -> None:
            if spammer is not None:
                published(node, lambda kinds: spammer.publish(message, kinds))

        self._nodes[node].wallet.publish(number, payload, out)

    def give_up(self, node: NodeId, number: int) -> None:
        """Frees the lane of a transfer that another node publishes."""
        if self._nodes[node].wallet.is_prepared(number):
            self._nodes[node].wallet.give_up(number)

    def probe(self, node: NodeId, kind: str, payload: bytes) -> None:
        """Publishes an opaque probe."""
        self._nodes[node].publish_probe(kind, payload)


class ChainRun(Run):
    """One run with a chain."""

    def __init__(
        self, network: Network, bus: Bus, facts: Facts, proving: Proving, info: RunInfo, nodes: list[Node], traffic: TrafficGenerator,
        faults: FaultInjector, checks: Checks,
    ) -> None:  # fmt: skip
        scenario = facts.scenario
        super().__init__(network.clock, scenario, bus)
        self.info = info
        self.nodes = nodes
        self.facts = facts
        self.network = network
        self.workshop = proving.workshop
        self._costs = proving.costs
        self._by_true_time = [node for node in nodes if node.slots is None]
        self._traffic = traffic
        self._faults = faults
        self._checks = checks
        expect, slot = scenario.expect, facts.slots.length
        self._expectation = None if expect is None else Expectation(expect, scenario.opponents, info.stakes, slot)
        bus.attach(checks, *(() if self._expectation is None else (self._expectation,)))
        bus.preside(self)

    def judge(self, event: Event) -> None:
        """A safety check is broken: ends the run by raising `BrokenInvariant`, unless evidence of it is awaited."""
        if not isinstance(event, RunEnded) and not self._awaits_more():
            raise BrokenInvariant

    def _awaits_more(self) -> bool:
        """Whether what broke was to break, and the evidence of it is still on its way."""
        return self._expectation is not None and self._expectation.awaits_more(self._checks.violations, self._clock.now)

    def _findings(self) -> Findings:
        workshop, violations = self.workshop, tuple(self._checks.violations)
        return Findings(
            workshop.proofs_sha256(),
            violations,
            self._checks.report(),
            self._costs.used(),
            workshop.walls(),
            None if self._expectation is None else self._expectation.report(violations),
        )

    def _close(self) -> None:
        self.workshop.close()

    def _come_to_rest(self, end: int) -> None:
        steps = 0
        while not (self._all_proven() and self._all_aggregated() and self._coherent()) and self._clock.now < end + self._grace:
            if steps % STATUS_STEPS == 0:
                self._exchange_status()
            self._clock.run(until=self._clock.now + GRACE_STEP)
            steps += 1
        self._checks.at_end(self._live_honest(), SimTime(self._clock.now - end), self._clock.now)

    @property
    def _grace(self) -> int:
        """How long a run may go on at most: long enough for what is promised about its last blocks to fall due."""
        scenario = self._scenario
        return max(GRACE, (scenario.consensus.proven_within_slots + 1) * self.facts.slots.length)

    def _live_honest(self) -> list[NodeId]:
        """Nodes that are up, under no fault of their own and never byzantine."""
        byzantine = self._scenario.faults.byzantine
        lying = {*(byzantine.publishers if byzantine else ()), *self._scenario.opponents}
        return [n.id for n in self.nodes if n.id in self._faults.sound and n.id not in lying]

    def _coherent(self) -> bool:
        """Whether live honest nodes hold the same chain and transfers."""
        return self._checks.coherent(self._live_honest(), self._clock.now)

    def _start(self) -> None:
        self._traffic.start()
        for node in self.nodes:
            if node.slots is not None:
                node.slots.start()
        self._start_slot(0)

    def _start_slot(self, slot: int) -> None:
        """The slot clock: no block is proposed after the traffic has ended, but the last ones are proven."""
        times = self.facts.slots
        length = times.length
        if slot * length >= self.info.duration:
            for node in self.nodes:
                node.on_late_slot(slot)
            self._clock.after(length, lambda: self._start_slot(slot + 1))
            return
        for node in self._by_true_time:
            node.on_slot(slot)
        self._clock.after(times.wait(Phase.PREVOTE), lambda: self._deadline(slot, Phase.PREVOTE))
        self._clock.after(times.wait(Phase.PRECOMMIT), lambda: self._deadline(slot, Phase.PRECOMMIT))
        self._clock.after(length // 2, self._exchange_status)
        self._clock.after(length, lambda: self._start_slot(slot + 1))

    def _deadline(self, slot: int, phase: Phase) -> None:
        for node in self._by_true_time:
            node.voter.on_deadline(slot, phase)

    def _exchange_status(self) -> None:
        for node in self.nodes:
            node.sync.send_status(self.network.connected(node.id))

    @property
    def _waited_for(self) -> list[Node]:
        """Live nodes; an opponent may be cut off for longer than the run."""
        opponents = self._scenario.opponents
        return [n for n in self.nodes if n.id in self._faults.sound and n.id not in opponents]

    def _all_proven(self) -> bool:
        """Whether every live node holds a verified proof of every block it committed."""
        return all(c.proof is not None for n in self._waited_for for c in n.chain.committed)

    def _all_aggregated(self) -> bool:
        """Whether every live node holds all proofs of every block it committed."""
        return not self.facts.rules.proof_fields or all(n.aggregation.height == n.chain.height for n in self._waited_for)


def build(scenario: Scenario, seed: int, options: RunOptions, backends: Mapping[BackendId, Backend] | None = None) -> ChainRun:
    """A run of `scenario`. `backends` replaces the real provers, in scenarios marked `test_only` only.

    Raises SimnetError (bad costs, unusable key cache, mock proofs where they are not allowed, no chain).
    """
    if not scenario.chain.enabled:
        raise SimnetError("chain.enabled is false: simnet.runs.opaque runs the network alone")
    clock, bus = Clockwork(), Bus(scenario.limits.events_max)
    provers = _provers(scenario, backends)
    keyrings = make_keyrings(scenario.topology.n, seed, options.static_key_seed)
    genesis = make_genesis(scenario, seed, keyrings)
    circuits = make_circuits(scenario)
    _load_keys(scenario, provers, circuits)
    costs = cost_model(options.costs)
    run_seed = hashlib.blake2s(b"SIMNET-PROVER-SEED-V1" + str(seed).encode()).digest()
    workshop = Workshop(provers, run_seed, scenario.provers.proof_bytes_max, scenario.limits.proofs_max)
    facts = Facts(scenario, Draws(seed), workshop, genesis, circuits, make_rules(scenario), PublicKeys(keyrings))
    info = _info(facts, seed, provers, reproducible=costs.reproducible)
    network = Network(clock, scenario, seed, info.edges, info.regions, info.classes, bus.emit)
    plans = Plans(facts.draws, scenario.faults.nodes)
    proving = Proving(workshop, costs)
    clocks = [Clock(lambda: clock.now) for _ in keyrings]
    nodes = [Node(facts, NodePorts(NodeId(k.node), network, clocks, bus.emit), proving, k, plans) for k in keyrings]
    for node in nodes:
        network.attach(node.id, node, PROBES)
    faults = FaultInjector(clock, scenario, seed, network, bus.emit, lambda node, fault, begins: nodes[node].under(fault, begins))
    publishers = Wallets(nodes, scenario.chain.prepare_ahead_ms)
    traffic = TrafficGenerator(clock, scenario, seed, publishers, faults.active, info.classes, bus.emit)
    checks = Checks(info, facts, {n.id: n for n in nodes}, bus)
    return ChainRun(network, bus, facts, proving, info, nodes, traffic, faults, checks)


def _provers(scenario: Scenario, given: Mapping[BackendId, Backend] | None) -> Mapping[BackendId, Backend]:
    """The real provers, or those of a test. Raises SimnetError for mock proofs where they are not allowed."""
    provers: Mapping[BackendId, Backend] = given or native_backends(default_folder(), Security[scenario.provers.security.upper()])
    mocks = [b.label for b, prover in provers.items() if not is_real(prover)]
    if mocks and not scenario.test_only:
        raise SimnetError(f"mock proofs are refused ({', '.join(mocks)}): the scenario is not marked test_only")
    return provers


def _info(facts: Facts, seed: int, provers: Mapping[BackendId, Backend], *, reproducible: bool) -> RunInfo:
    """What is known of the run before it begins."""
    scenario, validators = facts.scenario, facts.genesis.validators
    keys = [v.key for v in validators]
    return RunInfo(
        scenario=scenario.name,
        seed=seed,
        duration=from_ms(scenario.sim.duration_ms),
        regions=scenario.region_of_node,
        backends=tuple(tuple(b.label for b in facts.backend_ids(v.index)) for v in validators),
        peer_ids=tuple(map(peer_id, keys)),
        classes=tuple(classes_for(keys)),
        stakes=tuple(v.weight for v in validators),
        edges=tuple(edges_of(scenario.topology, seed)),
        reproducible=reproducible,
        security=scenario.provers.security,
        heartbeat=from_ms(scenario.gossip.heartbeat_ms),
        security_bits=_security_bits(scenario, provers, facts.circuits),
        slashing=scenario.slashing,
    )


def _run_circuits(scenario: Scenario, circuits: Circuits) -> Mapping[BackendId, list[Circuit]]:
    """Every circuit that a backend proves in this run."""
    used = used_backends(scenario)
    blocks = [circuits.of(c) for c in CircuitId if scenario.proves(c.label)]
    return {
        b: ([circuits.transaction, circuits.consensus] if b.label in used else [])
        + (blocks if b.label in scenario.block_proof_backends else [])
        for b in BackendId
    }


def _load_keys(scenario: Scenario, provers: Mapping[BackendId, Backend], circuits: Circuits) -> None:
    """Gets ready the keys of every backend that some node uses."""

    def load(backend: BackendId, needed: Sequence[Circuit]) -> None:
        for circuit in needed:
            provers[backend].load(circuit)

    together(partial(load, backend, needed) for backend, needed in _run_circuits(scenario, circuits).items())


def _security_bits(
    scenario: Scenario, provers: Mapping[BackendId, Backend], circuits: Circuits
) -> Mapping[str, Mapping[str, tuple[float, float]]]:
    """Conjectured and proven bits of the run's proofs, by backend and circuit."""
    each = _run_circuits(scenario, circuits).items()
    return {b.label: {c.id.label: provers[b].security_bits(c) for c in needed} for b, needed in each if needed}
