"""Every fault that a node itself can have, in one run on the real provers."""

import json
from pathlib import Path

from tests.runs import TINY_NODES, not_held, run_json, simnet


def test_nodes_that_cheat_stall_and_err_are_seen_through(tmp_path: Path) -> None:
    done = simnet("run", TINY_NODES, "--strict", "--no-analyze", "--quiet", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    summary = json.loads((out / "summaries/tiny_nodes.json").read_text())
    assert run_json(out)["complete"] and not_held(summary["checks"], "aggregated") == []
    finality = summary["finality"]
    assert finality["conflicting_heights"] == 0 and finality["height_min"] == finality["height_max"] >= 13
    assert finality["blocks_proven"] == finality["blocks"]

    found = summary["simnet"]["node_faults"]
    assert found["equivocation"]["found_by_nodes_min"] == 7 and set(found["equivocation"]["pairs_sent"]) >= {"prevote", "precommit"}
    assert found["withholding"]["withheld"]["votes"] > 5 and found["withholding"]["consensus_proofs_taken_over"] >= 2
    assert found["service_stop"]["verifier"]["worked_off"] == 1 and found["service_stop"]["verifier"]["backlog_max"] > 0
    assert found["clock_skew"]["largest_ms"] > 150 and found["clock_skew"]["kept"]["proposal"] > 0

    slashing = summary["slashing"]
    assert slashing["evidence"]["double_sign"]["against"] == [1] and slashing["evidence"]["censorship"]["against"] == [2]
    assert slashing["penalised"] == [1, 2] and slashing["queue_left_max"] == 0 == slashing["alarms"]["standing"]
    lines = (out / "slashing.log").read_text().splitlines()
    assert len(lines) >= 7 * slashing["evidence"]["double_sign"]["booked"]
    assert all("target=consensus" in line and 'event="applied slashing penalty"' in line for line in lines)
