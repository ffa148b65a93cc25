"""From a file to a `Scenario`: every problem at once, with its place, and nothing but `ScenarioError` on the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simnet.base.errors import Problem, ScenarioError
from simnet.base.plain import encodable
from simnet.scenario import marks, syntax
from simnet.scenario.crossfield import conflicts
from simnet.scenario.document import Document
from simnet.scenario.idle import MISNAMED
from simnet.scenario.model import NAME_MAX, Scenario
from simnet.scenario.tolerances import TOLERANCES, supply_sim

PROFILE_SECTIONS = ("sim", "topology", "traffic")


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
    path: Path | str,
    *,
    seed: int | None = None,
    overrides: Mapping[str, str] | None = None,
    strict: bool = False,
    mode: str | None = None,
) -> LoadedScenario:
    """Reads and checks a traffic profile: TOML, YAML, JSON or RON, by the file's suffix.

    `seed` replaces `sim.seed`, `mode` (a wrapper's) `sim.mode`. `overrides` maps dotted keys to TOML values. `strict` turns
    warnings into errors. Raises `ScenarioError` with every problem found.
    """
    return check_scenario(syntax.read(Path(path)), seed=seed, overrides=overrides, strict=strict, mode=mode)


def check_scenario(
    source: syntax.Source,
    *,
    seed: int | None = None,
    overrides: Mapping[str, str] | None = None,
    strict: bool = False,
    mode: str | None = None,
) -> LoadedScenario:
    """`load_scenario` for a file that has been read. Raises `ScenarioError`."""
    if not is_profile(source.parsed.data):
        raise _no_profile(source)
    document = _Profile(source)
    document.overlay(overrides or {}, seed, mode)
    scenario = document.check()
    if scenario is None or (strict and document.warnings):
        raise document.error(strict)
    return LoadedScenario(scenario, tuple(document.warnings), source.sha256, source.path)


def is_profile(data: Mapping[str, Any]) -> bool:
    """Whether a document is meant as a traffic profile: it has at least one of the sections that every profile has."""
    return any(section in data for section in PROFILE_SECTIONS)


def _no_profile(source: syntax.Source) -> ScenarioError:
    needed = " and ".join(f"[{section}]" for section in PROFILE_SECTIONS)
    return syntax.refusal(source.path, f"not a traffic profile: it lacks {needed}")


class _Profile(Document):
    """A traffic profile on its way to a scenario."""

    def __init__(self, source: syntax.Source) -> None:
        super().__init__(source)
        self._flat_traffic = _nest_traffic(self.data)
        self._service_stop: int | None = None
        """Place in `faults.nodes` of what the file has as `[faults.service_stop]`."""

    def overlay(self, overrides: Mapping[str, str], seed: int | None, mode: str | None) -> None:
        """Puts what the file leaves out or the command line sets into the tables."""
        self.override(overrides)
        self.warn(supply_sim(self.data, seed))
        self.data.setdefault("name", encodable(self.path.stem)[:NAME_MAX] or "scenario")
        if isinstance(self.data.get("sim"), dict):
            for key, value in (("seed", seed), ("mode", mode)):
                if value is not None:
                    self.put(("sim", key), value)

    def check(self) -> Scenario | None:
        """The scenario, or None when there are problems."""
        if self.has_huge_integers():
            return None
        self._service_stop = _adopt_service_stop(self.data)
        scenario = self.validate(Scenario)
        self.refuse(conflicts(self.data))
        for tolerance in TOLERANCES:
            self.warn(tolerance(self.data))
        for misnamed in MISNAMED:
            self.warn_names(misnamed(self.data))
        return None if self.problems else scenario

    def written(self, key: marks.Path) -> marks.Path:
        if self._service_stop is not None and key[:3] == ("faults", "nodes", self._service_stop):
            return ("faults", "service_stop", *key[3:])
        return key[:1] + key[2:] if self._flat_traffic and key[:2] == ("traffic", "tx") else key


def _adopt_service_stop(data: dict[str, Any]) -> int | None:
    """Moves a `[faults.service_stop]` that says which service of which nodes behind `faults.nodes`, in place; its index there.

    Upstream's loader ignores a table of this name and no layout of it is known, so any other one stays an unknown key.
    """
    faults = data.get("faults")
    stop = faults.get("service_stop") if isinstance(faults, dict) else None
    if not isinstance(faults, dict) or not isinstance(stop, dict) or not {"service", "nodes"} <= stop.keys():
        return None
    nodes = faults.setdefault("nodes", [])
    if not isinstance(nodes, list):
        return None
    nodes.append({"kind": "service_stop", **faults.pop("service_stop")})
    return len(nodes) - 1


def _nest_traffic(data: dict[str, Any]) -> bool:
    """Moves keys directly below `[traffic]` into `[traffic.tx]`, in place; True when it had to."""
    traffic = data.get("traffic")
    if not isinstance(traffic, dict) or "tx" in traffic or not traffic:
        return False
    data["traffic"] = {"tx": traffic}
    return True
