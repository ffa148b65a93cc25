"""A summary against thresholds: one verdict for each metric that a rule names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.analyze.thresholds import Threshold
from simnet.base.errors import ThresholdError
from simnet.base.plain import printable

MISSING = object()
KEYS_SHOWN = 40
"""Of a table, in a message about a key that it lacks."""


@dataclass(frozen=True)
class Verdict:
    """One metric's actual value and what the rule says of it."""

    metric: str
    actual: object
    limit: str
    passed: bool
    why: str
    note: str = ""
    group: str = ""
    """The rule's group, see `Threshold`."""
    tolerated: bool = False
    """It passed although it is not what the rule wants: a warning."""

    def shown(self) -> str:
        """The actual value on one line, without characters that would steer a terminal or break an XML file."""
        if self.note:
            return self.note
        if isinstance(self.actual, bool):
            return str(self.actual).lower()
        return f"{self.actual:.3f}" if isinstance(self.actual, float) else printable(str(self.actual))

    def message(self) -> str:
        """What was found, what was wanted and why."""
        return f"{printable(self.metric)} is {self.shown()}, wanted {printable(self.limit)}: {printable(self.why)}"


def judge(summary: Mapping[str, Any], thresholds: Sequence[Threshold]) -> list[Verdict]:
    """The verdicts in the rules' order. Raises `ThresholdError` naming every metric the summary does not have."""
    verdicts: list[Verdict] = []
    unknown: list[str] = []
    for rule in thresholds:
        found = [(path, value) for path, value in resolve(summary, rule.metric) if value is not MISSING]
        missing = [path for path, value in resolve(summary, rule.metric) if value is MISSING]
        verdicts += [_verdict(rule, path, value) for path, value in found]
        if rule.optional or rule.required:
            note = "absent, optional" if rule.optional else "absent"
            verdicts += [Verdict(path, None, _limit(rule), rule.optional, rule.why, note, rule.group) for path in missing]
        else:
            unknown += [f"unknown metric {path!r}" + _nearest(summary, path) for path in missing]
    if unknown:
        raise ThresholdError("\n".join(unknown))
    return verdicts


def resolve(value: Any, path: str, done: str = "") -> Iterator[tuple[str, Any]]:
    """Every full path that matches, with its value, or `MISSING` where the path leaves the summary.

    Keys may contain dots themselves, so the longest run of parts that is a key wins.
    """
    if not path:
        yield done, value
        return
    head, _, rest = path.partition(".")
    prefix = f"{done}." if done else ""
    if head == "*":
        entries = _entries(value)
        if not entries:
            yield prefix + path, MISSING
        for key, inner in entries:
            yield from resolve(inner, rest, prefix + key)
        return
    found, rest = _longest_key(value, path)
    if found is None:
        yield prefix + path, MISSING
    else:
        yield from resolve(dict(_entries(value))[found], rest, prefix + found)


def _entries(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), inner) for key, inner in value.items()]
    if isinstance(value, list):
        return [(str(index), inner) for index, inner in enumerate(value)]
    return []


def _longest_key(value: Any, path: str) -> tuple[str | None, str]:
    keys = {key for key, _ in _entries(value)}
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        if ".".join(parts[:count]) in keys:
            return ".".join(parts[:count]), ".".join(parts[count:])
    return None, path


def _nearest(summary: Mapping[str, Any], path: str) -> str:
    """What the summary has where the path leaves it."""
    value: Any = summary
    done: list[str] = []
    for part in path.split("."):
        entries = dict(_entries(value))
        if part not in entries:
            break
        value, done = entries[part], [*done, part]
    known = [printable(key) for key, _ in _entries(value)]
    more = f", and {len(known) - KEYS_SHOWN} more" if len(known) > KEYS_SHOWN else ""
    keys = ", ".join(known[:KEYS_SHOWN]) + more
    where = ".".join(done) or "the summary"
    return f"; {where} has: {keys}" if keys else f"; {where} has nothing below it"


def _limit(rule: Threshold) -> str:
    if rule.equals is not None:
        return f"= {_shown(rule.equals)}"
    parts = [f">= {rule.min:.10g}"] if rule.min is not None else []
    return ", ".join([*parts, f"<= {rule.max:.10g}"] if rule.max is not None else parts)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _verdict(rule: Threshold, path: str, value: object) -> Verdict:
    if rule.equals is not None:
        same = value == rule.equals and isinstance(value, bool) == isinstance(rule.equals, bool)
        tolerated = not same and value in rule.tolerates
        return Verdict(path, value, _limit(rule), same or tolerated, rule.why, "", rule.group, tolerated)
    if value is None:
        return Verdict(path, None, _limit(rule), False, rule.why, "no samples", rule.group)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ThresholdError(f"metric {path!r} is {type(value).__name__}, not a number: min and max do not apply")
    low = rule.min is None or value >= rule.min
    high = rule.max is None or value <= rule.max
    return Verdict(path, value, _limit(rule), low and high, rule.why, "", rule.group)
