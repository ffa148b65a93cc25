"""Where results go: one folder for each scenario's name, one writer for each folder, one file for each result."""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from simnet.base.errors import OutputError, cannot_write
from simnet.base.locks import seize_folder
from simnet.record.atomic import make_folder
from simnet.record.readback import owner

DEFAULT_ROOT = Path("target/simnet")
RUN, JOB, COSTS = "run.json", "wrapper.json", "costs.json"
SUMMARIES = "summaries"
TRACE, TIMINGS, ANALYSIS, PENALTIES = "trace.parquet", "timings.json", "analysis.json", "slashing.log"
REPORT = "report.html"
"""Of one run, where `simnet report` is not told another place."""
CHILD = "multi_process"
"""Folder, in a run's, of the same run in a child process."""
PLOTS_FOLDER, PICTURES = "plots", ("finality", "propagation", "proofs", "faults", "topology")
"""Where pictures of a run go, and which there are."""
PICTURE_FORMATS = ("png", "svg")
PROPAGATION_ALERT, CHAOS_ALERT = "propagation_alert.json", "chaos_alert.json"
"""What the analysis leaves beside a network run's summary."""
PROVER_MIX = "cpu_gpu_prover_mix"
"""Stem of the prover drill's result, which has rules of its own."""
SLASHING_DRILL = "slashing_drill"
"""The same of the slashing drill's."""


def slug(name: str) -> str:
    """A scenario's folder name: ASCII letters lowered, digits kept, everything else a hyphen."""
    return re.sub(r"[^a-z0-9]", "-", "".join(c.lower() if c.isascii() else "-" for c in name))


def default_folder(name: str, root: Path = DEFAULT_ROOT) -> Path:
    """A scenario's folder: its slug, with a checksum of the name behind it where the slug says nothing or is another name's."""
    short = slug(name)
    folder = root / short
    if short.strip("-") and _owner(folder) in (None, name):
        return folder
    return root / f"{short.strip('-') or 'scenario'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _owner(folder: Path) -> str | None:
    """The name of the scenario whose results lie in a folder, as far as that can be read."""
    names = (owner(file) for file in (folder / JOB, folder / RUN) if file.is_file())
    return next((name for name in names if name is not None), None)


def is_product(path: Path) -> bool:
    """Whether a file beside summaries is what the analyzer wrote, by its name."""
    return path.name in (PROPAGATION_ALERT, CHAOS_ALERT, ANALYSIS) or path.name.endswith(".analysis.json")


def summary_stem(scenario: Path) -> str:
    """A summary is named after its scenario's file, unless that is the name of another result."""
    stem = scenario.stem
    return f"{stem}_summary" if is_product(Path(f"{stem}.json")) or stem in (PROVER_MIX, SLASHING_DRILL) else stem


def products(root: Path, stem: str) -> tuple[Path, ...]:
    """The files of a run that end with it, pictures of it included: all but `run.json` and `costs.json`. `stem` names its summary."""
    summaries = root / SUMMARIES
    names = (TRACE, TIMINGS, ANALYSIS, PENALTIES, REPORT)
    beside = (f"{stem}.json", f"{stem}.csv", PROPAGATION_ALERT, CHAOS_ALERT)
    pictures = (root / PLOTS_FOLDER / f"{name}.{suffix}" for name in PICTURES for suffix in PICTURE_FORMATS)
    return (*(summaries / name for name in beside), *(root / name for name in names), *pictures)


class FolderLock:
    """One process writes into a folder at a time; use it as a context. The lock ends with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        """Raises `OutputError` when another process writes there, or the folder cannot be made."""
        self._handle: int | None = None
        try:
            make_folder(folder)
            self._handle = seize_folder(folder)
        except (OSError, ValueError) as error:
            raise cannot_write(folder, error) from error
        if self._handle is None:
            raise OutputError(f"another run is writing into {folder}; choose another folder with --out")

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def refuse_collisions(outputs: Iterable[tuple[str, Path]], taken: Iterable[tuple[str, Path]]) -> None:
    """Raises `OutputError` when an output would overwrite another one or something that is taken. Each comes with its name."""
    known = {_place(path): name for name, path in taken}
    for name, path in outputs:
        place = _place(path)
        if place in known:
            raise OutputError(f"{name} = {str(path)!r} would overwrite {known[place]}")
        known[place] = name


def _place(path: Path) -> str:
    """What tells files apart: links and `..` resolved; a path that cannot be is refused when it is written."""
    try:
        return os.path.realpath(path) if "\0" not in str(path) else str(path)
    except (OSError, ValueError):  # The working directory is gone, or the path is no text.
        return str(path)
