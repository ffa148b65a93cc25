"""The folder of a run: which file holds what, and when each is written.

`run.json` comes first, so that a broken run still says what it was; it is written again at the end with the
exit code and the hashes. Every file is whole or absent.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.base.errors import OutputError, cannot_write
from simnet.base.jsontext import json_text
from simnet.record.atomic import clear, write_atomic
from simnet.record.csv import to_csv
from simnet.record.places import CHAOS_ALERT, PROPAGATION_ALERT, RUN, FolderLock, slug
from simnet.record.readback import is_finished, is_of_a_run
from simnet.record.summary import Summary, to_json

if TYPE_CHECKING:
    from simnet.events.run_result import RunResult

__all__ = ["CHILD", "RunFolder", "slug", "write_json"]
CHILD = "multi_process"
"""Folder, in a run's, of the same run in a child process."""


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
        return self.root / "summaries" / f"{self.stem}.json"

    @property
    def csv(self) -> Path:
        return self.summary.with_suffix(".csv")

    @property
    def trace(self) -> Path:
        return self.root / "trace.parquet"

    @property
    def costs(self) -> Path:
        return self.root / "costs.json"

    @property
    def timings(self) -> Path:
        return self.root / "timings.json"

    @property
    def penalties(self) -> Path:
        """Only of runs with slashing."""
        return self.root / "slashing.log"

    @property
    def analysis(self) -> Path:
        return self.root / "analysis.json"

    @property
    def _products(self) -> tuple[Path, ...]:
        alerts = [self.summary.with_name(name) for name in (PROPAGATION_ALERT, CHAOS_ALERT)]
        return (self.summary, self.csv, self.trace, self.timings, self.analysis, self.penalties, *alerts)

    @property
    def taken(self) -> list[tuple[str, Path]]:
        """Every file that a run writes here, with what it is."""
        return [(f"the run's own {path.name}", path) for path in (*self._products, self.run, self.costs)]

    def begin(self, header: Mapping[str, object], *, force: bool = False, locked: bool = False) -> FolderLock | None:
        """Locks the folder (unless the caller has `locked` it), removes an earlier run's results and writes the first `run.json`. Raises `OutputError`.

        A finished run is only replaced with `force`. `costs.json` stays until this run's own replaces it: it may be the cost
        table this run replays. A link or device in the place of a product is refused: this run would replace it.
        """
        lock = None if locked else FolderLock(self.root)
        try:
            for path in (*self._products, self.run, self.costs):
                _refuse_no_file(path)
            if not force and is_finished(self.run):
                raise OutputError(f"{self.root} holds a finished run; --force replaces it, --out DIR goes elsewhere")
            foreign = next((path for path in self._products if path.exists()), None)
            if not force and foreign is not None and not self.run.exists():
                raise OutputError(f"{foreign} is there and of no run in {self.root}; --force replaces it, --out DIR goes elsewhere")
            self._clear()
            write_json(self.run, {**header, "complete": False, "exit_code": None})
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return lock

    def _clear(self) -> None:
        for path in self._products:
            clear(path)
        if is_of_a_run(self.run):  # An earlier one, so what else lies here is that run's, too.
            leftovers = [*self.summary.parent.glob("*.json"), *self.summary.parent.glob("*.csv"), *self.root.glob(".*.partial")]
            for path in leftovers:
                clear(path)
            shutil.rmtree(self.root / CHILD, ignore_errors=True)

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


def _refuse_no_file(path: Path) -> None:
    """Raises `OutputError` where something stands in a product's place that is no file, or no file can be."""
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise OutputError(f"{path} is a link, a folder or a device: a run writes a file of its own there")
    except (OSError, ValueError) as error:
        raise cannot_write(path, error) from error


def write_json(path: Path, value: object) -> None:
    """Indented JSON with a newline at the end. Raises `OutputError`."""
    write_atomic(path, json_text(value, ascii_only=False) + "\n")
