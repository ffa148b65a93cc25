"""The nightly job's matrix: every scenario once, through its wrapper where it has one. Needs nothing but Python."""

import json
import re
import sys
from pathlib import Path

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
BASES = {
    "mixed_backend_interop": "mixed-backend",
    "leader_rotation_prover_load": "leader-rotation-prover",
    "prover_acceleration_mix": "prover-acceleration",
}
"""Labels that are not simply the file's name."""
FOLDERS = {"mixed_backend_interop": "mixed-backend-interop", "prover_acceleration_mix": "prover-acceleration-mix"}
"""Folders and artefacts that are not named by the label."""
SOAK_MIN, USUAL_MIN = 420, 90
SOAKS = {"uptime_soak"}


def label(base: str, features: str = "") -> str:
    """`base` and the features, commas and blanks turned into single hyphens."""
    return re.sub(r"[,\s]+", "-", f"{base} {features}".strip(" ,"))


def matrix(folder: Path = SCENARIOS) -> list[dict[str, object]]:
    """One entry for each job: `file`, `name`, `label`, `folder` (of its results) and `minutes` (its time limit)."""
    wrappers = sorted(folder.glob("*.ron"))
    wrapped = {name for path in wrappers for name in re.findall(r'"scenario_path"\s*:\s*"([^"]+)"', path.read_text())}
    alone = [path for path in sorted(folder.glob("*.toml")) if path.name not in {Path(name).name for name in wrapped}]
    labels = {path: label(BASES.get(path.stem, path.stem.replace("_", "-"))) for path in [*wrappers, *alone]}
    return [
        {
            "file": f"{folder.name}/{path.name}",
            "name": path.stem,
            "label": labels[path],
            "folder": FOLDERS.get(path.stem, labels[path]),
            "minutes": SOAK_MIN if path.stem in SOAKS else USUAL_MIN,
        }
        for path in labels
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(matrix()) + "\n")
