"""Whether this processor has what the native module was built for, looked at before it is loaded: afterwards it is too late, as
an instruction that the processor lacks ends the process without a word."""

from pathlib import Path

from simnet.base.errors import SimnetError

BASELINE = Path(__file__).resolve().parents[1] / "_zk.baseline"
"""Names the processor level of a wheel for other machines. A module that was built where it runs has no such file."""
LEVELS = {"x86-64-v3": frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"})}
"""Linux's names of the features of each level (x86-64 psABI, 3.1.1)."""


class UnfitProcessorError(SimnetError, ImportError):
    """The native module does not run here."""


def require(baseline: Path = BASELINE, cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Raises `UnfitProcessorError`, with one line, when the processor lacks what a wheel's native module needs."""
    try:
        level = baseline.read_text(encoding="ascii").strip()
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    present = next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), None)
    lacking = sorted(LEVELS.get(level, frozenset()) - present) if present is not None else []
    if lacking:
        why = f"this wheel's simnet._zk is built for {level} processors, and this one lacks {', '.join(lacking)}"
        raise UnfitProcessorError(f"{why}: build simnet on this machine (`make build`)")
