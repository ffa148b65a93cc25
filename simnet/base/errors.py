"""Expected errors, one tree. A broken invariant is not one of them: see `simnet.checks`."""

from dataclasses import dataclass
from pathlib import Path

from simnet.base.plain import printable


class SimnetError(Exception):
    """Something a user can cause and fix."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in an input file."""

    path: Path
    line: int | None
    key: str
    value: object
    why: str
    """What is wrong and what would be allowed."""
    column: int | None = None

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        shown = "" if self.value is None else f" = {self.value!r}"
        return printable(f"{where}: {self.key}{shown}: {self.why}" if self.key else f"{where}: {self.why}")


class InputError(SimnetError):
    """An input file that cannot be used; carries every problem found, not only the first, and what else was noticed."""

    def __init__(self, problems: list[Problem], warnings: list[Problem] | None = None) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings or ())
        super().__init__("\n".join(str(p) for p in problems))


class ScenarioError(InputError):
    """A scenario file that cannot be run."""


class ThresholdError(SimnetError):
    """A thresholds file that cannot be applied, say an unknown metric name."""


class RulesError(InputError, ThresholdError):
    """A thresholds or metrics file with faults, each at its place."""


class ProofError(SimnetError):
    """A proof could not be made: bad witness, unknown circuit, failed prover."""


class KeyCacheError(SimnetError):
    """The key cache folder cannot be read or written."""


class OutputError(SimnetError):
    """A result could not be written (full disk, no permission)."""


def reason(error: Exception) -> str:
    """What the operating system says of a file, without its number and path; of another error its whole text."""
    return getattr(error, "strerror", None) or str(error)


def cannot_write(path: Path, error: Exception) -> OutputError:
    """The error of a result for which there is no place."""
    return OutputError(f"cannot write {path}: {reason(error)}")
