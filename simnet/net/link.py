"""One hop of a message: delay, jitter and loss (specification, sections 1.5, 1.6 and 9).

Delay and loss apply to every copy of every message by itself. In milliseconds:

    d0 = delay + extra delay of the receiving node's class
    d1 = max(0, d0 + uniform integer in [-link jitter, +link jitter])
    d2 = max(0, d1 + uniform integer in [-class jitter, +class jitter])

Every directed edge has its own streams for the two jitters and for loss, so that traffic on one hop never
shifts the draws of another. They are drawn in blocks: a numpy call for each copy would cost more than the rest.
"""

from collections.abc import Sequence

import numpy as np

from simnet.rng import generator
from simnet.scenario.model import Scenario
from simnet.scenario.upstream import ClassLatency
from simnet.units import NS_PER_MS

LOST = -1
"""Drawn in place of a delay."""
BLOCK_DRAWS = 256


class HopDelays:
    """The delays of one directed edge, in order."""

    __slots__ = (
        "_base_ms",
        "_class_draws",
        "_class_jitter_ms",
        "_drawn",
        "_jitter_ms",
        "_link_draws",
        "_loss",
        "_losses",
    )

    def __init__(self, scenario: Scenario, seed: int, regions: Sequence[str], classes: Sequence[str], hop: tuple[int, int]):
        low, high = sorted(hop)
        link = scenario.link(regions[low], regions[high])
        extra = _class_latency(scenario, classes[hop[1]])
        jitter_seed = _jitter_seed(scenario, seed)
        self._base_ms = link.delay_ms + extra.extra_delay_ms
        self._jitter_ms, self._class_jitter_ms, self._loss = link.jitter_ms, extra.jitter_ms, link.loss
        self._link_draws = generator(jitter_seed, "link_jitter", *hop)
        self._class_draws = generator(jitter_seed, "class_jitter", *hop)
        self._losses = generator(seed, "loss", *hop)
        self._drawn: list[int] = []

    def draw(self) -> int:
        """Nanoseconds that the next copy takes, or `LOST`."""
        if not self._drawn:
            self._refill()
        return self._drawn.pop()

    def _refill(self) -> None:
        delays = np.full(BLOCK_DRAWS, self._base_ms)
        for jitter, draws in ((self._jitter_ms, self._link_draws), (self._class_jitter_ms, self._class_draws)):
            if jitter:
                delays = (delays + draws.integers(-jitter, jitter, BLOCK_DRAWS, endpoint=True)).clip(min=0)
        block: list[int] = (delays * NS_PER_MS).tolist()
        if self._loss:
            lost = (self._losses.random(BLOCK_DRAWS) < self._loss).tolist()
            block = [LOST if gone else delay for delay, gone in zip(block, lost, strict=True)]
        block.reverse()  # `draw` takes from the end
        self._drawn = block


def _class_latency(scenario: Scenario, peer_class: str) -> ClassLatency:
    profile = scenario.latency_profile
    chosen = None if profile is None else profile.trusted if peer_class == "trusted" else profile.untrusted
    return chosen or ClassLatency()


def _jitter_seed(scenario: Scenario, seed: int) -> int:
    """The latency profile's own seed where it has one: then only jitter follows it."""
    profile = scenario.latency_profile
    return seed if profile is None or profile.seed is None else profile.seed
