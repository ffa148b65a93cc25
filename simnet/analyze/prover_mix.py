"""The rules of `cpu_gpu_prover_mix.json`: a CPU proof without GPU metadata, sizes that are there, a GPU proof or a stated skip."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simnet.analyze.verdicts import Verdict
from simnet.errors import OutputError
from simnet.record.files import read_document
from simnet.record.places import PROVER_MIX

STEM = PROVER_MIX
MODES = ("cpu", "gpu")
REQUEST_KEYS = frozenset({"use_gpu_requested", "use_gpu_recorded"})
"""The only keys about a GPU that a CPU entry has; both are false there."""
METADATA = ("gpu", "accelerator", "device", "cuda", "rocm")


def read_mix(path: Path) -> list[object]:
    """The entries of the file. Raises `OutputError`."""
    content = read_document(path)
    if not isinstance(content, list):
        raise OutputError(f"{path}: not a JSON array of two entries")
    return content


def judge_mix(entries: list[object]) -> list[Verdict]:
    """One verdict for each rule; rules on entries only when there are the two that are expected."""
    modes = [entry.get("mode") if isinstance(entry, Mapping) else None for entry in entries]
    shape = _verdict("modes", modes, "= cpu, gpu", modes == list(MODES), "exactly two entries: first the CPU's, then the GPU's")
    if not shape.passed:
        return [shape]
    cpu, gpu = entries
    assert isinstance(cpu, Mapping), "it has a mode"
    assert isinstance(gpu, Mapping), "it has a mode"
    return [shape, *_cpu(cpu), *_gpu(gpu)]


def _cpu(entry: Mapping[str, Any]) -> Iterator[Verdict]:
    recorded = entry.get("use_gpu_recorded")
    yield _verdict("cpu.use_gpu_recorded", recorded, "= false", recorded is False, "a CPU proof carries GPU metadata")
    extra = sorted(k for k in entry if k not in REQUEST_KEYS and any(word in k.lower() for word in METADATA))
    yield _verdict("cpu.gpu_metadata", ", ".join(extra) or "none", "= none", not extra, "a CPU proof carries GPU metadata")
    yield from _figures("cpu", entry)


def _gpu(entry: Mapping[str, Any]) -> Iterator[Verdict]:
    recorded = entry.get("use_gpu_recorded")
    yield _verdict("gpu.use_gpu_recorded", recorded, "a truth value", isinstance(recorded, bool), "must say whether a GPU was used")
    if entry.get("skipped") is not True:
        yield from _figures("gpu", entry)
        return
    reason = entry.get("reason")
    stated = isinstance(reason, str) and bool(reason.strip())
    yield _verdict("gpu.skipped", reason, "a reason", stated, "a skipped GPU run says why")
    claims = sorted(k for k in ("prove_ms", "verify_ms", "proof_bytes") if entry.get(k) is not None)
    honest = not claims and recorded is False
    yield _verdict("gpu.figures", ", ".join(claims) or "none", "= none", honest, "a skipped run has no figures and used no GPU")


def _figures(mode: str, entry: Mapping[str, Any]) -> Iterator[Verdict]:
    for key, why in (("proof_bytes", "the proof's size is missing"), ("proofs_generated", "no proof was made")):
        value = entry.get(key)
        ok = isinstance(value, int) and not isinstance(value, bool) and value > 0
        yield _verdict(f"{mode}.{key}", value, ">= 1", ok, why)


def _verdict(metric: str, actual: object, limit: str, passed: bool, why: str) -> Verdict:
    return Verdict(metric, actual, limit, passed, why)
