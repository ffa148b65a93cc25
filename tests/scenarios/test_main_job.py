"""The main job: the full mixed_backend_interop run on the real provers."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs import SHIPPED, command, environment, not_held, run_json

LIMIT_S = 3600
BACKENDS = ("stwo", "plonky3", "groth16")


@pytest.mark.nightly
def test_the_mixed_run_holds_and_attributes_all_three_backends(
    tmp_path: Path, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = next(path for path in SHIPPED if path.stem == "mixed_backend_interop")
    words = command("run", scenario, "--out", tmp_path / "out", "--quiet")
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    run = run_json(tmp_path / "out")
    assert run["complete"]
    assert run["violations"] == []
    summary = json.loads((tmp_path / "out" / "summaries" / "mixed_backend_interop.json").read_text())
    assert not_held(summary["checks"]) == []
    assert set(summary["proofs"]) == set(BACKENDS)
    for backend in BACKENDS:
        figures = summary["proofs"][backend]["transaction"]
        assert figures["made"] > 0
        assert figures["verified"] > figures["made"]
        assert summary["finality"]["by_backend"][backend]["blocks_proven"] > 0
    assert summary["finality"]["blocks_proven"] == summary["finality"]["blocks"] > 0
    assert summary["byzantine"]["invalid_accepted"] == 0
    kinds = {fault["kind"] for fault in summary["faults"]}
    assert {"partition_start", "partition_end", "churn_down", "churn_up", "byzantine_spam"} <= kinds
    timings = json.loads((tmp_path / "out" / "timings.json").read_text())
    with capsys.disabled():
        print(f"\nmain job: {timings['simulated_s']} s simulated in {timings['wall_s']} s of wall time")
    record_property("wall_s", timings["wall_s"])
