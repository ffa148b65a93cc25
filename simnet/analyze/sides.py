"""What `simnet compare` compares: two sets of summaries, one run each."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simnet.base.errors import OutputError
from simnet.record.places import RUN, SUMMARIES, is_product, summary_stem
from simnet.record.readback import run_head, unfinished
from simnet.record.summary_files import ReadSummary, refuse_other_files, summary_file


@dataclass(frozen=True)
class Side:
    """The runs of one side, in the order of their paths."""

    summaries: tuple[ReadSummary, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(summary.path for summary in self.summaries)

    @property
    def contents(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(summary.content for summary in self.summaries)

    @property
    def scenarios(self) -> set[str]:
        return {summary.known.ours.scenario for summary in self.summaries}

    @property
    def unfinished(self) -> tuple[Path, ...]:
        """Summaries of runs that broke off."""
        return tuple(summary.path for summary in self.summaries if summary.known.ours.complete is False)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of runs that are all known by their seeds, ascending; else empty."""
        found = [seed for summary in self.summaries if (seed := summary.known.ours.seed) is not None]
        return tuple(sorted(found)) if len(found) == len(self.summaries) == len(set(found)) else ()

    def by_seed(self) -> "Side":
        """The same runs in the order of their seeds."""
        return Side(tuple(sorted(self.summaries, key=lambda summary: summary.known.ours.seed or 0)))


def aligned(one: Side, other: Side) -> tuple[Side, Side]:
    """Both in the order of their seeds where they have the same ones, so that runs stand beside each other; else as they are."""
    return (one.by_seed(), other.by_seed()) if one.seeds and one.seeds == other.seeds else (one, other)


def load_side(given: Sequence[Path]) -> Side:
    """The summaries that files and folders mean. Raises `OutputError`, also for two runs that are one."""
    summaries = tuple(summary_file(path) for place in given for path in summaries_in(place))
    for summary in summaries:
        refuse_other_files(summary)
    _distinct(summaries)
    return Side(summaries)


def one_kind(one: Side, other: Side) -> None:
    """Raises `OutputError` when network runs and consensus loads are mixed."""
    kinds = {summary.known.is_load for side in (one, other) for summary in side.summaries}
    if len(kinds) > 1:
        raise OutputError("network runs and consensus loads cannot be compared with each other")


def summaries_in(place: Path) -> list[Path]:
    """The summaries that a file, a run's folder, a folder of runs or a folder of summaries means. Raises `OutputError` when there is none."""
    if not place.is_dir():
        return [place]
    runs = sorted(_runs_in(place))
    found = [_main_summary(run) for run in runs]
    if not runs:
        found = sorted(p for p in place.glob("*.json") if not is_product(p))
    if not found:
        raise OutputError(f"{place}: neither runs nor summaries in it")
    return found


def _runs_in(place: Path) -> Iterator[Path]:
    """Every `run.json`. What lies in a run's folder is that run's, so nothing is looked for below it."""
    for folder, below, files in os.walk(place):
        if RUN in files:
            below.clear()
            yield Path(folder, RUN)


def _main_summary(run: Path) -> Path:
    summary = run.parent / SUMMARIES / f"{summary_stem(Path(run_head(run).scenario_path))}.json"
    why = unfinished(summary)
    if why is not None:
        raise why
    return summary


def _distinct(summaries: Sequence[ReadSummary]) -> None:
    """A repetition with the same seed is the same run again; counted twice it would feign certainty."""
    seen: dict[tuple[object, ...], Path] = {}
    for summary in summaries:
        path, ours = summary.path, summary.known.ours
        key: tuple[object, ...] = (path.resolve(),)
        if not summary.known.is_load and ours.reproducible:
            key = (ours.scenario_sha256, ours.seed, ours.cost_model)
        if key in seen:
            seed = "unknown" if ours.seed is None else ours.seed
            raise OutputError(f"{seen[key]} and {path} are the same run (seed {seed}): one sample, not two")
        seen[key] = path
