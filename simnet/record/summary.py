"""The summary of a run: upstream's fields at the top level in upstream's order, then ours.

`docs/summary.md` describes every field. All times are virtual but those of `resource_usage`, which is
therefore left out of the determinism hash (`summary_sha256`).
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simnet.base.version import VERSION
from simnet.events import Handlers, LimitReached, Observer, RunEnded, TrafficStarted
from simnet.events.bus import Bus
from simnet.events.run_info import RunInfo
from simnet.proofs.backend import RANDOMNESS
from simnet.record.aggregation import AggregationCollector
from simnet.record.byzantine import ByzantineCollector
from simnet.record.clocks import ClocksCollector
from simnet.record.faults import FaultsCollector
from simnet.record.finality import FinalityCollector
from simnet.record.mempool import MempoolCollector
from simnet.record.messages import MessageBook
from simnet.record.opponents import OpponentsCollector
from simnet.record.peers import PeersCollector
from simnet.record.proofs import ProofsCollector, reported_backends
from simnet.record.resources import ProcessClock
from simnet.record.services import ServicesCollector
from simnet.record.slashing import SlashingCollector
from simnet.record.stats import ms
from simnet.record.traffic import TrafficCollector
from simnet.record.wire import WireCollector

if TYPE_CHECKING:
    from simnet.events.run_result import RunResult

SCHEMA_VERSION = 3
UNHASHED = ("resource_usage", "comparison")
"""Fields of real time and of other processes, left out of the determinism hash."""

Summary = dict[str, object]


@dataclass(frozen=True)
class Labels:
    """What the summary says about a run that no event carries."""

    scenario_sha256: str
    cost_model: str
    backend: str = "inprocess"
    """`SIM_BACKEND_LABEL`, else the scenario's `sim.mode`, else `inprocess`."""


class Run:
    """The ends of the run and the limits it hit."""

    def __init__(self) -> None:
        self.traffic_started: int | None = None
        self.ended: int | None = None
        self.limits: Counter[str] = Counter()

    @property
    def handlers(self) -> Handlers:
        return {TrafficStarted: self._started, RunEnded: self._ended, LimitReached: self._limit}

    def _started(self, event: TrafficStarted) -> None:
        self.traffic_started = event.at

    def _ended(self, event: RunEnded) -> None:
        self.ended = event.at

    def _limit(self, event: LimitReached) -> None:
        self.limits[event.what] += 1


