"""The fault kinds that scenarios can have, read off the scenario model, and how the search draws one of each.

A new kind of `[[faults.links]]` or `[[faults.nodes]]` is found by itself. It counts as byzantine unless it stands in `HONEST`;
a field that is not in `VALUES` is drawn from its type and limits.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simnet.fuzz.draw import Draw
from simnet.scenario.base import DELAY_MS_MAX
from simnet.scenario.upstream import Faults

HONEST = frozenset({"crash", "pause", "service_stop", "clock_skew"})
"""Kinds of `[[faults.nodes]]` that happen to nodes which keep to the rules."""
USUAL = 0.5
"""How likely a scenario may have a kind: a random half of all."""
RARE: Mapping[str, float] = {"churn": 0.12}
"""Kinds that it has less often: churn goes on until the run ends, so that hardly anything after it is calm."""
APART: Mapping[str, float] = {"false_evidence": 0.4}
"""Kinds with a stream of their own, and how likely each is: they shift nothing in the seeds that were known before them."""


WRONG_TIME_SOURCE = 0.3
"""How often clocks are wrong nearly everywhere, all by the same: then the one that is right is out of step."""
FAR = 0.4
"""How often a clock is wrong by many slots, where those concerned and the byzantine ones are no quorum: a quorum's clocks are the chain's time."""
FAR_SLOTS = (4, 6, 8, 12, 16, 24, 3600)
BY_NODE = 0.3
"""How often a partition names nodes instead of regions."""


class Role(Enum):
    """Whom a fault concerns."""

    NETWORK = "network"
    HONEST = "honest"
    BYZANTINE = "byzantine"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    name: str
    section: str
    """Key below `[faults]`."""
    many: bool
    """Whether the section is a list."""
    role: Role
    model: type[BaseModel]


@dataclass(frozen=True, slots=True)
class Place:
    """Where faults may happen: what the scenario gives without them."""

    slot_ms: int
    until_ms: int
    """Faults have ended by then, but for some of byzantine nodes and those of a kind that never ends."""
    end_ms: int
    """When the run ends."""
    regions: tuple[str, ...]
    joined: tuple[tuple[str, str], ...]
    """Pairs of different regions with an edge between them."""
    hops: tuple[tuple[str, str], ...]
    """Pairs of regions, equal ones too, with an edge from one to the other."""
    honest: tuple[int, ...]
    byzantine: tuple[int, ...]
    """Empty: no kind of that role can happen."""
    stakes: tuple[int, ...]
    colluding: bool
    """Byzantine nodes act at the same time in the same way."""


Drawer = Callable[[Draw, Place], object]


def _region(draw: Draw, place: Place) -> object:
    return draw.pick((None, *place.regions))


VALUES: Mapping[str, Drawer] = {
    "up_ms": lambda d, p: d.whole(50, 2 * p.slot_ms),
    "down_ms": lambda d, p: d.whole(50, 2 * p.slot_ms),
    "probability": lambda d, _: d.fraction(0.05, 0.6),
    "delay_ms": lambda d, p: d.whole(1, 3 * p.slot_ms),
    "kbps": lambda d, _: d.pick((64, 128, 512, 2048)),
    "offset_ms": lambda d, p: d.whole(-3 * p.slot_ms, 3 * p.slot_ms),
    "drift_ppm": lambda d, _: d.whole(-50_000, 50_000),
    "both_ways": lambda d, _: d.chance(0.4),
    "source": _region,
    "target": _region,
    "rate_per_min": lambda d, _: float(d.pick((6, 12, 30, 60))),
    "restart_after_ms": lambda d, p: d.whole(100, 4 * p.slot_ms),
    "spam_factor": lambda d, _: d.whole(2, 4),
    "per_second": lambda d, _: d.pick((1.0, 4.0, 12.0, 40.0)),
    "per_slot": lambda d, _: d.pick((1, 3, 8)),
    "before_deadline_ms": lambda d, p: d.whole(1, p.slot_ms // 3),
}
"""By field name, whatever the kind."""


@cache
def all_kinds() -> tuple[Kind, ...]:
    """Every kind that the scenario model knows, in its order."""
    found = []
    for section, field in Faults.model_fields.items():
        many = get_origin(_bare(field.annotation)) is tuple
        for model in _models(field.annotation):
            name = _tag(model) or section
            found.append(Kind(name, section, many, _role(section, name), model))
    return tuple(found)


def byzantine_nodes(faults: Mapping[str, Any]) -> frozenset[int]:
    """Nodes that some fault of a scenario makes byzantine."""
    kinds = {kind.name for kind in all_kinds() if kind.role is Role.BYZANTINE}
    spam = faults.get("byzantine") or {}
    nodes = set(spam.get("publishers", ()))
    for fault in faults.get("nodes", ()):
        if fault["kind"] in kinds:
            nodes.update(fault.get("nodes", (fault["node"],) if "node" in fault else ()))
    return frozenset(nodes)


def is_above_third(byzantine: Collection[int], stakes: Sequence[int]) -> bool:
    return 3 * sum(stakes[node] for node in byzantine) >= sum(stakes)


def draw_fault(kind: Kind, draw: Draw, place: Place) -> dict[str, Any] | None:
    """The table of one fault of this kind; None when it cannot happen here."""
    if kind.role is Role.BYZANTINE and not place.byzantine:
        return None
    if kind.name == "partition" and not place.joined:
        return None
    start, length = _window(kind, draw, place)
    table: dict[str, Any] = {}
    for name, field in kind.model.model_fields.items():
        if name == "start_ms":
            table[name] = start
        elif name == "duration_ms":
            table[name] = length
        elif name == "node":
            table[name] = draw.pick(_nodes(kind, place))
        elif name in ("nodes", "publishers"):
            table[name] = _several(kind, draw, place)
        else:
            table[name] = _value(name, field, draw, place)
    return {k: v for k, v in (_fitted(kind, table, draw, place)).items() if v is not None}


def _fitted(kind: Kind, table: dict[str, Any], draw: Draw, place: Place) -> dict[str, Any]:
    """What joins several fields of one kind."""
    if kind.name == "flapping":
        # A window that ends before the link first goes down does nothing.
        table["up_ms"] = min(table["up_ms"], max(1, table["duration_ms"] // 2))
    if kind.name == "partition":
        table["group_a"], table["group_b"] = _halves(draw, place) if draw.chance(BY_NODE) else draw.pick(place.joined)
    elif kind.name == "clock_skew" and draw.chance(FAR) and 2 * _stake(place, (*table["nodes"], *place.byzantine)) <= sum(place.stakes):
        sign, far = draw.pick((1, 1, 1, -1)), draw.pick(FAR_SLOTS) * draw.fraction(0.9, 1.1) * place.slot_ms
        table["offset_ms"] = sign * min(round(far), DELAY_MS_MAX)
    elif kind.section == "links" and draw.chance(0.8):
        # Two regions drawn apart may have no edge between them, and a fault without an edge does nothing.
        table["source"], table["target"] = draw.pick(place.hops)
    elif kind.section == "links":
        table["source"] = table["target"] = None
    return table


def _stake(place: Place, nodes: Collection[int]) -> int:
    return sum(place.stakes[node] for node in nodes)


def _halves(draw: Draw, place: Place) -> tuple[list[int], list[int]]:
    """Two groups of nodes that are all of them: some link crosses."""
    nodes = sorted((*place.honest, *place.byzantine))
    one = draw.some(nodes, 1, len(nodes) - 1)
    return list(one), [node for node in nodes if node not in one]


def _window(kind: Kind, draw: Draw, place: Place) -> tuple[int, int]:
    """Start and length in milliseconds: mostly a few slots, sometimes all the time there is.

    Of byzantine nodes some never stop: the rest is more than two thirds of the stake, which suffices for calm.
    """
    if kind.role is Role.BYZANTINE and draw.chance(0.25):
        start = draw.whole(0, place.until_ms)
        return start, place.end_ms - start
    most = place.until_ms - place.slot_ms // 2
    slots = draw.pick((0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0))
    length = min(most, max(20, round(draw.fraction(0.5, 1.5) * slots * place.slot_ms)))
    return draw.whole(0, place.until_ms - length), length


def _nodes(kind: Kind, place: Place) -> tuple[int, ...]:
    return place.byzantine if kind.role is Role.BYZANTINE else place.honest


def _several(kind: Kind, draw: Draw, place: Place) -> list[int]:
    nodes = _nodes(kind, place)
    if kind.name == "clock_skew" and draw.chance(WRONG_TIME_SOURCE):
        return list(draw.some(nodes, max(1, len(nodes) - 1), max(1, len(nodes) - 1)))
    if kind.role is Role.BYZANTINE and place.colluding:
        return list(nodes)
    return list(draw.some(nodes, 1, 1 if kind.role is Role.BYZANTINE else max(1, len(nodes) // 2)))


def _value(name: str, field: FieldInfo, draw: Draw, place: Place) -> object:
    if name in VALUES:
        return VALUES[name](draw, place)
    options = list(_options(field.annotation))
    if len(options) == 1:
        return options[0]
    if options:
        whole = get_origin(_bare(field.annotation)) is tuple
        return list(draw.some(options)) if whole else draw.pick(options)
    if _bare(field.annotation) is bool:
        return draw.chance(0.5)
    if field.is_required() and _bare(field.annotation) is int:
        return draw.whole(1, 8)
    return None


def _options(annotation: Any) -> Iterator[Any]:
    """The values of a Literal, wherever it stands in a type."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(annotation):
            yield from _options(part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _models(part)


def _bare(annotation: Any) -> Any:
    """A type without `Annotated` and without None."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        (first, *_) = [part for part in get_args(annotation) if part is not type(None)]
        return _bare(first)
    return annotation


def _tag(model: type[BaseModel]) -> str | None:
    kind = model.model_fields.get("kind")
    return None if kind is None else str(get_args(kind.annotation)[0])


def _role(section: str, name: str) -> Role:
    if section == "byzantine" or (section == "nodes" and name not in HONEST):
        return Role.BYZANTINE
    return Role.HONEST if section == "nodes" else Role.NETWORK
