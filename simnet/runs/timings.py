"""Real wall, CPU and memory figures of a run: `timings.json`, outside the determinism hashes."""

import os
from collections.abc import Mapping

from simnet.base.quantile import QUANTILES, percentile
from simnet.base.units import to_ms, to_s
from simnet.record.resources import peak_rss_bytes


def timing_report(
    walls: Mapping[tuple[str, str, str], list[int]], clocks: tuple[float, float, float], end: int, events: int
) -> dict[str, object]:
    """The report. `clocks`: wall seconds, CPU seconds of the process, CPU seconds of the simulating thread.

    Everything outside the simulating thread is proof work: worker threads do nothing else.
    """
    wall, cpu, main = clocks
    proofs: dict[str, dict[str, dict[str, object]]] = {}
    for (backend, circuit, operation), times in sorted(walls.items()):
        proofs.setdefault(backend, {}).setdefault(circuit, {})[f"{operation}_ms"] = _summarise(times)
    return {
        "wall_s": round(wall, 3),
        "simulated_s": to_s(end),
        "real_time_factor": round(to_s(end) / wall, 3) if wall else None,
        "cpu_s": round(cpu, 3),
        "cpu_simulation_s": round(main, 3),
        "cpu_proof_share": round((cpu - main) / cpu, 4) if cpu else None,
        "peak_rss_bytes": peak_rss_bytes(),
        "cores": os.cpu_count(),
        "events": events,
        "proofs": proofs,
    }


def _summarise(times_ns: list[int]) -> dict[str, object]:
    ms = [to_ms(time) for time in sorted(times_ns)]
    quantiles = {name: round(percentile(ms, q), 3) for name, q in QUANTILES}
    return {
        "count": len(ms),
        "min": round(ms[0], 3),
        **quantiles,
        "max": round(ms[-1], 3),
        "mean": round(sum(ms) / len(ms), 3),
        "total": round(sum(ms), 3),
    }
