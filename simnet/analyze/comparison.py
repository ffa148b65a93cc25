"""Comparisons as text, JSON, JUnit XML or GitHub annotations: the effect first, then how sure it is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from simnet.analyze.compare import METRICS, Change, Comparison
from simnet.analyze.gates import Gated
from simnet.analyze.report import FORMATS, Analysis
from simnet.analyze.sides import Side
from simnet.analyze.verdicts import Verdict
from simnet.base.jsontext import json_text
from simnet.base.plain import printable


@dataclass(frozen=True)
class Limits:
    """What counts as a change."""

    threshold_percent: float
    alpha: float


@dataclass(frozen=True)
class Pair:
    """Two sides that were compared."""

    before: Side
    after: Side
    result: Comparison
    gates: Sequence[Gated] = ()

    def regressions(self) -> list[str]:
        """What got worse, a line each."""
        return [f"{printable(change.metric)}: {told(change)}" for change in self.result.changes if change.regressed]

    def gate_failures(self) -> list[str]:
        """Which gates failed, a line each."""
        return [f"--fail-on {printable(g.change.metric)}:{g.gate.limit}: {told(g.change)}" for g in self.gates if not g.passed]


def shown(pairs: Sequence[Pair], limits: Limits, form: str) -> str:
    """The comparisons in a format: text, json, junit or github."""
    if form == "text":
        titles = [f"{_names(pair.before)} -> {_names(pair.after)}\n" if len(pairs) > 1 else "" for pair in pairs]
        return "\n".join(title + _table(pair.result) for title, pair in zip(titles, pairs, strict=True))
    if form == "json":
        documents = [_document(pair, limits) for pair in pairs]
        return json_text(documents[0] if len(pairs) == 1 else {"comparisons": documents}) + "\n"
    return FORMATS[form]([Analysis(pair.after.paths[0], (METRICS,), _verdicts(pair, limits)) for pair in pairs])


def told(change: Change) -> str:
    """A figure's change in words."""
    if not change.verdict:
        return f"{_mean(change.before)} before, {_mean(change.after)} after, {_percent(change)}"
    chance = "" if change.p_holm is None or change.verdict == "untold" else f", p = {change.p_holm:.4f} after Holm"
    reach = "" if change.interval is None else f", difference {_reach(change)}"
    return f"{_mean(change.before)} before, {_mean(change.after)} after, {_percent(change)} ({change.verdict}){reach}{chance}"


def _names(side: Side) -> str:
    first = printable(str(side.paths[0]))
    return first if len(side.paths) == 1 else f"{first} and {len(side.paths) - 1} more"


def _document(pair: Pair, limits: Limits) -> dict[str, object]:
    result = pair.result
    found: dict[str, object] = {
        "before": [str(path) for path in pair.before.paths],
        "after": [str(path) for path in pair.after.paths],
        "threshold_percent": limits.threshold_percent,
        "alpha": limits.alpha,
        "testable": result.testable,
        "paired": result.paired,
        "regressed": sum(change.regressed for change in result.changes),
        "changes": [{**asdict(change), "percent": change.percent} for change in result.changes],
    }
    gates = [{"metric": g.change.metric, "limit": g.gate.limit, "percent": g.change.percent, "passed": g.passed} for g in pair.gates]
    return {**found, "gates": gates} if gates else found


def _verdicts(pair: Pair, limits: Limits) -> tuple[Verdict, ...]:
    if pair.gates:
        return tuple(Verdict(g.change.metric, told(g.change), g.gate.limit, g.passed, "moved by more") for g in pair.gates)
    why = "got worse by more than chance" if pair.result.testable else "got worse"
    limit = f"within {limits.threshold_percent:g} %"
    return tuple(Verdict(c.metric, told(c), limit, not c.regressed, why) for c in pair.result.changes)


def _table(result: Comparison) -> str:
    rows = [("", "figure", f"before ({result.runs[0]})", f"after ({result.runs[1]})", "change", "difference", "p (Holm)")]
    rows += [(c.verdict, printable(c.metric), _mean(c.before), _mean(c.after), _percent(c), _reach(c), _chance(c)) for c in result.changes]
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    lines = []
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join([*left, *right]).rstrip())
    return "\n".join(lines) + "\n"


def _reach(change: Change) -> str:
    """The interval of the difference."""
    return "" if change.interval is None else f"{change.interval[0]:+.3f} .. {change.interval[1]:+.3f}"


def _chance(change: Change) -> str:
    return "" if change.p_holm is None else f"{change.p_holm:.4f}"


def _mean(values: tuple[float, ...]) -> str:
    return f"{fmean(values):.3f}" if values else "none"


def _percent(change: Change) -> str:
    return "-" if change.percent is None else f"{change.percent:+.1f} %"
