"""`python -m supply_chain [WHEEL…]`: all checks of what the project is built from. Exit code 1 when one fails."""

import sys
from pathlib import Path

from supply_chain import advisories, mocks, pins, shipped

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("simnet", "benchmarks", "docs", "analysis")
"""Everything but tests that holds Python code of the project."""
SCRIPTS = ("Makefile", ".ci/run", ".github/workflows/*.yml")


def check(root: Path, wheels: list[Path]) -> tuple[list[str], list[str]]:
    """(faults, remarks) of the project in `root` and of built wheels."""
    cargo_lock, requirements = root / "Cargo.lock", root / "requirements.lock"
    faults = pins.cargo_lock_faults(cargo_lock) + pins.requirements_faults(requirements) + pins.manifest_faults(root / "zk" / "Cargo.toml")
    faults += pins.pyproject_faults(root / "pyproject.toml", requirements)
    faults += [fault for pattern in SCRIPTS for script in sorted(root.glob(pattern)) for fault in pins.script_faults(script)]
    faults += [fault for folder in PACKAGES for fault in mocks.package_faults(root / folder)]
    faults += shipped.faults(root) if (root / shipped.SHIPPED).is_dir() else []
    faults += [fault for wheel in wheels for fault in mocks.wheel_faults(wheel)]
    known = advisories.load(root / "supply_chain" / "advisories.toml")
    pinned = advisories.crate_pins(cargo_lock) + advisories.python_pins(requirements)
    affected, accepted = advisories.findings(known, pinned)
    accepted.append(f"{len(known)} advisories against {len(pinned)} pinned versions")
    return faults + affected, accepted


def main(arguments: list[str]) -> int:
    """Prints what is wrong to stderr, and what is knowingly accepted to stdout."""
    try:
        faults, remarks = check(ROOT, [Path(a) for a in arguments])
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write("".join(f"{line}\n" for line in remarks))
    sys.stderr.write("".join(f"error: {line}\n" for line in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
