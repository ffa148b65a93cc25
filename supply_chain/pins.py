"""Everything that is built or installed is pinned: by Cargo.lock with checksums, by requirements.lock with hashes."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
EXACT = ("p3-", "stwo")
"""Crates whose very version a proof's bytes depend on: pinned with `=` in the manifest too."""
LOCKED = re.compile(r"\bcargo\s+(?:build|test|bench|clippy|run|check|install)\b|\bmaturin\s+(?:develop|build)\b")
ACTION = re.compile(r"\buses:\s*[^.\s]\S*@(?![0-9a-f]{40}\b)")
"""An action of somebody else by a tag or branch, which its owner can move."""
PIP = re.compile(r"\bpip3?\s+install\b|\buv\s+pip\s+(?:install|sync)\b")


def cargo_lock_faults(lock: Path) -> list[str]:
    """Packages that come from elsewhere than the registry or have no checksum; the workspace's own have neither."""
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    faults = [f"{lock.name}: {p['name']} {p['version']}: from {p['source']}" for p in packages if "source" in p and p["source"] != REGISTRY]
    return faults + [
        f"{lock.name}: {p['name']} {p['version']}: no checksum" for p in packages if p.get("source") == REGISTRY and "checksum" not in p
    ]


def manifest_faults(manifest: Path) -> list[str]:
    """Prover crates that are not pinned exactly, and dependencies from a path or a repository."""
    faults = []
    for name, wanted in tomllib.loads(manifest.read_text(encoding="utf-8"))["dependencies"].items():
        version = wanted if isinstance(wanted, str) else wanted.get("version", "")
        if name.startswith(EXACT) and not version.startswith("="):
            faults.append(f'{manifest.name}: {name} = {version!r}: pin it exactly, as "=1.2.3"')
        if not isinstance(wanted, str) and wanted.keys() & {"git", "path"}:
            faults.append(f"{manifest.name}: {name}: from git or a path, not from the registry")
    return faults


def requirements_faults(lock: Path) -> list[str]:
    """Entries of requirements.lock that are not `name==version` with at least one sha256."""
    faults = []
    for entry in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip()):
        first = entry.splitlines()[0].rstrip(" \\")
        if not re.match(r"[A-Za-z0-9._-]+==\S+", first):
            faults.append(f"{lock.name}: {first!r}: not pinned with ==")
        elif not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry):
            faults.append(f"{lock.name}: {first}: no sha256 hash")
    return faults


def pyproject_faults(pyproject: Path, lock: Path) -> list[str]:
    """Python dependencies, those for development included, that the lock file does not pin at a version they allow.

    Installing the package would fetch such a one without a hash.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    wanted = [*project.get("dependencies", []), *(r for extra in project.get("optional-dependencies", {}).values() for r in extra)]
    pinned: dict[str, list[str]] = {}
    for name, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(encoding="utf-8")):
        pinned.setdefault(canonicalize_name(name), []).append(version)
    faults = []
    for requirement in map(Requirement, wanted):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        if not versions or not all(map(requirement.specifier.contains, versions)):
            faults.append(f"{pyproject.name}: {requirement}: {lock.name} pins {', '.join(versions) or 'nothing'}")
    return faults


def script_faults(script: Path) -> list[str]:
    """Commands and actions whose versions would be resolved anew instead of taken as pinned."""
    faults = []
    text = re.sub(r"\\\n\s*", " ", script.read_text(encoding="utf-8"))
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith(("#", "@echo")):
            continue
        if LOCKED.search(line) and "--locked" not in line:
            faults.append(f"{script.name}: {line!r}: without --locked")
        if PIP.search(line) and "--require-hashes" not in line:
            faults.append(f"{script.name}: {line!r}: without --require-hashes")
        if ACTION.search(line):
            faults.append(f"{script.name}: {line!r}: without a commit's full hash")
    return faults
