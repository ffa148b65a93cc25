"""Thresholds files: which metric of a summary must lie where, and why.

A file stands on top of the packaged rules: a rule of the same metric takes the packaged one's place and keeps what
steers it (`option`, `group`). `alone = true` leaves the packaged rules out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simnet.base import reading
from simnet.base.errors import Problem, RulesError, ThresholdError
from simnet.base.plain import printable
from simnet.scenario import toml
from simnet.scenario.marks import DOCUMENT_BYTES_MAX, Parsed, SyntaxProblem
from simnet.scenario.marks import Path as Place
from simnet.scenario.unknown import close_match

FOLDER = Path("analysis/thresholds")
REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = Path(__file__).resolve().parents[1] / "shipped/thresholds"
LIMITS = ("min", "max", "equals")
PROPAGATION, RESOURCES = "propagation", "resources"
GROUPS = (PROPAGATION, RESOURCES)
TEXTS = ("metric", "why", "option", "group")
FLAGS = ("optional", "required")
KEYS = frozenset({*TEXTS, *FLAGS, "unit", "tolerates", *LIMITS})
TABLES = frozenset({"threshold", "peer_bytes", "alone"})
PEER_KEYS = frozenset({"stems", "multiplier", "min"})
NUMBER_MAX = 1e300
Fault = tuple[Place, str]
"""Where in a file something is wrong, and what."""


@dataclass(frozen=True)
class Threshold:
    """One rule. The limits are inclusive: a value fails when it is below `min`, above `max`, or not `equals`."""

    metric: str
    """Dotted path into the summary; `*` stands for every key or list entry at its place."""
    why: str
    min: float | None = None
    max: float | None = None
    equals: bool | int | float | str | None = None
    tolerates: tuple[str, ...] = ()
    """Texts beside `equals` that pass with a warning."""
    optional: bool = False
    """An absent metric passes."""
    required: bool = False
    """An absent metric fails. Without either flag it is an error, so that a misspelt name never passes."""
    option: str = ""
    """The command line's option that replaces `max`."""
    unit: float = 1.0
    """What the option's value is multiplied by, say 1048576 for one in MiB."""
    group: str = ""
    """`propagation`: a failure makes the propagation alert fire. `resources`: a failure has the run's folders captured."""


@dataclass(frozen=True)
class PeerBytes:
    """Bytes of each peer and direction: at least `min`, and within `multiplier` of the median either way."""

    stems: tuple[str, ...] = ()
    """The rule is for summaries whose lower-cased file stem contains one of these."""
    multiplier: float = 4.0
    min: float = 1024.0


@dataclass(frozen=True)
class Rules:
    """What one summary is judged by."""

    thresholds: tuple[Threshold, ...] = ()
    peer_bytes: PeerBytes | None = None
    alone: bool = False

    def below(self, upper: "Rules") -> "Rules":
        """These rules with `upper` on top."""
        if upper.alone:
            return upper
        named: dict[str, list[Threshold]] = {}
        for rule in upper.thresholds:
            named.setdefault(rule.metric, []).append(rule)
        merged: list[Threshold] = []
        for rule in self.thresholds:
            # All of a metric's upper rules take the place of its first lower one; the other lower ones go.
            merged += [rule] if rule.metric not in named else [_on_top(rule, above) for above in named[rule.metric]]
            named |= {rule.metric: []} if rule.metric in named else {}
        merged += [rule for rules in named.values() for rule in rules]
        return Rules(tuple(merged), upper.peer_bytes or self.peer_bytes)

    def overridden(self, options: Mapping[str, float]) -> "Rules":
        """With the limits that the command line gives, by option name."""
        thresholds = tuple(_overridden(rule, options) for rule in self.thresholds)
        peers = self.peer_bytes
        if peers is not None:
            multiplier, least = options.get("peer-bytes-multiplier", peers.multiplier), options.get("min-peer-bytes", peers.min)
            peers = replace(peers, multiplier=multiplier, min=least)
        return Rules(thresholds, peers, self.alone)


def _on_top(rule: Threshold, upper: Threshold) -> Threshold:
    return replace(upper, option=rule.option, unit=rule.unit, group=rule.group)


def _overridden(rule: Threshold, options: Mapping[str, float]) -> Threshold:
    if rule.option not in options:
        return rule
    return replace(rule, max=options[rule.option] * rule.unit, equals=None)


def find_thresholds(stem: str) -> Path | None:
    """The thresholds file of a scenario's name; the working directory comes first."""
    for folder in (FOLDER, REPOSITORY / FOLDER, SHIPPED):
        path = folder / f"{stem}.toml"
        if path.is_file():
            return path
    return None


def load_thresholds(path: Path) -> Rules:
    """Reads `[[threshold]]` tables and `[peer_bytes]`. Raises `ThresholdError` with every problem found."""
    parsed = read_rules(path)
    document = parsed.data
    refuse(path, parsed, _document_problems(document))
    peers = document.get("peer_bytes")
    bytes_rule = None if peers is None else PeerBytes(**{**peers, "stems": tuple(peers.get("stems", ()))})
    return Rules(tuple(map(_threshold, document["threshold"])), bytes_rule, document.get("alone", False))


