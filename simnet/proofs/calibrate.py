"""Measures the cost table of this machine: what `calibrated` runs charge in virtual time.

Small circuits are measured on one thread, as the workshop runs them; large ones on all cores. The figure is the
median of several runs after one to warm up.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from simnet.proofs import block_samples
from simnet.proofs.backend import Backend, BackendId, Circuit, CircuitId
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
BUDGET_S = 3.0
"""About how long one operation is repeated."""


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


def measure(backends: dict[BackendId, Backend], capacities: Sequence[int], blocks: Sequence[int]) -> Iterator[tuple[CostKey, float]]:
    """Yields (key, microseconds) for every backend, circuit and operation, as they are measured.

    `capacities`: validators of consensus circuits; `blocks`: transfers of a block in the pruning and recursive circuits.
    """
    for which, backend in backends.items():
        samples = [transaction()]
        for capacity in capacities:
            members = capacity * 3 // 4
            samples.append(consensus(which, consensus_circuit(capacity), members, members))
        for sample in samples:
            yield from _measure_circuit(which, backend, sample)
        if which in BLOCK_BACKENDS:
            for sample in _block_samples(which, backend, blocks):
                yield from _measure_circuit(which, backend, sample)


def _block_samples(which: BackendId, backend: Backend, blocks: Sequence[int]) -> Iterator[Sample]:
    yield block_samples.identity(which)
    yield block_samples.state(which)
    for depth in LOG_DEPTHS:
        yield block_samples.uptime(which, depth)
    for capacity in blocks:
        yield block_samples.pruning(which, PRUNING_WINDOW, capacity)
        yield block_samples.recursive(which, backend, capacity)


def _measure_circuit(which: BackendId, backend: Backend, sample: Sample) -> Iterator[tuple[CostKey, float]]:
    circuit = sample.circuit
    backend.load(circuit)
    threads = 0 if circuit.id in LARGE_CIRCUITS else 1
    envelope = backend.prove(circuit, sample.witness, SEED, threads)
    public = backend.public_inputs(circuit, sample.statement)
    yield CostKey(which, circuit, PROVE), _median_us(lambda: backend.prove(circuit, sample.witness, SEED, threads))
    yield CostKey(which, circuit, VERIFY), _median_us(lambda: backend.verify(circuit, public, envelope, MAX_BYTES))


def _median_us(operation: Callable[[], object]) -> float:
    """Median wall time of 3 to 200 runs within the budget."""
    times: list[float] = []
    end = time.perf_counter() + BUDGET_S
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
