"""Every scenario file is valid, and the small ones run to their end on the real provers."""

import json
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from simnet._zk import REJECT_REASONS
from simnet.checks import CHECKS
from simnet.events import (
    BlockAggregated,
    BlockCommitted,
    BlockProven,
    Event,
    FaultInjected,
    Handlers,
    MessagePublished,
    PeerDisconnected,
    ProofMade,
    ProofVerified,
    TxAdmitted,
    WindowClosed,
)
from simnet.events.run_result import RunResult
from simnet.runs.chain import ChainRun, RunOptions, build
from simnet.scenario.load import load_scenario
from tests.runs import DATA, SHIPPED, TINY, TINY_BLOCKS, TINY_FAULTS, not_held

E = TypeVar("E", bound=Event)
BACKENDS = {"stwo", "plonky3", "groth16"}
SPOILED = {"flipped_bytes", "other_statement", "wrong_public_inputs", "oversize"}
FILES = [*SHIPPED, *sorted(DATA.glob("*.toml"))]


class Run:
    """A finished run and all its events."""

    def __init__(self, path: Path) -> None:
        loaded = load_scenario(path, strict=True)
        self.simulation: ChainRun = build(loaded.scenario, loaded.seed, RunOptions())
        self.events: list[Event] = []
        self.simulation.bus.attach(self)
        self.result: RunResult = self.simulation.run()

    @property
    def handlers(self) -> Handlers:
        return {Event: self.events.append}

    def of(self, kind: type[E]) -> list[E]:
        return [e for e in self.events if isinstance(e, kind)]


@cache
def finished(path: Path) -> Run:
    return Run(path)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_scenario_file_is_valid_without_warnings(path: Path) -> None:
    loaded = load_scenario(path, strict=True)
    assert loaded.scenario.name
    assert not loaded.scenario.test_only, "real proofs only"


both = pytest.mark.parametrize("path", [TINY, TINY_FAULTS], ids=lambda p: p.stem)
all_three = pytest.mark.parametrize("path", [TINY, TINY_FAULTS, TINY_BLOCKS], ids=lambda p: p.stem)


@all_three
def test_a_run_is_complete_and_every_invariant_held(path: Path) -> None:
    run = finished(path)
    assert run.result.complete, run.result.violations
    assert not run.result.interrupted
    assert run.result.violations == ()
    assert set(run.result.checks) == set(CHECKS)
    assert not_held(run.result.checks, *(() if path == TINY_FAULTS else ("fault_effect",))) == []


@both
def test_all_three_backends_proved_transfers_and_everybody_verified_them(path: Path) -> None:
    run = finished(path)
    made = Counter(e.backend for e in run.of(ProofMade) if e.circuit == "transaction")
    assert set(made) == BACKENDS
    honest = [e for e in run.of(ProofVerified) if e.spam is None]
    assert {e.reason for e in honest} == {"accepted"}
    verifiers = defaultdict(set)
    for e in honest:
        verifiers[e.backend].add(e.node)
    assert all(verifiers[b] == set(range(run.simulation.info.nodes)) for b in BACKENDS)
    # A node proves with the backends of its region and no other.
    for proof in run.of(ProofMade):
        assert proof.backend in run.simulation.info.backends[proof.node]


@both
def test_every_block_is_proven_at_every_live_node(path: Path) -> None:
    run = finished(path)
    down: set[str] = set()
    for e in run.of(FaultInjected):
        if e.kind == "churn_down":
            down.add(e.detail)
        elif e.kind == "churn_up":
            down.discard(e.detail)
    live = {n for n in range(run.simulation.info.nodes) if f"node:{n}" not in down}
    assert len(live) >= run.simulation.info.nodes - 1
    committed = {(e.node, e.height, e.block) for e in run.of(BlockCommitted) if e.node in live}
    proven = {(e.node, e.height, e.block) for e in run.of(BlockProven) if e.node in live}
    assert committed == proven
    heights = {height for _, height, _ in committed}
    assert heights == set(range(1, max(heights) + 1))
    assert max(heights) >= 3
    assert sum(e.tx_count for e in run.of(BlockCommitted)) > 0
    proved_by = {e.backend for e in run.of(ProofMade) if e.circuit == "consensus"}
    assert proved_by == {e.backend for e in run.of(BlockProven)}
    assert proved_by <= BACKENDS


@both
def test_the_mempools_of_live_nodes_agree_at_the_end(path: Path) -> None:
    run = finished(path)
    tally = run.result.checks["coherence"]
    assert tally["missing_somewhere"] == 0
    assert tally["common"] == tally["pending"]
    assert run.of(TxAdmitted)


def test_faults_happened_and_were_undone() -> None:
    run = finished(TINY_FAULTS)
    kinds = Counter(e.kind for e in run.of(FaultInjected))
    assert kinds["partition_start"] == kinds["partition_end"] == 1
    assert kinds["churn_down"] >= 2
    assert 0 <= kinds["churn_down"] - kinds["churn_up"] <= 1
    assert kinds["byzantine_spam"] > 0
    assert {e.why for e in run.of(PeerDisconnected)} == {"partition", "churn"}


def test_every_spoiled_proof_is_rejected_with_the_verifiers_reason_and_none_accepted() -> None:
    run = finished(TINY_FAULTS)
    published = Counter(e.spam for e in run.of(MessagePublished) if e.spam)
    assert set(published) == SPOILED | {"copy"}
    reasons: dict[str, set[str]] = defaultdict(set)
    for e in run.of(ProofVerified):
        if e.spam in SPOILED:
            assert not e.accepted
            reasons[e.spam].add(e.reason)
    assert set(reasons) == SPOILED
    known = set(REJECT_REASONS.values())
    assert set().union(*reasons.values()) <= known
    assert reasons["oversize"] == {"ProofTooLarge"}
    assert reasons["wrong_public_inputs"] == {"PublicDigestMismatch"}
    # These pass every check of the envelope: only the proof system itself can tell.
    assert "PublicDigestMismatch" not in reasons["flipped_bytes"] | reasons["other_statement"]
    tally = run.result.checks["nothing_unverified"]
    spoiled = tally["spoiled"]
    assert isinstance(spoiled, int)
    assert spoiled > 50


def test_the_fault_free_run_has_no_rejection() -> None:
    run = finished(TINY)
    assert all(e.accepted for e in run.of(ProofVerified))
    json.dumps(run.result.costs)
    assert not run.of(FaultInjected)


def test_blocks_are_aggregated_with_proofs_of_every_circuit_in_both_fields() -> None:
    run = finished(TINY_BLOCKS)
    made = {(e.backend, e.circuit) for e in run.of(ProofMade)}
    circuits = {"identity", "state", "pruning", "recursive", "uptime"}
    assert {c for _, c in made} == {"transaction", "consensus", *circuits}
    assert {b for b, c in made if c in circuits} == {"stwo", "plonky3"}
    assert all((b, "recursive") in made for b in ("stwo", "plonky3"))
    assert {e.reason for e in run.of(ProofVerified)} == {"accepted"}
    nodes = run.simulation.info.nodes
    heights = {e.height for e in run.of(BlockCommitted)}
    aggregated = Counter((e.height, e.node) for e in run.of(BlockAggregated))
    assert aggregated == Counter((h, n) for h in heights for n in range(nodes))
    assert sum(e.joins for e in run.of(BlockCommitted) if e.node == 0) == nodes
    assert {(e.window, e.missed) for e in run.of(WindowClosed)} == {(0, 0)}
    assert sum(e.claims for e in run.of(BlockCommitted) if e.node == 0) == nodes
