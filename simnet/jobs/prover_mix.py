"""Prover acceleration mix: one transaction proof on the CPU, then one on a GPU, or why there is none.

The provers of simnet run on the CPU only, so the second entry is an explicit skip with its reason; a CPU proof is
never passed off as an accelerated one. `simnet.analyze.prover_mix` judges the two entries.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable

from simnet.base.units import to_ms
from simnet.proofs.backend import Backend, Verification
from simnet.proofs.samples import TRANSACTION, Sample, transaction

DISABLE = "PLONKY3_GPU_DISABLE"
TRUTHY = frozenset({"1", "true", "yes", "on", "enable", "enabled"})
SEED = bytes(32)
PROOF_BYTES_MAX = 4 * 1024 * 1024
LOOKS = (("nvidia-smi", "-L"), ("rocminfo",))
LOOK_S = 20.0

Entry = dict[str, object]


class MixFailed(Exception):
    """The CPU proof was refused by its own verifier."""


def disabled(value: str | None) -> bool:
    """Whether the variable turns acceleration off."""
    return value is not None and value.strip().lower() in TRUTHY


def accelerator() -> str | None:
    """The tool that reports an accelerator on this host, if one does."""
    for look in LOOKS:
        program = shutil.which(look[0])
        if program is None:
            continue
        try:
            done = subprocess.run([program, *look[1:]], capture_output=True, timeout=LOOK_S, check=False)  # noqa: S603 - fixed words
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and done.stdout.strip():
            return look[0]
    return None


def skip_reason(variable: str | None, found: Callable[[], str | None] = accelerator) -> str:
    """Why no GPU proof is made."""
    if disabled(variable):
        return f"disabled by {DISABLE}={variable}"
    tool = found()
    if tool is None:
        return "no accelerator on this host (neither nvidia-smi nor rocminfo reports one), and the provers run on the CPU only"
    return f"{tool} reports an accelerator, but the provers run on the CPU only"


def prover_mix(backend: Backend) -> list[Entry]:
    """The two entries of `cpu_gpu_prover_mix.json`, CPU first. Raises SimnetError and MixFailed."""
    counts = {"cached_circuits": 0, "proofs_generated": 0}
    backend.load(TRANSACTION)
    counts["cached_circuits"] += 1
    cpu: Entry = {"mode": "cpu", "use_gpu_requested": False, "use_gpu_recorded": False, **_proved(backend, transaction())}
    counts["proofs_generated"] += 1
    skipped = {"skipped": True, "reason": skip_reason(os.environ.get(DISABLE))}
    unmeasured = dict.fromkeys(("prove_ms", "verify_ms", "proof_bytes"))
    gpu: Entry = {"mode": "gpu", "use_gpu_requested": True, "use_gpu_recorded": False, **skipped, **unmeasured}
    # Running counters of the process, so the second entry has the first one's proof.
    return [{**cpu, **counts}, {**gpu, **counts}]


def _proved(backend: Backend, sample: Sample) -> Entry:
    """Proves and verifies on the CPU; wall times."""
    began = time.perf_counter_ns()
    envelope = backend.prove(sample.circuit, sample.witness, SEED, 0)
    prove_ms = to_ms(time.perf_counter_ns() - began)
    inputs = backend.public_inputs(sample.circuit, sample.statement)
    began = time.perf_counter_ns()
    verdict: Verification = backend.verify(sample.circuit, inputs, envelope, PROOF_BYTES_MAX)
    verify_ms = to_ms(time.perf_counter_ns() - began)
    if not verdict.accepted:
        raise MixFailed(f"the CPU proof was refused: {verdict.reason}")
    return {"prove_ms": prove_ms, "verify_ms": verify_ms, "proof_bytes": len(envelope)}
