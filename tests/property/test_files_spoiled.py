"""Every command that reads a file back, given that file spoiled: a verdict, or exit code 2 and one line; never a traceback.

Real files, cut, spliced and flipped as text. What each place of them may hold is the business of `test_files_read_back`.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import simnet
from simnet.base.reading import toml_tables
from simnet.cli.keys import cache_lines
from simnet.cli.main import app
from simnet.proofs.keys import default_folder
from tests import fakes
from tests.analyze.test_analyze_contract import LOAD
from tests.analyze.test_prover_mix import CPU, SKIPPED
from tests.runs import ROOT, TINY_FAULTS

PACKAGE = Path(simnet.__file__).parent
SNARKJS = ROOT / "zk/vectors/snarkjs"
TRANSFER = ["--backend", "stwo", "--circuit", "transaction"]
CHEAP = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


def command(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good file of every kind."""
    folder = tmp_path_factory.mktemp("good")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMNET_CACHE_DIR", str(default_folder()))
        patch.chdir(folder)
        fakes.install(patch)
        assert command("run", str(TINY_FAULTS), "--out", "out", "--no-analyze", "--quiet").exit_code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, extra in (("witness.json", []), ("statement.json", ["--statement"])):
            Path(name).write_text(command("proof", "example", *TRANSFER, *extra).stdout)
        assert command("proof", "prove", "witness.json", *TRANSFER, "--out", "proof.bin").exit_code == 0
    shutil.copy(folder / "out/summaries/tiny_faults.json", folder / "summary.json")
    write(folder / "load.json", LOAD)
    write(folder / "cpu_gpu_prover_mix.json", [CPU, SKIPPED])
    write(folder / "slashing_drill.json", [{"backend": "stwo", "passed": True, "checks": {"a": True}}])
    shutil.copy(PACKAGE / "proofs/calibrated.toml", folder / "costs.toml")
    table = toml_tables(folder / "costs.toml", (folder / "costs.toml").read_text())["costs_us"]
    write(folder / "costs.json", {"model": "calibrated", "table_ns": {k: round(v * 1000) for k, v in table.items()}, "jobs_ns": {}})
    shutil.copy(ROOT / "analysis/thresholds/mixed_backend_interop.toml", folder / "rules.toml")
    shutil.copy(PACKAGE / "analyze/compare_metrics.toml", folder / "metrics.toml")
    for name in ("verification_key.json", "proof.json", "public.json"):
        shutil.copy(SNARKJS / name, folder / name)
    return folder


def write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2))


SNARKJS_WORDS = [
    "proof", "verify", "--format", "snarkjs", "--key", "verification_key.json", "--proof", "proof.json", "--public", "public.json",
]  # fmt: skip
VERIFY = ["proof", "verify", "proof.bin", *TRANSFER, "--statement", "statement.json"]


@dataclass(frozen=True)
class Kind:
    """A file that is read back, and the command that reads it."""

    file: str
    words: list[str]
    schema: str | None = None
    """Where another version of its layout stands, when it has one."""


KINDS = {
    "summary, judged": Kind("summary.json", ["analyze", "summary.json", "--format", "junit"], '"schema_version": '),
    "summary, compared": Kind("summary.json", ["compare", "good.json", "summary.json", "--all"], '"schema_version": '),
    "summary, reported": Kind("summary.json", ["report", "snapshot-partition", "--summary", "summary.json", "--output", "r.json"], '"schema_version": '),
    "load, judged": Kind("load.json", ["analyze", "load.json", "--format", "github"]),
    "load, compared": Kind("load.json", ["compare", "load.json", "load.json"]),
    "mix": Kind("cpu_gpu_prover_mix.json", ["analyze", "cpu_gpu_prover_mix.json"]),
    "drill": Kind("slashing_drill.json", ["analyze", "slashing_drill.json"]),
    "run, repeated": Kind("out/run.json", ["rerun", "out", "--out", "again", "--quiet"], '"schema_version": '),
    "run, compared": Kind("out/run.json", ["compare", "good.json", "out"], '"schema_version": '),
    "costs": Kind("costs.json", ["run", str(TINY_FAULTS), "--costs", "costs.json", "--out", "new", "--quiet", "--no-analyze", "--force"]),
    "calibration": Kind("costs.toml", ["run", str(TINY_FAULTS), "--costs", "costs.toml", "--out", "new", "--quiet", "--no-analyze", "--force"]),
    "rules": Kind("rules.toml", ["analyze", "summary.json", "--thresholds", "rules.toml"]),
    "metrics": Kind("metrics.toml", ["compare", "good.json", "good.json", "--metrics", "metrics.toml"]),
    "witness": Kind("witness.json", ["proof", "prove", "witness.json", *TRANSFER, "--out", "p.bin"]),
    "statement": Kind("statement.json", VERIFY),
    "envelope": Kind("proof.bin", ["proof", "inspect", "proof.bin"]),
    "envelope, verified": Kind("proof.bin", VERIFY),
    "snarkjs key": Kind("verification_key.json", SNARKJS_WORDS),
    "snarkjs proof": Kind("proof.json", SNARKJS_WORDS),
    "snarkjs public": Kind("public.json", SNARKJS_WORDS),
}  # fmt: skip
FAKED = ("run", "costs", "calibration")
"""Kinds whose commands run a scenario; the run itself is made up."""


