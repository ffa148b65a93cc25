"""Prover acceleration mix: what the checker refuses, and what a skip says."""

import json
from pathlib import Path
from typing import Any

import pytest

from simnet.analyze.analysis import analyze_file
from simnet.analyze.prover_mix import MixFile, judge_mix
from simnet.base.errors import OutputError
from simnet.jobs.prover_mix import disabled, skip_reason

CPU: dict[str, Any] = {
    "mode": "cpu", "use_gpu_requested": False, "use_gpu_recorded": False, "prove_ms": 3.5, "verify_ms": 1.0, "proof_bytes": 1000,
    "cached_circuits": 1, "proofs_generated": 1,
}  # fmt: skip
GPU: dict[str, Any] = {**CPU, "mode": "gpu", "use_gpu_requested": True, "use_gpu_recorded": True, "proofs_generated": 2}
SKIPPED: dict[str, Any] = {
    **GPU, "use_gpu_recorded": False, "skipped": True, "reason": "no accelerator", "prove_ms": None, "verify_ms": None, "proof_bytes": None,
}  # fmt: skip


def failed(*entries: object) -> list[str]:
    return [verdict.metric for verdict in judge_mix(MixFile.model_validate(list(entries)).root) if not verdict.passed]


def test_a_real_pair_and_a_stated_skip_pass() -> None:
    assert failed(CPU, GPU) == []
    assert failed(CPU, SKIPPED) == []


@pytest.mark.parametrize(
    ("cpu", "gpu", "metric"),
    [
        ({**CPU, "use_gpu_recorded": True}, GPU, "cpu.use_gpu_recorded"),
        ({**CPU, "use_gpu_recorded": None}, GPU, "cpu.use_gpu_recorded"),
        ({**CPU, "gpu_device": "H"}, GPU, "cpu.gpu_metadata"),
        ({**CPU, "accelerator": "cuda"}, SKIPPED, "cpu.gpu_metadata"),
        ({**CPU, "proof_bytes": 0}, GPU, "cpu.proof_bytes"),
        ({k: v for k, v in CPU.items() if k != "proof_bytes"}, GPU, "cpu.proof_bytes"),
        (CPU, {**GPU, "proof_bytes": None}, "gpu.proof_bytes"),
        (CPU, {**GPU, "proofs_generated": 0}, "gpu.proofs_generated"),
        ({**CPU, "proofs_generated": 0}, SKIPPED, "cpu.proofs_generated"),
        (CPU, {k: v for k, v in GPU.items() if k != "use_gpu_recorded"}, "gpu.use_gpu_recorded"),
        (CPU, {**SKIPPED, "reason": " "}, "gpu.skipped"),
        (CPU, {**SKIPPED, "proof_bytes": 1000}, "gpu.figures"),
        (CPU, {**SKIPPED, "use_gpu_recorded": True}, "gpu.figures"),
    ],
)
def test_the_checker_refuses(cpu: dict[str, Any], gpu: dict[str, Any], metric: str) -> None:
    assert failed(cpu, gpu) == [metric]


@pytest.mark.parametrize("entries", [[], [CPU], [GPU, CPU], [CPU, GPU, GPU]])
def test_exactly_two_entries_in_order(entries: list[object]) -> None:
    assert failed(*entries) == ["modes"]


def test_analyze_knows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cpu_gpu_prover_mix.json"
    path.write_text(json.dumps([CPU, SKIPPED]))
    assert analyze_file(path).passed
    path.write_text(json.dumps([{**CPU, "use_gpu_recorded": True}, SKIPPED]))
    assert not analyze_file(path).passed
    assert json.loads((tmp_path / "cpu_gpu_prover_mix.analysis.json").read_text())["failed"] == 1


@pytest.mark.parametrize(
    "content", [{}, [CPU, 5], [None, None], [{}, {}], [CPU, {**GPU, "proof_bytes": True}], [CPU, {**GPU, "use_gpu_recorded": "yes"}]]
)
def test_what_is_no_such_file_is_one_line(tmp_path: Path, content: object) -> None:
    path = tmp_path / "cpu_gpu_prover_mix.json"
    path.write_text(json.dumps(content))
    with pytest.raises(OutputError, match="not the array of two entries") as caught:
        analyze_file(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["1", "true", " YES ", "on", "Enable", "enabled"])
def test_truthy_words_disable(value: str) -> None:
    assert disabled(value)
    assert skip_reason(value, lambda: "nvidia-smi").startswith("disabled by PLONKY3_GPU_DISABLE")


@pytest.mark.parametrize("value", [None, "", "0", "false", "off", "2"])
def test_other_words_do_not(value: str | None) -> None:
    assert not disabled(value)
    assert "nvidia-smi reports an accelerator, but" in skip_reason(value, lambda: "nvidia-smi")
    assert "no accelerator" in skip_reason(value, lambda: None)
