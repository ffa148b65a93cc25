"""Series of several runs as one: the median of their lines, and a band from the lowest to the highest of all."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simnet.report.axis import Floats, Series, whole
from simnet.report.timeline import WHOLE


def merged(name: str, found: Sequence[Series]) -> Series:
    """One series of at least one; a value is NaN where no run has one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's word for a bin in which no run has a value
        return Series(
            name,
            np.nanmedian([series.mid for series in found], axis=0),
            np.nanmin([series.low for series in found], axis=0),
            np.nanmax([series.high for series in found], axis=0),
        )


def by_name(runs: Sequence[Sequence[Series]], *, alone: bool) -> list[Series]:
    """The series of one group's runs, merged by their names. `alone`: no other group is shown; else the sum stands for its parts."""
    found: dict[str, list[Series]] = {}
    for of_run in runs:
        for series in of_run:
            found.setdefault(series.name, []).append(series)
    parts = [name for name in found if name != WHOLE]
    kept = parts if alone or WHOLE not in found else [WHOLE]
    return [merged(name, found[name]) for name in kept]


def as_json(group: int, series: Series, digits: int, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A series as the page reads it; the band is left out where there is none."""
    value: dict[str, Any] = {"group": group, "name": series.name, "mid": whole(series.mid, digits), **(more or {})}
    if _differs(series.low, series.mid) or _differs(series.high, series.mid):
        value |= {"low": whole(series.low, digits), "high": whole(series.high, digits)}
    return value


def _differs(one: Floats, other: Floats) -> bool:
    return not np.array_equal(one, other, equal_nan=True)