@pytest.fixture
def here(originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the good files to work in."""
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(default_folder()))
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "summary.json", tmp_path / "good.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


TOKENS = (
    b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-1", b"1.5", b"null", b"true", b'"x"', b"[]", b"{}", b"[" * 50_000, b'{"a":' * 200,
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"\\", b",", b"}", b"\n[[threshold]]\n", b'"\\ud800"', b"\r", b"#",
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn, good: bytes) -> bytes:
    """The file cut off, with a piece missing, doubled or replaced, or with a bit flipped."""
    at = draw(st.integers(0, len(good)))
    end = min(len(good), at + draw(st.integers(0, 40)))
    match draw(st.sampled_from(["cut", "gone", "doubled", "token", "flip"])):
        case "cut":
            return good[:at]
        case "gone":
            return good[:at] + good[end:]
        case "doubled":
            return good[:end] + good[at:]
        case "token":
            return good[:at] + draw(st.sampled_from(TOKENS)) + good[end:]
    return good[:at] + bytes(b ^ 1 << draw(st.integers(0, 7)) for b in good[at : at + 1]) + good[at + 1 :]


def judged(result: Result) -> None:
    """A verdict, or code 2 with at least one line that says what is wrong, and none that is endless."""
    assert result.exit_code in (0, 1, 2), result.output
    lines = result.stderr.splitlines()
    assert all(len(line) < 3000 for line in lines) and "Traceback" not in result.output
    if result.exit_code == 2:
        assert any(line.startswith("error: ") for line in lines), result.output


def faked(name: str, patch: pytest.MonkeyPatch) -> None:
    if name.startswith(FAKED):
        fakes.install(patch)


@pytest.mark.parametrize("name", KINDS)
def test_a_spoiled_file_never_ends_in_a_traceback(here: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind, path = KINDS[name], here / KINDS[name].file
    good = path.read_bytes()
    faked(name, monkeypatch)

    @given(spoiled(good))
    @CHEAP
    def check(content: bytes) -> None:
        path.write_bytes(content)
        judged(command(*kind.words))

    check()


def broken(good: bytes, kind: Kind) -> Iterator[bytes]:
    """What certainly is no such file any more."""
    yield good[: len(good) // 2]
    yield b""
    if kind.file.endswith(".json"):
        yield b"[" * 100_000
        yield b'{"a":' * 70 + b"1" + b"}" * 70
        yield b'[{"filePath": "/a.js", "errorCount": 0}]'
        yield b"7"
        if b": " in good:
            yield good.replace(b": ", b": 1e999, ", 1)
    if kind.schema is not None:
        place = kind.schema.encode()
        before, _, after = good.partition(place)
        yield before + place + b"99" + after.lstrip(b"0123456789")
        yield before + place + b'"3"' + after.lstrip(b"0123456789")


@pytest.mark.parametrize("name", [name for name in KINDS if not name.startswith(("envelope", "metrics", "rules", "calibration"))])
def test_what_certainly_is_no_such_file_is_one_line_and_exit_2(here: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind, path = KINDS[name], here / KINDS[name].file
    faked(name, monkeypatch)
    for content in broken(path.read_bytes(), kind):
        path.write_bytes(content)
        result = command(*kind.words)
        told = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert result.exit_code == 2 and told, (content[:60], result.output)
        assert len(told) == 1 or name in ("witness", "statement"), "these have a line for each fault"
        assert all(kind.file in line for line in told)


def test_every_kind_passes_as_it_is(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what is refused above is refused for what was done to it."""
    for name, kind in KINDS.items():
        with pytest.MonkeyPatch.context() as patch:
            faked(name, patch)
            result = command(*kind.words)
        told = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        same = "are the same run" in result.stderr
        assert (result.exit_code in (0, 1) and not told) or same, (name, result.output)


def test_a_spoiled_key_cache_is_found_and_never_a_traceback(tmp_path: Path) -> None:
    key, manifest = tmp_path / "a.key", tmp_path / "manifest.json"
    entry = {"bytes": 3, "sha256": "0" * 64, "params_hash": "0" * 64, "vk_id": "0" * 64}
    good = json.dumps({"a.key": entry}).encode()

    @given(spoiled(good), st.binary(max_size=80))
    @CHEAP
    def check(listed: bytes, content: bytes) -> None:
        manifest.write_bytes(listed)
        key.write_bytes(b"SIMNETK1" + content)
        lines = cache_lines(tmp_path, loaded=False)
        assert lines and not all(line.ok and line.detail == "intact" for line in lines)

    check()


def test_a_huge_key_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.key").open("wb") as file:
        file.truncate(1 << 43)
    [line] = cache_lines(tmp_path, loaded=False)
    assert not line.ok and "at most" in line.detail
