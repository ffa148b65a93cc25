"""A node's processor: real proofs, charged in virtual time.

A job is queued in virtual time (`ProofQueue`) and its real work handed to the workshop at once; the result is
awaited only when the virtual clock reaches the job's end, or later.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import Future

from simnet.blob import Blob
from simnet.errors import ProofError
from simnet.events import LimitReached, ProofMade, ProofVerified
from simnet.node.world import World
from simnet.proofs.backend import BackendId, Circuit, CircuitId, Security, Verdict
from simnet.proofs.costs import PROVE, VERIFY, CostKey
from simnet.proofs.queue import ProofQueue
from simnet.units import NodeId, SimTime

AnyFuture = Future[tuple[Blob, int]] | Future[tuple[Verdict, int]]


class Ticket:
    """A proof that is being made."""

    def __init__(self, world: World, node: NodeId, backend: BackendId, circuit: Circuit, again: bool) -> None:
        self.backend = backend
        self.ready_at = SimTime(0)
        self._world = world
        self._node = node
        self._circuit = circuit
        self._again = again
        self._queued_at = world.now
        self._started_at = SimTime(0)
        self._future: Future[tuple[Blob, int]] | None = None

    def schedule(self, future: "Future[tuple[Blob, int]]", start: SimTime, end: SimTime) -> None:
        """The job's place in virtual time."""
        self._future, self._started_at, self.ready_at = future, start, end

    def take(self) -> Blob:
        """The envelope; waits for the real prover. Call once, at or after `ready_at`."""
        assert self._future is not None
        envelope = self._world.workshop.take(self._future)
        self._world.emit(
            ProofMade(
                self._world.now,
                self._node,
                self.backend.label,
                self._circuit.id.label,
                envelope.name,
                len(envelope),
                self._queued_at,
                self._started_at,
                self.ready_at,
                self._again,
            )
        )
        return envelope


class Processor:
    """One node's provers and verifier.

    Consensus proofs have a prover of their own, and the other proofs of blocks another, so transfers never wait for one.
    """

    def __init__(self, world: World, node: NodeId, cpu_factor: float) -> None:
        limits = world.scenario.provers
        self._world = world
        self._node = node
        self._factor = cpu_factor
        self._security = Security[world.scenario.provers.security.upper()]
        self._provers = ProofQueue(limits.workers, limits.queue_jobs_max)
        self._consensus_prover = ProofQueue(1, limits.queue_jobs_max)
        self._block_prover = ProofQueue(1, limits.queue_jobs_max)
        self._verifier = ProofQueue(1, limits.queue_jobs_max)

    def prove(self, backend: BackendId, circuit: Circuit, witness: bytes, *, again: bool = False) -> Ticket | None:
        """Queues a proof; `None` when the queue is full. Raises ProofError for a witness that has no statement."""
        queue = self._queue_of(circuit.id)
        now = self._world.now
        if queue.full(now):
            # No real work for a proof that the node has no room to make.
            self._world.emit(LimitReached(now, self._node, "provers.queue_jobs_max"))
            return None
        future = self._world.workshop.prove(backend, circuit, witness)
        job = hashlib.blake2s(witness).hexdigest()[:32]
        placed = queue.admit(now, self._cost(backend, circuit, PROVE, job, future))
        assert placed is not None
        ticket = Ticket(self._world, self._node, backend, circuit, again)
        ticket.schedule(future, *placed)
        return ticket

    def verify(
        self,
        backend: BackendId,
        circuit: Circuit,
        statement: bytes,
        envelope: Blob,
        peer: NodeId,
        spam: str | None,
        then: Callable[[Verdict | None], None],
    ) -> None:
        """Queues a verification and calls `then` with the verdict at its virtual end; with `None` when the queue is full."""
        now = self._world.now
        try:
            future = self._world.workshop.verify(backend, circuit, statement, envelope)
        except ProofError as e:
            then(Verdict(False, str(e).split(":", 1)[0]))
            return
        oversize = len(envelope) > self._world.scenario.provers.proof_bytes_max
        name = envelope.name
        # The size gate is the verifier's first check and costs nothing.
        cost = SimTime(0) if oversize else self._cost(backend, circuit, VERIFY, name, future)
        placed = self._verifier.admit(now, cost)
        if placed is None:
            self._world.emit(LimitReached(now, self._node, "provers.queue_jobs_max"))
            then(None)
            return

        def finish() -> None:
            verdict, _ = future.result()
            at = self._world.now
            label, kind = backend.label, circuit.id.label
            self._world.emit(
                ProofVerified(at, self._node, peer, label, kind, name, verdict.accepted, verdict.reason, spam, len(envelope), now, cost)
            )
            then(verdict)

        self._world.after(placed[1] - now, finish)

    def _queue_of(self, circuit: CircuitId) -> ProofQueue:
        if circuit is CircuitId.TRANSACTION:
            return self._provers
        return self._consensus_prover if circuit is CircuitId.CONSENSUS else self._block_prover

    def _cost(self, backend: BackendId, circuit: Circuit, operation: str, job: str, future: AnyFuture) -> SimTime:
        costs = self._world.costs
        wall = None if costs.reproducible else future.result()[1]
        return SimTime(round(costs.cost(CostKey(backend, circuit, operation, self._security), job, wall) * self._factor))
