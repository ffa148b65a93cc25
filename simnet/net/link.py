"""One hop of a message: delay, jitter and loss (specification, sections 1.5, 1.6 and 9).

Delay and loss apply to every copy of every message by itself. In milliseconds:

    d0 = delay + extra delay of the receiving node's class
    d1 = max(0, d0 + uniform integer in [-link jitter, +link jitter])
    d2 = max(0, d1 + uniform integer in [-class jitter, +class jitter])

The flood of a message draws by (message, directed edge): what a copy takes depends neither on when it is sent nor on
what else travels, so a flood can be computed before it happens. Repaired copies and point-to-point messages, of which
a hop may carry any number, have streams of their own for each directed edge. One consumer never shifts another.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from copy import copy

import numpy as np
import numpy.typing as npt

from simnet.base.rng import generator
from simnet.base.units import NS_PER_MS
from simnet.scenario.model import Scenario
from simnet.scenario.upstream import ClassLatency

LOST = -1
"""Drawn in place of a delay."""
BLOCK_DRAWS = 65_536
"""Draws of a stream that are made at once, for as many messages as that gives."""
HOP_DRAWS = 64
"""Draws that are made at once for one hop."""
Uniform = Callable[[str], npt.NDArray[np.float64]]
"""Draws in [0, 1) from the stream of a name, one a copy."""


class LinkLaws:
    """Delay, jitters and loss of directed edges, in their order."""

    def __init__(self, scenario: Scenario, regions: Sequence[str], classes: Sequence[str], hops: Sequence[tuple[int, int]]):
        kinds: dict[tuple[str, str, str], tuple[int, int, int, float]] = {}
        rows = []
        for source, target in hops:
            low, high = min(source, target), max(source, target)
            kind = (regions[low], regions[high], classes[target])
            if kind not in kinds:
                kinds[kind] = _law(scenario, *kind)
            rows.append(kinds[kind])
        columns = list(zip(*rows, strict=True)) or [()] * 4
        self.base_ms, self.jitter_ms, self.class_jitter_ms = (np.array(column, dtype=np.int64) for column in columns[:3])
        self.loss = np.array(columns[3], dtype=np.float64)

    def only(self, edge: int) -> "LinkLaws":
        """The law of one edge."""
        one = copy(self)
        here = slice(edge, edge + 1)
        one.base_ms, one.jitter_ms, one.class_jitter_ms = self.base_ms[here], self.jitter_ms[here], self.class_jitter_ms[here]
        one.loss = self.loss[here]
        return one

    def delays(self, uniform: Uniform) -> npt.NDArray[np.int64]:
        """Nanoseconds that copies take, or `LOST`. The draws' last axis is that of the edges."""
        delays = self.base_ms
        for name, jitter in (("link_jitter", self.jitter_ms), ("class_jitter", self.class_jitter_ms)):
            if jitter.any():
                # One draw a copy, whatever the jitter is, keeps every copy's draw at its own place in the stream.
                delays = (delays + (uniform(name) * (2 * jitter + 1)).astype(np.int64) - jitter).clip(min=0)
        delays = delays * NS_PER_MS
        if self.loss.any():
            delays = np.where(uniform("loss") < self.loss, LOST, delays)
        return delays


class FloodDelays:
    """The delays of every message's flood, by the index of the directed edge."""

    def __init__(self, laws: LinkLaws, seeds: "Seeds") -> None:
        self._laws, self._seeds = laws, seeds
        self._edges = len(laws.base_ms)
        self._rows = max(1, BLOCK_DRAWS // max(1, self._edges))
        self._block_number = -1
        self._block: npt.NDArray[np.int64] = np.empty((0, 0), dtype=np.int64)

    def of(self, message: int) -> "array[int]":
        """Nanoseconds that the message takes over each edge, or `LOST`."""
        delays: array[int] = array("q")
        delays.frombytes(self.row(message).tobytes())
        return delays

    def row(self, message: int) -> npt.NDArray[np.int64]:
        """The same as numpy's array, not to be changed."""
        number, row = divmod(message, self._rows)
        if number != self._block_number:
            shape = (self._rows, self._edges)
            drawn = self._laws.delays(lambda name: generator(self._seeds[name], f"flood_{name}", number).random(shape))
            self._block, self._block_number = np.broadcast_to(drawn, shape), number
        found: npt.NDArray[np.int64] = self._block[row]
        return found


class HopDelays:
    """The delays of what one directed edge carries beside floods, in order."""

    __slots__ = ("_drawn", "_edge", "_hop", "_laws", "_seeds", "_streams")

    def __init__(self, laws: LinkLaws, edge: int, hop: tuple[int, int], seeds: "Seeds") -> None:
        self._laws, self._edge, self._hop, self._seeds = laws, edge, hop, seeds
        self._streams: dict[str, np.random.Generator] = {}
        self._drawn: list[int] = []

    def draw(self) -> int:
        """Nanoseconds that the next copy takes, or `LOST`."""
        if not self._drawn:
            drawn = np.broadcast_to(self._laws.only(self._edge).delays(self._uniform), (HOP_DRAWS, 1))
            self._drawn = drawn[::-1, 0].tolist()  # taken from the end
        return self._drawn.pop()

    def _uniform(self, name: str) -> npt.NDArray[np.float64]:
        if name not in self._streams:
            self._streams[name] = generator(self._seeds[name], name, *self._hop)
        return self._streams[name].random((HOP_DRAWS, 1))


Seeds = Mapping[str, int]
"""The seed of each kind of draw."""


def seeds_of(scenario: Scenario, seed: int) -> Seeds:
    """The run's seed; for jitter the latency profile's own where it has one."""
    profile = scenario.latency_profile
    jitter = seed if profile is None or profile.seed is None else profile.seed
    return {"link_jitter": jitter, "class_jitter": jitter, "loss": seed}


def _law(scenario: Scenario, low: str, high: str, peer_class: str) -> tuple[int, int, int, float]:
    """Delay, link jitter, class jitter (ms) and loss between the regions of an edge's two ends, towards a class."""
    link, extra = scenario.link(low, high), _class_latency(scenario, peer_class)
    return link.delay_ms + extra.extra_delay_ms, link.jitter_ms, extra.jitter_ms, link.loss


def _class_latency(scenario: Scenario, peer_class: str) -> ClassLatency:
    profile = scenario.latency_profile
    chosen = None if profile is None else profile.trusted if peer_class == "trusted" else profile.untrusted
    return chosen or ClassLatency()
