"""A node's processor: real proofs, charged in virtual time.

A job is queued in virtual time (`ProofQueue`) and its real work handed to the workshop at once; the result is
awaited only when the virtual clock reaches the job's end, or later.
"""

import hashlib
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events import ProofMade, ProofVerified, ProvingFailed
from simnet.node.facts import Facts
from simnet.node.letters import Examined, Letter, Letterbox
from simnet.node.peers import Peers
from simnet.node.ports import Ports
from simnet.proofs.backend import Circuit, Security, Verification
from simnet.proofs.costs import PROVE, VERIFY, CostKey, CostModel
from simnet.proofs.queue import Job, ProofQueue
from simnet.proofs.workshop import Workshop
from simnet.scenario.nodefaults import Service

TOO_LARGE = "ProofTooLarge"
BUSY_RETRY = from_ms(500)
"""What is a node's own, and its own verifier had no room for, is offered to it again after this long."""
ProofFuture = Future[tuple[Blob, int]]
VerdictFuture = Future[tuple[Verification, int]]
AnyFuture = ProofFuture | VerdictFuture


@dataclass(slots=True, eq=False)
class JobDue(Letter):
    """A job may have ended: then comes another letter."""

    job: Job
    then: Letter
    ticket: "Ticket | None" = None
    """Of a proof."""


@dataclass(slots=True, eq=False)
class VerificationEnded(Letter):
    """A verification is over in virtual time."""

    backend: BackendId
    circuit: Circuit
    envelope: Blob
    peer: NodeId
    spam: str | None
    queued_at: SimTime
    cost: SimTime
    future: "VerdictFuture"
    item: Examined


@dataclass(frozen=True, slots=True)
class Proving:
    """Where a run's proofs are made, and what each costs in virtual time."""

    workshop: Workshop
    costs: CostModel


@dataclass(slots=True)
class Watched:
    """What became of jobs since a service stopped."""

    depth_max: int = 0
    refused: int = 0


class Ticket:
    """A proof that is being made."""

    def __init__(
        self, workshop: Workshop, ports: Ports, backend: BackendId, circuit: Circuit, again: bool, future: ProofFuture, job: Job,
        letters: Letterbox,
    ) -> None:  # fmt: skip
        self.backend = backend
        self._workshop = workshop
        self._ports = ports
        self._letters = letters
        self._circuit = circuit
        self._again = again
        self._future = future
        self._job = job

    def when_ready(self, letter: Letter) -> None:
        """Posts a letter when the proof is ready; at the end of the present instant if it is."""
        self._letters.post_after(max(0, self._job.end - self._ports.now), JobDue(self._job, letter, self))

    def is_refused(self) -> bool:
        """Whether the prover refuses the witness, which is told: what a node sets out to prove holds. Waits for the real prover."""
        why = self._workshop.why_refused(self._future)
        if why is not None:
            self._ports.emit(ProvingFailed(self._ports.now, self._ports.node, self.backend.label, self._circuit.id.label, why))
        return why is not None

    def take(self) -> Blob:
        """The envelope; waits for the real prover. Call once, when it is ready in virtual time."""
        envelope = self._workshop.take(self._future)
        self._ports.emit(
            ProofMade(
                self._ports.now,
                self._ports.node,
                self.backend.label,
                self._circuit.id.label,
                envelope.name,
                len(envelope),
                self._job.queued_at,
                self._job.start,
                self._job.end,
                self._again,
            )
        )
        return envelope


class Provers(Protocol):
    """What a node's parts see of its provers and its verifier."""

    def prove(self, backend: BackendId, circuit: Circuit, witness: bytes, *, again: bool = False) -> Ticket | None:
        """Queues a proof; `None` when the queue is full."""

    def verify(
        self, backend: BackendId, circuit: Circuit, statement: bytes, envelope: Blob, peer: NodeId, spam: str | None, item: Examined
    ) -> None:
        """Queues the verification of an item, whose verdict is told at its virtual end; `None`, at once, when the queue is full."""

    def too_large(self, backend: BackendId, circuit: Circuit, envelope: Blob, peer: NodeId, spam: str | None) -> bool:
        """The size gate before anything else is done about a proof: it costs nothing, and a refusal is counted."""


