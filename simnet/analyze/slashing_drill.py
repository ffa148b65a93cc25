"""The rules of `slashing_drill.json`: one entry for each backend, and every check of it held."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import RootModel

from simnet.analyze.verdicts import Verdict
from simnet.base import reading
from simnet.record.places import SLASHING_DRILL

STEM = SLASHING_DRILL


class DrillEntry(reading.Read):
    """What the drill says of one backend."""

    backend: str
    passed: bool
    checks: dict[str, bool]


class DrillFile(RootModel[list[DrillEntry]]):
    """The whole file."""


def read_drill(path: Path) -> list[DrillEntry]:
    """The entries of the file. Raises `OutputError`."""
    return reading.checked(path, reading.json_value(path), DrillFile, "the result of `simnet drill slashing`").root


def judge_drill(entries: list[DrillEntry]) -> Iterator[Verdict]:
    """One verdict for each check; a drill without any proves nothing."""
    why = "the drill must say what it looked at"
    yield Verdict("entries", len(entries), ">= 1", bool(entries), why)
    for entry in entries:
        yield Verdict(f"{entry.backend}.checks", len(entry.checks), ">= 1", bool(entry.checks), why)
        yield Verdict(
            f"{entry.backend}.passed", entry.passed, "= true", entry.passed is all(entry.checks.values()) is True, "as its checks say"
        )
        for name, held in entry.checks.items():
            yield Verdict(f"{entry.backend}.{name}", held, "= true", held, "penalties follow a verified block, and nothing else")
