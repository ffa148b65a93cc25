"""The version is the same wherever it stands."""

import re
import tomllib
from pathlib import Path

from simnet.base.version import VERSION

ROOT = Path(__file__).parents[2]


def test_package_crate_lock_and_changelog_name_one_version() -> None:
    crate = tomllib.loads((ROOT / "zk/Cargo.toml").read_text(encoding="utf-8"))["package"]
    locked = [p for p in tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"] if p["name"] == crate["name"]]
    newest = re.search(r"^## (\S+) \((unreleased|\d{4}-\d\d-\d\d)\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert [crate["version"], *(p["version"] for p in locked), newest[1]] == [VERSION] * 3
