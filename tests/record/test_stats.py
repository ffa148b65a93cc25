"""The percentile rule of every output."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.record.stats import p50_p95_ms, percentile, quantiles, ratio


def test_interpolates_between_neighbours() -> None:
    assert percentile([10.0, 20.0, 30.0, 40.0], 0.5) == 25.0
    assert percentile([10.0, 20.0], 0.95) == pytest.approx(19.5)
    assert percentile([7.0], 0.95) == 7.0


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1), st.floats(0, 1))
def test_agrees_with_numpy(samples: list[int], q: float) -> None:
    assert percentile(sorted(samples), q) == pytest.approx(float(np.quantile(samples, q)), rel=1e-9, abs=1e-6)


def test_refuses_a_quantile_outside_the_range() -> None:
    with pytest.raises(ValueError, match="outside"):
        percentile([1.0], 1.5)


def test_no_samples_is_null_not_zero() -> None:
    assert quantiles([]) == {**dict.fromkeys(("min", "p50", "p90", "p95", "p99", "max", "mean")), "count": 0}
    assert p50_p95_ms([]) == {"p50_ms": None, "p95_ms": None}
    assert ratio(1, 0) is None


def test_block_in_order_and_rounded() -> None:
    block = quantiles([3, 1, 2])
    assert list(block) == ["min", "p50", "p90", "p95", "p99", "max", "mean", "count"]
    assert block["min"] == 1 and block["p50"] == 2 and block["max"] == 3 and block["count"] == 3
    assert quantiles([1, 1, 2])["mean"] == 1.333333
