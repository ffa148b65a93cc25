"""The folder of a run: which file holds what, and when each is written.

`run.json` comes first, so that a broken run still says what it was; it is written again at the end with the
exit code and the hashes. Every file is whole or absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.base.jsontext import json_text
from simnet.record.atomic import write_atomic
from simnet.record.csv import to_csv
from simnet.record.earlier import refuse_finished, refuse_foreign, refuse_nested, refuse_others, refuse_places, removable, remove
from simnet.record.places import ANALYSIS, COSTS, PENALTIES, RUN, SUMMARIES, TIMINGS, TRACE, FolderLock, products
from simnet.record.summary import Summary, to_json

if TYPE_CHECKING:
    from simnet.events.run_result import RunResult


@dataclass(frozen=True)
class RunFolder:
    """One run's folder. `stem` names the summaries after the scenario's file."""

    root: Path
    stem: str

    @property
    def run(self) -> Path:
        return self.root / RUN

    @property
    def summary(self) -> Path:
        return self.root / SUMMARIES / f"{self.stem}.json"

    @property
    def csv(self) -> Path:
        return self.summary.with_suffix(".csv")

    @property
    def trace(self) -> Path:
        return self.root / TRACE

    @property
    def costs(self) -> Path:
        return self.root / COSTS

    @property
    def timings(self) -> Path:
        return self.root / TIMINGS

    @property
    def penalties(self) -> Path:
        """Only of runs with slashing."""
        return self.root / PENALTIES

    @property
    def analysis(self) -> Path:
        return self.root / ANALYSIS

    @property
    def taken(self) -> list[tuple[str, Path]]:
        """Every file that a run writes here, with what it is."""
        return [(f"the run's own {path.name}", path) for path in (*products(self.root, self.stem), self.run, self.costs)]

    def begin(self, header: Mapping[str, object], *, force: bool = False, locked: bool = False) -> FolderLock | None:
        """Locks the folder (unless the caller has `locked` it), removes an earlier run's results and writes the first `run.json`. Raises
        `OutputError`, and then the earlier run is as it was.

        A finished run is only replaced with `force`. `costs.json` stays until this run's own replaces it: it may be the cost
        table this run replays. A link or device in the place of a product is refused: this run would replace it.
        """
        if not locked:
            refuse_nested(self.root, repeats=header.get("repeats") is True)
            refuse_others(self.root)
        lock = None if locked else FolderLock(self.root)
        try:
            refuse_places(self.root, self.stem)
            if not force:
                refuse_finished(self.root)
                refuse_foreign(self.root, products(self.root, self.stem), (RUN,))
            old = removable(self.root, products(self.root, self.stem))
            write_json(self.run, {**header, "complete": False, "exit_code": None})
            remove(self.root, old)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return lock

    def write_summary(self, summary: Summary, extra_json: Path | None = None, extra_csv: Path | None = None) -> list[Path]:
        """Writes the summary here, then where the scenario's `[metrics]` asks; returns the files written. Raises `OutputError`."""
        text, rows = to_json(summary), to_csv(summary)
        written = [self.summary, self.csv]
        write_atomic(self.summary, text)
        write_atomic(self.csv, rows)
        for own, extra, content in ((self.summary, extra_json, text), (self.csv, extra_csv, rows)):
            if extra is not None and extra.resolve() != own.resolve():
                write_atomic(extra, content)
                written.append(extra)
        return written

    def write_result(self, result: "RunResult") -> None:
        """Writes the costs used and the real timings."""
        write_json(self.costs, result.costs)
        write_json(self.timings, result.timings)


def write_json(path: Path, value: object) -> None:
    """Indented JSON with a newline at the end. Raises `OutputError`."""
    write_atomic(path, json_text(value, ascii_only=False) + "\n")
