"""Services of a node that stop for a while: what waits meanwhile, and how long it takes to work it off.

A stopped prover or verifier keeps its queue, within its limit; a stopped wallet keeps what it was asked for behind a
gate. Nothing else of the node stands still.
"""

from dataclasses import dataclass

from simnet.base.units import SimTime, from_ms
from simnet.events import BacklogWorkedOff, ServiceResumed
from simnet.node.letters import Letter, Letterbox
from simnet.node.ports import Ports
from simnet.node.processor import Processor
from simnet.proofs.queue import Job
from simnet.scenario.nodefaults import Service, ServiceStop

WALLET_JOBS_MAX = 4096
"""Publications that a stopped wallet keeps; a limit of ours."""


class Gate:
    """Keeps letters in order while it is closed."""

    def __init__(self, ports: Ports, letters: Letterbox) -> None:
        self._ports = ports
        self._letters = letters
        self._closed = 0
        self._kept: list[tuple[SimTime, Letter]] = []

    def keeps(self, letter: Letter) -> bool:
        """Whether a letter has to wait: it comes again when the gate opens."""
        if self.closed:
            self._kept.append((self._ports.now, letter))
        return self.closed

    @property
    def closed(self) -> bool:
        return self._closed > 0

    @property
    def kept(self) -> tuple[SimTime, ...]:
        """When the letters that wait came, oldest first."""
        return tuple(at for at, _ in self._kept)

    @property
    def full(self) -> bool:
        """Whether new business is to be refused."""
        return self.closed and len(self._kept) >= WALLET_JOBS_MAX

    def close(self) -> None:
        """It opens when every `close` was answered by an `open`."""
        self._closed += 1

    def open(self) -> None:
        self._closed -= 1
        if not self._closed:
            kept, self._kept = self._kept, []
            for _, letter in kept:
                self._letters.post(letter)


@dataclass(slots=True)
class Stop:
    """One service's stops that are not over, and since when it has stood still."""

    count: int
    since: SimTime


@dataclass(frozen=True, slots=True)
class BacklogDue(Letter):
    """The jobs that had waited when a service resumed may have ended."""

    service: Service
    jobs: tuple[Job, ...]
    resumed: SimTime


class Services:
    """One node's services under faults."""

    def __init__(self, ports: Ports, processor: Processor, wallet: Gate, letters: Letterbox) -> None:
        self._ports = ports
        self._letters = letters
        self._node = ports.node
        self._processor = processor
        self._wallet = wallet
        self._stops: dict[Service, Stop] = {}
        self._resumed_at: dict[Service, SimTime] = {}
        """The last time; another stop before the backlog is worked off begins it anew."""

    def under(self, fault: ServiceStop, begins: bool) -> None:
        """A stop begins or ends."""
        if begins:
            self._begin(fault)
        else:
            self._end(fault.service)

    def _begin(self, fault: ServiceStop) -> None:
        now, service = self._ports.now, fault.service
        stop = self._stops.setdefault(service, Stop(0, now))
        stop.count += 1
        if service == "wallet":
            self._wallet.close()
        else:
            self._processor.stop(service, SimTime(now + from_ms(fault.duration_ms)))

    def _end(self, service: Service) -> None:
        stop = self._stops[service]
        stop.count -= 1
        if stop.count:
            return
        del self._stops[service]
        if service == "wallet":
            queued = self._wallet.kept
            self._resumed(service, stop, queued)
            self._wallet.open()
            self._worked_off(service, len(queued), 0, self._ports.now)
            return
        jobs = tuple(self._processor.waiting(service))
        self._resumed(service, stop, tuple(job.queued_at for job in jobs))
        self.on_backlog_due(BacklogDue(service, jobs, self._ports.now))

    def _resumed(self, service: Service, stop: Stop, queued: tuple[SimTime, ...]) -> None:
        now = self._resumed_at[service] = self._ports.now
        oldest = SimTime(now - min(queued, default=now))
        self._ports.emit(ServiceResumed(now, self._node, service, SimTime(now - stop.since), len(queued), oldest))

    def on_backlog_due(self, letter: BacklogDue) -> None:
        """Reports when the last of the jobs has ended; another stop puts that off."""
        service, resumed = letter.service, letter.resumed
        end = max((job.end for job in letter.jobs), default=resumed)
        if end > self._ports.now:
            self._letters.post_after(end - self._ports.now, letter)
        elif service not in self._stops and self._resumed_at[service] == resumed:
            self._worked_off(service, *self._processor.watched(service), resumed)

    def _worked_off(self, service: Service, depth: int, refused: int, resumed: SimTime) -> None:
        now = self._ports.now
        self._ports.emit(BacklogWorkedOff(now, self._node, service, depth, refused, SimTime(now - resumed)))
