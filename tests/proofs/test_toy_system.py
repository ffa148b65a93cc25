"""Another proof system is a folder and a row: in a copy of the project a toy is added, and a chain runs on its proofs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simnet.record.frames import Frames
from tests.runs import ROOT

COPIED = ("zk", ".cargo", "Cargo.toml", "Cargo.lock", "simnet")
EDITS = {
    "zk/src/lib.rs": ("pub mod tags;\n", "pub mod tags;\npub mod toy;\n"),
    "zk/src/catalogue.rs": (
        "            $crate::groth16::Groth16,\n",
        "            $crate::groth16::Groth16,\n            $crate::toy::Toy,\n",
    ),
    "simnet/base/catalogue.py": ("    GROTH16 = 3, BN254, False\n", "    GROTH16 = 3, BN254, False\n    TOY = 4, M31, True\n"),
}
"""Every line that changes."""
SCENARIO = """
name = "toy"
[sim]
seed = 1
duration_ms = 18000
[topology]
type = "ring"
n = 4
k = 2
[regions]
assignments = ["TOY", "TOY", "STWO", "TOY"]
[links.default]
delay_ms = 10
jitter_ms = 1
loss = 0.0
[[traffic.tx.phases]]
model = "poisson"
duration_ms = 18000
lambda_per_sec = 0.3
[chain]
slot_ms = 1000
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the toy, built."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        take = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        take(ROOT / name, folder / name)
    shutil.copytree(Path(__file__).parent / "toy", folder / "zk/src/toy")
    for name, (before, after) in EDITS.items():
        text = (folder / name).read_text()
        assert text.count(before) == 1
        (folder / name).write_text(text.replace(before, after))
    words = ["cargo", "build", "--release", "--locked", "--lib", "-p", "simnet-zk", "--features", "pyo3/extension-module"]
    target = ROOT / "target"
    surroundings = os.environ | {"CARGO_TARGET_DIR": str(target)}
    done = subprocess.run(words, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shutil.copy(target / "release/libsimnet_zk.so", folder / "simnet/_zk.abi3.so")
    return folder


def simnet(copy: Path, *words: object) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "PYTHONPATH": str(copy), "SIMNET_CACHE_DIR": str(copy / "keys")}
    command = [sys.executable, "-m", "simnet.cli", *map(str, words)]
    return subprocess.run(command, cwd=copy, env=surroundings, capture_output=True, text=True, check=False)


def summary(copy: Path) -> Mapping[str, Any]:
    (copy / "toy.toml").write_text(SCENARIO)
    done = simnet(copy, "run", "toy.toml", "--costs", "measured", "--out", "out", "--quiet", "--no-analyze")
    assert done.returncode == 0, done.stderr
    found: Mapping[str, Any] = json.loads((copy / "out/summaries/toy.json").read_text())
    return found


@pytest.mark.nightly
def test_a_chain_runs_on_a_system_that_was_added(copy: Path) -> None:
    told = summary(copy)
    proofs = told["proofs"]
    assert set(proofs) == {"stwo", "toy"}
    for circuit in ("transaction", "consensus", "state"):
        assert proofs["toy"][circuit]["made"] > 0 and proofs["toy"][circuit]["verified"] > 0, circuit
    assert all(told["checks"][name]["held"] for name in ("agreement", "proven", "aggregated", "nothing_unverified"))
    trace = Frames(copy / "out/trace.parquet").events
    registrations = set(trace[(trace.event == "MessagePublished") & (trace.kind == "registration")].message)
    judged = trace[(trace.event == "MessageValidated") & trace.message.isin(registrations)]
    assert registrations and set(judged.verdict) <= {"accept", "ignore"}, "with a root for every system"


@pytest.mark.nightly
def test_the_command_line_makes_and_refuses_its_proofs(copy: Path) -> None:
    asked = ("--backend", "toy", "--circuit", "transaction")
    for name, form in (("w.json", ()), ("s.json", ("--statement",))):
        (copy / name).write_text(simnet(copy, "proof", "example", *asked, *form).stdout)
    assert simnet(copy, "proof", "prove", "w.json", *asked).returncode == 0
    assert simnet(copy, "proof", "verify", "proof.bin", *asked, "--statement", "s.json").returncode == 0
    data = bytearray((copy / "proof.bin").read_bytes())
    data[-1] ^= 1
    (copy / "proof.bin").write_bytes(data)
    refused = simnet(copy, "proof", "verify", "proof.bin", *asked, "--statement", "s.json")
    assert refused.returncode == 1 and "ConstraintMismatch" in refused.stdout + refused.stderr
