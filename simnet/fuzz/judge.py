"""What a run of the search was: held, or which check it failed and why.

A run is judged by its own checks. The search adds two: it may not break off with an error, and it must end. Where a third of the stake
or more is byzantine, only accusations of honest nodes are judged beside these, and a fork must leave evidence that names more than a third.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from simnet.checks import SAFETY
from simnet.events import DoubleSignFound, EvidenceTaken, FaultInjected, Handlers, MisconductFound

CRASH, HANG, UNNAMED = "crash", "hang", "culprits_unnamed"
OWN_CHECKS = (CRASH, HANG, UNNAMED)
"""Those that `simnet run` does not know."""
FORKS = frozenset({"agreement", "finality"})
"""What may break above a third."""
FORKING = frozenset({"amnesia"})
"""Misconduct that can bring that about, beside double signs."""
ACCUSATIONS = "accusations"
"""The one check that holds whatever the stake of byzantine nodes is."""
UNHEALED = frozenset({*SAFETY, CRASH})
"""Checks that time does not heal; the others want calm after the faults."""
ALARMS = frozenset({"censorship", "vote_withholding", "inactivity"})
"""Kinds of evidence that say what somebody did not do; a node that was cut off gets them, too."""
SUFFIXES = ("_start", "_end", "_down", "_up", "_spam")
HELD, BROKEN, NOT_EXERCISED = "held", "broken", "not_exercised"


@dataclass(frozen=True, slots=True)
class Failure:
    """One check that a run failed."""

    check: str
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run, judged. Equal for equal scenarios, but for `wall_s`."""

    name: str
    seed: int
    failures: tuple[Failure, ...]
    checks: Mapping[str, str] = field(default_factory=dict)
    """Check -> held, broken or not_exercised."""
    kinds: tuple[str, ...] = ()
    """Fault kinds that acted."""
    above_third: bool = False
    wall_s: float = field(default=0.0, compare=False)

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the failed checks."""
        return tuple(dict.fromkeys(failure.check for failure in self.failures))


class Jury:
    """An observer: which faults acted, and who was convicted of what by an honest node."""

    def __init__(self, byzantine: Collection[int]) -> None:
        self._byzantine = frozenset(byzantine)
        self.kinds: dict[str, None] = {}
        self.convicted: dict[int, str] = {}
        """Validator -> the first charge that it cannot owe to a fault of its own or of the network."""
        self.forked: set[int] = set()
        """Validators that signed what can fork a chain."""

    @property
    def handlers(self) -> Handlers:
        return {
            FaultInjected: self._fault,
            DoubleSignFound: self._double_sign,
            MisconductFound: self._misconduct,
            EvidenceTaken: self._evidence,
        }

    def _fault(self, event: FaultInjected) -> None:
        kind = event.kind
        for suffix in SUFFIXES:
            kind = kind.removesuffix(suffix)
        self.kinds[kind] = None

    def _double_sign(self, event: DoubleSignFound) -> None:
        self._convict(event.node, event.validator, f"{event.what} twice at height {event.height}, slot {event.slot}", forks=True)

    def _misconduct(self, event: MisconductFound) -> None:
        self._convict(event.node, event.validator, event.what, forks=event.what in FORKING)

    def _evidence(self, event: EvidenceTaken) -> None:
        if event.evidence not in ALARMS:
            self._convict(event.node, event.validator, event.evidence)

    def _convict(self, by: int, validator: int, charge: str, *, forks: bool = False) -> None:
        if by not in self._byzantine:
            self.convicted.setdefault(validator, charge)
            self.forked |= {validator} if forks else set()


def statuses(report: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Every check's status, from a run's report."""
    return {name: _status(entry) for name, entry in report.items()}


def _status(entry: Mapping[str, object]) -> str:
    if "status" in entry:
        return str(entry["status"])
    held = entry.get("held")
    return NOT_EXERCISED if held is None else HELD if held else BROKEN


def verdict(broken: Mapping[str, str], jury: Jury, stakes: Sequence[int], *, above_third: bool) -> tuple[Failure, ...]:
    """The failures of a run that came to its end. `broken`: check -> detail; `stakes`: everybody's."""
    if not above_third:
        return tuple(Failure(check, detail) for check, detail in broken.items())
    failures = [Failure(check, detail) for check, detail in broken.items() if check == ACCUSATIONS]
    forks = [check for check in broken if check in FORKS]
    named = sum(stakes[v] for v in jury.forked)
    if forks and 3 * named <= sum(stakes):
        detail = (
            f"{broken[forks[0]]}; validators with {named} of {sum(stakes)} of the stake were convicted of what forks: {sorted(jury.forked)}"
        )
        failures.append(Failure(UNNAMED, detail))
    return tuple(failures)
