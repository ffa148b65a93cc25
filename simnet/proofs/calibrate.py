"""Measures the cost table of this machine: what `calibrated` runs charge in virtual time.

Small circuits are measured on one thread, as the workshop runs them; large ones on all cores. The figure is the
median of several runs after one to warm up.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from simnet.proofs import native
from simnet.proofs.backend import Backend, BackendId, Circuit, CircuitId, Security
from simnet.proofs.costs import PROVE, VERIFY, CostKey
from simnet.proofs.samples import Sample, consensus, transaction
from simnet.proofs.workshop import LARGE_CIRCUITS

WITNESSES, REPUTATIONS = 256, 4
MAX_BYTES = 1 << 30
SEED = bytes(32)
BLOCK_BACKENDS = (BackendId.STWO, BackendId.PLONKY3)
"""Backends whose block proofs are measured: those that scenarios let make them by default."""
PRUNING_WINDOW = 4
LOG_DEPTHS = (10, 12)
"""Heartbeat logs of up to 32 and 128 nodes."""


def machine() -> str:
    """The processor and how many cores this process sees."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass  # not Linux: the platform's own name has to do
    return f"{name}, {os.cpu_count()} cores"


def consensus_circuit(capacity: int) -> Circuit:
    """The consensus circuit at a validator capacity, with the sizes that scenarios use by default."""
    return Circuit(CircuitId.CONSENSUS, (capacity, WITNESSES, REPUTATIONS))


def block_circuits(blocks: Sequence[int]) -> Iterator[Circuit]:
    """The circuits of block proofs at the sizes that scenarios use, for blocks of these capacities."""
    yield Circuit(CircuitId.IDENTITY, (32,))
    yield Circuit(CircuitId.STATE, (16, 4, 32))
    for depth in LOG_DEPTHS:
        yield Circuit(CircuitId.UPTIME, (32, depth, 32, 3600, 300))
    for capacity in blocks:
        yield Circuit(CircuitId.PRUNING, (PRUNING_WINDOW, capacity, PRUNING_WINDOW))
        yield Circuit(CircuitId.RECURSIVE, (capacity, 4, 8, 16))


def measure(
    backends: Mapping[BackendId, Backend],
    capacities: Sequence[int],
    blocks: Sequence[int],
    seconds: float,
    security: Security = Security.STANDARD,
) -> Iterator[tuple[CostKey, float]]:
    """Yields (key, microseconds) for every backend that has the profile, circuit and operation, as they are measured.

    `capacities`: validators of consensus circuits, three quarters of them there; `blocks`: transfers of a block in the
    pruning and recursive circuits. An operation is repeated for about `seconds`.
    """
    for which, backend in backends.items():
        if security.of(which) is not security:
            continue
        samples = [transaction()]
        if which in BLOCK_BACKENDS:
            samples += [Sample(c, *native.sample(which, c.id, c.params)) for c in block_circuits(blocks)]
        for capacity in capacities:
            members = capacity * 3 // 4
            samples.append(consensus(which, consensus_circuit(capacity), members, members))
        for sample in samples:
            yield from _measure_circuit(which, backend, sample, seconds, security)


def _measure_circuit(
    which: BackendId, backend: Backend, sample: Sample, seconds: float, security: Security
) -> Iterator[tuple[CostKey, float]]:
    circuit = sample.circuit
    backend.load(circuit)
    threads = 0 if circuit.id in LARGE_CIRCUITS else 1
    envelope = backend.prove(circuit, sample.witness, SEED, threads)
    public = backend.public_inputs(circuit, sample.statement)
    prove, verify = (CostKey(which, circuit, operation, security) for operation in (PROVE, VERIFY))
    yield prove, _median_us(lambda: backend.prove(circuit, sample.witness, SEED, threads), seconds)
    yield verify, _median_us(lambda: backend.verify(circuit, public, envelope, MAX_BYTES), seconds)


def _median_us(operation: Callable[[], object], seconds: float) -> float:
    """Median wall time of 3 to 200 runs within the time."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or (len(times) < 200 and time.perf_counter() < end):
        start = time.perf_counter()
        operation()
        times.append((time.perf_counter() - start) * 1e6)
    return statistics.median(times)


def table(figures: Sequence[tuple[CostKey, float]]) -> str:
    """The figures as a calibration file."""
    rows = "\n".join(f'"{key.text}" = {us:.0f}' for key, us in figures)
    return (
        "# Virtual-time cost of one operation on a node with cpu_factor 1, in microseconds.\n"
        "# Made by `simnet calibrate`. Sizes: consensus validators x witness commitments x reputation roots; state transfers x joins x\n"
        "# tree depth; uptime heartbeats x log depth x tree depth; pruning blocks x transfers x segments; recursive transfers x joins x\n"
        "# uptime claims x transfers of a state proof.\n"
        f'machine = "{machine()}"\n\n[costs_us]\n{rows}\n'
    )
