"""Where real proofs are made: worker threads beside virtual time.

A job is handed over the moment it starts in virtual time and awaited when its result is needed. The native
module releases the GIL, so proofs overlap with the simulation and with each other. Small proofs run on one
thread each, several at once; large ones run one at a time on all cores.

The same bytes under the same key and statement give the same verdict, so a verdict is computed once per run
and looked up after; every node is still charged the virtual time.
"""

import hashlib
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.base.recent import Recent
from simnet.proofs.backend import Backend, Circuit, Verification

VERDICTS_KEPT = 65_536
"""Verifications, and public inputs: one that is asked for again later is done again."""
GIL_SWITCH_S = 0.0005
"""A worker that returns from the prover waits at most this long for the simulating thread (Python's default is
5 ms, as long as a small proof takes)."""
LARGE_CIRCUITS = frozenset({CircuitId.CONSENSUS, CircuitId.STATE, CircuitId.PRUNING, CircuitId.RECURSIVE})


class Workshop:
    """Proves and verifies on worker threads, once per distinct job; keeps wall times."""

    def __init__(self, backends: Mapping[BackendId, Backend], seed: bytes, max_bytes: int, limit: int) -> None:
        cores = os.cpu_count() or 1
        self._backends = backends
        self._seed = seed
        self._max_bytes = max_bytes
        self._limit = limit
        self._small = ThreadPoolExecutor(cores, thread_name_prefix="prove")
        self._large = ThreadPoolExecutor(1, thread_name_prefix="prove-large")
        self._proofs: dict[tuple[BackendId, Circuit, bytes], Future[tuple[Blob, int]]] = {}
        self._verdicts: Recent[tuple[BackendId, Circuit, bytes, bytes], Future[tuple[Verification, int]]] = Recent(VERDICTS_KEPT)
        self._inputs: Recent[tuple[BackendId, Circuit, bytes], bytes] = Recent(VERDICTS_KEPT)
        self._walls: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._used: set[Future[tuple[Blob, int]]] = set()
        self._lock = threading.Lock()
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(GIL_SWITCH_S)

    def prove(self, backend: BackendId, circuit: Circuit, witness: bytes) -> "Future[tuple[Blob, int]]":
        """Starts a proof; the future gives (envelope, wall nanoseconds). The same job is run once.

        Raises `ProofError` beyond `limits.proofs_max`; what the prover refuses is raised by the future.
        """
        key = (backend, circuit, hashlib.blake2s(witness).digest())
        if key not in self._proofs:
            if len(self._proofs) >= self._limit:
                raise ProofError(f"more than limits.proofs_max = {self._limit} proofs in one run")
            pool = self._large if circuit.id in LARGE_CIRCUITS else self._small
            self._proofs[key] = pool.submit(self._prove, backend, circuit, witness)
        return self._proofs[key]

    def verify(self, backend: BackendId, circuit: Circuit, statement: bytes, envelope: Blob) -> "Future[tuple[Verification, int]]":
        """Starts a verification; the future gives (verdict, wall nanoseconds). The same job is run once."""
        key = (backend, circuit, hashlib.blake2s(statement).digest(), envelope.digest)
        if key not in self._verdicts:
            inputs = self.public_inputs(backend, circuit, statement)
            self._verdicts[key] = self._small.submit(self._verify, backend, circuit, inputs, envelope.data)
        return self._verdicts[key]

    def public_inputs(self, backend: BackendId, circuit: Circuit, statement: bytes) -> bytes:
        """The public-input vector of a statement, computed once. Raises ProofError when there is none."""
        key = (backend, circuit, hashlib.blake2s(statement).digest())
        return self._inputs.made(key, lambda: self._backends[backend].public_inputs(circuit, statement))

    def vk_id(self, backend: BackendId, circuit: Circuit) -> bytes:
        """Identity of a circuit's verifying key."""
        return self._backends[backend].vk_id(circuit)

    def aggregate(self, backend: BackendId, circuit: Circuit, statement: bytes) -> bytes:
        """What a recursive statement adds up to: four digests. Raises ProofError when there is no such aggregate."""
        return self._backends[backend].aggregate(circuit, statement)

    def close(self) -> None:
        """Drops what has not started and waits for what has."""
        self._small.shutdown(wait=True, cancel_futures=True)
        self._large.shutdown(wait=True, cancel_futures=True)
        sys.setswitchinterval(self._switch_interval)

    def take(self, future: "Future[tuple[Blob, int]]") -> Blob:
        """The proof of a job that `prove` started, now that the run uses it; waits for the prover."""
        envelope, _ = future.result()
        self._used.add(future)
        return envelope

    def why_refused(self, future: "Future[tuple[Blob, int]]") -> str | None:
        """Why the prover has refused a job's witness; `None` when it has made the proof. Waits for the prover. Raises what else went wrong."""
        error = future.exception()
        if error is None:
            return None
        if not isinstance(error, ProofError):
            raise error
        return str(error)

    def wall(self, future: "Future[tuple[Blob, int]] | Future[tuple[Verification, int]]") -> int:
        """How long a job took in wall nanoseconds; none if the prover has refused it. Waits for it."""
        return 0 if isinstance(future.exception(), ProofError) else future.result()[1]

    def proofs_sha256(self) -> str:
        """SHA-256 over all proofs that the run took, sorted by job: the run's proof bytes as one figure.

        Which of the others are finished when the run ends is a matter of wall time.
        """
        digest = hashlib.sha256()
        used = {k: f for k, f in self._proofs.items() if f in self._used}
        for key in sorted(used, key=lambda k: (k[0], k[1].id, k[1].params, k[2])):
            digest.update(hashlib.sha256(used[key].result()[0].data).digest())
        return digest.hexdigest()

    def walls(self) -> dict[tuple[str, str, str], list[int]]:
        """Wall nanoseconds of every job by (backend, circuit, operation), in order of completion."""
        with self._lock:
            return {k: list(v) for k, v in self._walls.items()}

    def _prove(self, backend: BackendId, circuit: Circuit, witness: bytes) -> tuple[Blob, int]:
        threads = 0 if circuit.id in LARGE_CIRCUITS else 1
        seed = hashlib.blake2s(self._seed + witness).digest()
        start = time.perf_counter_ns()
        envelope = self._backends[backend].prove(circuit, witness, seed, threads)
        return Blob(envelope), self._took(backend, circuit, "prove", start)

    def _verify(self, backend: BackendId, circuit: Circuit, inputs: bytes, envelope: bytes) -> tuple[Verification, int]:
        start = time.perf_counter_ns()
        verdict = self._backends[backend].verify(circuit, inputs, envelope, self._max_bytes)
        return verdict, self._took(backend, circuit, "verify", start)

    def _took(self, backend: BackendId, circuit: Circuit, operation: str, start: int) -> int:
        wall = time.perf_counter_ns() - start
        with self._lock:
            self._walls[(backend.label, circuit.id.label, operation)].append(wall)
        return wall
