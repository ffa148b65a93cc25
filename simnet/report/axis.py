"""The time axis that all charts of a report share, and how events become series on it.

A series has one value for each bin `[i * step_ms, (i + 1) * step_ms)` of virtual time since the start of the simulation.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS_MAX = 400
"""More than a screen shows beside each other."""
STEPS = (1, 2, 5)
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """Bins of equal length from 0 on."""

    step_ms: int
    bins: int

    def bin_of(self, at_ms: Any) -> Ints:
        """In which bin points of time lie; those beyond the end count for the last one."""
        return np.clip(np.asarray(at_ms, dtype=np.float64) // self.step_ms, 0, self.bins - 1).astype(np.int64)

    @property
    def ends_ms(self) -> Floats:
        """Where each bin ends."""
        return np.arange(1, self.bins + 1, dtype=np.float64) * self.step_ms


def axis_for(end_ms: float, bins_max: int = BINS_MAX) -> Axis:
    """The finest axis up to an end whose steps are 1, 2 or 5 times a power of ten milliseconds."""
    factor = 1
    while True:
        for step in STEPS:
            bins = int(end_ms // (step * factor)) + 1
            if bins <= bins_max:
                return Axis(step * factor, bins)
        factor *= 10


@dataclass(frozen=True)
class Series:
    """One line with its band. A value is NaN where there is none."""

    name: str
    mid: Floats
    low: Floats
    high: Floats


def line(name: str, values: Floats) -> Series:
    """A series without a band."""
    return Series(name, values, values, values)


def sums(axis: Axis, at_ms: Any, weights: Any = None) -> Floats:
    """What all events of each bin sum up to; their number without weights."""
    given = None if weights is None else np.asarray(weights, dtype=np.float64)
    return np.bincount(axis.bin_of(at_ms), given, minlength=axis.bins).astype(np.float64)


@dataclass(frozen=True)
class Levels:
    """A level for each key (a node, a backend) over time: `end`, what it is when a bin ends; `peak`, the most within it."""

    end: Floats
    peak: Floats

    def band(self, name: str) -> Series:
        """Median over the keys when a bin ends, lowest, and highest within it."""
        return Series(name, np.median(self.end, axis=0), self.end.min(axis=0), self.peak.max(axis=0))


def levels(axis: Axis, keys: int, at_ms: Any, key: Any, change: Any) -> Levels:
    """Levels that begin with 0 and change by so much at each event; events come in the order of their times."""
    which, where = np.asarray(key, dtype=np.int64), axis.bin_of(at_ms)
    moved = np.asarray(change, dtype=np.float64)
    steps = np.zeros((keys, axis.bins))
    np.add.at(steps, (which, where), moved)
    end = steps.cumsum(axis=1)
    peak = np.concatenate([np.zeros((keys, 1)), end[:, :-1]], axis=1)
    np.maximum.at(peak, (which, where), _running(which, moved))
    return Levels(end, np.maximum(peak, end))


def highest(axis: Axis, keys: int, at_ms: Any, key: Any, value: Any) -> Levels:
    """Levels that begin with 0 and only rise, to the value of each event."""
    found = np.zeros((keys, axis.bins))
    np.maximum.at(found, (np.asarray(key, dtype=np.int64), axis.bin_of(at_ms)), np.asarray(value, dtype=np.float64))
    end = np.maximum.accumulate(found, axis=1)
    return Levels(end, end)


def _running(key: Ints, change: Floats) -> Floats:
    """The level of its key after each event."""
    order = np.argsort(key, kind="stable")
    total = change[order].cumsum()
    first = np.searchsorted(key[order], key[order], side="left")
    before = np.concatenate([[0.0], total])[first]
    running = np.empty_like(total)
    running[order] = total - before
    return running


def whole(values: Iterable[float], digits: int = 0) -> list[float | int | None]:
    """Numbers as JSON has them at their shortest; None for NaN."""
    rounded = [None if math.isnan(value) else round(float(value), digits) for value in values]
    return [int(value) if value is not None and value == int(value) else value for value in rounded]
