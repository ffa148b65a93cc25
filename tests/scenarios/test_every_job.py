"""Every job of the nightly workflow, performed as the workflow has it: each shipped scenario at full length, once."""

import json
from pathlib import Path
from typing import Any

import pytest

from simnet.scenario.load import load_scenario
from tests import excerpts
from tests import upstream_contract as contract
from tests.runs import ROOT
from tests.scenarios.test_shipped import check, profile_of, summary_of
from tests.workflow import Entry, left_by, matrix, performed

MINUTES_MS = 120_000
"""Longer runs meet limits that upstream's analyzer has for minutes."""
SLOW = contract.Limits(propagation_ms=2000, trusted_ms=2000, untrusted_ms=2000, probe_ms=2000)
RELAXED = {"gossip_backpressure": SLOW}
"""Queues that overflow by design: see its file in analysis/thresholds."""
BACKENDS = ("stwo", "plonky3", "groth16")


@pytest.mark.nightly
@pytest.mark.parametrize("entry", matrix(), ids=lambda entry: str(entry["label"]))
def test_every_job_is_green(tmp_path: Path, entry: Entry) -> None:
    run, analyze, said = performed(tmp_path, entry)
    assert (run, analyze) == (0, 0), said
    file, made = ROOT / entry["file"], left_by(tmp_path, entry)
    if file.suffix == ".ron":
        job = json.loads((made / "wrapper.json").read_text())
        assert job["complete"] and not job["errors"]
    profile = file if file.suffix == ".toml" else profile_of(file)
    if profile is not None:
        _judge(made, profile)


def _judge(made: Path, profile: Path) -> None:
    """What its summary must say beside what the analyzer asks."""
    check(made, profile)
    summary = summary_of(made, profile)
    if load_scenario(profile).scenario.sim.duration_ms <= MINUTES_MS:
        _satisfies_upstream(made / "summaries" / f"{profile.stem}.json", summary)
    if profile.stem == excerpts.MAIN:
        _attributes_all_backends(summary)
    if profile.stem in (excerpts.CHAOS, excerpts.MAIN):
        quoted = excerpts.without_machine(excerpts.committed(profile.stem))
        assert excerpts.without_machine(summary) == quoted, "what the documents quote: python -m tests.excerpts takes it"


def _satisfies_upstream(path: Path, summary: dict[str, Any]) -> None:
    assert contract.network_shape(summary) == []
    assert contract.crashes(summary) == []
    assert contract.failures(summary, path.stem, RELAXED.get(path.stem, contract.Limits())) == []
    assert contract.csv_rows(path) == contract.network_csv(summary)


def _attributes_all_backends(summary: dict[str, Any]) -> None:
    assert set(summary["proofs"]) == set(BACKENDS)
    for backend in BACKENDS:
        figures = summary["proofs"][backend]["transaction"]
        assert figures["verified"] > figures["made"] > 0
        assert summary["finality"]["by_backend"][backend]["blocks_proven"] > 0
    assert summary["finality"]["blocks_proven"] == summary["finality"]["blocks"] > 0
    assert summary["byzantine"]["invalid_accepted"] == 0
    kinds = {fault["kind"] for fault in summary["faults"]}
    assert kinds >= {"partition_start", "partition_end", "churn_down", "churn_up", "byzantine_spam"}
