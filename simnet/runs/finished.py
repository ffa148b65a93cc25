"""A finished run read back from its folder, for notebooks and scripts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simnet.base import reading
from simnet.base.errors import OutputError
from simnet.record.files import RunFolder
from simnet.record.places import RUN, summary_stem
from simnet.record.readback import run_head

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FinishedRun:
    """What a run has left in its folder; each file is read when it is first asked for."""

    folder: Path
    exit_code: int
    """0 held, 1 an invariant failed, 2 broke off, 3 nothing ran, 130 interrupted."""
    complete: bool
    stem: str
    """Name of the summary, without suffix."""

    @property
    def files(self) -> RunFolder:
        """Where each file lies."""
        return RunFolder(self.folder, self.stem)

    @cached_property
    def run(self) -> Mapping[str, Any]:
        """The content of `run.json`: what was asked, the three hashes, the command that repeats the run."""
        return reading.json_object(self.files.run)

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """The summary; `docs/summary.md` has its fields and units."""
        return reading.json_object(self.files.summary)

    @cached_property
    def events(self) -> "pd.DataFrame":
        """Every event, one row each; `at` and other times are virtual nanoseconds. Raises OutputError without a whole trace."""
        from simnet.record.trace import frame

        return frame(self.files.trace)


def load(folder: Path | str) -> FinishedRun:
    """A run from its folder. Raises OutputError when there is none, or one that has not ended."""
    root = Path(folder)
    head = run_head(root / RUN)
    if head.exit_code is None:
        raise OutputError(f"{root / RUN}: the run has not ended: it is still going or was killed")
    return FinishedRun(root, head.exit_code, head.complete, summary_stem(Path(head.scenario_path)))
