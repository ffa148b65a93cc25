"""Histograms as lines of text."""

import math
from collections.abc import Sequence

BINS, BAR = 10, 36


def histogram(samples: Sequence[float], *, bins: int = BINS, bar: str = "█") -> list[str]:
    """A line for each of the bins between the least and the greatest sample: its lower end, its count, its bar.

    Bins grow by a constant factor where the greatest sample is more than twenty times the least one, else by a constant step; samples
    at or below zero stand in the first.
    """
    if not samples:
        return []
    low, high = min(samples), max(samples)
    if low == high:
        return [f"{low:>10.4g}  {len(samples):>7}  {bar * BAR}"]
    edges = _edges(low, high, bins, min((value for value in samples if value > 0), default=0.0))
    counts = [0] * bins
    for value in samples:
        counts[_bin(edges, value)] += 1
    most = max(counts)
    return [
        f"{edge:>10.4g}  {count:>7}  {bar * max(round(BAR * count / most), int(count > 0))}".rstrip()
        for edge, count in zip(edges, counts, strict=False)
    ]


def _edges(low: float, high: float, bins: int, least: float) -> list[float]:
    """Lower ends of the bins."""
    if least > 0 and high > 20 * least:
        step = (high / least) ** (1 / bins)
        return [min(low, least), *(least * step**n for n in range(1, bins))]
    return [low + (high - low) * n / bins for n in range(bins)]


def _bin(edges: Sequence[float], value: float) -> int:
    """The last bin that begins at or below the value."""
    found = 0
    for number, edge in enumerate(edges):
        if edge <= value or math.isclose(edge, value):
            found = number
    return found
