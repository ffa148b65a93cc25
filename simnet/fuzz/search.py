"""A search: many seeds, their outcomes counted, failures shrunk and kept."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simnet.fuzz.generator import scenario_of
from simnet.fuzz.judge import BROKEN, HELD, NOT_EXERCISED, OWN_CHECKS, Outcome
from simnet.fuzz.kinds import all_kinds
from simnet.fuzz.shrink import Data, shrink
from simnet.fuzz.workers import Task, Workers
from simnet.record.atomic import write_atomic
from simnet.scenario.text import to_toml

SEEDS_FOR_KINDS = 40
"""A search of so many seeds has to meet every fault kind."""
SHRUNK_MAX = 3
"""Failures of one check that are shrunk; further ones are kept as they are."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A failing scenario in a file."""

    outcome: Outcome
    """Of the scenario in the file."""
    path: Path
    replay: str
    runs: int
    """That shrinking took."""


@dataclass(slots=True)
class Found:
    """What a search has counted."""

    seeds: int = 0
    above_third: int = 0
    wall_s: float = 0.0
    run_s: float = 0.0
    """Wall seconds of all runs, by their own clocks."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Seeds in which each fault kind acted."""
    checks: dict[str, Counter[str]] = field(default_factory=dict)
    """Check -> status -> seeds."""
    failures: list[Outcome] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.above_third += outcome.above_third
        self.run_s += outcome.wall_s
        self.kinds.update(outcome.kinds)
        for check, status in outcome.checks.items():
            self.checks.setdefault(check, Counter())[status] += 1
        if outcome.failures:
            self.failures.append(outcome)

    @property
    def unmet(self) -> tuple[str, ...]:
        """Fault kinds that no seed met, where there were seeds enough."""
        if self.seeds < SEEDS_FOR_KINDS:
            return ()
        return tuple(kind.name for kind in all_kinds() if not self.kinds[kind.name])

    @property
    def unexercised(self) -> tuple[str, ...]:
        """Checks that had nothing to look at in any seed, where there were seeds enough."""
        if self.seeds < SEEDS_FOR_KINDS:
            return ()
        return tuple(check for check, seen in self.checks.items() if not seen[HELD] and not seen[BROKEN])

    @property
    def held(self) -> bool:
        return not (self.failures or self.unmet or self.unexercised)


@dataclass(frozen=True, slots=True)
class Search:
    """What to search."""

    seeds: range
    folder: Path
    base: Mapping[str, Any] | None = None
    planted: str | None = None
    stop_at: Callable[[Outcome], bool] = lambda _outcome: False
    """Ends the search after an outcome."""
    shrinks: bool = True


def search(wanted: Search, workers: Workers, tell: Callable[[Outcome, Found], None] = lambda _o, _f: None) -> Found:
    """Runs the seeds in order; `tell` hears each outcome with the count so far. Failures are shrunk and written at the end."""
    found = Found()
    began = time.monotonic()
    with closing(workers.run(_tasks(wanted))) as outcomes:
        for outcome in outcomes:
            found.add(outcome)
            found.wall_s = time.monotonic() - began
            tell(outcome, found)
            if wanted.stop_at(outcome):
                break
    found.wall_s = time.monotonic() - began
    found.kept = [_keep(wanted, workers, outcome, small) for outcome, small in _worth(found.failures, wanted.shrinks)]
    return found


def _tasks(wanted: Search) -> Iterator[Task]:
    return (Task(scenario_of(seed, wanted.base), wanted.planted) for seed in wanted.seeds)


def _worth(failures: Iterable[Outcome], shrinks: bool) -> Iterator[tuple[Outcome, bool]]:
    """Each failure, and whether it is shrunk."""
    seen: Counter[str] = Counter()
    for outcome in failures:
        first = outcome.broken[0]
        seen[first] += 1
        yield outcome, shrinks and seen[first] <= SHRUNK_MAX


def _keep(wanted: Search, workers: Workers, outcome: Outcome, small: bool) -> Kept:
    data, runs = scenario_of(outcome.seed, wanted.base), 0
    if small:

        def run(candidate: Data) -> Outcome:
            (judged,) = workers.run([Task(candidate, wanted.planted)])
            return judged

        smallest = shrink(data, outcome, run)
        data, outcome, runs = smallest.data, smallest.outcome, smallest.runs
    bug = "" if wanted.planted is None else f"{wanted.planted}-"
    path = wanted.folder / f"{bug}seed-{outcome.seed}-{outcome.broken[0]}.toml"
    replay = replay_command(path, outcome, wanted.planted)
    why = "\n".join(f"{failure.check}: {failure.detail}" for failure in outcome.failures)
    write_atomic(path, to_toml(data, f"Found with seed {outcome.seed}. It fails:\n{why}\nReplay: {replay}"))
    return Kept(outcome, path, replay, runs)


def replay_command(path: Path, outcome: Outcome, bug: str | None) -> str:
    """The command that shows a kept failure again."""
    if bug is not None:
        return f"simnet fuzz --replay {path} --planted {bug}"
    known = all(check not in OWN_CHECKS for check in outcome.broken)
    return f"simnet run {path}" if known else f"simnet fuzz --replay {path}"


def count_lines(found: Found) -> list[str]:
    """The count of a search, for people."""
    failed = len(found.failures)
    lines = [f"{found.seeds} seeds, {failed} failed, {found.above_third} with a third of the stake or more byzantine"]
    names = dict.fromkeys([*(kind.name for kind in all_kinds()), *found.kinds])
    lines.append("fault kinds met: " + ", ".join(f"{name} {found.kinds[name]}" for name in names))
    lines.append("checks (held, broken, not exercised): ")
    lines[-1] += ", ".join(f"{name} {c[HELD]}/{c[BROKEN]}/{c[NOT_EXERCISED]}" for name, c in found.checks.items())
    lines += [f"no seed met: {', '.join(found.unmet)}"] if found.unmet else []
    lines += [f"exercised in no seed: {', '.join(found.unexercised)}"] if found.unexercised else []
    return lines


def as_dict(found: Found) -> dict[str, Any]:
    """The same for programs."""
    return {
        "seeds": found.seeds,
        "above_third": found.above_third,
        "held": found.held,
        "kinds": {kind.name: found.kinds[kind.name] for kind in all_kinds()},
        "unmet": list(found.unmet),
        "checks": {name: dict(sorted(seen.items())) for name, seen in found.checks.items()},
        "unexercised": list(found.unexercised),
        "failures": [_failure(outcome, found) for outcome in found.failures],
    }


def _failure(outcome: Outcome, found: Found) -> dict[str, Any]:
    kept = next((k for k in found.kept if k.outcome.seed == outcome.seed), None)
    return {
        "seed": outcome.seed,
        "checks": [{"check": failure.check, "detail": failure.detail} for failure in outcome.failures],
        "file": None if kept is None else str(kept.path),
        "replay": None if kept is None else kept.replay,
    }
