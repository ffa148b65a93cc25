"""What a run was, beside what its observers saw."""

from collections.abc import Mapping
from dataclasses import dataclass

from simnet.base.units import NodeId, SimTime


@dataclass(frozen=True, slots=True)
class Violation:
    """What broke a check."""

    invariant: str
    at: SimTime
    detail: str
    nodes: tuple[NodeId, ...] = ()
    """Where it was seen, ascending."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended and what was found."""

    complete: bool
    interrupted: bool
    end: SimTime
    violations: tuple[Violation, ...]
    checks: Mapping[str, Mapping[str, object]]
    costs: Mapping[str, object]
    timings: Mapping[str, object]
    proofs_sha256: str
    expectation: Mapping[str, object] | None = None
    """Of a scenario with `[expect]`: whether the run broke as it was to."""

    @property
    def as_expected(self) -> bool:
        """Nothing broke, or exactly what was to."""
        return not self.violations if self.expectation is None else self.expectation["met"] is True
