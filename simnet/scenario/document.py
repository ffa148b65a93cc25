"""One file on its way to a model: its tables, where they stand, and every problem and warning found in them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from simnet.base.errors import Problem, ScenarioError
from simnet.scenario import overrides as over
from simnet.scenario.base import Ours
from simnet.scenario.bounds import allowed, model_of
from simnet.scenario.explain import explain
from simnet.scenario.linkfaults import LINK_FAULTS
from simnet.scenario.marks import Path
from simnet.scenario.nodefaults import NODE_FAULTS
from simnet.scenario.syntax import Source
from simnet.scenario.tables import at
from simnet.scenario.unknown import close_match, unknown_keys

TAGS = {"poisson", "on_off_bursty", "uniform", "zipf", *LINK_FAULTS, *NODE_FAULTS}
"""Names of union members, which pydantic puts into a location although no file has them as keys."""
MEMBERS = ("str", "int", "tuple[", "constrained-", "function-")
"""How the names of union members that are no tables begin."""
SHOWN_CHARACTERS_MAX = 80
M = TypeVar("M", bound=BaseModel)


class Finding(Protocol):
    """Something noticed at a key."""

    @property
    def key(self) -> Path: ...
    @property
    def value(self) -> object: ...
    @property
    def why(self) -> str: ...


class Document:
    """Tables with their marks; problems end loading, warnings do so with `--strict`."""

    def __init__(self, source: Source) -> None:
        self.path: FilePath = source.path
        self.data: dict[str, Any] = source.parsed.data
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._marks = source.parsed.marks
        self._changed: set[Path] = set()
        self._unknown: list[tuple[Path, Problem]] = []
        self._incomplete: set[Path] = set()
        """Tables that lack a key."""

    def override(self, overrides: Mapping[str, str]) -> None:
        """Lays dotted keys with TOML values over the tables."""
        changed, failed = over.apply(self.data, overrides)
        self._changed |= changed
        self.problems += [Problem(self.path, None, _short(key), _shown(value), why) for key, value, why in failed]

    def put(self, path: Path, value: object) -> None:
        """Sets one value of a table that is there."""
        at(self.data, *path[:-1])[path[-1]] = value
        self._changed.add(path)

    def has_huge_integers(self) -> bool:
        """Reports integers that no key can hold: nothing after this could print them."""
        huge = list(_huge_integers((), self.data))
        self.problems += [self.problem(key, value, "an integer has at most 64 bits") for key, value in huge]
        return bool(huge)

    def validate(self, model: type[M]) -> M | None:
        """The model, or None when a key is wrong; each wrong key is a problem, each unknown one a warning."""
        self.warn_unknown(model)
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                if not _is_echo(detail):
                    self._refuse(model, detail)
            return None

    def warn_unknown(self, model: type[BaseModel]) -> None:
        found = list(unknown_keys(model, self.data))
        self._unknown += [(unknown.key, self.problem(unknown.key, None, unknown.why)) for unknown in found]
        self.warn_names(found)

    def warn_names(self, found: Iterable[Finding]) -> None:
        """Names that nothing reads: warnings in a file, which another program may read; problems on the command line."""
        for finding in found:
            if self._is_set(finding.key):
                self.problems.append(self._set_problem(finding.key, finding.value, finding.why))
            else:
                self.warnings.append(self.problem(finding.key, finding.value, finding.why))

    def _set_problem(self, key: Path, value: object, why: str) -> Problem:
        return Problem(self.path, None, _dotted(key), _shown(value), f"{why} (set on the command line)")

    def _is_set(self, key: Path) -> bool:
        """Whether the command line has set a key or something below it."""
        return any(key[: len(path)] == path or path[: len(key)] == key for path in self._changed)

    def warn(self, found: Iterable[Finding]) -> None:
        self.warnings += [self.problem(f.key, f.value, f.why) for f in found]

    def refuse(self, found: Iterable[Finding]) -> None:
        self.problems += [self.problem(f.key, f.value, f.why) for f in found]

    def error(self, strict: bool) -> ScenarioError:
        """Every problem, in the order of the file; with the warnings when they count.

        An unknown key counts where another one is missing: that one is likely misspelt.
        """
        misspelt = [problem for key, problem in self._unknown if key[:-1] in self._incomplete]
        found = list(dict.fromkeys(self.problems + (self.warnings if strict else misspelt)))
        rest = [warning for warning in self.warnings if warning not in found]
        return ScenarioError(_in_order(map(_as_error, found)), _in_order(rest))

    def problem(self, key: Path, value: object, why: str) -> Problem:
        if any(key[: len(changed)] == changed for changed in self._changed):
            return self._set_problem(key, value, why)
        written = self.written(key)
        mark = self._marks.near(written)
        line, column = (mark.line, mark.column) if mark else (None, None)
        return Problem(self.path, line, _dotted(written), _shown(value), why, column)

    def written(self, key: Path) -> Path:
        """A key as the file has it."""
        return key

    def _refuse(self, model: type[BaseModel], detail: Any) -> None:
        key = _without_tags(detail["loc"], self.data)
        why = explain(detail, key)
        if detail["type"] == "union_tag_invalid":
            key = (*key, detail["ctx"]["discriminator"].strip("'"))
        if detail["type"] == "extra_forbidden":
            section = model_of(model, self.data, key[:-1]) or Ours
            why = f"unknown key; {close_match(str(key[-1]), section.model_fields)}"
        else:
            why += allowed(model, self.data, key, why)
        if detail["type"] == "missing":
            self._incomplete.add(key[:-1])
        unseen = detail["type"] in ("missing", "extra_forbidden", "union_tag_not_found")
        self.problems.append(self.problem(key, None if unseen else at(self.data, *key), why))


def _as_error(problem: Problem) -> Problem:
    """A key that ends loading is not ignored."""
    return replace(problem, why=problem.why.replace("unknown key, ignored", "unknown key"))


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """As the file has them."""
    return sorted(problems, key=lambda p: (p.line is None, p.line or 0, p.column or 0))


def _huge_integers(path: Path, data: object) -> Iterator[tuple[Path, int]]:
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


def _without_tags(location: tuple[str | int, ...], data: Mapping[str, Any]) -> Path:
    """Pydantic's location without union member names and dict-key markers, i.e. the keys of the file."""
    path: Path = ()
    for part in location:
        is_tag = (part in TAGS or (isinstance(part, str) and part.startswith(MEMBERS))) and not (
            isinstance(at(data, *path), Mapping) and part in at(data, *path)
        )
        if not is_tag and part != "[key]":
            path = (*path, part)
    return path


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def _shown(value: object) -> object:
    """A value short enough for a message, and safe to print (Python refuses to print integers beyond 4300 digits)."""
    if isinstance(value, int) and value.bit_length() > 128:
        return "(a huge integer)"
    if isinstance(value, dict | list | tuple):
        return None
    return _short(value) if isinstance(value, str) else value


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "…"
