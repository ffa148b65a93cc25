"""The one percentile rule of every output."""

from collections.abc import Sequence

QUANTILES = (("p50", 0.50), ("p90", 0.90), ("p95", 0.95), ("p99", 0.99))


def percentile(ordered: Sequence[float], q: float) -> float:
    """The `q` quantile (0..1) of an ascending, non-empty sequence: linear between the neighbours of q*(N-1).

    Raises `ValueError` for another `q`.
    """
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"quantile {q} is outside 0..1")
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)
