"""Measures the cost table of this machine: what `calibrated` runs charge in virtual time.

Small circuits are measured on one thread, as the workshop runs them; large ones on all cores. The figure is the
median of several runs after one to warm up.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.proofs.backend import Backend, Circuit, Security
from simnet.proofs.costs import PROVE, VERIFY, CostKey
from simnet.proofs.native import ZkError
from simnet.proofs.samples import Sample, honest
from simnet.proofs.witness import FORMATS
from simnet.proofs.workshop import LARGE_CIRCUITS

WITNESSES, REPUTATIONS = 256, 4
PRUNING_WINDOW = 4
LOG_DEPTHS = (10, 12)
"""Heartbeat logs of up to 32 and 128 nodes."""
MAX_BYTES = 1 << 30
SEED = bytes(32)
SLOW = frozenset({(BackendId.GROTH16, CircuitId.STATE)})
"""Measured only when asked for: Groth16's largest circuit by far, four times consensus by its key's size."""


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


def usual_circuits(validators: Sequence[int], blocks: Sequence[int]) -> dict[CircuitId, list[Circuit]]:
    """Every circuit at the sizes that scenarios use, for these validator capacities and transfers of a block."""
    sizes: dict[CircuitId, list[tuple[int, ...]]] = {circuit: [form.default] for circuit, form in FORMATS.items()}
    sizes[CircuitId.PRUNING] = [(PRUNING_WINDOW, block, PRUNING_WINDOW) for block in blocks]
    sizes[CircuitId.RECURSIVE] = [(block, 4, 8, 16) for block in blocks]
    sizes[CircuitId.UPTIME] = [(32, depth, 32, 3600, 300) for depth in LOG_DEPTHS]
    sizes[CircuitId.CONSENSUS] = [(capacity, WITNESSES, REPUTATIONS) for capacity in validators]
    return {which: [Circuit(which, size) for size in each] for which, each in sizes.items()}


def measure(
    jobs: Iterable[tuple[Backend, Circuit]], seconds: float, security: Security = Security.STANDARD
) -> Iterator[tuple[CostKey, float]]:
    """Yields (key, microseconds) for both operations of every circuit, as they are measured.

    What is proved is the native module's sample: about three quarters of the circuit's room. An operation is repeated for
    about `seconds`. Raises ProofError for sizes that a circuit does not have.
    """
    try:
        samples = [(backend, honest(backend.id, circuit)) for backend, circuit in jobs]
    except ZkError as error:
        raise ProofError(str(error)) from error
    for backend, sample in samples:
        yield from _measure_circuit(backend, sample, seconds, security)


def _measure_circuit(backend: Backend, sample: Sample, seconds: float, security: Security) -> Iterator[tuple[CostKey, float]]:
    which, circuit = backend.id, sample.circuit
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
    sizes = "\n".join(f"# {c.label}: {', '.join(form.sizes)}" for c, form in FORMATS.items() if form.sizes)
    rows = "\n".join(f'"{key.text}" = {us:.0f}' for key, us in figures)
    return (
        "# Virtual-time cost of one operation on a node with cpu_factor 1, in microseconds.\n"
        f"# Made by `simnet calibrate`. Circuit sizes, x between them:\n{sizes}\n"
        f'machine = "{machine()}"\n\n[costs_us]\n{rows}\n'
    )
