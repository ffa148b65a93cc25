"""Runs the main job and prints its real figures beside what is aimed at. Not a test: machines differ and are shared."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SCENARIO = "scenarios/mixed_backend_interop.toml"
MIB = 1024 * 1024


def main() -> int:
    """One run into a temporary folder; the run's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "simnet.cli", "run", SCENARIO, "--quiet", "--no-analyze", "--out", folder]
        code = subprocess.run(command, check=False).returncode  # noqa: S603 — our own command line
        if code:
            return code
        timings = json.loads((Path(folder) / "timings.json").read_text())
    rows = [
        ("wall seconds", timings["wall_s"], f"< {timings['simulated_s']:.0f} simulated, aim 45"),
        ("CPU seconds", timings["cpu_s"], ""),
        ("CPU share of proofs", timings["cpu_proof_share"], ">= 0.8"),
        ("peak memory, MiB", round(timings["peak_rss_bytes"] / MIB), "< 1536"),
    ]
    for backend, circuits in timings["proofs"].items():
        for circuit, operations in circuits.items():
            rows += [(f"{backend} {circuit} {o.removesuffix('_ms')}, median ms", f["p50"], "") for o, f in operations.items()]
    for name, value, aim in rows:
        sys.stdout.write(f"{name:45} {value:>12}  {aim}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
