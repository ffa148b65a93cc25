"""From a file to a `Scenario`: every problem at once, with its line, and nothing but `ScenarioError` on the way."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simnet.errors import Problem, ScenarioError
from simnet.scenario import overrides as over
from simnet.scenario import toml
from simnet.scenario.base import Ours
from simnet.scenario.crossfield import Conflict, at, conflicts
from simnet.scenario.explain import explain
from simnet.scenario.linkfaults import LINK_FAULTS, NodeFault
from simnet.scenario.model import Scenario
from simnet.scenario.ours import Chain, Consensus, Gossip, Limits, Provers
from simnet.scenario.tolerances import TOLERANCES, supply_sim
from simnet.scenario.unknown import close_match, unknown_keys

TAGS = {"poisson", "on_off_bursty", "uniform", "zipf", *LINK_FAULTS}
"""Names of union members, which pydantic puts into a location although no file has them as keys."""
SHOWN_CHARACTERS_MAX = 80
OUR_SECTIONS: dict[str, type[Ours]] = {
    "chain": Chain,
    "consensus": Consensus,
    "provers": Provers,
    "gossip": Gossip,
    "limits": Limits,
}


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """A scenario that can be run."""

    scenario: Scenario
    warnings: tuple[Problem, ...]
    sha256: str
    """Of the file's bytes: seed and overrides are not in it."""
    path: Path

    @property
    def seed(self) -> int:
        return self.scenario.sim.seed


def load_scenario(
    path: Path | str, *, seed: int | None = None, overrides: Mapping[str, str] | None = None, strict: bool = False
) -> LoadedScenario:
    """Reads and checks a TOML scenario.

    `seed` replaces `sim.seed`. `overrides` maps dotted keys to TOML values. `strict` turns warnings into errors.
    Raises `ScenarioError` with every problem found.
    """
    path = Path(path)
    content = _read(path)
    document = _Document(path, _text(path, content))
    document.overlay(overrides or {}, seed)
    scenario = document.check()
    if scenario is None or (strict and document.warnings):
        raise document.error(strict)
    return LoadedScenario(scenario, tuple(document.warnings), hashlib.sha256(content).hexdigest(), path)


