"""The one percentile rule of every output, and the quantile block built on it."""

from collections.abc import Sequence

from simnet.units import to_ms

QUANTILES = (("p50", 0.50), ("p90", 0.90), ("p95", 0.95), ("p99", 0.99))
DECIMALS = 6
"""Floats in outputs are rounded to this many decimals: for milliseconds, to the nanosecond."""

Block = dict[str, float | int | None]


def percentile(ordered: Sequence[float], q: float) -> float:
    """The `q` quantile (0..1) of an ascending, non-empty sequence: linear between the neighbours of q*(N-1)."""
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"quantile {q} is outside 0..1")
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


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
