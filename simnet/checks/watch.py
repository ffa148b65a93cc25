"""All checks of a run together: who is told what, and when time itself says something."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from simnet.base.units import NodeId, SimTime
from simnet.checks.accusations import Accusations
from simnet.checks.answers import Answers
from simnet.checks.calm import Calm
from simnet.checks.chains import Chains
from simnet.checks.coherence import Coherence
from simnet.checks.effects import FaultEffect
from simnet.checks.progress import Progress
from simnet.checks.proofs import Behind, Lag, Lost, Unproven
from simnet.checks.setting import Setting
from simnet.checks.signed import KeysOnce, Locks
from simnet.checks.verdicts import Findings
from simnet.checks.verified import Verified
from simnet.events import BlockAggregated, BlockProven, Event, Handler, Handlers, Observer
from simnet.events.bus import Bus
from simnet.events.run_info import RunInfo
from simnet.events.run_result import Violation
from simnet.node.facts import Facts
from simnet.node.node import Node


class Checks:
    """Observes a run and reports violations."""

    def __init__(self, info: RunInfo, facts: Facts, nodes: Mapping[NodeId, Node], bus: Bus) -> None:
        self._bus = bus
        self._setting = setting = Setting(info, facts, nodes)
        self._findings = findings = Findings()
        self._calm = calm = Calm(setting)
        self._progress = Progress(setting, findings, calm)
        self._lags: list[Lag] = [
            Behind(setting, findings, calm),
            Unproven(setting, findings, calm, "proven", BlockProven, in_order=False),
        ]
        if facts.scenario.block_proof_backends:
            self._lags.append(Unproven(setting, findings, calm, "aggregated", BlockAggregated, in_order=True))
        self._chains = Chains(setting, findings)
        self._coherence = Coherence(setting, findings, calm)
        self._effect = FaultEffect(setting, findings)
        # The calm first: the others judge by it.
        told: tuple[Observer, ...] = (
            calm,
            self._chains,
            Verified(setting, findings),
            Answers(setting, findings),
            KeysOnce(setting, findings),
            Locks(setting, findings),
            Accusations(setting, findings),
            self._progress,
            *self._lags,
            Lost(setting, findings),
            self._coherence,
            self._effect,
        )
        by_event: dict[type[Event], list[Handler]] = defaultdict(list)
        for check in told:
            for kind, handler in check.handlers.items():
                by_event[kind].append(handler)
        self._told = {kind: tuple(handlers) for kind, handlers in by_event.items()}
        self._slot = 0
        """The next one to begin."""
        self._look_at: int = setting.start_of(0)
        """Time says something at the first event after this."""
        self._now = SimTime(0)
        self._closed = False

    @property
    def handlers(self) -> Handlers:
        """Every event shows how late it is; some show more."""
        return {Event: self._on_time, **dict.fromkeys(self._told, self._on_event)}

    def _on_time(self, event: Event) -> None:
        """Checks what the time until an event has shown."""
        if event.at > self._look_at:
            self._time_passes(event.at)

    def _on_event(self, event: Event) -> None:
        """Checks what an event itself shows."""
        self._now = event.at
        for handler in self._told[type(event)]:
            handler(event)
        self._bus.alarmed = self._findings.fatal
        changed = self._calm.changed_at
        if changed is not None:
            self._look_at = min(self._look_at, changed)

    def _time_passes(self, now: SimTime) -> None:
        """Everything up to now, which itself is not over: changes of the network first, then every slot that has begun."""
        changed = self._calm.changed_at
        if changed is not None and changed < now:
            self._look(changed)
        while self._setting.start_of(self._slot) < now:
            self._look(self._setting.start_of(self._slot))
            self._progress.on_slot(self._chains.leader(self._progress.top + 1, self._slot))
            self._slot += 1
        self._look_at = self._setting.start_of(self._slot)

    def _look(self, at: SimTime) -> None:
        """What was due by then is judged by the calm as it was; then the calm is brought up to date."""
        self._progress.on_time(at)
        for lag in self._lags:
            lag.on_time(at)
        self._calm.settle(at)
        self._progress.on_calm(at)
        for lag in self._lags:
            lag.on_calm(at)

    # --- for the simulation ----------------------------------------------------------------------------

    @property
    def violations(self) -> Sequence[Violation]:
        """The first of every broken check, in order."""
        return self._findings.violations

    def coherent(self, live: Sequence[NodeId], now: SimTime) -> bool:
        """Whether these nodes hold the same chain and transfers: until then a run waits for stragglers."""
        self._time_passes(now)  # Who came back a moment ago is one of them.
        return self._coherence.reached(live)

    def at_end(self, live: Sequence[NodeId], after_drain: SimTime, at: SimTime) -> None:
        """The run is over. `live`: nodes that are up and honest; `after_drain`: how long it went on for stragglers."""
        self._time_passes(SimTime(at + 1))
        self._look(at)
        self._chains.at_end(at)
        self._coherence.at_end(live, after_drain, at)
        self._effect.at_end(at)
        self._close(at)

    def _close(self, at: SimTime) -> None:
        """Fills in what the checks of progress have measured."""
        self._closed = True
        self._progress.close(at)
        for lag in self._lags:
            lag.close()

    def report(self) -> dict[str, dict[str, object]]:
        """Every check's verdict and the counts behind it, also of a run that broke off."""
        if not self._closed:
            self._close(self._now)
        return self._findings.report()
