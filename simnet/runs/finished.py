"""A finished run read back from its folder, for notebooks and scripts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simnet.base import reading
from simnet.base.errors import OutputError
from simnet.record.files import RunFolder
from simnet.record.frames import Frames
from simnet.record.places import RUN, summary_stem
from simnet.record.readback import run_head

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FinishedRun:
    """What a run has left in its folder; each file is read when it is first asked for. Frames raise OutputError without a whole trace."""

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
    def frames(self) -> Frames:
        """The trace as pandas frames; those below are the ones that most questions need."""
        return Frames(self.files.trace)

    @property
    def nodes(self) -> "pd.DataFrame":
        """A row for each node: region, backends, peer class, stake, peer id."""
        return self.frames.nodes

    @property
    def events(self) -> "pd.DataFrame":
        """Every event, one row each; times are virtual nanoseconds (`…_ns`)."""
        return self.frames.events

    @property
    def proofs(self) -> "pd.DataFrame":
        """A row for each proof that a node made, with the milliseconds that it waited and took."""
        return self.frames.proofs

    @property
    def verifications(self) -> "pd.DataFrame":
        """A row for each answer of a node's verifier."""
        return self.frames.verifications

    @property
    def messages(self) -> "pd.DataFrame":
        """A row for each publication: receivers, delays, copies, verdicts."""
        return self.frames.messages

    @property
    def blocks(self) -> "pd.DataFrame":
        """A row for each committed block: when it was proposed, committed, proven and aggregated, in milliseconds."""
        return self.frames.blocks

    @property
    def links(self) -> "pd.DataFrame":
        """A row for each direction of a link: copies, bytes, duplicates, losses."""
        return self.frames.links


def load(folder: Path | str) -> FinishedRun:
    """A run from its folder. Raises OutputError when there is none, or one that has not ended."""
    root = Path(folder)
    head = run_head(root / RUN)
    if head.exit_code is None:
        raise OutputError(f"{root / RUN}: the run has not ended: it is still going or was killed")
    return FinishedRun(root, head.exit_code, head.complete, summary_stem(Path(head.scenario_path)))
