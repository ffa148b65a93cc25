"""What `simnet compare` compares: two sets of summaries, one run each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simnet.errors import OutputError
from simnet.record.consensus import KIND
from simnet.record.files import CHILD
from simnet.record.places import is_product, summary_stem
from simnet.record.readback import run_head, summary_file


@dataclass(frozen=True)
class Side:
    """The runs of one side, in the order of their paths."""

    paths: tuple[Path, ...]
    contents: tuple[Mapping[str, Any], ...]

    @property
    def scenarios(self) -> set[str]:
        return {str(_ours(content).get("scenario", "?")) for content in self.contents}

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of runs that are all known by their seeds, ascending; else empty."""
        found = [seed for content in self.contents if isinstance(seed := _ours(content).get("seed"), int)]
        return tuple(sorted(found)) if len(found) == len(self.contents) == len(set(found)) else ()

    def by_seed(self) -> "Side":
        """The same runs in the order of their seeds."""
        pairs = sorted(zip(self.paths, self.contents, strict=True), key=lambda pair: int(_ours(pair[1])["seed"]))
        return Side(tuple(path for path, _ in pairs), tuple(content for _, content in pairs))


def load_side(given: Sequence[Path]) -> Side:
    """The summaries that files and folders mean. Raises `OutputError`, also for two runs that are one."""
    paths = tuple(path for place in given for path in _summaries(place))
    contents = tuple(summary_file(path) for path in paths)
    _distinct(paths, contents)
    return Side(paths, contents)


def one_kind(one: Side, other: Side) -> None:
    """Raises `OutputError` when network runs and consensus loads are mixed."""
    kinds = {content.get("kind") == KIND for side in (one, other) for content in side.contents}
    if len(kinds) > 1:
        raise OutputError("network runs and consensus loads cannot be compared with each other")


def _summaries(place: Path) -> list[Path]:
    """A file; a run's folder; a folder of runs; a folder of summaries."""
    if not place.is_dir():
        return [place]
    runs = sorted(path for path in place.rglob("run.json") if path.parent.name != CHILD)
    found = [_main_summary(run) for run in runs]
    if not runs:
        found = sorted(p for p in place.glob("*.json") if not is_product(p))
    if not found:
        raise OutputError(f"{place}: neither runs nor summaries in it")
    return found


def _main_summary(run: Path) -> Path:
    return run.parent / "summaries" / f"{summary_stem(Path(run_head(run).scenario_path))}.json"


def _distinct(paths: Sequence[Path], contents: Sequence[Mapping[str, Any]]) -> None:
    """A repetition with the same seed is the same run again; counted twice it would feign certainty."""
    seen: dict[tuple[object, ...], Path] = {}
    for path, content in zip(paths, contents, strict=True):
        ours = _ours(content)
        key: tuple[object, ...] = (path.resolve(),)
        if content.get("kind") != KIND and ours.get("reproducible") is True:
            key = (ours.get("scenario_sha256"), ours.get("seed"), ours.get("cost_model"))
        if key in seen:
            raise OutputError(f"{seen[key]} and {path} are the same run (seed {ours.get('seed', 'unknown')}): one sample, not two")
        seen[key] = path


def _ours(content: Mapping[str, Any]) -> Mapping[str, Any]:
    ours = content.get("simnet")
    return ours if isinstance(ours, Mapping) else {}
