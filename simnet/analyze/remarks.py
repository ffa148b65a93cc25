"""What a reader must know about runs before believing a comparison of them."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from simnet.analyze.compare import Comparison
from simnet.analyze.sides import Side, aligned
from simnet.base.plain import printable
from simnet.record.summary_files import ReadSummary

Z_MAX = 3.5
"""B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers (1993): a modified z-score above this is an outlier's."""
SCALE = 0.6745
"""The normal distribution's upper quartile: makes the median deviation a standard deviation."""
OUTLIER_RUNS_MIN = 5
"""In fewer runs the median deviation says nothing."""


def remarks(before: Side, after: Side, result: Comparison, alpha: float) -> list[str]:
    """One line each."""
    sides = (before, after)
    found = [*_differences(sides)]
    found += [f"{printable(str(path))}: the run broke off before its end" for side in sides for path in side.unfinished]
    if min(result.runs) < 2:
        found.append("a single run on a side: changes are judged by the threshold alone; several seeds would tell chance from change")
    elif not result.testable:
        why = f"{result.runs[0]} and {result.runs[1]} runs cannot reach p <= {alpha:g} over so many figures"
        found.append(f"{why}: not enough runs to tell; six runs on each side suffice for the default figures")
    return [*found, *_outliers(aligned(before, after), result)]


def _differences(sides: Sequence[Side]) -> Iterator[str]:
    """Where the runs differ in more than what is to be compared."""
    asked: dict[str, Callable[[ReadSummary], str]] = {
        "scenarios": lambda summary: summary.known.ours.scenario,
        "costs": lambda summary: summary.known.ours.cost_model,
        "versions of simnet": lambda summary: summary.known.ours.versions.get("simnet", ""),
    }
    for what, ask in asked.items():
        values = sorted({ask(summary) for side in sides for summary in side.summaries} - {""})
        if len(values) > 1:
            yield f"these runs are of different {what}: {printable(', '.join(values))}"


def _outliers(sides: Sequence[Side], result: Comparison) -> Iterator[str]:
    """Runs that lie far from the others of their side: a mean follows a single one."""
    for change in result.changes:
        for side, values in zip(sides, (change.before, change.after), strict=True):
            if change.better and len(values) == len(side.summaries) >= OUTLIER_RUNS_MIN:
                for number in far_off(values):
                    path = printable(str(side.paths[number]))
                    yield f"{printable(change.metric)}: {path} is an outlier: {values[number]:g}, the others' median is {median(values):g}"


def far_off(values: Sequence[float]) -> list[int]:
    """Places of the outliers by the modified z-score; none where half of the values agree."""
    middle = median(values)
    deviation = median(abs(value - middle) for value in values)
    return [n for n, value in enumerate(values) if deviation and SCALE * abs(value - middle) / deviation > Z_MAX]