def _threshold(entry: Mapping[str, Any]) -> Threshold:
    return Threshold(**{**entry, "tolerates": tuple(entry.get("tolerates", ()))})


def read_rules(path: Path) -> Parsed:
    """A TOML file with its marks. Raises `ThresholdError` saying what is wrong with it."""
    try:
        return toml.read(reading.text(path, DOCUMENT_BYTES_MAX))
    except reading.UnreadableError as error:
        raise ThresholdError(str(error)) from None
    except SyntaxProblem as problem:
        line, column = (problem.mark.line, problem.mark.column) if problem.mark else (None, None)
        raise RulesError([Problem(path, line, "", None, str(problem), column)]) from None


def refuse(path: Path, parsed: Parsed, found: Iterable[Fault]) -> None:
    """Raises `ThresholdError` with every fault at its place, in the file's order."""
    problems = []
    for key, why in found:
        mark = parsed.marks.near(key)
        line, column = (mark.line, mark.column) if mark else (None, None)
        problems.append(Problem(path, line, printable(".".join(map(str, key))), None, why, column))
    if problems:
        raise RulesError(sorted(problems, key=lambda p: (p.line is None, p.line or 0, p.column or 0)))


def unknown_keys(place: Place, table: Mapping[str, Any], known: Iterable[str]) -> Iterator[Fault]:
    """Keys of a table that nothing reads."""
    known = sorted(known)
    for key in table:
        if key not in known:
            yield (*place, key), f"unknown key {printable(key)!r}; {close_match(key, known)}"


def _document_problems(document: Mapping[str, Any]) -> Iterator[Fault]:
    entries = document.get("threshold")
    if not isinstance(entries, list) or not entries:
        yield ("threshold",), "no [[threshold]] tables"
        entries = []
    yield from unknown_keys((), document, TABLES)
    for number, entry in enumerate(entries):
        yield from _problems(("threshold", number), entry)
    if not isinstance(document.get("alone", False), bool):
        yield ("alone",), "alone must be true or false"
    yield from _peer_problems(("peer_bytes",), document.get("peer_bytes", {}))


def _problems(place: Place, entry: Any) -> Iterator[Fault]:
    if not isinstance(entry, dict):
        yield place, "not a table"
        return
    yield from unknown_keys(place, entry, KEYS)
    for key in TEXTS:
        if not _is_text(entry.get(key)) and (key in ("metric", "why") or key in entry):
            yield (*place, key), f"{key} must be a text"
    yield from _limit_problems(place, entry)
    tolerated = entry.get("tolerates", [])
    if not isinstance(tolerated, list) or not all(_is_text(value) for value in tolerated):
        yield (*place, "tolerates"), "tolerates must be a list of texts"
    elif tolerated and not isinstance(entry.get("equals"), str):
        yield (*place, "tolerates"), "tolerates needs an equals that is a text"
    for key in FLAGS:
        if not isinstance(entry.get(key, False), bool):
            yield (*place, key), f"{key} must be true or false"
    if entry.get("optional") is True and entry.get("required") is True:
        yield (*place, "optional"), "optional excludes required"
    if entry.get("group", PROPAGATION) not in GROUPS:
        yield (*place, "group"), f"group = {_shown(entry['group'])}; allowed: {', '.join(GROUPS)}"


def _limit_problems(place: Place, entry: Mapping[str, Any]) -> Iterator[Fault]:
    if not any(limit in entry for limit in LIMITS):
        yield place, f"needs one of {', '.join(LIMITS)}"
    if "equals" in entry and ("min" in entry or "max" in entry):
        yield (*place, "equals"), "equals excludes min and max"
    for key in ("min", "max", "unit"):
        if key in entry and not _is_number(entry[key]):
            yield (*place, key), f"{key} = {_shown(entry[key])} is not a number of at most {NUMBER_MAX:g}"
    if all(_is_number(entry.get(key)) for key in ("min", "max")) and entry["max"] < entry["min"]:
        yield (*place, "max"), f"max = {_shown(entry['max'])} is below min = {_shown(entry['min'])}: nothing can hold"
    if "equals" in entry and not (isinstance(entry["equals"], bool | str) or _is_number(entry["equals"])):
        yield (*place, "equals"), f"equals = {_shown(entry['equals'])} is not a number of at most {NUMBER_MAX:g}, truth value or text"


def _peer_problems(place: Place, entry: Any) -> Iterator[Fault]:
    if not isinstance(entry, dict):
        yield place, "not a table"
        return
    yield from unknown_keys(place, entry, PEER_KEYS)
    stems = entry.get("stems", [])
    if not isinstance(stems, list) or not all(_is_text(stem) for stem in stems):
        yield (*place, "stems"), "stems must be a list of texts"
    for key, low in (("multiplier", 1), ("min", 0)):
        if _too_low(entry, key, low):
            yield (*place, key), f"{key} must be a number of at least {low}"


def _too_low(entry: Mapping[str, Any], key: str, low: float) -> bool:
    return key in entry and not (_is_number(entry[key]) and entry[key] >= low)


def _is_number(value: object) -> bool:
    """Not a truth value, not infinite, and not so large that a float cannot hold it."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= NUMBER_MAX


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 128:
        return "(a huge integer)"
    return repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:80]}…"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
