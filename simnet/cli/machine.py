"""What this machine has: processor, memory, graphics cards. Looks, and never imports the provers."""

import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

FLAGS = {"sse4_2": "sse4.2", "avx2": "avx2", "avx512f": "avx512f", "bmi2": "bmi2", "adx": "adx", "asimd": "neon"}
"""Linux's names of the features that the native module tells of (`simnet._zk.cpu_features`)."""
QUERY = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
SECONDS = 20


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, set[str] | None]:
    """(name, SIMD features); the features are `None` where the system does not list them."""
    try:
        fields = dict(_field(line) for line in cpuinfo.read_text().split("\n\n")[0].splitlines() if ":" in line)
    except OSError:
        return platform.processor() or platform.machine(), None
    flags = fields.get("flags", fields.get("Features"))
    name = fields.get("model name", platform.machine())
    return name, None if flags is None else {FLAGS[f] for f in flags.split() if f in FLAGS}


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def cores() -> tuple[int, int]:
    """(cores of the machine, cores that this process may use)."""
    return os.cpu_count() or 1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Physical memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def graphics_cards() -> list[str]:
    """Name and memory of each, by nvidia-smi or CuPy; empty when neither finds one."""
    if shutil.which(QUERY[0]):
        cards = [line.strip() for line in (output_of(QUERY) or "").splitlines() if line.strip()]
        if cards:
            return cards
    return _by_cupy() if importlib.util.find_spec("cupy") else []


def _by_cupy() -> list[str]:
    try:
        import cupy  # type: ignore[import-not-found, unused-ignore]

        runtime = cupy.cuda.runtime
        return [runtime.getDeviceProperties(i)["name"].decode() for i in range(runtime.getDeviceCount())]
    except Exception as error:  # noqa: BLE001 - a half-installed CUDA fails in many ways; none of them is ours
        return [f"CuPy is installed, but fails: {error}"]


def output_of(command: list[str]) -> str | None:
    """What a command prints; `None` when it is not there, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)  # noqa: S603 - fixed commands
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
