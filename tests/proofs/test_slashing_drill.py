"""The slashing drill on the real provers, and that it fails when a verifier does not do its work."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simnet.base.catalogue import BackendId
from simnet.cli.main import app
from simnet.jobs.slashing_drill import LEADER, OTHER, slashing_drill
from simnet.proofs.backend import ACCEPTED, Circuit, Verification
from simnet.protocol.slashing import Penalty
from tests.proofs.proven import Altered, backend


@pytest.mark.parametrize("which", [BackendId.STWO, BackendId.PLONKY3], ids=lambda b: b.label)
def test_every_step_holds(which: BackendId) -> None:
    booked: list[Penalty] = []
    result = slashing_drill(backend(which), booked.append)
    assert result.passed, result.checks
    assert result.backend == which.label
    assert [v == "accepted" for v in result.verdicts] == [False, True, True], "a spoiled proof, then two real ones"
    assert result.triggers[0] == "consensus_censorship_prevote" and result.triggers[-1] == "consensus_double_sign"
    assert {p.validator for p in booked} == {LEADER, OTHER}
    assert booked[-1].amount == 10 and booked[-1].evidence.kind.label == "double_sign"


@dataclass
class Verifier(Altered):
    """A prover with the real keys and a verifier that always says the same."""

    verdict: Verification

    def verify(self, circuit: Circuit, public_inputs: bytes, envelope: bytes, max_bytes: int) -> Verification:
        return self.verdict


def test_a_verifier_that_accepts_anything_fails_the_drill() -> None:
    result = slashing_drill(Verifier(ACCEPTED), lambda _penalty: None)
    assert not result.passed and result.checks["a_spoiled_proof_books_nothing"] is False


def test_a_verifier_that_refuses_everything_leaves_the_alarm_standing() -> None:
    result = slashing_drill(Verifier(Verification(False, "No")), lambda _penalty: None)
    assert {name for name, held in result.checks.items() if not held} >= {"leader_penalty_is_booked", "no_alarm_stands"}


def test_the_command_logs_penalties_with_their_backend(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["drill", "slashing", "--backends", "plonky3", "--out", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "applied slashing penalty" in line]
    assert lines[-1].startswith("level=info target=consensus backend=plonky3 validator=1 penalty=10 evidence=double_sign")
    assert json.loads((tmp_path / "slashing_drill.json").read_text())[0]["passed"] is True
    wrong = CliRunner().invoke(app, ["drill", "slashing", "--backends", "rpp-stark"])
    assert wrong.exit_code == 2 and "no backend rpp-stark" in wrong.stderr
