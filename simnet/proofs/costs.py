"""How long proving and verifying take in virtual time.

`calibrated` reads a committed table, measured once on a named machine. `recorded` replays the costs that an
earlier run wrote. `measured` takes this run's wall times; such a run cannot be reproduced and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from simnet.base import reading
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import Problem, ScenarioError
from simnet.base.units import NS_PER_S, NS_PER_US, SimTime
from simnet.proofs.backend import Circuit, Security

COSTS_BYTES_MAX = 64 * 1024 * 1024
COST_NS_MAX = 24 * 3600 * NS_PER_S
"""One operation: a day, on a node with cpu factor 1."""
PROVE = "prove"
VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class CostKey:
    """What a cost belongs to."""

    backend: BackendId
    circuit: Circuit
    operation: str
    security: Security = Security.STANDARD

    @property
    def text(self) -> str:
        """The key in a costs file."""
        return _text(self.backend, self.circuit.id, self.circuit.params, self.operation, self.security.of(self.backend))


@cache
def _text(backend: BackendId, circuit: CircuitId, params: tuple[int, ...], operation: str, security: Security) -> str:
    profile = "" if security is Security.STANDARD else f"-{security.label}"
    return f"{backend.label}{profile}/{circuit.label}/{Circuit(circuit, params).work}/{operation}"


class _Calibration(reading.Read):
    """What `simnet calibrate` writes."""

    costs_us: dict[str, Annotated[float, Field(ge=0, le=COST_NS_MAX / NS_PER_US, allow_inf_nan=False)]]


class _Recorded(reading.Read):
    """What a run leaves in its `costs.json`."""

    table_ns: dict[str, Annotated[int, Field(ge=0, le=COST_NS_MAX)]]
    jobs_ns: dict[str, Annotated[int, Field(ge=0, le=COST_NS_MAX)]]


class CostModel(Protocol):
    """Says what an operation costs in virtual time on a node with cpu factor 1."""

    @property
    def name(self) -> str: ...

    @property
    def reproducible(self) -> bool: ...

    def cost(self, key: CostKey, job: str, wall_ns: int | None) -> SimTime:
        """The cost of one operation. `job` identifies the statement or proof; `wall_ns` is its wall time where the
        model asked for it (`measured`)."""

    def used(self) -> Mapping[str, object]:
        """The costs that the run used, as `costs.json` keeps them."""


class TableCosts:
    """One cost per backend, circuit, size and operation."""

    reproducible = True

    def __init__(self, name: str, source: str, table: Mapping[str, int], jobs: Mapping[str, int] | None = None) -> None:
        self.name = name
        self._source = source
        self._table = table
        self._jobs = jobs or {}
        self._used: dict[str, int] = {}
        self._used_jobs: dict[str, int] = {}

    def cost(self, key: CostKey, job: str, wall_ns: int | None) -> SimTime:
        """The job's own recorded cost, else the table's. Raises ScenarioError when the table has no such entry."""
        if self._jobs:
            recorded = self._jobs.get(f"{key.operation}:{job}")
            if recorded is not None:
                self._used_jobs[f"{key.operation}:{job}"] = recorded
                return SimTime(recorded)
        text = key.text
        if text not in self._table:
            why = f"no cost for {text}; measure one with `simnet calibrate`"
            raise ScenarioError([Problem(Path(self._source), None, "costs", None, why)])
        self._used[text] = self._table[text]
        return SimTime(self._table[text])

    def used(self) -> Mapping[str, object]:
        """The entries that were asked for."""
        return {"model": self.name, "table_ns": dict(sorted(self._used.items())), "jobs_ns": dict(sorted(self._used_jobs.items()))}


class MeasuredCosts:
    """This run's wall times."""

    name = "measured"
    reproducible = False

    def __init__(self) -> None:
        self._jobs: dict[str, int] = {}

    def cost(self, key: CostKey, job: str, wall_ns: int | None) -> SimTime:
        """The job's wall time; the first one measured, if it runs again. Raises `ValueError` without one."""
        if wall_ns is None:
            raise ValueError("the measured cost model needs wall times")
        return SimTime(self._jobs.setdefault(f"{key.operation}:{job}", wall_ns))

    def used(self) -> Mapping[str, object]:
        """Every job's cost, for `--costs FILE`."""
        return {"model": self.name, "table_ns": {}, "jobs_ns": dict(sorted(self._jobs.items()))}


def cost_model(costs: str) -> CostModel:
    """The model that `--costs` names: `calibrated`, `measured`, or a costs.json / calibration TOML file. Raises `ScenarioError`."""
    if costs == "measured":
        return MeasuredCosts()
    if costs == "calibrated":
        text = resources.files("simnet.proofs").joinpath("calibrated.toml").read_text(encoding="utf-8")
        return TableCosts("calibrated", "calibrated.toml", _calibration(text, Path("calibrated.toml")))
    path = Path(costs)
    try:
        text = reading.text(path, COSTS_BYTES_MAX)
        return TableCosts("calibrated", str(path), _calibration(text, path)) if path.suffix == ".toml" else _recorded(text, path)
    except reading.UnreadableError as error:
        why = f"{error}; allowed are calibrated, measured or a file: an earlier run's costs.json, a table of `simnet calibrate`"
        raise ScenarioError([Problem(path, None, "", None, why.removeprefix(f"{path}:").strip())]) from None


def _calibration(text: str, path: Path) -> dict[str, int]:
    """`[costs_us]` of a calibration file: key text -> microseconds."""
    table = reading.checked(path, reading.toml_tables(path, text), _Calibration, "a calibration table").costs_us
    return {key: round(us * NS_PER_US) for key, us in table.items()}


def _recorded(text: str, path: Path) -> TableCosts:
    """A `costs.json` of an earlier run."""
    found = reading.checked(path, reading.parsed_json(path, text), _Recorded, "a costs.json of a run")
    return TableCosts("recorded", str(path), found.table_ns, found.jobs_ns)
