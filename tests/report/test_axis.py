"""Events on the axis of time, by hand."""

import math

import numpy as np
import pytest

from simnet.report.axis import Axis, Series, axis_for, highest, levels, line, sums, whole
from simnet.report.groups import groups
from simnet.report.merging import by_name, merged
from simnet.report.timeline import WHOLE


@pytest.mark.parametrize(
    ("end_ms", "step_ms", "bins"), [(0, 1, 1), (399, 1, 400), (400, 2, 201), (73_500, 200, 368), (3_600_000, 10_000, 361)]
)
def test_an_axis_has_at_most_four_hundred_round_steps(end_ms: float, step_ms: int, bins: int) -> None:
    assert axis_for(end_ms) == Axis(step_ms, bins)


def test_a_level_is_what_came_less_what_went_and_its_peak_is_within_the_bin() -> None:
    found = levels(Axis(10, 4), 2, [1, 2, 3, 11, 25], [0, 0, 0, 1, 0], [1, 1, -1, 1, -1])
    assert found.end.tolist() == [[1, 1, 0, 0], [0, 1, 1, 1]]
    assert found.peak.tolist() == [[2, 1, 1, 0], [0, 1, 1, 1]]
    band = found.band("x")
    assert (band.low.tolist(), band.high.tolist(), band.mid.tolist()) == ([0, 1, 0, 0], [2, 1, 1, 1], [0.5, 1, 0.5, 0.5])


def test_a_height_only_rises() -> None:
    assert highest(Axis(10, 3), 2, [1, 12, 15], [0, 0, 0], [1, 3, 2]).end.tolist() == [[1, 3, 3], [0, 0, 0]]


def test_what_lies_beyond_the_end_counts_for_the_last_bin() -> None:
    assert sums(Axis(10, 2), [0, 9, 10, 99], [1, 2, 3, 4]).tolist() == [3, 7] and sums(Axis(10, 2), []).tolist() == [0, 0]


def test_several_runs_are_their_median_and_a_band_over_all() -> None:
    runs = [Series("a", np.array([mid, math.nan]), np.array([mid - 1, math.nan]), np.array([mid + 1, math.nan])) for mid in (1.0, 2.0, 9.0)]
    found = merged("a", runs)
    assert (found.mid[0], found.low[0], found.high[0]) == (2, 0, 10) and np.isnan(found.mid[1])


def test_the_sum_stands_for_its_parts_beside_another_group() -> None:
    run = [line(WHOLE, np.array([3.0])), line("a", np.array([1.0])), line("b", np.array([2.0]))]
    assert [series.name for series in by_name([run], alone=True)] == ["a", "b"]
    assert [series.name for series in by_name([run, run], alone=False)] == [WHOLE]
    assert [series.name for series in by_name([run[1:]], alone=False)] == ["a", "b"], "where there is no sum"


def test_numbers_are_short_and_gaps_are_null() -> None:
    assert whole([1.0, 2.26, math.nan], 1) == [1, 2.3, None] and isinstance(whole([1.0])[0], int)
    assert groups([], []) == []
