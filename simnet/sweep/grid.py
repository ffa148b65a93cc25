"""The points of a sweep: every combination of values, or a sample of ranges.

`topology.rewire_p=0:1:11` is eleven values from 0 to 1, `topology.k=4,6,8` three, `provers.regions.X=["stwo"],["plonky3"]` two lists;
with a sample, `topology.rewire_p=0:1` is a range.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from simnet.base.errors import SimnetError
from simnet.base.plain import printable
from simnet.base.tomltext import tables
from simnet.scenario.text import toml_value

KEY = re.compile(r"[A-Za-z0-9_.\-\[\]\"']{1,200}")
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
RANGE = re.compile(rf"({NUMBER}):({NUMBER})(?::([0-9]{{1,6}}))?")
POINTS_MAX = 100_000
METHODS = ("sobol", "latin", "random")
Point = Mapping[str, str]
"""Dotted key -> value as TOML."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter: its values, or the ends of a range."""

    key: str
    values: tuple[str, ...] = ()
    """As TOML."""
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    """Both ends are integers, and so is every value between."""

    @property
    def is_range(self) -> bool:
        return not self.values

    def at(self, share: float) -> str:
        """A range's value at a share of its length."""
        if self.whole:
            return str(min(int(self.high), int(self.low) + int(share * (int(self.high) - int(self.low) + 1))))
        return repr(self.low + share * (self.high - self.low))


def parse_axis(text: str) -> Axis:
    """A parameter from the command line. Raises SimnetError."""
    key, equals, given = text.partition("=")
    if not equals or not KEY.fullmatch(key.strip()) or not given.strip():
        raise SimnetError(f"--grid {printable(text)!r}: KEY=VALUE,VALUE or KEY=FIRST:LAST:COUNT is wanted, say topology.k=4,6,8")
    key, given = key.strip(), given.strip()
    ranged = RANGE.fullmatch(given)
    if ranged is None:
        return Axis(key, _listed(text, given))
    first, last, count = ranged.groups()
    whole = not re.search(r"[.eE]", first + last)
    axis = Axis(key, (), float(first), float(last), whole)
    if axis.high < axis.low:
        raise SimnetError(f"--grid {printable(text)!r}: the last value is below the first")
    return axis if count is None else Axis(key, _stepped(text, axis, int(count)))


def _listed(text: str, given: str) -> tuple[str, ...]:
    """Values between commas, as TOML has them; bare words are texts."""
    try:
        document = tables(f"values = [{given}]")
        values = document.pop("values")
        if document:
            raise ValueError("more than one value")
    except ValueError:
        words = [word.strip() for word in given.split(",")]
        if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_\-]*", word) for word in words):
            raise SimnetError(f"--grid {printable(text)!r}: not TOML values between commas") from None
        values = words
    found = tuple(dict.fromkeys(toml_value(value) for value in values))
    if len(found) < len(values):
        raise SimnetError(f"--grid {printable(text)!r}: a value is there twice: its runs would be the same")
    return found


def _stepped(text: str, axis: Axis, count: int) -> tuple[str, ...]:
    if not 1 <= count <= POINTS_MAX or (count == 1 and axis.low != axis.high):
        raise SimnetError(f"--grid {printable(text)!r}: from 2 to {POINTS_MAX} values")
    steps = [axis.low + (axis.high - axis.low) * n / max(count - 1, 1) for n in range(count)]
    if axis.whole and any(step != round(step) for step in steps):
        raise SimnetError(
            f"--grid {printable(text)!r}: {count} values between these integers are no integers; write {axis.low:.1f} for numbers"
        )
    return tuple(str(round(step)) if axis.whole else repr(round(step, 12)) for step in steps)


def points(axes: Sequence[Axis], sample: int | None = None, method: str = "sobol", seed: int = 1) -> list[Point]:
    """All combinations, the last parameter changing fastest; or `sample` points of the ranges, each with every combination of the rest.

    Raises SimnetError.
    """
    keys = [axis.key for axis in axes]
    if len(set(keys)) < len(keys):
        raise SimnetError(f"--grid {printable(max(keys, key=keys.count))}: given twice")
    ranges = [axis for axis in axes if axis.is_range]
    if ranges and sample is None:
        raise SimnetError(f"--grid {printable(ranges[0].key)}: a range needs a count (FIRST:LAST:COUNT) or --sample N")
    if sample is not None and not ranges:
        raise SimnetError("--sample: there is no range to sample; --grid KEY=FIRST:LAST gives one")
    listed = [axis for axis in axes if not axis.is_range]
    total = (sample or 1) * _product(len(axis.values) for axis in listed)
    if total > POINTS_MAX:
        raise SimnetError(f"{total} points; at most {POINTS_MAX}")
    drawn = [
        {axis.key: axis.at(share) for axis, share in zip(ranges, row, strict=True)} for row in _sample(len(ranges), sample, method, seed)
    ]
    combined = [dict(zip((axis.key for axis in listed), values, strict=True)) for values in product(*(axis.values for axis in listed))]
    return [{key: {**part, **rest}[key] for key in keys} for part in drawn for rest in combined]


def _product(counts: Iterator[int]) -> int:
    found = 1
    for count in counts:
        found *= count
    return found


def _sample(dimensions: int, count: int | None, method: str, seed: int) -> list[list[float]]:
    """Rows of shares in [0, 1)."""
    if count is None:
        return [[]]
    if not 1 <= count <= POINTS_MAX:
        raise SimnetError(f"--sample {count}: from 1 to {POINTS_MAX}")
    import warnings

    import numpy as np
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Sobol's points are balanced for powers of two only; any number is still a sample.
        if method == "sobol":
            rows = qmc.Sobol(dimensions, rng=rng).random(count)
        elif method == "latin":
            rows = qmc.LatinHypercube(dimensions, rng=rng).random(count)
        elif method == "random":
            rows = rng.random((count, dimensions))
        else:
            raise SimnetError(f"--method {printable(method)!r}: one of {', '.join(METHODS)}")
    return [[float(value) for value in row] for row in rows]
