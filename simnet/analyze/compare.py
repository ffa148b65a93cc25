"""Two sets of runs: how far each figure moved, and whether that is more than chance.

The test is a permutation test on the difference of means, two-sided: what is reported is the change of the mean, so this is
what is tested. It assumes no distribution, keeps ties and is exact for few runs, where rank tests with ties are not.
Runs of the same seeds on both sides are compared pair by pair, as simulations with common random numbers should be (A. Law,
Simulation Modeling and Analysis, 5th ed., 10.2 and 11.2): what only the seeds make differ no longer hides a change.
Holm's correction over the figures keeps the chance of any false alarm below `alpha`, whatever the figures' dependence
(S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from simnet.analyze.sides import Side, aligned
from simnet.analyze.thresholds import Fault, read_rules, refuse, unknown_keys
from simnet.analyze.verdicts import MISSING, resolve
from simnet.base.leaves import leaves
from simnet.scenario.marks import Path as Place

METRICS = Path(__file__).with_name("compare_metrics.toml")
DIRECTIONS = ("lower", "higher")
RESAMPLES = 9999
"""Permutations that are looked at: all of them up to this number, else so many drawn ones."""
NUMBER_MAX = 1e75
SEED = 20_240_711
"""Of the drawn permutations, so that the same runs give the same p-values."""


@dataclass(frozen=True)
class Metric:
    """A figure and which way is better: `lower`, `higher`, or nothing for one that is only shown."""

    path: str
    better: str = ""


@dataclass(frozen=True)
class Change:
    """One figure on both sides."""

    metric: str
    better: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    p: float | None = None
    """Of the permutation test; None with fewer than two runs on a side, or when all runs agree."""
    p_holm: float | None = None
    verdict: str = ""
    """worse, better, unclear (far, but within chance), untold (far, and too few runs to tell), same, moved, gone, new, absent."""
    interval: tuple[float, float] | None = None
    """In which the difference of the means lies, with confidence 1 - alpha; None with fewer than two runs on a side."""

    @property
    def percent(self) -> float | None:
        """Change of the mean; None when there is nothing to relate it to."""
        if not self.before or not self.after:
            return None
        one, other = fmean(self.before), fmean(self.after)
        if one == 0:
            return 0.0 if other == 0 else None
        percent = 100.0 * (other - one) / abs(one)
        return percent if math.isfinite(percent) else None

    @property
    def regressed(self) -> bool:
        return self.verdict in ("worse", "gone")


@dataclass(frozen=True)
class Comparison:
    """All figures, and whether the number of runs lets a test find anything."""

    changes: tuple[Change, ...]
    runs: tuple[int, int]
    testable: bool
    """The smallest p-value that these runs can give is below alpha after the correction."""
    paired: bool
    """Whether runs of the same seed were compared with each other."""


def load_metrics(path: Path = METRICS) -> tuple[Metric, ...]:
    """Reads `[[metric]]` tables. Raises `ThresholdError` with every problem found."""
    parsed = read_rules(path)
    refuse(path, parsed, _metric_faults(parsed.data))
    return tuple(Metric(**entry) for entry in parsed.data["metric"])


def _metric_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    entries = document.get("metric")
    yield from unknown_keys((), document, ("metric",))
    if not isinstance(entries, list) or not entries:
        yield ("metric",), "[[metric]] tables and nothing else are expected"
        return
    for number, entry in enumerate(entries):
        place: Place = ("metric", number)
        if not isinstance(entry, dict):
            yield place, "not a table"
            continue
        yield from unknown_keys(place, entry, ("path", "better"))
        if not isinstance(entry.get("path"), str) or not entry["path"].strip():
            yield (*place, "path"), "needs path and better: path must be a text"
        if entry.get("better") not in DIRECTIONS:
            yield (*place, "better"), f"better = {entry.get('better')!r}; allowed: {', '.join(DIRECTIONS)}"


def every_number(contents: Sequence[Mapping[str, Any]]) -> tuple[Metric, ...]:
    """All numbers outside lists, only to be shown."""
    return tuple(dict.fromkeys(Metric(path) for content in contents for path, value in leaves(content) if _is_number(value)))


def compare(before: Side, after: Side, metrics: Sequence[Metric], threshold_percent: float, alpha: float) -> Comparison:
    """Every figure that at least one side has. A figure regressed when it moved the wrong way by more than the threshold and,
    where the runs allow a test at all, the test says that chance does not explain it."""
    common = bool(before.seeds) and before.seeds == after.seeds
    changes = samples(before, after, metrics)
    runs = (len(before.contents), len(after.contents))
    figures = sum(map(_may_be_tested, changes))
    paired = common and figures * smallest_paired_p(runs[0]) <= alpha
    testable = paired or figures * smallest_p(*runs) <= alpha
    changes = [_tested(change, paired and len(change.before) == len(change.after) == runs[0]) for change in changes]
    tested = [change for change in changes if change.p is not None]
    corrected = dict(zip((c.metric for c in tested), holm([c.p for c in tested if c.p is not None]), strict=True))
    finished = [replace(c, p_holm=corrected.get(c.metric), interval=interval(c, paired=paired, alpha=alpha)) for c in changes]
    alone = min(runs) < 2
    judged = [replace(c, verdict=_verdict(c, threshold_percent, alpha, testable=testable, alone=alone)) for c in finished]
    return Comparison(tuple(judged), runs, testable, paired)


def interval(change: Change, *, paired: bool, alpha: float) -> tuple[float, float] | None:
    """Student's interval of the difference of the means: of the pairs' differences, or Welch's. A bootstrap's is too narrow for a few runs
    (docs/adr/0016)."""
    one, other = np.array(change.before), np.array(change.after)
    if min(len(one), len(other)) < 2 or not 0 < alpha < 1:
        return None
    middle = float(np.mean(other) - np.mean(one))
    if paired and len(one) == len(other):
        spread, freedom = float(np.std(other - one, ddof=1)) / math.sqrt(len(one)), float(len(one) - 1)
    else:
        parts = [float(np.var(side, ddof=1)) / len(side) for side in (one, other)]
        spread = math.sqrt(sum(parts))
        below = sum(part**2 / (len(side) - 1) for part, side in zip(parts, (one, other), strict=True))
        freedom = sum(parts) ** 2 / below if below > 0 else 1.0
    if spread == 0:
        return middle, middle
    from scipy import stats  # Late: it takes a second to load, and most commands do without.

    reach = float(stats.t.ppf(1 - alpha / 2, freedom)) * spread
    return (middle - reach, middle + reach) if math.isfinite(reach) else None


def smallest_p(one: int, other: int) -> float:
    """The smallest two-sided p-value that so many runs can give."""
    return 2.0 / min(math.comb(one + other, one), RESAMPLES + 1)


def smallest_paired_p(pairs: int) -> float:
    """The same for so many pairs, each of which may be swapped."""
    return 2.0 / min(2.0**pairs, RESAMPLES + 1.0)


def holm(values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    adjusted, highest = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = highest
    return adjusted


def samples(before: Side, after: Side, metrics: Sequence[Metric]) -> list[Change]:
    """Each figure's values on both sides, not yet judged; the first metric that names a path decides which way is better. Runs of the same
    seeds stand in the same place."""
    found: dict[str, Change] = {}
    sides = aligned(before, after)
    for metric in metrics:
        named: dict[str, tuple[list[float], list[float]]] = {}
        for place, side in enumerate(sides):
            for content in side.contents:
                for path, value in resolve(content, metric.path):
                    if value is not MISSING and _is_number(value) and path not in found:
                        named.setdefault(path, ([], []))[place].append(float(value))
        found |= {path: Change(path, metric.better, tuple(one), tuple(other)) for path, (one, other) in named.items()}
    return list(found.values())


def _may_be_tested(change: Change) -> bool:
    """Not when equal in all runs whichever side they are on: no test could find anything, so none is corrected for."""
    return bool(change.better) and min(len(change.before), len(change.after)) >= 2 and len({*change.before, *change.after}) > 1


def _tested(change: Change, paired: bool) -> Change:
    if not _may_be_tested(change):
        return change
    from scipy import stats  # Late: it takes a second to load, and most commands do without.

    result = stats.permutation_test(
        (np.array(change.before), np.array(change.after)),
        _difference_of_means,
        permutation_type="samples" if paired else "independent",
        vectorized=True,
        n_resamples=RESAMPLES,
        random_state=np.random.default_rng(SEED),
    )
    return replace(change, p=float(result.pvalue))


def _difference_of_means(one: Any, other: Any, axis: int) -> Any:
    return np.mean(one, axis=axis) - np.mean(other, axis=axis)


def _verdict(change: Change, threshold_percent: float, alpha: float, *, testable: bool, alone: bool) -> str:
    if not change.before or not change.after:
        return "new" if not change.before else ("gone" if change.better else "absent")
    percent = change.percent
    moved = fmean(change.after) - fmean(change.before)
    if moved == 0 or (percent is not None and abs(percent) <= threshold_percent):
        return "same"
    if not change.better:
        return "moved"
    if testable and change.p_holm is not None and change.p_holm > alpha:
        return "unclear"
    if not testable and not alone:
        return "untold"
    return "worse" if (moved > 0) == (change.better == "lower") else "better"


def _is_number(value: object) -> bool:
    """Of a size whose fourth powers a float holds."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= NUMBER_MAX
