"""Cost models: the committed table, recorded costs, measured ones, and bad files."""

import json
from pathlib import Path

import pytest

from simnet.errors import ScenarioError
from simnet.proofs.backend import BackendId, Circuit, CircuitId
from simnet.proofs.costs import CostKey, cost_model

PROVE = CostKey(BackendId.STWO, Circuit(CircuitId.TRANSACTION, ()), "prove")


def test_the_committed_table_covers_the_main_job() -> None:
    costs = cost_model("calibrated")
    for backend in BackendId:
        for circuit in (Circuit(CircuitId.TRANSACTION, ()), Circuit(CircuitId.CONSENSUS, (32, 256, 4))):
            for operation in ("prove", "verify"):
                assert costs.cost(CostKey(backend, circuit, operation), "job", None) > 0
    assert costs.reproducible


def test_a_missing_entry_names_the_way_out() -> None:
    with pytest.raises(ScenarioError, match="simnet calibrate"):
        cost_model("calibrated").cost(CostKey(BackendId.STWO, Circuit(CircuitId.UPTIME, (1,)), "prove"), "job", None)


def test_measured_costs_replay_as_recorded_ones(tmp_path: Path) -> None:
    measured = cost_model("measured")
    assert measured.cost(PROVE, "a", 5) == 5
    assert measured.cost(PROVE, "a", 9) == 5
    assert not measured.reproducible
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(measured.used()))
    assert cost_model(str(path)).cost(PROVE, "a", None) == 5


def test_used_costs_replay(tmp_path: Path) -> None:
    costs = cost_model("calibrated")
    expected = costs.cost(PROVE, "a", None)
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(costs.used()))
    assert cost_model(str(path)).cost(PROVE, "b", None) == expected


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"table_ns": 3, "jobs_ns": {}}', '{"table_ns": {"a": "x"}, "jobs_ns": {}}', '{"table_ns": {"a": -1}, "jobs_ns": {}}'],
)
def test_bad_files_are_scenario_errors(tmp_path: Path, text: str) -> None:
    path = tmp_path / "costs.json"
    path.write_text(text)
    with pytest.raises(ScenarioError, match="costs"):
        cost_model(str(path))


def test_a_missing_file_says_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="calibrated, measured or"):
        cost_model(str(tmp_path / "none.json"))
