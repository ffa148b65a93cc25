"""Cost models: the committed table, recorded costs, measured ones, and bad files."""

import json
import os
from pathlib import Path

import pytest

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ScenarioError
from simnet.proofs.backend import Circuit
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


HUGE = "9" * 60
HOSTILE = {
    "inf.toml": "[costs_us]\na = inf\n",
    "nan.toml": "[costs_us]\na = nan\n",
    "1e400.toml": "[costs_us]\na = 1e400\n",
    "below.toml": "[costs_us]\na = -0.5\n",
    "huge.toml": f"[costs_us]\na = {HUGE}\n",
    "text.toml": '[costs_us]\na = "5"\n',
    "none.toml": "x = 1\n",
    "digits.toml": "[costs_us]\na = " + "9" * 5000,
    "inf.json": '{"table_ns": {"a": Infinity}, "jobs_ns": {}}',
    "1e400.json": '{"table_ns": {"a": 1e400}, "jobs_ns": {}}',
    "half.json": '{"table_ns": {"a": 1.5}, "jobs_ns": {}}',
    "huge.json": f'{{"table_ns": {{"a": {HUGE}}}, "jobs_ns": {{}}}}',
    "digits.json": '{"table_ns": {"a": ' + "9" * 5000 + '}, "jobs_ns": {}}',
    "cut.json": '{"table_ns": {"a": 1',
    "deep.json": "[" * 100_000,
    "true.json": '{"table_ns": {"a": true}, "jobs_ns": {}}',
    "bytes.json": "\x80",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_impossible_costs_are_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(HOSTILE[name].encode("latin-1"))
    with pytest.raises(ScenarioError) as caught:
        cost_model(str(path))
    assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 1000


def test_a_pipe_or_folder_is_no_costs_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "pipe.json", tmp_path, Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(ScenarioError, match="cannot read"):
            cost_model(str(path))


def test_a_missing_file_says_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="calibrated, measured or"):
        cost_model(str(tmp_path / "none.json"))
