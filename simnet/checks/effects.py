"""fault_effect: every fault of the scenario has acted.

A fault that lies outside the run, or that met nothing to act on, makes a scenario that asks less than it seems to: a broken
`fault_effect` is a warning, and an error with `--strict`. What a fault has done is counted in the unit given in `UNITS`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simnet.base.units import NodeId, SimTime, from_ms
from simnet.checks.setting import Link, Setting, links_under, nodes_of
from simnet.checks.verdicts import EFFECT, Findings
from simnet.events import (
    ClockSkewed,
    Equivocated,
    Event,
    FaultInjected,
    Handlers,
    MessageLost,
    MessagePublished,
    OpponentActed,
    PeerDisconnected,
    ServiceResumed,
    Withheld,
)
from simnet.scenario.linkfaults import LinkFault
from simnet.scenario.nodefaults import NodeFault
from simnet.scenario.opponents import OPPONENTS

UNITS = {
    "partition": "links cut",
    "churn": "nodes taken down",
    "byzantine": "copies published",
    "one_way": "copies lost",
    "flapping": "copies lost",
    "corrupt": "copies spoiled",
    "equivocation": "pairs signed",
    "withholding": "things kept back",
    "clock_skew": "times that a clock was wrong",
    "service_stop": "jobs that waited",
    **dict.fromkeys(OPPONENTS, "acts"),
}
"""Of any other kind: how often it began."""
LOSSES = frozenset({"one_way", "flapping", "corrupt"})


@dataclass(slots=True)
class Acted:
    """One fault of the scenario."""

    label: str
    """Where it stands in the scenario."""
    kind: str
    nodes: frozenset[NodeId] = frozenset()
    detail: str = ""
    """What its events say, for a rule on links."""
    links: frozenset[Link] = frozenset()
    """Those that a rule is on."""
    start: SimTime | None = None
    end: SimTime | None = None
    """When it begins and ends, where the scenario says so."""
    open: int = 0
    """How many of its windows are open."""
    began: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """What it has done, in its unit."""
        return self.began if self.kind not in UNITS else self.counts[self.kind]


class FaultEffect:
    """What each fault of the scenario did."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings
        self._faults = list(_faults_of(setting))

    @property
    def handlers(self) -> Handlers:
        """Only for the kinds that the scenario has: some of these events are frequent."""
        present = {fault.kind for fault in self._faults}
        of_kinds: list[tuple[frozenset[str], type[Event], Callable[..., None]]] = [
            (frozenset({"partition"}), PeerDisconnected, self._disconnected),
            (frozenset({"byzantine"}), MessagePublished, self._published),
            (LOSSES, MessageLost, self._lost),
            (frozenset({"equivocation"}), Equivocated, self._equivocated),
            (frozenset({"withholding"}), Withheld, self._withheld),
            (frozenset({"clock_skew"}), ClockSkewed, self._skewed),
            (frozenset({"service_stop"}), ServiceResumed, self._resumed),
            (frozenset(OPPONENTS), OpponentActed, self._opponent_acted),
        ]
        wanted = {event: handler for kinds, event, handler in of_kinds if kinds & present}
        return {FaultInjected: self._fault, **wanted} if present else {}

    def _of(self, kind: str, node: int | None = None) -> Iterator[Acted]:
        """The scenario's faults of a kind that are on a node."""
        return (f for f in self._faults if f.kind == kind and (node is None or node in f.nodes))

    def _fault(self, e: FaultInjected) -> None:
        kind, step = e.edge
        for fault in self._of(kind) if step else ():
            if e.at != (fault.start if step > 0 else fault.end) and fault.start is not None:
                continue
            if (fault.nodes and e.detail not in {f"node:{n}" for n in fault.nodes}) or fault.detail not in ("", e.detail):
                continue
            fault.open += step
            fault.began += max(0, step)
            fault.counts["churn"] += step > 0

    def _disconnected(self, e: PeerDisconnected) -> None:
        for fault in self._of(e.why):
            fault.counts["partition"] += e.node < e.peer

    def _published(self, e: MessagePublished) -> None:
        if e.spam is not None:
            for fault in self._of("byzantine"):
                fault.counts["byzantine"] += 1

    def _lost(self, e: MessageLost) -> None:
        if e.reason in LOSSES:
            for fault in self._of(e.reason):
                fault.counts[e.reason] += fault.open > 0 and (e.node, e.peer) in fault.links

    def _equivocated(self, e: Equivocated) -> None:
        for fault in self._of("equivocation", e.node):
            fault.counts["equivocation"] += fault.open > 0

    def _withheld(self, e: Withheld) -> None:
        for fault in self._of("withholding", e.node):
            fault.counts["withholding"] += fault.open > 0

    def _skewed(self, e: ClockSkewed) -> None:
        for fault in self._of("clock_skew", e.node) if e.error else ():
            fault.counts["clock_skew"] += fault.open > 0

    def _resumed(self, e: ServiceResumed) -> None:
        for fault in self._of("service_stop", e.node):
            if fault.began and fault.end is not None and fault.end <= e.at and not fault.counts["service_stop"]:
                fault.counts["service_stop"] += e.waiting

    def _opponent_acted(self, e: OpponentActed) -> None:
        for fault in self._of(e.kind, e.node):
            fault.counts[e.kind] += fault.open > 0

    def at_end(self, at: SimTime) -> None:
        """Which of them did nothing. One that is still stopped has not told yet what waited."""
        acted = [f for f in self._faults if f.count or (f.kind == "service_stop" and f.open)]
        idle = [f for f in self._faults if f not in acted]
        self._findings.looked_at(EFFECT, "faults", len(self._faults))
        self._findings.note(EFFECT, "acted", len(acted))
        self._findings.note(EFFECT, "by_fault", {f.label: f.count for f in self._faults})
        if idle:
            why = [f"{f.label} ({'never began' if not f.began else 'met nothing to act on'})" for f in idle]
            self._findings.broken(EFFECT, at, [], f"never acted: {', '.join(why)}")


def _faults_of(setting: Setting) -> Iterator[Acted]:
    faults = setting.scenario.faults
    for kind in ("partition", "churn", "byzantine"):
        if getattr(faults, kind) is not None:
            yield Acted(kind, kind)
    for number, rule in enumerate(faults.links):
        yield Acted(f"links[{number}] {rule.kind}", rule.kind, frozenset(), rule.where, links_under(setting, rule), *_window(rule))
    for number, trouble in enumerate(faults.nodes):
        yield Acted(f"nodes[{number}] {trouble.kind}", trouble.kind, nodes_of(trouble), "", frozenset(), *_window(trouble))


def _window(fault: LinkFault | NodeFault) -> tuple[SimTime, SimTime]:
    return from_ms(fault.start_ms), from_ms(fault.start_ms + fault.duration_ms)
