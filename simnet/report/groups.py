"""Runs that differ by their seed alone are one group; a group is named by what sets it apart."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from simnet.base.leaves import leaves
from simnet.record.readback import RunRecord

OWN = ("sim.seed", "metrics")
"""Of a scenario: what differs between runs of one group."""
DIFFERENCES_MAX = 3
"""Named of a group; more would be no name."""


@dataclass(frozen=True)
class Group:
    """Runs by their numbers, and their common name."""

    name: str
    runs: tuple[int, ...]


def groups(records: Sequence[RunRecord], folders: Sequence[str]) -> list[Group]:
    """In the order of their first runs. Names are scenario names where these tell groups apart, else with the values in which the groups
    differ, else with folder names, and numbers at last."""
    members: dict[str, list[int]] = {}
    for number, record in enumerate(records):
        members.setdefault(json.dumps([_lasting(record), record.costs], sort_keys=True), []).append(number)
    firsts = [runs[0] for runs in members.values()]
    names = [_name(records[first]) for first in firsts]
    for refine in (
        _differences([records[first] for first in firsts]),
        [folders[first] for first in firsts],
        [f"#{first + 1}" for first in firsts],
    ):
        doubled = {name for name in names if names.count(name) > 1}
        names = [f"{name} · {more}" if name in doubled and more else name for name, more in zip(names, refine, strict=True)]
    return [Group(name, tuple(runs)) for name, runs in zip(names, members.values(), strict=True)]


def _name(record: RunRecord) -> str:
    return str(record.scenario.get("name", "?"))


def _lasting(record: RunRecord) -> dict[str, str]:
    """The scenario's values by dotted key, without what is each run's own."""
    return {key: json.dumps(value, sort_keys=True) for key, value in leaves(record.scenario) if not key.startswith(OWN)}


def _differences(records: Sequence[RunRecord]) -> list[str]:
    """What each of these runs has that not all have, of those of the same name."""
    told = []
    for record in records:
        same = [_lasting(other) | {"costs": other.costs} for other in records if _name(other) == _name(record)]
        own = _lasting(record) | {"costs": record.costs}
        keys = sorted(key for key in own if any(other.get(key) != own[key] for other in same))
        told.append(", ".join(f"{key}={own[key]}" for key in keys[:DIFFERENCES_MAX]))
    return told
