"""What was judged, failures first, each with the moment that it is about where there is one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.report.reads import ReportedSummary, RuleVerdict

FAILED, WARNED, NOT_EXERCISED, HELD = "failed", "warning", "not exercised", "held"
ORDER = (FAILED, WARNED, NOT_EXERCISED, HELD)


@dataclass(frozen=True)
class Row:
    """One check or rule of one run."""

    what: str
    status: str
    told: str
    at_ms: float | None = None


def rows(summary: ReportedSummary, rules: Sequence[RuleVerdict] | None, peaks: Mapping[str, float]) -> list[Row]:
    """All that one run was judged by. `peaks` says when a figure of the summary was reached."""
    return [*_ended(summary), *_checks(summary), *_rules(rules or (), peaks)]


def merged(runs: Sequence[Sequence[Row]]) -> list[dict[str, Any]]:
    """A row for each check and rule over all runs, the gravest first: what it says is the gravest run's, and `run` is its number."""
    found: dict[str, list[tuple[int, Row]]] = {}
    for number, judged in enumerate(runs):
        for row in judged:
            found.setdefault(row.what, []).append((number, row))
    whole = [_merged(told) for told in found.values()]
    return sorted(whole, key=lambda row: ORDER.index(row["status"]))


def _merged(told: list[tuple[int, Row]]) -> dict[str, Any]:
    number, gravest = min(told, key=lambda entry: ORDER.index(entry[1].status))
    same = sum(row.status == gravest.status for _, row in told)
    return {
        "what": gravest.what,
        "status": gravest.status,
        "told": gravest.told,
        "at_ms": gravest.at_ms,
        "run": number,
        "runs": same,
        "of": len(told),
    }


def _ended(summary: ReportedSummary) -> Iterator[Row]:
    ours = summary.simnet
    if not ours.complete:
        yield Row("the run came to its end", FAILED, f"it broke off at {ours.end_ms / 1000:g} s; all figures are of what ran", ours.end_ms)
    if ours.expectation is not None:
        yield Row("it broke as the scenario expects", HELD if ours.expectation.met else FAILED, "[expect] of the scenario")
    for name, count in ours.limits_hit.items():
        yield Row(f"limit {name}", WARNED, f"reached {count} times; what lies beyond was dropped")


def _checks(summary: ReportedSummary) -> Iterator[Row]:
    for name, check in summary.checks.items():
        status = {True: HELD, False: FAILED}.get(check.held, NOT_EXERCISED) if check.held is not None else NOT_EXERCISED
        first = check.first if check.held is False else None
        told = f"{first.detail} ({check.figures()})" if first is not None else check.figures()
        yield Row(f"check {name}", status, told, None if first is None else first.at_ms)


def _rules(rules: Iterable[RuleVerdict], peaks: Mapping[str, float]) -> Iterator[Row]:
    for rule in rules:
        status = FAILED if not rule.passed else WARNED if rule.tolerated else HELD
        shown = rule.note or (
            f"{rule.actual:g}" if isinstance(rule.actual, int | float) and not isinstance(rule.actual, bool) else str(rule.actual)
        )
        yield Row(f"rule {rule.metric}", status, f"{shown}, wanted {rule.limit}: {rule.why}", peaks.get(rule.metric))
