"""Known advisories against the pinned versions: a pinned version in an affected range is a fault.

Crates are compared by semantic versioning, where a pre-release (`0.4.3-fork`) comes before its release; Python
packages by PEP 440. An accepted advisory says why; one whose reason no longer applies to any pin is a fault too.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from packaging.version import Version

CRATES, PYPI = "crates.io", "PyPI"
ID = re.compile(r"RUSTSEC-\d{4}-\d{4}|GHSA(-[23456789cfghjmpqrvwx]{4}){3}|PYSEC-\d{4}-\d+|CVE-\d{4}-\d{4,}")
SEMVER = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
PART = re.compile(r"(<=|>=|<|>|==)\s*(\S+)")
KEYS = {"id", "aliases", "ecosystem", "packages", "affected", "date", "source", "summary", "accepted"}
REQUIRED = KEYS - {"aliases", "accepted"}


@dataclass(frozen=True, slots=True)
class Pin:
    """A package at the version that a lock file fixes."""

    ecosystem: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Advisory:
    """One entry of `advisories.toml`."""

    id: str
    ecosystem: str
    packages: tuple[str, ...]
    affected: tuple[str, ...]
    summary: str
    source: str
    accepted: str | None

    def hits(self, pin: Pin) -> bool:
        """Whether the pinned version lies in one of the affected ranges."""
        if pin.ecosystem != self.ecosystem or pin.name not in self.packages:
            return False
        return any(in_range(pin.version, r, VERSIONS[self.ecosystem]) for r in self.affected)


def semver(text: str) -> tuple[Any, ...]:
    """A sort key of a semantic version. Raises ValueError."""
    match = SEMVER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a semantic version")
    major, minor, patch, pre = match.groups()
    numbers = (int(major), int(minor or 0), int(patch or 0))
    if pre is None:
        return (*numbers, 1, ())
    # Numeric identifiers come before words (semver.org, 11.4).
    identifiers = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split("."))
    return (*numbers, 0, identifiers)


VERSIONS: Mapping[str, Callable[[str], Any]] = {CRATES: semver, PYPI: Version}


def in_range(version: str, affected: str, order: Callable[[str], Any]) -> bool:
    """Whether `version` satisfies every part of a range like `>=0.5.0, <0.5.3`; `*` takes all. Raises ValueError."""
    if affected == "*":
        return True
    return all(_satisfies(order(version), part.strip(), order) for part in affected.split(","))


def _satisfies(version: Any, part: str, order: Callable[[str], Any]) -> bool:
    match = PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} is no bound: write <, <=, >, >= or == and a version")
    bound = order(match[2])
    return bool(
        {"<": version < bound, "<=": version <= bound, ">": version > bound, ">=": version >= bound, "==": version == bound}[match[1]]
    )


def load(path: Path) -> list[Advisory]:
    """The committed list. Raises ValueError that names every faulty entry."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("advisory", [])
    faults = [fault for i, entry in enumerate(entries) for fault in _entry_faults(entry, i)]
    ids = [entry.get("id") for entry in entries]
    faults += [f"{i}: listed twice" for i in sorted({str(x) for x in ids if ids.count(x) > 1})]
    if faults or not entries:
        raise ValueError("\n".join(f"{path.name}: {fault}" for fault in faults or ["no advisory is listed"]))
    return [
        Advisory(e["id"], e["ecosystem"], tuple(e["packages"]), tuple(e["affected"]), e["summary"], e["source"], e.get("accepted"))
        for e in entries
    ]


def _entry_faults(entry: Mapping[str, Any], index: int) -> list[str]:
    name = str(entry.get("id", f"entry {index + 1}"))
    faults = [f"{name}: {key!r} is missing" for key in sorted(REQUIRED - entry.keys())]
    faults += [f"{name}: unknown key {key!r}" for key in sorted(entry.keys() - KEYS)]
    if faults:
        return faults
    faults += [
        f"{name}: {i!r} is not an id of RustSec, GitHub, PyPA or CVE" for i in [name, *entry.get("aliases", ())] if not ID.fullmatch(i)
    ]
    if entry["ecosystem"] not in VERSIONS:
        return [*faults, f"{name}: ecosystem must be one of {', '.join(VERSIONS)}"]
    if not isinstance(entry["date"], date) or not str(entry["source"]).startswith("https://"):
        faults.append(f"{name}: needs a date and a source that begins with https://")
    for affected in entry["affected"] or [""]:
        try:
            in_range("0.0.0", affected, VERSIONS[entry["ecosystem"]])
        except ValueError as error:
            faults.append(f"{name}: {error}")
    return faults


def crate_pins(lock: Path) -> list[Pin]:
    """What Cargo.lock pins."""
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    return [Pin(CRATES, p["name"], p["version"]) for p in packages]


def python_pins(lock: Path) -> list[Pin]:
    """What requirements.lock pins."""
    return [Pin(PYPI, name.lower(), version) for name, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text())]


def findings(advisories: Iterable[Advisory], pins: Iterable[Pin]) -> tuple[list[str], list[str]]:
    """(faults, accepted): what must be fixed, and what is used knowingly."""
    pins = list(pins)
    faults: list[str] = []
    accepted: list[str] = []
    for advisory in advisories:
        hit = [f"{p.name} {p.version}" for p in pins if advisory.hits(p)]
        line = f"{advisory.id}: {', '.join(hit)}: {advisory.summary}"
        if advisory.accepted is None:
            faults += [f"{line} ({advisory.source})"] if hit else []
        elif hit:
            accepted.append(f"{line}; accepted: {advisory.accepted}")
        else:
            faults.append(f"{advisory.id}: accepted, but no pinned version is affected any more: drop `accepted`")
    return faults, accepted
