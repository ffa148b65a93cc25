"""Versions of what a run was made with, for `run.json`."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("simpy", "numpy", "networkx", "pydantic", "pyarrow")
CRATES = ("stwo", "p3-batch-stark", "p3-uni-stark", "ark-groth16", "ark-bn254")
LOCK = Path(__file__).resolve().parents[2] / "Cargo.lock"


def packages() -> dict[str, str]:
    """Versions of the Python packages that shape a run."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def crates(lock: Path = LOCK) -> dict[str, str]:
    """Versions of the provers' crates from Cargo.lock; empty for an installation without the sources."""
    try:
        document = tomllib.loads(lock.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {entry["name"]: entry["version"] for entry in document.get("package", ()) if entry["name"] in CRATES}
