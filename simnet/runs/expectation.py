"""Runs that are to break: what must break first, and whom the evidence must name.

Above a third of byzantine stake no protocol keeps its agreement. A scenario may say so (`[expect]`); such a run goes on for a
slot after the break, so that the evidence gets around, and has done well when it broke as expected and the culprits are named.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from simnet.base.units import NodeId, SimTime
from simnet.events import DoubleSignFound, Handlers, MisconductFound
from simnet.scenario.ours import Expect


class Broken(Protocol):
    """A broken check, as far as it matters here."""

    @property
    def invariant(self) -> str: ...

    @property
    def at(self) -> SimTime: ...


class Expectation:
    """Collects the evidence of honest nodes and compares."""

    def __init__(self, expect: Expect, byzantine: Collection[int], aftermath: SimTime) -> None:
        self._expect = expect
        self._byzantine = frozenset(byzantine)
        self._aftermath = aftermath
        self._named: dict[NodeId, set[NodeId]] = defaultdict(set)
        """Who holds evidence against whom."""

    @property
    def handlers(self) -> Handlers:
        return {DoubleSignFound: self._found, MisconductFound: self._found}

    def _found(self, event: DoubleSignFound | MisconductFound) -> None:
        """Notes evidence that an honest node holds."""
        if event.node not in self._byzantine:
            self._named[event.validator].add(event.node)

    def awaits_more(self, broken: Sequence[Broken], now: SimTime) -> bool:
        """Whether the run goes on although something is broken."""
        return broken[0].invariant in self._expect.broken and now - broken[0].at < self._aftermath

    def why_unmet(self, broken: Sequence[Broken]) -> str | None:
        """What did not come as expected; `None` when all did."""
        names = [b.invariant for b in broken]
        if not names:
            return f"nothing broke, though {', '.join(self._expect.broken)} was to"
        if names[0] not in self._expect.broken:
            return f"{names[0]} broke first"
        missing = [name for name in self._expect.broken if name not in names]
        if missing:
            return f"{', '.join(missing)} did not break"
        accused, named = sorted(self._expect.accused), sorted(self._named)
        return None if named == accused else f"the evidence names nodes {named}, not {accused}"

    def report(self, broken: Sequence[Broken]) -> Mapping[str, object]:
        """The summary's `simnet.expectation`."""
        why = self.why_unmet(broken)
        return {
            "broken": sorted(self._expect.broken),
            "accused": {f"node:{v}": len(holders) for v, holders in sorted(self._named.items())},
            "met": why is None,
            "why_not": why or "",
        }
