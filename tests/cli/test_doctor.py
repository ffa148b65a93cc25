"""`simnet doctor`: what it finds, and what it calls broken."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simnet.cli import doctor, machine
from simnet.cli.main import app

CPUINFO = "processor : 0\nmodel name : A CPU\nflags : fpu sse4_2 avx2 bmi2 adx\n\nprocessor : 1\nflags : none\n"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path / "keys"))


def simnet(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def checks(*arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    result = simnet("doctor", "--json", *arguments)
    return result.exit_code, {c["name"]: c for c in json.loads(result.stdout)["checks"]}


def test_every_backend_proves_here() -> None:
    code, found = checks()
    assert code == 0
    for backend in ("stwo", "plonky3", "groth16"):
        assert found[backend]["status"] == "ok"
        assert "proved and verified" in found[backend]["detail"]
    assert "simnet 0." in found["versions"]["detail"]
    assert {"cores", "memory", "graphics cards", "processor", "node"} <= found.keys()


def test_quick_proves_nothing() -> None:
    code, found = checks("--quick")
    assert code == 0
    assert "stwo" not in found
    assert "key cache" in simnet("doctor", "--quick").stdout


def test_a_verifier_that_takes_everything_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from simnet.proofs import native

    class Lenient:
        def prove(self, *_: Any) -> bytes:
            return b""

        def public_inputs(self, _: bytes) -> bytes:
            return b""

        def verify(self, *_: Any) -> int:
            return 0

    monkeypatch.setattr(native, "make_key", lambda *_: (Lenient(), b""))
    code, found = checks()
    assert code == 1
    assert "verdicts [0, 0]" in found["stwo"]["detail"]


@pytest.mark.parametrize(
    ("code", "stderr", "expected"),
    [(-signal.SIGILL, "", "lacks"), (1, "Traceback\nImportError: no module\n", "ImportError: no module"), (3, "", "ended with 3")],
)
def test_a_native_module_that_does_not_load_is_broken(monkeypatch: pytest.MonkeyPatch, code: int, stderr: str, expected: str) -> None:
    real = subprocess.run

    def run(command: list[str], **options: Any) -> Any:
        return SimpleNamespace(returncode=code, stdout="", stderr=stderr) if doctor.IMPORT in command else real(command, **options)

    monkeypatch.setattr(subprocess, "run", run)
    exit_code, found = checks()
    assert exit_code == 1
    assert found["native module"]["status"] == "broken"
    assert expected in found["native module"]["detail"]
    assert "stwo" not in found


def test_features_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(CPUINFO)
    name, present = machine.processor(path)
    assert (name, present) == ("A CPU", {"sse4.2", "avx2", "bmi2", "adx"})
    assert doctor._features(name, present, {"avx512f", "avx2"})[0] == doctor.Status.broken
    assert "lacks avx512f" in doctor._features(name, present, {"avx512f", "avx2"})[1]
    status, detail = doctor._features(name, present, {"avx2"})
    assert (status, "does not use adx, bmi2, sse4.2" in detail) == (doctor.Status.warn, True)
    assert doctor._features(name, present, present)[0] == doctor.Status.ok
    assert machine.processor(tmp_path / "none")[1] is None


def test_graphics_cards_are_asked_of_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'A card, 16 MiB'\necho 'Another, 32 MiB'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert machine.graphics_cards() == ["A card, 16 MiB", "Another, 32 MiB"]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert machine.graphics_cards() == []


def test_no_node_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, found = checks("--quick")
    assert (code, found["node"]["status"]) == (0, "warn")
    assert "none found" in found["graphics cards"]["detail"]


def test_an_unusable_cache_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path / "file"))
    code, found = checks("--quick")
    assert code == 1
    assert "SIMNET_CACHE_DIR" in found["key cache"]["detail"]


def test_the_command_line_starts_without_the_provers() -> None:
    code = "import sys, simnet.cli.main; sys.exit('simnet._zk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
