"""The quantile block of every output, and how its numbers are rounded."""

from collections.abc import Sequence

from simnet.base.quantile import QUANTILES, percentile
from simnet.base.units import to_ms

__all__ = ["DECIMALS", "QUANTILES", "percentile"]
DECIMALS = 6
"""Floats in outputs are rounded to this many decimals: for milliseconds, to the nanosecond."""

Block = dict[str, float | int | None]


def quantiles(samples: Sequence[float]) -> Block:
    """`{min, p50, p90, p95, p99, max, mean, count}`; all but `count` are None without samples."""
    if not samples:
        return {"min": None, **{name: None for name, _ in QUANTILES}, "max": None, "mean": None, "count": 0}
    ordered = sorted(samples)
    block: Block = {"min": rounded(ordered[0])}
    for name, q in QUANTILES:
        block[name] = rounded(percentile(ordered, q))
    block["max"] = rounded(ordered[-1])
    block["mean"] = rounded(sum(ordered) / len(ordered))
    block["count"] = len(ordered)
    return block


def quantiles_ms(spans: Sequence[int]) -> Block:
    """Quantiles in milliseconds of spans of virtual time (nanoseconds)."""
    return quantiles([to_ms(span) for span in spans])


def p50_p95_ms(spans: Sequence[int]) -> dict[str, float | None]:
    """`{p50_ms, p95_ms}` of spans of virtual time; None without samples."""
    if not spans:
        return {"p50_ms": None, "p95_ms": None}
    ordered = sorted(spans)
    return {name: rounded(to_ms(1) * percentile(ordered, q)) for name, q in (("p50_ms", 0.50), ("p95_ms", 0.95))}


def rounded(value: float) -> float:
    """A float as outputs carry it."""
    return round(float(value), DECIMALS)


def ms(span: int) -> float:
    """A point or span of virtual time as outputs carry it, in milliseconds."""
    return rounded(to_ms(span))


def ratio(part: float, whole: float) -> float | None:
    """`part / whole`, or None when there is nothing to divide by."""
    return rounded(part / whole) if whole else None