def _read(path: Path) -> bytes:
    if path.suffix.lower() in (".ron", ".yaml", ".yml"):
        raise _refusal(path, f"{path.suffix} files are not supported yet; give the TOML scenario itself")
    try:
        with path.open("rb") as file:
            content = file.read(toml.DOCUMENT_BYTES_MAX + 1)
    except IsADirectoryError:
        raise _refusal(path, "is a directory, not a scenario file") from None
    except FileNotFoundError:
        raise _refusal(path, "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise _refusal(path, f"cannot be read: {error}") from None
    if len(content) > toml.DOCUMENT_BYTES_MAX:
        raise _refusal(path, f"larger than {toml.DOCUMENT_BYTES_MAX} bytes, so not a scenario")
    return content


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refusal(path, "not UTF-8 text", content.count(b"\n", 0, error.start) + 1) from None


def _refusal(path: Path, why: str, line: int | None = None) -> ScenarioError:
    return ScenarioError([Problem(path, line, "", None, why)])


class _Document:
    """One file on its way to a scenario, collecting problems and warnings."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        try:
            self.data = toml.parse(text)
        except toml.TomlError as error:
            raise _refusal(path, str(error), error.line) from None
        self._lines = toml.Lines.of(text)
        self._changed: set[toml.Path] = set()
        self._flat_traffic = False

    def overlay(self, overrides: Mapping[str, str], seed: int | None) -> None:
        """Puts what the file leaves out or the command line sets into the tables."""
        self._flat_traffic = _nest_traffic(self.data)
        self._changed, failed = over.apply(self.data, overrides)
        self.problems += [Problem(self.path, None, key, value, why) for key, value, why in failed]
        self._warn(supply_sim(self.data, seed))
        self.data.setdefault("name", self.path.stem or "scenario")
        if seed is not None and isinstance(self.data.get("sim"), dict):
            self.data["sim"]["seed"] = seed
            self._changed.add(("sim", "seed"))

    def check(self) -> Scenario | None:
        """The scenario, or None when there are problems."""
        huge = list(_huge_integers((), self.data))
        if huge:
            # Nothing after this could print them.
            self.problems += [self._problem(key, value, "an integer has at most 64 bits") for key, value in huge]
            return None
        scenario = self._validate()
        self.problems += [self._problem(c.key, c.value, c.why) for c in conflicts(self.data)]
        self._warn(Conflict(found.key, None, found.why) for found in unknown_keys(Scenario, self.data))
        for tolerance in TOLERANCES:
            self._warn(tolerance(self.data))
        return None if self.problems else scenario

    def error(self, strict: bool) -> ScenarioError:
        """Every problem, in the order of the file; with the warnings when they count."""
        found = self.problems + (self.warnings if strict else [])
        return ScenarioError(sorted(found, key=lambda p: (p.line is None, p.line or 0)))

    def _validate(self) -> Scenario | None:
        try:
            return Scenario.model_validate(self.data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                if not _is_echo(detail):
                    self._refuse(detail["loc"], detail)
            return None

    def _refuse(self, location: tuple[str | int, ...], detail: Any) -> None:
        key = _without_tags(location, self.data)
        why = explain(detail, key)
        if detail["type"] == "union_tag_invalid":
            key = (*key, detail["ctx"]["discriminator"].strip("'"))
        if detail["type"] == "extra_forbidden":
            section = self._section(key)
            why = f"unknown key; {close_match(str(key[-1]), section.model_fields)}"
        unseen = detail["type"] in ("missing", "extra_forbidden", "union_tag_not_found")
        value = None if unseen else at(self.data, *key)
        self.problems.append(self._problem(key, value, why))

    def _section(self, key: toml.Path) -> type[Ours]:
        """Our section that a key was found in."""
        if key[:2] == ("faults", "links"):
            return LINK_FAULTS[str(at(self.data, *key[:3], "kind"))]
        return NodeFault if key[0] == "faults" else OUR_SECTIONS[str(key[0])]

    def _warn(self, found: Iterable[Conflict]) -> None:
        self.warnings += [self._problem(c.key, c.value, c.why) for c in found]

    def _problem(self, key: toml.Path, value: object, why: str) -> Problem:
        if any(key[: len(changed)] == changed for changed in self._changed):
            return Problem(self.path, None, _dotted(key), _shown(value), f"{why} (set on the command line)")
        written = key[:1] + key[2:] if self._flat_traffic and key[:2] == ("traffic", "tx") else key
        return Problem(self.path, self._lines.near(written), _dotted(written), _shown(value), why)


def _huge_integers(path: toml.Path, data: object) -> Iterator[tuple[toml.Path, int]]:
    """Integers that no key can hold, wherever they stand."""
    if isinstance(data, int) and data.bit_length() > 64:
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _huge_integers((*path, key), value)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _huge_integers((*path, index), value)


def _is_echo(detail: Any) -> bool:
    """Findings that repeat others: rules over several keys (reported from `conflicts`) and lists that are too
    short only because their items were refused."""
    return detail["type"] == "value_error" or (detail["type"] == "too_short" and len(detail["input"]) > 0)


def _nest_traffic(data: dict[str, Any]) -> bool:
    """Moves keys directly below `[traffic]` into `[traffic.tx]`, in place; True when it had to."""
    traffic = data.get("traffic")
    if not isinstance(traffic, dict) or "tx" in traffic or not traffic:
        return False
    data["traffic"] = {"tx": traffic}
    return True


def _without_tags(location: tuple[str | int, ...], data: Mapping[str, Any]) -> toml.Path:
    """Pydantic's location without union member names and dict-key markers, i.e. the keys of the file."""
    path: toml.Path = ()
    for part in location:
        is_tag = part in TAGS and not (isinstance(at(data, *path), Mapping) and part in at(data, *path))
        if not is_tag and part != "[key]":
            path = (*path, part)
    return path


def _dotted(path: toml.Path) -> str:
    return ".".join(map(str, path))


def _shown(value: object) -> object:
    """A value short enough for a message, and safe to print (Python refuses to print integers beyond 4300 digits)."""
    if isinstance(value, int) and value.bit_length() > 128:
        return "(a huge integer)"
    if isinstance(value, dict | list | tuple):
        return None
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS_MAX:
        return value[:SHOWN_CHARACTERS_MAX] + "…"
    return value