class SummaryRecorder:
    """Observers that end in a summary. Attach its `collectors` before the run; ask `summary` after it."""

    def __init__(self, info: RunInfo, labels: Labels) -> None:
        self._info = info
        self._labels = labels
        self._backends = reported_backends(info)
        self._clock = ProcessClock()
        self._book = MessageBook()
        self._run = Run()
        self._traffic = TrafficCollector(info, self._book)
        self._wire = WireCollector(info, self._book)
        self._faults = FaultsCollector(info, self._wire, self._book)
        self._proofs = ProofsCollector()
        self._finality = FinalityCollector(info)
        self._aggregation = AggregationCollector(info)
        self._mempool = MempoolCollector(info)
        self._byzantine = ByzantineCollector(self._book)
        self._slashing = SlashingCollector()
        self._opponents = OpponentsCollector()
        self._peers = PeersCollector(info)
        self._services = ServicesCollector()
        self._clocks = ClocksCollector()
        # The book first: the others read it. The wire before the faults: a window's losses are its differences.
        self.collectors: tuple[Observer, ...] = (
            self._book,
            self._run,
            self._traffic,
            self._wire,
            self._faults,
            self._proofs,
            self._finality,
            self._aggregation,
            self._mempool,
            self._byzantine,
            self._slashing,
            self._opponents,
            self._peers,
            self._services,
            self._clocks,
        )

    @property
    def traffic_started(self) -> bool:
        """False when the run ended before any traffic was due."""
        return self._run.traffic_started is not None

    def summary(self, result: "RunResult | None", bus: Bus) -> Summary:
        """The summary of what they heard on the bus; `result` is None when the run broke off without one."""
        end = self._run.ended if self._run.ended is not None else bus.last_at
        return {
            **self._upstream(),
            "aggregation": self._aggregation.block(self._backends, end),
            "byzantine": self._byzantine.block(),
            "checks": _checks(result),
            "finality": self._finality.block(self._backends, end),
            "mempool": self._mempool.block(),
            "proofs": self._proofs.block(self._backends),
            "simnet": self._simnet(result, end, bus.events),
            **({"slashing": self._slashing.block()} if self._info.slashing else {}),
        }

    def _upstream(self) -> Summary:
        """The fields of upstream's summary, in its order; those that are None there are left out, save propagation."""
        counts = self._traffic.counts()
        fields: Summary = {
            **counts,
            "replay_guard": self._traffic.replay_guard(),
            "propagation": self._traffic.propagation(),
            "propagation_by_peer_class": self._traffic.propagation_by_peer_class(),
            "propagation_probes": self._traffic.propagation_probes(self._labels.backend),
            "mesh_changes": self._faults.mesh_changes(),
            "faults": self._faults.faults(),
            "recovery": self._faults.recovery(counts["chunk_retries"]),
            "bandwidth": self._wire.bandwidth(),
            "gossip_backpressure": self._wire.gossip_backpressure(),
            "peer_traffic": self._wire.peer_traffic(),
            "slow_peer_records": self._wire.slow_peer_records(),
            "resource_usage": self._clock.usage(),
            "backend": self._labels.backend,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _node_faults(self) -> Summary:
        """What faults of nodes themselves did; absent in runs without any."""
        found = {**self._slashing.conduct(), **self._opponents.conduct(), **self._services.conduct(), **self._clocks.conduct()}
        return {"node_faults": found} if found else {}

    def _simnet(self, result: "RunResult | None", end: int, events: int) -> Summary:
        info = self._info
        started = self._run.traffic_started
        return {
            "schema_version": SCHEMA_VERSION,
            "versions": {"simnet": VERSION},
            "scenario": info.scenario,
            "scenario_sha256": self._labels.scenario_sha256,
            "seed": info.seed,
            "cost_model": self._labels.cost_model,
            "reproducible": info.reproducible,
            "prover_randomness": RANDOMNESS,
            "security": {"profile": info.security, "bits": _security_bits(info)},
            "complete": result is not None and result.complete,
            "network_only": not any(info.backends),
            "nodes": info.nodes,
            "links": len(info.edges),
            "duration_ms": ms(info.duration),
            "traffic_started_ms": None if started is None else ms(started),
            "end_ms": ms(end),
            "events": events,
            "limits_hit": dict(sorted(self._run.limits.items())),
            "network": {**self._traffic.detail(), "wire": self._wire.detail()},
            "faults": self._faults.counts(),
            "fault_effects": self._faults.effects(self._finality, end),
            **self._node_faults(),
            **({"expectation": dict(result.expectation)} if result is not None and result.expectation is not None else {}),
            **({"peers": self._peers.block(end)} if any(info.backends) else {}),
            "violations": _violations(result),
        }


def _checks(result: "RunResult | None") -> Summary:
    """Each check's verdict with the counts behind it."""
    if result is None:
        return {}
    return {name: dict(sorted(result.checks[name].items())) for name in sorted(result.checks)}


def _security_bits(info: RunInfo) -> Summary:
    """Soundness of each backend's circuits, to a tenth of a bit."""
    bits = info.security_bits.items()
    return {
        backend: {name: {"conjectured": round(c, 1), "proven": round(p, 1)} for name, (c, p) in circuits.items()}
        for backend, circuits in bits
    }


def _violations(result: "RunResult | None") -> list[Summary]:
    if result is None:
        return []
    return [{"invariant": v.invariant, "at_ms": ms(v.at), "nodes": list(v.nodes), "detail": v.detail} for v in result.violations]


def to_json(summary: object) -> str:
    """JSON as upstream writes it: two spaces, keys in the order given, no newline at the end."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)


def determinism_sha256(summary: Summary) -> str:
    """SHA-256 of the summary's JSON without the fields of real time: equal for equal scenario, seed and costs."""
    kept = {name: value for name, value in summary.items() if name not in UNHASHED}
    return hashlib.sha256(to_json(kept).encode()).hexdigest()
