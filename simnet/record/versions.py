"""Versions of what a run was made with, for `run.json`."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("simpy", "numpy", "networkx", "pydantic", "pyarrow")
CRATES = ("stwo", "p3-batch-stark", "p3-uni-stark", "ark-groth16", "ark-bn254")
LOCK = Path(__file__).resolve().parents[2] / "Cargo.lock"
SHIPPED = Path(__file__).with_name("crates.toml")
"""The same for an installation without the sources; `python -m simnet.record.versions` writes it, a test keeps it in step."""


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
    """Versions of the provers' crates: from Cargo.lock beside the sources, else as they were when the package was made."""
    try:
        document = tomllib.loads((lock if lock.is_file() else SHIPPED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {entry["name"]: entry["version"] for entry in document.get("package", ()) if entry["name"] in CRATES}


if __name__ == "__main__":
    entries = [f'[[package]]\nname = "{name}"\nversion = "{number}"\n' for name, number in crates().items()]
    SHIPPED.write_text("\n".join(entries), encoding="utf-8")
