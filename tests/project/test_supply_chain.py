"""What the project is built from: locks, advisories, and no mock proofs outside tests."""

import shutil
import zipfile
from pathlib import Path

import pytest

from supply_chain import advisories, mocks, pins
from supply_chain.__main__ import check
from supply_chain.advisories import CRATES, PYPI, Pin
from tests import fakes

LIST = fakes.ROOT / "supply_chain" / "advisories.toml"
CRATE = '[[package]]\nname = "{}"\nversion = "{}"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "00"\n'


def project(folder: Path) -> Path:
    """A copy of what the checks read."""
    for name in (
        "Cargo.lock",
        "requirements.lock",
        "Makefile",
        "pyproject.toml",
        "zk/Cargo.toml",
        "supply_chain/advisories.toml",
        ".ci/run",
        ".github/workflows/ci.yml",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fakes.ROOT / name, folder / name)
    shutil.copytree(fakes.ROOT / "simnet" / "proofs", folder / "simnet" / "proofs", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_project_passes_its_own_checks() -> None:
    faults, remarks = check(fakes.ROOT, [])
    assert faults == []
    assert any("pinned versions" in line for line in remarks)


@pytest.mark.parametrize(
    ("lock", "content", "expected"),
    [
        ("Cargo.lock", CRATE.format("p3-fri", "0.2.0"), "GHSA-f69f-5fx9-w9r9: p3-fri 0.2.0"),
        ("Cargo.lock", CRATE.format("p3-challenger", "0.4.3-fork"), "GHSA-vj64-rjf3-w3v7: p3-challenger 0.4.3-fork"),
        ("Cargo.lock", CRATE.format("p3-challenger", "0.5.2"), "GHSA-vj64-rjf3-w3v7"),
        ("Cargo.lock", CRATE.format("ark-r1cs-std", "0.3.0"), "RUSTSEC-2021-0075"),
        ("Cargo.lock", CRATE.format("ed25519-dalek", "1.0.1"), "RUSTSEC-2022-0093"),
        ("Cargo.lock", CRATE.format("pyo3", "0.27.2"), "RUSTSEC-2026-0176"),
        ("requirements.lock", f"pyarrow==14.0.0 \\\n    --hash=sha256:{'0' * 64}\n", "PYSEC-2023-238: pyarrow 14.0.0"),
    ],
)
def test_an_affected_pin_fails(tmp_path: Path, lock: str, content: str, expected: str) -> None:
    root = project(tmp_path)
    with (root / lock).open("a") as file:
        file.write("\n" + content)
    faults, _ = check(root, [])
    assert [f for f in faults if f.startswith(expected)], faults


@pytest.mark.parametrize(
    ("version", "affected", "expected"),
    [
        ("0.4.2", "<0.4.3", True),
        ("0.4.3", "<0.4.3", False),
        ("0.4.3-succinct", "<0.4.3", True),
        ("0.5.0-rc.1", ">=0.5.0, <0.5.3", False),
        ("0.5.3", ">=0.5.0, <0.5.3", False),
        ("0.10.0", "<0.9.0", False),
        ("1.0.0+build", "==1.0.0", True),
        ("1.0.0-alpha.2", "<1.0.0-alpha.11", True),
        ("1.0.0-9", "<1.0.0-alpha", True),
        ("7.7.7", "*", True),
    ],
)
def test_ranges_of_semantic_versions(version: str, affected: str, expected: bool) -> None:
    assert advisories.in_range(version, affected, advisories.semver) is expected


def test_python_versions_follow_pep_440() -> None:
    given = advisories.Advisory("PYSEC-2026-1", PYPI, ("x",), ("<2.0",), "s", "https://x", None)
    assert given.hits(Pin(PYPI, "x", "2.0rc1"))
    assert not given.hits(Pin(PYPI, "x", "2.0.post1"))
    assert not given.hits(Pin(CRATES, "x", "1.0.0")), "another ecosystem's package of the same name"


def test_an_acceptance_that_applies_to_nothing_is_a_fault() -> None:
    given = advisories.Advisory("RUSTSEC-2024-0001", CRATES, ("x",), ("<1.0.0",), "s", "https://x", "never called")
    assert advisories.findings([given], [Pin(CRATES, "x", "0.9.0")]) == ([], ["RUSTSEC-2024-0001: x 0.9.0: s; accepted: never called"])
    assert "drop `accepted`" in advisories.findings([given], [Pin(CRATES, "x", "1.0.0")])[0][0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('id = "RUSTSEC-2021-0075"', 'id = "RUSTSEC-75"', "not an id"),
        ('id = "RUSTSEC-2021-0075"', 'id = "RUSTSEC-2022-0093"', "listed twice"),
        ('affected = ["<0.3.1"]', 'affected = ["0.3.1"]', "is no bound"),
        ('affected = ["<0.3.1"]', 'affected = ["<latest"]', "not a semantic version"),
        ('affected = ["<0.3.1"]', "affected = []", "is no bound"),
        ('ecosystem = "PyPI"', 'ecosystem = "npm"', "ecosystem must be one of"),
        ('packages = ["ark-r1cs-std"]', 'package = "ark-r1cs-std"', "'packages' is missing"),
    ],
)
def test_a_faulty_list_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = tmp_path / "advisories.toml"
    shutil.copy(LIST, path)
    change(path, old, new)
    with pytest.raises(ValueError, match=expected):
        advisories.load(path)


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("requirements.lock", "iniconfig==", "loose==1.0\niniconfig==", "loose==1.0: no sha256 hash"),
        ("requirements.lock", "iniconfig==", "iniconfig>=", "not pinned with =="),
        ("Cargo.lock", "\nchecksum = ", "\n# checksum = ", "no checksum"),
        ("Cargo.lock", "registry+https://github.com/rust-lang/crates.io-index", "git+https://example.org/x", "from git+https"),
        ("zk/Cargo.toml", 'p3-air = "=0.8.0"', 'p3-air = "0.8.0"', "pin it exactly"),
        ("zk/Cargo.toml", 'blake3 = "1"', 'blake3 = { version = "1", git = "https://example.org/x" }', "from git or a path"),
        ("pyproject.toml", '"simpy>=4.1",', '"simpy>=4.1", "leftpad",', "leftpad: requirements.lock pins nothing"),
        ("pyproject.toml", '"simpy>=4.1"', '"simpy>=5"', "simpy>=5: requirements.lock pins 4.1.2"),
        ("Makefile", "cargo test --release --locked", "cargo test --release", "without --locked"),
        ("Makefile", "maturin develop --release --locked", "maturin develop --release", "without --locked"),
        ("Makefile", "--require-hashes ", "", "without --require-hashes"),
    ],
)
def test_whatever_is_not_pinned_is_a_fault(tmp_path: Path, name: str, old: str, new: str, expected: str) -> None:
    root = project(tmp_path)
    change(root / name, old, new)
    faults, _ = check(root, [])
    assert len(faults) == 1, faults
    assert expected in faults[0]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("simnet/proofs/easy.py", "class MockBackend:\n    pass\n", "defines MockBackend"),
        ("simnet/proofs/easy.py", "from tests.mocks import mock_backends\n", "imports tests.mocks"),
        ("simnet/proofs/easy.py", "from unittest import mock\n", "imports mock"),
        ("simnet/proofs/easy.py", "def f(x):\n    return x.mock_backends()\n", "calls x.mock_backends"),
        ("simnet/mocks.py", "", "a file of tests"),
        ("simnet/extra.so", "…mock_prover…", "names a mock prover"),
    ],
)
def test_a_mock_in_the_package_or_a_wheel_is_found(tmp_path: Path, name: str, content: str, expected: str) -> None:
    root = project(tmp_path)
    (root / name).write_text(content)
    assert [f for f in mocks.package_faults(root / "simnet") if expected in f]
    wheel = tmp_path / "simnet.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("simnet/_zk.abi3.so", b"\x7fELF")
    assert mocks.wheel_faults(wheel) == []
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(name, content)
    assert [f for f in mocks.wheel_faults(wheel) if expected in f]


def test_mocks_are_refused_outside_the_package_too(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / "benchmarks").mkdir()
    (root / "benchmarks" / "quick.py").write_text("from tests.mocks import Bench\n")
    faults, _ = check(root, [])
    assert [f for f in faults if f == "benchmarks/quick.py:1: imports tests.mocks"]


def test_a_wheel_without_the_provers_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "simnet.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("simnet/__init__.py", "")
    assert mocks.wheel_faults(wheel) == ["simnet.whl: simnet.whl: holds no native module"]


def test_actions_are_pinned_by_commit(tmp_path: Path) -> None:
    script, commit = tmp_path / "ci.yml", "34e114876b0b11c390a56381ad16ebd13914f8d5"
    script.write_text(f"- uses: ./own\n- uses: actions/checkout@{commit} # v4.3.1\n")
    assert pins.script_faults(script) == []
    for moving in ("v4", commit[:7], "main"):
        script.write_text(f"- uses: actions/checkout@{moving}\n")
        assert [f for f in pins.script_faults(script) if "full hash" in f], moving


def test_comments_are_no_commands(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("# cargo test is run by make\npip install \\\n  --require-hashes -r x\ncargo metadata\n")
    assert pins.script_faults(script) == []
