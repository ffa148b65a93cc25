"""`--fail-on`: how far a figure may move before a pipeline fails, as the pipeline says it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from simnet.analyze.compare import Change, Metric, samples
from simnet.analyze.sides import Side
from simnet.base.errors import ThresholdError
from simnet.base.plain import printable

FORM = re.compile(r"(?P<metric>\S+):(?P<sign>[+-])(?P<size>[0-9]{1,15}(?:\.[0-9]{1,15})?)(?P<unit>%?)", re.ASCII)


@dataclass(frozen=True)
class Gate:
    """A figure's mean may rise (or fall) by so much against the first side, and no further."""

    metric: str
    rises: bool
    """The limit is on a rise; else on a fall."""
    size: float
    percent: bool
    """Of the first side's mean; else in the figure's own unit."""

    @property
    def limit(self) -> str:
        return f"{'+' if self.rises else '-'}{self.size:g}{' %' if self.percent else ''}"

    def passes(self, change: Change) -> bool:
        """By the means of both sides. From zero any step in the gate's direction is more than any percentage."""
        before, moved = fmean(change.before), fmean(change.after) - fmean(change.before)
        step = moved if self.rises else -moved
        return step <= (abs(before) * self.size / 100 if self.percent else self.size)


@dataclass(frozen=True)
class Gated:
    """A gate, and what it found for one figure."""

    gate: Gate
    change: Change

    @property
    def passed(self) -> bool:
        return self.gate.passes(self.change)


def parse_gate(text: str) -> Gate:
    """`finality.proven_ms.p95:+10%` and the like. Raises ThresholdError."""
    found = FORM.fullmatch(text)
    if found is None:
        why = "METRIC:+N%, METRIC:-N%, METRIC:+N or METRIC:-N is wanted, say finality.proven_ms.p95:+10%"
        raise ThresholdError(f"--fail-on {printable(text)!r}: {why}")
    return Gate(found["metric"], found["sign"] == "+", float(found["size"]), bool(found["unit"]))


def gated(gates: Sequence[Gate], before: Side, after: Side) -> list[Gated]:
    """Every figure that a gate names. Raises ThresholdError for one that a side lacks: that would pass for ever."""
    return [Gated(gate, change) for gate in gates for change in _figures(gate, before, after)]


def _figures(gate: Gate, before: Side, after: Side) -> list[Change]:
    changes = samples(before, after, [Metric(gate.metric)])
    lacking = [change.metric for change in changes if not (change.before and change.after)]
    if not changes or lacking:
        where = "neither side has it" if not changes else f"one side has no {printable(lacking[0])}"
        raise ThresholdError(f"--fail-on {printable(gate.metric)}: {where}; `simnet compare --all` shows all figures")
    return changes
