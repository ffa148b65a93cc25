"""The package outside its repository: what ships in it, where it runs, and the README's snippet."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simnet.analyze.analysis import rule_files
from simnet.analyze.thresholds import load_thresholds
from simnet.proofs.cpu import UnfitProcessorError, require
from simnet.record.summary_files import SummaryFile
from supply_chain import shipped
from tests.runs import ROOT, environment


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel installs it: files instead of links, and nothing of the repository around it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "simnet", folder / "simnet", symlinks=False, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def simnet(site: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**environment(), "PYTHONPATH": str(site)}
    return subprocess.run([sys.executable, "-m", "simnet.cli", *words], cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_what_ships_is_what_the_repository_has() -> None:
    assert shipped.faults() == []
    assert {link.name for link in shipped.wanted()} >= {"mixed_backend_interop.ron", "mixed_backend_interop.toml"}


def test_a_missing_or_strange_link_is_a_fault(tmp_path: Path) -> None:
    for folder in ("scenarios", "analysis/thresholds"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.toml").write_text("")
    shipped.main(tmp_path)
    assert shipped.faults(tmp_path) == []
    (tmp_path / "scenarios/b.toml").write_text("")
    (tmp_path / "simnet/shipped/scenarios/c.toml").write_text("")
    assert [fault.split(":")[0] for fault in shipped.faults(tmp_path)] == [f"simnet/shipped/scenarios/{name}.toml" for name in "bc"]


def test_profiles_run_and_are_judged_outside_the_repository(site: Path, tmp_path: Path) -> None:
    listed = simnet(site, tmp_path, "list", "-q").stdout.split()
    assert {"mixed-backend-interop", "quiet-mesh"} <= set(listed)
    shorter = ("--set", "sim.duration_ms=3000", "--set", "traffic.tx.phases.0.duration_ms=2000")
    done = simnet(site, tmp_path, "run", "--profile", "quiet-mesh", *shorter, "--no-analyze")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "target/simnet/quiet-mesh/run.json").read_text())["versions"]["crates"]["stwo"]
    wrapper = simnet(site, tmp_path, "validate", str(site / "simnet/shipped/scenarios/mixed_backend_interop.ron"))
    assert wrapper.returncode == 0, wrapper.stderr


def test_the_same_summary_gets_the_same_rules_everywhere(site: Path, tmp_path: Path) -> None:
    content = {"simnet": {"network_only": False}}
    here = sum(
        len(load_thresholds(path).thresholds) for path in rule_files("mixed_backend_interop", SummaryFile.model_validate(content), None)
    )
    code = (
        "from simnet.analyze.analysis import rule_files; from simnet.analyze.thresholds import load_thresholds\n"
        "from simnet.record.summary_files import SummaryFile\n"
        f"summary = SummaryFile.model_validate({content!r})\n"
        "print(sum(len(load_thresholds(p).thresholds) for p in rule_files('mixed_backend_interop', summary, None)))"
    )
    env = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) == here > 20


def test_a_wheel_refuses_a_processor_that_it_was_not_built_for(tmp_path: Path) -> None:
    baseline, cpuinfo = tmp_path / "_zk.baseline", tmp_path / "cpuinfo"
    baseline.write_text("x86-64-v3\n")
    full = "fpu avx avx2 bmi1 bmi2 f16c fma abm movbe"
    cpuinfo.write_text(f"processor : 0\nflags\t\t: {full}\n")
    require(baseline, cpuinfo)
    cpuinfo.write_text(f"processor : 0\nflags\t\t: {full.replace(' avx2', '').replace(' fma', '')}\n")
    with pytest.raises(UnfitProcessorError, match=r"built for x86-64-v3 processors, and this one lacks avx2, fma: build simnet on this"):
        require(baseline, cpuinfo)
    require(tmp_path / "none", cpuinfo)


def test_an_unfit_processor_is_told_in_one_line(site: Path, tmp_path: Path) -> None:
    """The processor of this machine lacks nothing, so the wheel asks for what none has."""
    baseline, source = site / "simnet" / "_zk.baseline", site / "simnet" / "proofs" / "cpu.py"
    known = source.read_text()
    baseline.write_text("x86-64-v3\n")
    source.write_text(known.replace('"movbe"', '"antigravity"'))
    scenario = site / "simnet" / "shipped" / "scenarios" / "mixed_backend_interop.toml"
    try:
        done = [simnet(site, tmp_path, *words) for words in (("run", str(scenario), "--out", "o", "-q"), ("keys", "verify"))]
        doctor = simnet(site, tmp_path, "doctor", "--quick")
    finally:
        baseline.unlink()
        source.write_text(known)
    lacks = "this wheel's simnet._zk is built for x86-64-v3 processors, and this one lacks antigravity: build simnet on this machine"
    assert [(d.returncode, d.stderr.splitlines()) for d in done] == [(2, [f"error: {lacks} (`make build`)"])] * 2
    assert doctor.returncode == 1 and "lacks antigravity" in doctor.stdout


def test_the_wheel_is_built_for_its_baseline() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^WHEEL_CPU \?= x86-64-v3$", makefile, re.MULTILINE)
    assert 'RUSTFLAGS="-Ctarget-cpu=$(WHEEL_CPU)"' in makefile and "$(WHEEL_CPU) > simnet/_zk.baseline" in makefile
