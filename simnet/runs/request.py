"""What is asked of a run, what comes of it, and who is told meanwhile."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from simnet.base.catalogue import BackendId
from simnet.events import Observer
from simnet.events.run_info import RunInfo
from simnet.events.run_result import RunResult
from simnet.proofs.backend import Backend
from simnet.record.files import RunFolder
from simnet.record.places import FolderLock
from simnet.record.summary import Summary
from simnet.scenario.load import LoadedScenario

STATIC_KEYS = "RPP_SIM_STATIC_KEY_SEED"
"""Environment variable behind `Request.static_key_seed`."""


@dataclass(frozen=True)
class Request:
    """What to run and where to put it."""

    scenario: Path
    seed: int | None = None
    out: Path | None = None
    costs: str = "calibrated"
    overrides: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    mode: str | None = None
    """A wrapper's `p2p.mode`."""
    static_key_seed: str | None = None
    repeats: bool = False
    """A repetition: it leaves the files of `[metrics]` alone, and is not repeated in its turn."""
    force: bool = False
    """Replaces a finished run in the same folder."""
    locked: bool = False
    """The caller has locked the folder."""
    loaded: LoadedScenario | None = None
    """The scenario itself; `scenario` then only says where it came from."""
    provers: Mapping[BackendId, Backend] | None = None
    """Provers that have their keys already, for many runs of one process."""


@dataclass(frozen=True)
class Outcome:
    """A run that has ended, well or not."""

    folder: RunFolder
    exit_code: int
    run: Mapping[str, Any]
    """The content of `run.json`."""
    summary: Summary
    violations: tuple[str, ...]
    result: RunResult | None
    """What the run itself says; none when it broke off."""
    replay: str
    """The command that repeats this run."""
    lock: FolderLock | None = None
    """Nobody else writes into the folder before this is released."""


class Screen(Protocol):
    """Where a run shows what it does. It decides nothing."""

    def warn(self, why: str) -> None:
        """Something about the scenario or the run that the caller should know; text from files is data."""

    def begins(self, loaded: LoadedScenario, folder: Path) -> None:
        """The keys are being loaded."""

    def watching(self, info: RunInfo) -> AbstractContextManager[Observer | None]:
        """Around the run itself: an observer that shows progress, or none."""


class Dark:
    """A screen that shows nothing."""

    def warn(self, why: str) -> None:
        """Not shown; `run.json` has the scenario's warnings."""

    def begins(self, loaded: LoadedScenario, folder: Path) -> None:
        """Not shown."""

    def watching(self, info: RunInfo) -> AbstractContextManager[Observer | None]:
        return nullcontext()