class Processor:
    """One node's provers and verifier: `Provers`, and what stops them.

    Consensus proofs have a prover of their own, and the other proofs of blocks another, so transfers never wait for one.
    """

    def __init__(self, facts: Facts, ports: Ports, proving: Proving, cpu_factor: float, peers: Peers, letters: Letterbox) -> None:
        limits = facts.scenario.provers
        self._facts = facts
        self._workshop = proving.workshop
        self._costs = proving.costs
        self._ports = ports
        self._letters = letters
        self._node = ports.node
        self._factor = cpu_factor
        self._peers = peers
        self._security = Security[limits.security.upper()]
        self._provers = ProofQueue(limits.workers, limits.queue_jobs_max)
        self._consensus_prover = ProofQueue(1, limits.queue_jobs_max)
        self._block_prover = ProofQueue(1, limits.queue_jobs_max)
        self._verifier = ProofQueue(1, limits.queue_jobs_max)
        self._queues: dict[Service, tuple[ProofQueue, ...]] = {
            "prover": (self._provers, self._consensus_prover, self._block_prover),
            "verifier": (self._verifier,),
        }
        self._watched: dict[Service, Watched] = {}
        """Services that stand still or work off what has waited."""

    def prove(self, backend: BackendId, circuit: Circuit, witness: bytes, *, again: bool = False) -> Ticket | None:
        queue = self._queue_of(circuit.id)
        now = self._ports.now
        if queue.full(now):
            # No real work for a proof that the node has no room to make.
            self._refuse("prover")
            return None
        future = self._workshop.prove(backend, circuit, witness)
        job = hashlib.blake2s(witness).hexdigest()[:32]
        placed = queue.admit(now, self._cost(backend, circuit, PROVE, job, future))
        assert placed is not None
        self._measure("prover")
        return Ticket(self._workshop, self._ports, backend, circuit, again, future, placed, self._letters)

    def verify(
        self, backend: BackendId, circuit: Circuit, statement: bytes, envelope: Blob, peer: NodeId, spam: str | None, item: Examined
    ) -> None:
        now = self._ports.now
        try:
            future = self._workshop.verify(backend, circuit, statement, envelope)
        except ProofError as e:
            self._letters.judge(item, Verification(False, str(e).split(":", 1)[0]))
            return
        # The size gate is the verifier's first check and costs nothing.
        cost = SimTime(0) if self._facts.oversize(envelope) else self._cost(backend, circuit, VERIFY, envelope.name, future)
        placed = self._verifier.admit(now, cost)
        if placed is None:
            self._refuse("verifier")
            self._letters.judge(item, None)
            return
        self._measure("verifier")
        self._peers.begins(peer, cost)
        ended = VerificationEnded(backend, circuit, envelope, peer, spam, now, cost, future, item)
        self._letters.post_after(max(0, placed.end - now), JobDue(placed, ended))

    def on_job_due(self, letter: JobDue) -> None:
        """The job has ended, unless a stop has put it off. A proof that there is not is waited for in vain."""
        left = letter.job.end - self._ports.now
        if left > 0:
            self._letters.post_after(left, letter)
        elif letter.ticket is None or not letter.ticket.is_refused():
            self._letters.post(letter.then)

    def on_verification_ended(self, v: VerificationEnded) -> None:
        """Tells the verdict; waits for the real verifier."""
        verdict, _ = v.future.result()
        self._peers.ends(v.peer, v.cost, right=v.item.was_right(accepted=verdict.accepted))
        self._ports.emit(
            ProofVerified(
                self._ports.now,
                self._node,
                v.peer,
                v.backend.label,
                v.circuit.id.label,
                v.envelope.name,
                verdict.accepted,
                verdict.reason,
                v.spam,
                len(v.envelope),
                v.queued_at,
                v.cost,
            )
        )
        self._letters.judge(v.item, verdict)

    def too_large(self, backend: BackendId, circuit: Circuit, envelope: Blob, peer: NodeId, spam: str | None) -> bool:
        if not self._facts.oversize(envelope):
            return False
        now, label, kind = self._ports.now, backend.label, circuit.id.label
        event = ProofVerified(now, self._node, peer, label, kind, envelope.name, False, TOO_LARGE, spam, len(envelope), now, SimTime(0))
        self._ports.emit(event)
        return True

    # --- stops ---------------------------------------------------------------------------------------

    def stop(self, service: Service, until: SimTime) -> None:
        """The prover (all of them) or the verifier stands still until then; `watched` counts from now on."""
        for queue in self._queues[service]:
            queue.stop(self._ports.now, until)
        self._watched.setdefault(service, Watched())
        self._measure(service)

    def waiting(self, service: Service) -> list[Job]:
        """Jobs of a service that are queued or running."""
        return [job for queue in self._queues[service] for job in queue.waiting(self._ports.now)]

    def watched(self, service: Service) -> tuple[int, int]:
        """The most jobs that waited at once since the service stopped, and how many were refused. Ends the watch."""
        seen = self._watched.pop(service, Watched())
        return seen.depth_max, seen.refused

    def _measure(self, service: Service) -> None:
        seen = self._watched.get(service)
        if seen is not None:
            seen.depth_max = max(seen.depth_max, sum(queue.depth(self._ports.now) for queue in self._queues[service]))

    def _refuse(self, service: Service) -> None:
        self._ports.limit_reached("provers.queue_jobs_max")
        if service in self._watched:
            self._watched[service].refused += 1

    def _queue_of(self, circuit: CircuitId) -> ProofQueue:
        if circuit is CircuitId.TRANSACTION:
            return self._provers
        return self._consensus_prover if circuit is CircuitId.CONSENSUS else self._block_prover

    def _cost(self, backend: BackendId, circuit: Circuit, operation: str, job: str, future: AnyFuture) -> SimTime:
        costs = self._costs
        wall = None if costs.reproducible else self._workshop.wall(future)
        return SimTime(round(costs.cost(CostKey(backend, circuit, operation, self._security), job, wall) * self._factor))
