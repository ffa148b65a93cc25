"""The rules of `cpu_gpu_prover_mix.json`: a CPU proof without GPU metadata, sizes that are there, a GPU proof or a stated skip."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import RootModel

from simnet.analyze.verdicts import Verdict
from simnet.base import reading
from simnet.record.places import PROVER_MIX

STEM = PROVER_MIX
MODES = ("cpu", "gpu")
REQUEST_KEYS = frozenset({"use_gpu_requested", "use_gpu_recorded"})
"""The only keys about a GPU that a CPU entry has; both are false there."""
METADATA = ("gpu", "accelerator", "device", "cuda", "rocm")
CLAIMS = ("prove_ms", "verify_ms", "proof_bytes")


class MixEntry(reading.Read):
    """What the drill says of one of the two proofs; what is absent is judged."""

    mode: str
    use_gpu_recorded: bool | None = None
    skipped: bool = False
    reason: str | None = None
    prove_ms: float | None = None
    verify_ms: float | None = None
    proof_bytes: int | None = None
    proofs_generated: int | None = None

    @property
    def keys(self) -> set[str]:
        """Every key that the entry has in its file."""
        return self.model_fields_set | (self.model_extra or {}).keys()


class MixFile(RootModel[list[MixEntry]]):
    """The whole file."""


def read_mix(path: Path) -> list[MixEntry]:
    """The entries of the file. Raises `OutputError`."""
    return reading.checked(path, reading.json_value(path), MixFile, "the array of two entries of `simnet drill prover-mix`").root


def judge_mix(entries: Sequence[MixEntry]) -> list[Verdict]:
    """One verdict for each rule; rules on entries only when there are the two that are expected."""
    modes = [entry.mode for entry in entries]
    shape = Verdict("modes", modes, "= cpu, gpu", modes == list(MODES), "exactly two entries: first the CPU's, then the GPU's")
    return [shape, *_cpu(entries[0]), *_gpu(entries[1])] if shape.passed else [shape]


def _cpu(entry: MixEntry) -> Iterator[Verdict]:
    recorded, why = entry.use_gpu_recorded, "a CPU proof carries GPU metadata"
    yield Verdict("cpu.use_gpu_recorded", recorded, "= false", recorded is False, why)
    extra = sorted(key for key in entry.keys - REQUEST_KEYS if any(word in key.lower() for word in METADATA))
    yield Verdict("cpu.gpu_metadata", ", ".join(extra) or "none", "= none", not extra, why)
    yield from _figures("cpu", entry)


def _gpu(entry: MixEntry) -> Iterator[Verdict]:
    recorded = entry.use_gpu_recorded
    yield Verdict("gpu.use_gpu_recorded", recorded, "a truth value", recorded is not None, "must say whether a GPU was used")
    if not entry.skipped:
        yield from _figures("gpu", entry)
        return
    stated = bool((entry.reason or "").strip())
    yield Verdict("gpu.skipped", entry.reason, "a reason", stated, "a skipped GPU run says why")
    claims = sorted(name for name in CLAIMS if getattr(entry, name) is not None)
    honest = not claims and recorded is False
    yield Verdict("gpu.figures", ", ".join(claims) or "none", "= none", honest, "a skipped run has no figures and used no GPU")


def _figures(mode: str, entry: MixEntry) -> Iterator[Verdict]:
    for key, why in (("proof_bytes", "the proof's size is missing"), ("proofs_generated", "no proof was made")):
        value: int | None = getattr(entry, key)
        yield Verdict(f"{mode}.{key}", value, ">= 1", value is not None and value > 0, why)
