"""Services of nodes that stopped: how much waited, for how long, and how it was worked off."""

from collections import defaultdict

from simnet.events import BacklogWorkedOff, Handlers, ServiceResumed
from simnet.record.stats import ms


class ServicesCollector:
    """Part of `simnet.node_faults`, by service."""

    def __init__(self) -> None:
        self._resumed: dict[str, list[ServiceResumed]] = defaultdict(list)
        self._done: dict[str, list[BacklogWorkedOff]] = defaultdict(list)

    @property
    def handlers(self) -> Handlers:
        return {ServiceResumed: self._on_resumed, BacklogWorkedOff: self._on_worked_off}

    def _on_resumed(self, event: ServiceResumed) -> None:
        self._resumed[event.service].append(event)

    def _on_worked_off(self, event: BacklogWorkedOff) -> None:
        self._done[event.service].append(event)

    def conduct(self) -> dict[str, object]:
        return {"service_stop": {service: self._figures(service) for service in sorted(self._resumed)}} if self._resumed else {}

    def _figures(self, service: str) -> dict[str, object]:
        resumed, done = self._resumed[service], self._done[service]
        return {
            "stops": len(resumed),
            "stopped_ms": ms(sum(e.stopped_for for e in resumed)),
            "backlog_max": max(e.waiting for e in resumed),
            "oldest_age_ms": ms(max(e.oldest_age for e in resumed)),
            "worked_off": len(done),
            "depth_max": max((e.depth_max for e in done), default=None),
            "refused": sum(e.refused for e in done),
            "work_off_ms_max": ms(max(e.took for e in done)) if done else None,
        }
