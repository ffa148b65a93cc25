"""When something is published, by whom and with what payload (specification, sections 1.7 and 3.5).

Three separate random streams: arrivals (one a phase), publishers, payloads. Changing one consumer never
shifts another.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from simnet.base.rng import generator
from simnet.base.units import NS_PER_S, NodeId, SimTime, from_ms, from_s
from simnet.scenario.model import Scenario
from simnet.scenario.upstream import BurstyPhase, Payload, PoissonPhase, PublisherBias, UniformBias

PROBE_INTERVAL = from_s(30)
BLOCK_DRAWS = 256
NEVER = 2.0**62
"""Nanoseconds beyond the end of any run; the smallest rates would ask for more than a float holds."""
U_MIN = math.ulp(0.0)
U_MAX = 1.0 - 2.0**-53


@dataclass(frozen=True, slots=True)
class Arrival:
    """One publication that falls due."""

    at: SimTime
    """Since traffic zero."""
    number: int
    """0-based, over all phases."""


class Arrivals:
    """The due times of a run's publications. Iterating again gives the same ones."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._phases = scenario.traffic.tx.phases
        self._end = from_ms(scenario.sim.duration_ms)
        self._seed = seed

    def __iter__(self) -> Iterator[Arrival]:
        number, start = 0, 0
        for index, phase in enumerate(self._phases):
            for offset in _phase_arrivals(phase, generator(self._seed, "arrivals", index)):
                if start + offset > self._end:
                    return
                yield Arrival(SimTime(start + offset), number)
                number += 1
            start += from_ms(phase.duration_ms)


def _phase_arrivals(phase: PoissonPhase | BurstyPhase, draws: np.random.Generator) -> Iterator[int]:
    """Times since the phase's start. A step that is longer than the rest of the phase publishes nothing."""
    length = from_ms(phase.duration_ms)
    steps = _poisson(phase, draws) if isinstance(phase, PoissonPhase) else _on_off(phase, draws)
    now = 0
    for step, publishes in steps:
        now += step
        if now > length:
            return
        if publishes:
            yield now


def _poisson(phase: PoissonPhase, draws: np.random.Generator) -> Iterator[tuple[int, bool]]:
    for gap in _exponential(phase.lambda_per_sec, draws):
        yield gap, True


def _on_off(phase: BurstyPhase, draws: np.random.Generator) -> Iterator[tuple[int, bool]]:
    """ON: a sample within the rest of the spell publishes; a longer one is discarded and ends the spell."""
    spell, silence = from_ms(phase.on_duration_ms), from_ms(phase.off_duration_ms)
    left = int(spell)
    for gap in _exponential(phase.on_lambda_per_sec, draws):
        if gap <= left:
            left -= gap
            yield gap, True
        else:
            yield left, False
            yield silence, False
            left = spell


def _exponential(per_second: float, draws: np.random.Generator) -> Iterator[int]:
    """Gaps of -ln(u) / lambda in whole nanoseconds, at least 1 and at most `NEVER`, without end."""
    while True:
        for u in draws.random(BLOCK_DRAWS).tolist():
            yield max(1, round(min(-math.log(min(max(u, U_MIN), U_MAX)) / per_second * NS_PER_S, NEVER)))


class PublisherChoice:
    """Who publishes: a rank among the active nodes, taken in ascending order of their index.

    `draw` and `pick` are apart so that the draw can be made when a publication is planned and applied to the
    nodes that are active when it falls due.
    """

    def __init__(self, bias: PublisherBias, seed: int) -> None:
        self._exponent = 0.0 if isinstance(bias, UniformBias) else bias.s
        self._draws = generator(seed, "publishers")
        self._cumulative: dict[int, list[float]] = {}

    def draw(self) -> float:
        """Uniform in [0, 1), one a publication."""
        return float(self._draws.random())

    def pick(self, u: float, active: Sequence[NodeId]) -> NodeId:
        """The publisher for a draw. Raises `ValueError` when no node is active."""
        if not active:
            raise ValueError("no active node")
        cumulative = self._weights(len(active))
        rank = bisect_right(cumulative, u * cumulative[-1])
        return active[min(rank, len(active) - 1)]

    def _weights(self, nodes: int) -> list[float]:
        """Running sums of k^-s for k = 1..nodes; all weights are 1 for a uniform choice."""
        if nodes not in self._cumulative:
            self._cumulative[nodes] = list(accumulate(k**-self._exponent for k in range(1, nodes + 1)))
        return self._cumulative[nodes]


class Payloads:
    """Payload bytes: a JSON head, then random bytes up to a uniform length, never shorter than the head."""

    def __init__(self, payload: Payload, seed: int) -> None:
        self._min, self._max = payload.min_bytes, payload.longest_bytes
        self._draws = generator(seed, "payloads")

    def message(self, number: int) -> bytes:
        """Payload of publication `number`."""
        return self._padded({"message": number})

    def probe(self, kind: str, sequence: int) -> bytes:
        """Payload of a probe: `kind` is block or transaction, `sequence` counts from 1."""
        return self._padded({"probe": kind, "sequence": sequence})

    def _padded(self, head: dict[str, object]) -> bytes:
        text = json.dumps(head, separators=(",", ":")).encode()
        length = self._min
        if self._max > self._min:
            length = int(self._draws.integers(self._min, self._max, endpoint=True))
        return text + self._draws.bytes(max(0, length - len(text)))


def probe_ticks(scenario: Scenario) -> tuple[SimTime, ...]:
    """Times since traffic zero at which probes go out: every 30 s from 0, none at or after the end of the phases.

    Upstream ties them to the next traffic step; virtual time has no need to.
    """
    phases = sum(from_ms(phase.duration_ms) for phase in scenario.traffic.tx.phases)
    end = min(phases, from_ms(scenario.sim.duration_ms))
    return tuple(SimTime(tick) for tick in range(0, end, PROBE_INTERVAL))
