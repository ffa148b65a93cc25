"""Whole runs without provers: tagged hashes in place of proofs, and a bench to watch and disturb a run.

Everything else is real: signatures, one-time keys, VRFs, the network, consensus. Only a scenario marked
`test_only` may use this backend.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import SimTime, from_ms
from simnet.events import BlockCommitted, Event, Handlers
from simnet.events.run_result import RunResult
from simnet.net.network import Validation
from simnet.node.letters import Letter, Origin
from simnet.node.node import Node
from simnet.proofs import native
from simnet.proofs.backend import ACCEPTED, Circuit, Verification
from simnet.record.summary import Labels, SummaryRecorder
from simnet.runs.chain import RunOptions, build
from simnet.scenario.model import Scenario

E = TypeVar("E", bound=Event)
L = TypeVar("L", bound=Letter)
SETTLE_MS = 500
"""Traffic zero, in run time."""
FILLER_BYTES = 256
RECORD_BYTES, VOTES_BYTES, DIGEST_BYTES, TRANSFER_BYTES = 105, 161, 32, 194


class MockBackend:
    """Proofs are hashes of what they claim: unforgeable enough for a test, and made in microseconds."""

    def __init__(self, backend: BackendId) -> None:
        self.id = backend

    def load(self, circuit: Circuit) -> None:
        """There are no keys."""

    def security_bits(self, circuit: Circuit) -> tuple[float, float]:
        return 0.0, 0.0

    def vk_id(self, circuit: Circuit) -> bytes:
        return hashlib.blake2s(b"MOCK-KEY" + struct.pack("<BB", self.id, circuit.id)).digest()

    def aggregate(self, circuit: Circuit, statement: bytes) -> bytes:
        return b"".join(hashlib.blake2s(bytes([i]) + statement).digest() for i in range(4))

    def public_inputs(self, circuit: Circuit, statement: bytes) -> bytes:
        return hashlib.blake2s(statement).digest()

    def prove(self, circuit: Circuit, witness: bytes, seed: bytes, threads: int) -> bytes:
        public = self.public_inputs(circuit, _statement(circuit, witness))
        header = bytes(native.PUBLIC_DIGEST.start) + native.public_digest(self.id, circuit, public)
        return header + struct.pack("<I", FILLER_BYTES) + self._tag(circuit, public) * (FILLER_BYTES // 32)

    def verify(self, circuit: Circuit, public_inputs: bytes, envelope: bytes, max_bytes: int) -> Verification:
        if len(envelope) > max_bytes:
            return Verification(False, "MockOversize")
        if envelope[native.PUBLIC_DIGEST] != native.public_digest(self.id, circuit, public_inputs):
            return Verification(False, "MockStatement")
        body = envelope[native.ENVELOPE_HEADER_BYTES :]
        return ACCEPTED if body == self._tag(circuit, public_inputs) * (FILLER_BYTES // 32) else Verification(False, "MockProof")

    def _tag(self, circuit: Circuit, public: bytes) -> bytes:
        return hashlib.blake2s(b"MOCK" + struct.pack("<BB", self.id, circuit.id) + public).digest()


def _statement(circuit: Circuit, witness: bytes) -> bytes:
    """The statement that a witness begins with."""
    match circuit.id:
        case CircuitId.CONSENSUS:
            return witness[: _consensus_length(witness)]
        case CircuitId.IDENTITY:
            return witness[: 7 * DIGEST_BYTES]
        case CircuitId.UPTIME:
            return witness[: DIGEST_BYTES + 16 + DIGEST_BYTES + 16 + 2 * DIGEST_BYTES + 4]
        case CircuitId.STATE:
            at = 2 * DIGEST_BYTES + 8
            at += 2 + 2 * DIGEST_BYTES * int.from_bytes(witness[at : at + 2], "little")
            return witness[: at + 2 + TRANSFER_BYTES * int.from_bytes(witness[at : at + 2], "little")]
    return witness


def _consensus_length(witness: bytes) -> int:
    at = DIGEST_BYTES + 24
    members = int.from_bytes(witness[at : at + 2], "little")
    at += 2 + members * (RECORD_BYTES + VOTES_BYTES)
    for _ in ("witness commitments", "reputation roots"):
        at += 2 + DIGEST_BYTES * int.from_bytes(witness[at : at + 2], "little")
    return at


def mock_backends() -> dict[BackendId, MockBackend]:
    """One for each proof system."""
    return {b: MockBackend(b) for b in BackendId}


def scenario(nodes: int = 5, *, slots: int = 4, slot_ms: int = 1000, rate: float = 2.0, **sections: Any) -> Scenario:
    """A small fully meshed network without losses; `sections` are laid over the tables, key by key."""
    length = slots * slot_ms
    tables: dict[str, Any] = {
        "name": "mock",
        "test_only": True,
        "sim": {"seed": 3, "duration_ms": length},
        "topology": {"type": "erdos_renyi", "n": nodes, "p": 1.0},
        "regions": {"assignments": ["STWO"] * nodes},
        "links": {"default": {"delay_ms": 10, "jitter_ms": 0, "loss": 0.0}},
        "traffic": {"tx": {"phases": [{"model": "poisson", "duration_ms": length, "lambda_per_sec": rate}]}},
        "chain": {"slot_ms": slot_ms, "lanes_per_wallet": 16},
        # Equal stakes: four of five nodes are a quorum, three are not.
        "consensus": {"weight_min": 10, "weight_max": 10},
    }
    for name, section in sections.items():
        known = tables.get(name)
        tables[name] = {**known, **section} if isinstance(known, dict) and isinstance(section, dict) else section
    return Scenario.model_validate(tables)


def misbehaving(*nodes: int) -> dict[str, Any]:
    """One of `faults.nodes`: what these nodes do is up to the test, and the checks promise nothing about them."""
    return {"kind": "withholding", "what": ["blocks"], "nodes": list(nodes), "start_ms": 0, "duration_ms": 1}


class Asked(Origin):
    """Somebody who wants to know what becomes of something."""

    def __init__(self) -> None:
        self.told: list[tuple[Validation, str]] = []


class Bench:
    """One mock run: disturb it with `at`, `isolate` and the nodes themselves, then `run` and look at `events`."""

    def __init__(self, given: Scenario, *, costs: Path | None = None) -> None:
        options = RunOptions() if costs is None else RunOptions(costs=str(costs))
        self.simulation = build(given, given.sim.seed, options, mock_backends())
        self.facts = self.simulation.facts
        self.network = self.simulation.network
        self.clockwork = self.network.clock
        self.workshop = self.simulation.workshop
        self.nodes: list[Node] = self.simulation.nodes
        self.events: list[Event] = []
        self.simulation.bus.attach(self)

    @property
    def handlers(self) -> Handlers:
        return {Event: self.events.append}

    @property
    def now(self) -> SimTime:
        return self.clockwork.now

    def publish(self, node: int, kind: str, payload: object, size: int) -> bool:
        """Publishes in a node's name; False when no neighbour is connected."""
        return self.nodes[node]._ports.publish(kind, payload, size) is not None

    def at(self, ms: float, action: Callable[[], object]) -> None:
        """Does something `ms` after traffic zero."""
        self.clockwork.after(round((SETTLE_MS + ms) * 1_000_000), lambda: (action(), None)[1])

    def isolate(self, node: int, start_ms: float, end_ms: float) -> None:
        """Cuts all links of a node for a while."""
        network = self.network
        edges = [e for e in network.edges if node in e]
        self.at(start_ms, lambda: network.cut(edges, "churn"))
        self.at(end_ms, lambda: network.join(edges, "churn"))

    def hear(self, node: int, kind: type[L], then: Callable[[L], None]) -> None:
        """Listens to what the parts of a node say to each other."""
        letters = self.nodes[node].letters
        routes = letters._routes
        letters._routes = {**routes, kind: (*routes[kind], then)}

    def mute(self, node: int, kind: type[L], which: Callable[[L], bool] = lambda _: True) -> None:
        """The parts of a node do not hear some letters of a kind."""
        letters = self.nodes[node].letters
        hearers = letters._routes[kind]

        def hear(letter: L) -> None:
            for then in hearers if not which(letter) else ():
                then(letter)

        letters._routes = {**letters._routes, kind: (hear,)}

    def ask(self, node: int) -> "Asked":
        """An origin that keeps the answers of a node's parts."""
        letters, asked = self.nodes[node].letters, Asked()
        letters._answers = {**letters._answers, Asked: lambda origin, verdict, reason: origin.told.append((verdict, reason))}
        return asked

    def run(self) -> RunResult:
        return self.simulation.run()

    def of(self, kind: type[E]) -> list[E]:
        return [e for e in self.events if isinstance(e, kind)]

    def leader(self, slot: int) -> int:
        """Who leads a slot of the first epochs, whose registrations stand in the genesis."""
        return self.facts.genesis.electorate.leader(slot)

    def chain(self, node: int) -> list[bytes]:
        """Hashes of a node's committed blocks."""
        return [c.block.hash for c in self.nodes[node].chain.committed]

    def unproven(self) -> list[tuple[int, int]]:
        """(node, height) of committed blocks without a verified proof."""
        return [(n.id, c.block.header.height) for n in self.nodes for c in n.chain.committed if c.proof is None]

    def commits(self, node: int) -> list[BlockCommitted]:
        return [e for e in self.of(BlockCommitted) if e.node == node]


def summarised(bench: Bench) -> dict[str, Any]:
    """Runs a bench to a complete end and returns its summary."""
    recorder = SummaryRecorder(bench.simulation.info, Labels("", "calibrated"))
    bus = bench.simulation.bus
    bus.attach(*recorder.collectors)
    result = bench.run()
    assert result.complete, result.violations
    return recorder.summary(result, bus)


def cost_file(path: Path, circuits: Iterable[Circuit], *, prove_ms: float = 10, verify_ms: float = 1) -> Path:
    """A costs.json with the same costs for every backend."""
    table: dict[str, float] = {}
    for circuit in circuits:
        for backend in BackendId:
            key = f"{backend.label}/{circuit.id.label}/{circuit.size}"
            table |= {f'"{key}/prove"': prove_ms * 1000, f'"{key}/verify"': verify_ms * 1000}
    path.write_text("[costs_us]\n" + "".join(f"{key} = {us}\n" for key, us in table.items()))
    return path


def slot_start_ns(slot: int, slot_ms: int) -> int:
    """When a slot begins, in run time."""
    return from_ms(SETTLE_MS + slot * slot_ms)
