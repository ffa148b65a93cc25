"""Scenarios that once forked or stopped the chain, with real proofs: what each must come to now.

Every run's own checks must hold, too: a chain that forks or stops must not pass.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.runs import DATA, simnet

CASES = DATA / "cases"
SETTLE_NS = 500_000_000


@dataclass(frozen=True)
class Finished:
    """One run's summary and trace."""

    summary: dict[str, Any]
    folder: Path

    def events(self, kind: str, *columns: str) -> list[dict[str, Any]]:
        wanted = pq.read_table(self.folder / "trace.parquet", columns=["at", "event", *columns], filters=[("event", "=", kind)])
        rows: list[dict[str, Any]] = wanted.to_pylist()
        return rows

    def commits(self) -> list[dict[str, Any]]:
        return self.events("BlockCommitted", "node", "height", "block", "slot")


def run(case: Path, tmp_path: Path, *options: str) -> Finished:
    done = simnet("run", case, "--out", tmp_path / "out", "--quiet", "--no-analyze", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = Finished(json.loads((tmp_path / "out" / "summaries" / f"{case.stem}.json").read_text()), tmp_path / "out")
    assert not [check for check, told in made.summary["checks"].items() if told["status"] == "broken"]
    finality = made.summary["finality"]
    assert finality["blocks"] == finality["blocks_proven"]
    assert finality["height_min"] == finality["height_max"]
    return made


@pytest.mark.parametrize("options", [(), ("--set", "consensus.key_horizon_epochs=1"), ("--seed", "17")])
def test_a_node_alone_commits_nothing(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Node 0 has a quarter of the weight and is alone when a new epoch begins: nobody else has registered in its view."""
    done = run(CASES / "forkcrash.toml", tmp_path, *options)
    start, end = 17_200_000_000 + 200_000_000, 33_200_000_000
    alone = [e for e in done.commits() if e["node"] == 0 and start < e["at"] < end]
    assert not alone
    assert done.summary["finality"]["blocks"] >= 20


@pytest.mark.parametrize(("start_ms", "duration_ms"), [(12_000, 3500), (6_000, 5000), (12_200, 20_000)])
def test_one_way_loss_stops_nothing_for_good(tmp_path: Path, start_ms: int, duration_ms: int) -> None:
    text = (CASES / "halt.toml").read_text().replace("start_ms=12000,duration_ms=3500", f"start_ms={start_ms},duration_ms={duration_ms}")
    case = tmp_path / "halt.toml"
    case.write_text(text)
    done = run(case, tmp_path)
    end, slot = (start_ms + duration_ms) * 1_000_000, 6_000_000_000
    after = [e["at"] for e in done.commits() if e["at"] > end]
    assert min(after) < end + 6 * slot
    assert done.summary["finality"]["blocks"] >= 10


def test_an_equivocator_stops_nothing_and_is_named(tmp_path: Path) -> None:
    done = run(CASES / "equivocator.toml", tmp_path)
    assert done.summary["finality"]["blocks"] >= 5
    assert done.summary["slashing"]["penalised"] == [2]


@pytest.mark.nightly
def test_an_equivocator_leaves_a_chain_that_goes_on(tmp_path: Path) -> None:
    done = run(CASES / "equivocator.toml", tmp_path, "--set", "sim.duration_ms=240000")
    assert done.summary["finality"]["blocks"] >= 30


def test_every_block_is_proven_and_aggregated(tmp_path: Path) -> None:
    """A cut begins when commit votes are on their way, so that no node has all of them."""
    done = run(CASES / "unprov.toml", tmp_path)
    assert done.summary["aggregation"]["blocks_aggregated"] == done.summary["finality"]["blocks"] >= 5
    calm = 32_750_000_000
    last = max(e["at"] for e in done.events("BlockAggregated", "height") if e["height"] <= 3)
    assert last < calm + 8 * 6_000_000_000


def test_a_block_has_one_aggregate_whoever_proved_it(tmp_path: Path) -> None:
    done = run(CASES / "twoproofs.toml", tmp_path)
    told: dict[tuple[int, str], set[str]] = {}
    for e in done.events("BlockAggregated", "height", "backend", "commitment"):
        told.setdefault((e["height"], e["backend"]), set()).add(e["commitment"])
    assert told and all(len(commitments) == 1 for commitments in told.values())
