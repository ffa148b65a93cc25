"""Real figures of the process. They differ from run to run and are outside the determinism hash."""

import os
import resource
import sys
import time
from pathlib import Path

from simnet.record.stats import rounded


class ProcessClock:
    """Measures this process from now on; CPU time includes the provers' threads."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._cpu_before = _cpu_s()

    def usage(self) -> dict[str, float | int]:
        """CPU and wall seconds since this clock was made, their ratio, and peak resident bytes of the process."""
        wall = time.perf_counter() - self._started
        cpu = _cpu_s() - self._cpu_before
        return {
            "cpu_time_secs": rounded(cpu),
            "wall_time_secs": rounded(wall),
            "avg_cpu_percent": rounded(100.0 * cpu / wall) if wall > 0 else 0.0,
            "max_rss_bytes": peak_rss_bytes(),
        }


def peak_rss_bytes() -> int:
    """Of this program. Linux's `ru_maxrss` starts at what the process had that started this one; `VmHWM` does not."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    # macOS counts in bytes, others in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _cpu_s() -> float:
    """User and system seconds of the process, all its threads included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def host() -> dict[str, object]:
    """What the run ran on, for `run.json`."""
    return {"cpus": os.cpu_count(), "platform": sys.platform, "python": sys.version.split()[0]}
