"""Thresholds files: which metric of a summary must lie where, and why."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simnet.errors import ThresholdError

PACKAGED = Path(__file__).with_name("default_thresholds.toml")
CONSENSUS = Path(__file__).with_name("consensus_thresholds.toml")
"""Of consensus loads."""
NETWORK_ONLY = Path(__file__).with_name("network_thresholds.toml")
"""Of runs without a chain."""
FOLDER = Path("analysis/thresholds")
REPOSITORY = Path(__file__).resolve().parents[2]
LIMITS = ("min", "max", "equals")
KEYS = frozenset({"metric", "why", "optional", *LIMITS})


@dataclass(frozen=True)
class Threshold:
    """One rule. The limits are inclusive: a value fails when it is below `min`, above `max`, or not `equals`."""

    metric: str
    """Dotted path into the summary; `*` stands for every key or list entry at its place."""
    why: str
    min: float | None = None
    max: float | None = None
    equals: bool | int | float | str | None = None
    optional: bool = False
    """An absent metric passes. Without this it is an error, so that a misspelt name never passes."""


def find_thresholds(stem: str, general: Path = PACKAGED) -> Path:
    """The thresholds of a scenario: those of its name, else the general ones; the working directory comes first.

    `default.toml` of a thresholds folder takes the place of the packaged general ones of network runs.
    """
    names = (stem, "default") if general == PACKAGED else (stem,)
    for folder in (FOLDER, REPOSITORY / FOLDER):
        for name in names:
            path = folder / f"{name}.toml"
            if path.is_file():
                return path
    return general


def load_thresholds(path: Path) -> tuple[Threshold, ...]:
    """Reads `[[threshold]]` tables. Raises `ThresholdError` with every problem found."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThresholdError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ThresholdError(f"{path}: {error}") from error
    entries = document.get("threshold")
    if not isinstance(entries, list) or not entries:
        raise ThresholdError(f"{path}: no [[threshold]] tables")
    problems = [f"{path}: unknown table {key!r}; allowed: threshold" for key in document if key != "threshold"]
    for number, entry in enumerate(entries, 1):
        problems += [f"{path}: threshold {number}: {why}" for why in _problems(entry)]
    if problems:
        raise ThresholdError("\n".join(problems))
    return tuple(Threshold(**entry) for entry in entries)


def _problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["not a table"]
    found = [f"unknown key {key!r}; allowed: {', '.join(sorted(KEYS))}" for key in entry if key not in KEYS]
    found += [f"{key} must be a text" for key in ("metric", "why") if not _is_text(entry.get(key))]
    if not any(limit in entry for limit in LIMITS):
        found.append(f"needs one of {', '.join(LIMITS)}")
    if "equals" in entry and ("min" in entry or "max" in entry):
        found.append("equals excludes min and max")
    found += [f"{key} = {entry[key]!r} is not a number" for key in ("min", "max") if key in entry and not _is_number(entry[key])]
    if "equals" in entry and not isinstance(entry["equals"], bool | int | float | str):
        found.append(f"equals = {entry['equals']!r} is not a number, truth value or text")
    if not isinstance(entry.get("optional", False), bool):
        found.append("optional must be true or false")
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
