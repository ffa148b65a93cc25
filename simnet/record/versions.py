"""Versions of what a run was made with, for `run.json`."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from simnet.base import reading

PACKAGES = ("simpy", "numpy", "networkx", "pydantic", "pyarrow")
CRATES = ("stwo", "p3-batch-stark", "p3-uni-stark", "ark-groth16", "ark-bn254")
LOCK = Path(__file__).resolve().parents[2] / "Cargo.lock"
SHIPPED = Path(__file__).with_name("crates.toml")
"""The same for an installation without the sources; `python -m simnet.record.versions` writes it, a test keeps it in step."""


class _Crate(reading.Read):
    name: str
    version: str


class _Lock(reading.Read):
    """What is looked at in a Cargo.lock."""

    package: list[_Crate]


@cache
def packages() -> Mapping[str, str]:
    """Versions of the Python packages that shape a run."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def crates(lock: Path = LOCK) -> Mapping[str, str]:
    """Versions of the provers' crates: from Cargo.lock beside the sources, else as they were when the package was made."""
    path = lock if lock.is_file() else SHIPPED
    try:
        found = reading.checked(path, reading.toml_tables(path, reading.text(path)), _Lock, "a Cargo.lock")
    except reading.UnreadableError:
        return {}
    return {crate.name: crate.version for crate in found.package if crate.name in CRATES}


if __name__ == "__main__":
    entries = [f'[[package]]\nname = "{name}"\nversion = "{number}"\n' for name, number in crates().items()]
    SHIPPED.write_text("\n".join(entries), encoding="utf-8")
