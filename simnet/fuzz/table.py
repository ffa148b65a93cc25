"""The table of planted bugs: after how many seeds the search finds each, and by which check."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from simnet.fuzz.judge import Outcome
from simnet.fuzz.planted import BUGS, Bug
from simnet.fuzz.search import Found, Search, search
from simnet.fuzz.workers import Workers


@dataclass(frozen=True, slots=True)
class Row:
    """How one planted bug was found."""

    bug: str
    what: str
    seeds: int
    """Until it was found; all that were tried, when it was not."""
    check: str | None
    """The check that names it; None: not found."""
    seed: int | None
    replay: str | None


def names_it(bug: Bug, outcome: Outcome) -> str | None:
    """The failed check that names a planted bug, if any does."""
    return next((check for check in outcome.broken if check in bug.checks), None)


def hunt(name: str, seeds: range, folder: Path, workers: Workers, *, shrinks: bool = True) -> tuple[Row, Found]:
    """Searches the seeds for a planted bug, until a check names it."""
    bug = BUGS[name]
    wanted = Search(seeds, folder, planted=name, stop_at=lambda outcome: names_it(bug, outcome) is not None, shrinks=shrinks)
    found = search(wanted, workers)
    named = next((outcome for outcome in found.failures if names_it(bug, outcome)), None)
    if named is None:
        return Row(name, bug.what, found.seeds, None, None, None), found
    replay = next(kept.replay for kept in found.kept if kept.outcome.seed == named.seed)
    return Row(name, bug.what, found.seeds, names_it(bug, named), named.seed, replay), found


def hunt_all(
    names: Iterable[str], seeds: range, folder: Path, workers: Workers, tell: Callable[[Row], None], *, shrinks: bool = False
) -> list[Row]:
    """A row for each bug; `tell` hears each as it is ready."""
    rows = []
    for name in names:
        row, _ = hunt(name, seeds, folder, workers, shrinks=shrinks)
        rows.append(row)
        tell(row)
    return rows


def markdown(rows: Iterable[Row]) -> str:
    """The table for a document."""
    lines = ["| planted bug | what is wrong | seeds until found | check |", "|---|---|---|---|"]
    lines += [
        f"| `{r.bug}` | {r.what} | {r.seeds if r.check else f'not in {r.seeds}'} | {f'`{r.check}`' if r.check else '—'} |" for r in rows
    ]
    return "\n".join(lines) + "\n"
