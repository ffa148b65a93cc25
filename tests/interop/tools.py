"""Other people's programs, which `make interop` installs, as processes."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target" / "interop"
SNARKJS = FOLDER / "node_modules" / "snarkjs" / "build" / "cli.cjs"
POSEIDON = Path(__file__).with_name("poseidon.cjs")
LIMIT_S = 1800
BEACON = ("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", "10")
"""The published number, and the log of the hashes over it, that a ceremony ends with: the same keys every time."""


def missing() -> str | None:
    """What keeps these tests from running, or None."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not SNARKJS.exists():
        return "snarkjs and circomlibjs are not installed: run `make interop`"
    return None


def node(*arguments: object, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", *map(str, arguments)], cwd=cwd, input=stdin, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def snarkjs(*arguments: object, cwd: Path) -> None:
    """Runs `snarkjs …`, which has to succeed."""
    done = node(SNARKJS, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


def accepts(folder: Path, vk: str, public: str, proof: str) -> bool:
    """The verdict of `snarkjs groth16 verify` on the texts of its three files."""
    names = ("verification_key.json", "public.json", "proof.json")
    for name, text in zip(names, (vk, public, proof), strict=True):
        (folder / name).write_text(text)
    done = node(SNARKJS, "groth16", "verify", *names, cwd=folder)
    verdict = "OK!" in done.stdout
    assert done.returncode == (0 if verdict else 1), done.stdout + done.stderr
    return verdict


def poseidon(inputs: list[list[int]]) -> list[int]:
    """circomlibjs' Poseidon of each list."""
    done = node(POSEIDON, cwd=FOLDER, stdin=json.dumps([[str(x) for x in xs] for xs in inputs]))
    assert done.returncode == 0, done.stderr
    outputs: list[Any] = json.loads(done.stdout)
    return [int(x) for x in outputs]


def powers_of_tau(log_size: int) -> Path:
    """The circuit-independent part of a setup for up to 2^log_size constraints; made once and kept, since it is slow."""
    made = FOLDER / f"powers_{log_size}.ptau"
    if made.exists():
        return made
    new, contributed, prepared = (FOLDER / f"{made.stem}.{os.getpid()}.{part}" for part in ("new", "contributed", "prepared"))
    snarkjs("powersoftau", "new", "bn128", log_size, new, cwd=FOLDER)
    snarkjs("powersoftau", "beacon", new, contributed, *BEACON, cwd=FOLDER)
    snarkjs("powersoftau", "prepare", "phase2", contributed, prepared, cwd=FOLDER)
    new.unlink()
    contributed.unlink()
    prepared.replace(made)
    return made
