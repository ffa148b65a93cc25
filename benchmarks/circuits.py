"""Measures every circuit in every proof system and writes the table of docs/measured.md.

Each case runs in a process of its own, so that peak memory is that of one proof: the key is loaded, the counter
is reset, then it proves. Figures are the shortest of several runs: other load on the machine only ever adds.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs import native
from simnet.proofs.backend import Circuit
from simnet.proofs.calibrate import machine
from simnet.proofs.keys import default_folder
from simnet.proofs.samples import honest
from simnet.proofs.witness import FORMATS

BUDGET_S = 2.0
MAX_BYTES = 1 << 30
MIB = 1 << 20
AIMS_MS = {
    ("stwo", "consensus"): 120,
    ("plonky3", "consensus"): 150,
    ("groth16", "consensus"): 7000,
    ("stwo", "state"): 250,
    ("plonky3", "state"): 250,
}
"""What proving on two cores should stay below."""


def shortest_ms(work: Callable[[], object]) -> float:
    """The shortest of at least three runs, of as many as fit into the budget."""
    times: list[float] = []
    end = time.perf_counter() + BUDGET_S
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times)


def peak_rss() -> int:
    """Bytes of this process's largest resident size since the last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def measure(backend: BackendId, circuit: Circuit) -> dict[str, Any]:
    """One case: a dict of figures, times in milliseconds."""
    prover = native.NativeBackend(backend, default_folder())
    key = prover.key(circuit)
    sample = honest(backend, circuit)
    witness, public = sample.witness, prover.public_inputs(circuit, sample.statement)
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, see proc(5)
    envelope = prover.prove(circuit, witness, bytes(32), 0)
    peak = peak_rss()
    if not prover.verify(circuit, public, envelope, MAX_BYTES).accepted:
        raise SystemExit(f"{backend.label} {circuit.id.label}: the proof was rejected")
    boundary = shortest_ms(lambda: [prover.verify(circuit, public, b"", MAX_BYTES) for _ in range(1000)]) / 1000
    return {
        "backend": backend.label,
        "circuit": circuit.id.label,
        "size": circuit.size,
        "prove_ms_1": shortest_ms(lambda: prover.prove(circuit, witness, bytes(32), 1)),
        "prove_ms": shortest_ms(lambda: prover.prove(circuit, witness, bytes(32), 0)),
        "verify_ms": shortest_ms(lambda: prover.verify(circuit, public, envelope, MAX_BYTES)),
        "boundary_ms": boundary,
        "bytes": len(envelope),
        "peak_mib": peak / MIB,
        "security_bits": key.security_bits,
        "rows": dict(key.constraints),
    }


def row(figures: dict[str, Any]) -> str:
    """One line of the table."""
    aim = AIMS_MS.get((figures["backend"], figures["circuit"]))
    prove = f"{figures['prove_ms']:,.1f}" + (f" (aim {aim:,})" if aim else "")
    cells = [
        f"{figures['circuit']} {figures['size']}".strip(),
        figures["backend"],
        f"{figures['prove_ms_1']:,.1f}",
        prove,
        f"{figures['verify_ms']:.2f}",
        f"{figures['bytes']:,}",
        f"{figures['peak_mib']:,.0f}",
        f"{100 * figures['boundary_ms'] / figures['prove_ms']:.3f}",
    ]
    return "| " + " | ".join(cells) + " |"


def document(cases: list[dict[str, Any]]) -> str:
    """docs/measured.md."""
    head = (
        "circuit",
        "backend",
        "prove, 1 thread, ms",
        f"prove, {os.cpu_count()} threads, ms",
        "verify, ms",
        "proof, bytes",
        "peak memory, MiB",
        "boundary, % of proving",
    )
    lines = [
        "# Measured",
        "",
        f"Written by `make bench` on {machine()}; other machines will differ. Sizes are the specification's defaults, consensus for",
        "24 validators. Proving includes recording the witness and checking it. Peak memory is the whole process, key included. The",
        "boundary is one call from Python that is refused at once.",
        "",
        "Every figure here is of one proof of a whole circuit at the size in its row. Permutations per second, ours and the libraries' own,",
        "are another measurement (`cargo bench -- permutations`, in [circuits](circuits.md#measured)): 4,096 permutations in one proof where",
        "ours and a library are compared, 2^19 where Plonky3's own example is repeated. Neither size is that of a row of this table.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *map(row, cases),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """All cases, or one as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", nargs=2, metavar=("BACKEND", "CIRCUIT"))
    parser.add_argument("--out", type=Path, default=Path("docs/measured.md"))
    options = parser.parse_args()
    if options.case:
        backend, circuit = BackendId[options.case[0].upper()], CircuitId[options.case[1].upper()]
        sys.stdout.write(json.dumps(measure(backend, Circuit(circuit, FORMATS[circuit].default))))
        return
    cases = []
    for circuit in FORMATS:
        for backend in BackendId:
            command = [sys.executable, __file__, "--case", backend.label, circuit.label]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 — ourselves
            cases.append(json.loads(answer))
            sys.stdout.write(row(cases[-1]) + "\n")
            sys.stdout.flush()
    options.out.write_text(document(cases))


if __name__ == "__main__":
    main()
