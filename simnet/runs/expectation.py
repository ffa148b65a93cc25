"""Runs that are to break: what must break first, and whom the evidence must name.

Above a third of byzantine stake no protocol keeps its agreement. A scenario may say so (`[expect]`); such a run goes on for two
slots after the break, and after the last hardship of nodes and links is over, so that the evidence gets around. It has done well when it
broke as expected and the culprits are named: with more than a third of the stake, since fewer could not have broken it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from simnet.base.units import NodeId, SimTime
from simnet.events import DoubleSignFound, FaultInjected, Handlers, MisconductFound
from simnet.scenario.opponents import MISCONDUCT
from simnet.scenario.ours import Expect

AFTERMATH_SLOTS = 2
"""One in which neighbours find out that they are on two chains, and one for the evidence."""


class Broken(Protocol):
    """A broken check, as far as it matters here."""

    @property
    def invariant(self) -> str: ...

    @property
    def at(self) -> SimTime: ...


class Expectation:
    """Collects the evidence of honest nodes and compares."""

    def __init__(self, expect: Expect, byzantine: Collection[int], stakes: Sequence[int], slot: int) -> None:
        self._expect = expect
        self._byzantine = frozenset(byzantine)
        self._stakes = stakes
        self._aftermath = AFTERMATH_SLOTS * slot
        self._hardships = 0
        """Those that last at present."""
        self._healed = SimTime(0)
        """When the last of them was over."""
        self._named: dict[NodeId, set[NodeId]] = defaultdict(set)
        """Who holds evidence against whom."""

    @property
    def handlers(self) -> Handlers:
        return {DoubleSignFound: self._found, MisconductFound: self._found, FaultInjected: self._fault}

    def _fault(self, event: FaultInjected) -> None:
        """Notes whether the network is cut or lacks nodes: misconduct keeps no news from anybody."""
        kind, step = event.edge
        if kind not in MISCONDUCT and step:
            self._hardships += step
            self._healed = event.at

    def _found(self, event: DoubleSignFound | MisconductFound) -> None:
        """Notes evidence that an honest node holds."""
        if event.node not in self._byzantine:
            self._named[event.validator].add(event.node)

    def awaits_more(self, broken: Sequence[Broken], now: SimTime) -> bool:
        """Whether the run goes on although something is broken."""
        since = max(broken[0].at, self._healed)
        return broken[0].invariant in self._expect.broken and (self._hardships > 0 or now - since < self._aftermath)

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
        if named != accused:
            return f"the evidence names nodes {named}, not {accused}"
        stake, total = sum(self._stakes[v] for v in named), sum(self._stakes)
        return (
            None if 3 * stake > total else f"the evidence names nodes with {stake} of {total} of the stake, which is no more than a third"
        )

    def report(self, broken: Sequence[Broken]) -> Mapping[str, object]:
        """The summary's `simnet.expectation`."""
        why = self.why_unmet(broken)
        return {
            "broken": sorted(self._expect.broken),
            "accused": {f"node:{v}": len(holders) for v, holders in sorted(self._named.items())},
            "met": why is None,
            "why_not": why or "",
        }
