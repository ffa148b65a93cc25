"""Thresholds files: which metric of a summary must lie where, and why.

A file stands on top of the packaged rules: a rule of the same metric takes the packaged one's place and keeps what
steers it (`option`, `group`). `alone = true` leaves the packaged rules out.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simnet.errors import ThresholdError

FOLDER = Path("analysis/thresholds")
REPOSITORY = Path(__file__).resolve().parents[2]
LIMITS = ("min", "max", "equals")
PROPAGATION, RESOURCES = "propagation", "resources"
GROUPS = (PROPAGATION, RESOURCES)
TEXTS = ("metric", "why", "option", "group")
FLAGS = ("optional", "required")
KEYS = frozenset({*TEXTS, *FLAGS, "unit", "tolerates", *LIMITS})
TABLES = frozenset({"threshold", "peer_bytes", "alone"})
PEER_KEYS = frozenset({"stems", "multiplier", "min"})


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
        named = {rule.metric: rule for rule in upper.thresholds}
        kept = {rule.metric for rule in self.thresholds}
        merged = [_on_top(rule, named.get(rule.metric)) for rule in self.thresholds]
        merged += [rule for rule in upper.thresholds if rule.metric not in kept]
        return Rules(tuple(merged), upper.peer_bytes or self.peer_bytes)

    def overridden(self, options: Mapping[str, float]) -> "Rules":
        """With the limits that the command line gives, by option name."""
        thresholds = tuple(_overridden(rule, options) for rule in self.thresholds)
        peers = self.peer_bytes
        if peers is not None:
            multiplier, least = options.get("peer-bytes-multiplier", peers.multiplier), options.get("min-peer-bytes", peers.min)
            peers = replace(peers, multiplier=multiplier, min=least)
        return Rules(thresholds, peers, self.alone)


def _on_top(rule: Threshold, upper: Threshold | None) -> Threshold:
    return rule if upper is None else replace(upper, option=rule.option, unit=rule.unit, group=rule.group)


def _overridden(rule: Threshold, options: Mapping[str, float]) -> Threshold:
    if rule.option not in options:
        return rule
    return replace(rule, max=options[rule.option] * rule.unit, equals=None)


def find_thresholds(stem: str) -> Path | None:
    """The thresholds file of a scenario's name; the working directory comes first."""
    for folder in (FOLDER, REPOSITORY / FOLDER):
        path = folder / f"{stem}.toml"
        if path.is_file():
            return path
    return None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file. Raises `ThresholdError` saying what is wrong with it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThresholdError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ThresholdError(f"{path}: {error}") from error


def load_thresholds(path: Path) -> Rules:
    """Reads `[[threshold]]` tables and `[peer_bytes]`. Raises `ThresholdError` with every problem found."""
    document = read_toml(path)
    problems = [f"{path}: {why}" for why in _document_problems(document)]
    if problems:
        raise ThresholdError("\n".join(problems))
    peers = document.get("peer_bytes")
    bytes_rule = None if peers is None else PeerBytes(**{**peers, "stems": tuple(peers.get("stems", ()))})
    return Rules(tuple(map(_threshold, document["threshold"])), bytes_rule, document.get("alone", False))


def _threshold(entry: Mapping[str, Any]) -> Threshold:
    return Threshold(**{**entry, "tolerates": tuple(entry.get("tolerates", ()))})


def _document_problems(document: Mapping[str, Any]) -> list[str]:
    entries = document.get("threshold")
    if not isinstance(entries, list) or not entries:
        return ["no [[threshold]] tables"]
    found = [f"unknown key {key!r}; allowed: {', '.join(sorted(TABLES))}" for key in document if key not in TABLES]
    for number, entry in enumerate(entries, 1):
        found += [f"threshold {number}: {why}" for why in _problems(entry)]
    if not isinstance(document.get("alone", False), bool):
        found.append("alone must be true or false")
    return found + [f"peer_bytes: {why}" for why in _peer_problems(document.get("peer_bytes", {}))]


def _problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["not a table"]
    found = [f"unknown key {key!r}; allowed: {', '.join(sorted(KEYS))}" for key in entry if key not in KEYS]
    found += [f"{key} must be a text" for key in TEXTS if not _is_text(entry.get(key)) and (key in ("metric", "why") or key in entry)]
    if not any(limit in entry for limit in LIMITS):
        found.append(f"needs one of {', '.join(LIMITS)}")
    if "equals" in entry and ("min" in entry or "max" in entry):
        found.append("equals excludes min and max")
    found += [f"{key} = {entry[key]!r} is not a number" for key in ("min", "max", "unit") if key in entry and not _is_number(entry[key])]
    if "equals" in entry and not isinstance(entry["equals"], bool | int | float | str):
        found.append(f"equals = {entry['equals']!r} is not a number, truth value or text")
    tolerated = entry.get("tolerates", [])
    if not isinstance(tolerated, list) or not all(_is_text(value) for value in tolerated):
        found.append("tolerates must be a list of texts")
    elif tolerated and not isinstance(entry.get("equals"), str):
        found.append("tolerates needs an equals that is a text")
    found += [f"{key} must be true or false" for key in FLAGS if not isinstance(entry.get(key, False), bool)]
    if entry.get("optional") is True and entry.get("required") is True:
        found.append("optional excludes required")
    if entry.get("group", PROPAGATION) not in GROUPS:
        found.append(f"group = {entry['group']!r}; allowed: {', '.join(GROUPS)}")
    return found


def _peer_problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["not a table"]
    found = [f"unknown key {key!r}; allowed: {', '.join(sorted(PEER_KEYS))}" for key in entry if key not in PEER_KEYS]
    stems = entry.get("stems", [])
    if not isinstance(stems, list) or not all(_is_text(stem) for stem in stems):
        found.append("stems must be a list of texts")
    found += [f"{key} must be a number of at least {low}" for key, low in (("multiplier", 1), ("min", 0)) if _too_low(entry, key, low)]
    return found


def _too_low(entry: Mapping[str, Any], key: str, low: float) -> bool:
    return key in entry and not (_is_number(entry[key]) and entry[key] >= low)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
