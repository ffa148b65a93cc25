"""What a check can say, and where all of them say it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from simnet.base.units import NodeId, SimTime, to_ms
from simnet.events.run_result import Violation

SAFETY = (
    "agreement",
    "finality",
    "no_double_spend",
    "supply",
    "nothing_unverified",
    "keys_once",
    "locks",
    "accusations",
)
"""A broken one ends the run: whatever would follow rests on it."""
LIVENESS = ("progress", "proven", "aggregated", "coherence")
"""A broken one is reported when the run ends, whose figures then show how it went on."""
EFFECT = "fault_effect"
"""Says something about the scenario, not about the network: a broken one is a warning."""
CHECKS = (*SAFETY, *LIVENESS, EFFECT)


class Status(StrEnum):
    """A check's verdict. Without anything to look at it is never `held`."""

    HELD = "held"
    BROKEN = "broken"
    NOT_EXERCISED = "not_exercised"

    @property
    def held(self) -> bool | None:
        """As the summary's truth value: None for a check that was not exercised."""
        return None if self is Status.NOT_EXERCISED else self is Status.HELD


@dataclass(slots=True)
class Tally:
    """What one check has looked at."""

    counts: dict[str, object] = field(default_factory=dict)
    exercised: bool = False
    first: Violation | None = None

    @property
    def status(self) -> Status:
        if self.first is not None:
            return Status.BROKEN
        return Status.HELD if self.exercised else Status.NOT_EXERCISED


class Findings:
    """The verdicts of all checks of one run."""

    def __init__(self) -> None:
        self._tallies = {name: Tally() for name in CHECKS}
        self.violations: list[Violation] = []
        """The first one of each check but `fault_effect`, in order."""
        self.fatal = False
        """Whether a safety check is broken."""

    def looked_at(self, check: str, what: str, n: int = 1) -> None:
        """A check has looked at `n` more of these, and they were right or are reported beside this."""
        tally = self._tallies[check]
        known = tally.counts.get(what, 0)
        assert isinstance(known, int)
        tally.counts[what] = known + n
        tally.exercised = tally.exercised or n > 0

    def note(self, check: str, what: str, value: object) -> None:
        """A figure behind a check; says nothing about its verdict."""
        self._tallies[check].counts[what] = value

    def broken(self, check: str, at: SimTime, nodes: Iterable[NodeId], detail: str) -> None:
        """A check does not hold."""
        violation = Violation(check, at, detail, tuple(sorted(set(nodes))))
        tally = self._tallies[check]
        if tally.first is not None:
            return
        tally.first = violation
        if check != EFFECT:
            self.violations.append(violation)
        self.fatal = self.fatal or check in SAFETY

    def status(self, check: str) -> Status:
        return self._tallies[check].status

    def report(self) -> dict[str, dict[str, object]]:
        """Check -> `held` (None: not exercised), `status`, the counts behind it and, if broken, what came `first`."""
        return {name: _entry(tally) for name, tally in self._tallies.items()}


def _entry(tally: Tally) -> dict[str, object]:
    entry: dict[str, object] = {"held": tally.status.held, "status": tally.status.value, **tally.counts}
    if tally.first is not None:
        first = tally.first
        entry["first"] = {"at_ms": round(to_ms(first.at), 6), "nodes": list(first.nodes), "detail": first.detail}
    return entry
