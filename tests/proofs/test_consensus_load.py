"""The consensus load with the real provers: every proof verifies, every altered statement is refused by the verifier."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from simnet.analyze.analysis import analyze_file
from simnet.base.catalogue import BackendId
from simnet.base.errors import ProofError
from simnet.jobs import consensus_load
from simnet.jobs.consensus_load import Certificates, LoadResult, altered_inputs, bitmap_root_place, circuit_of, rotated, run_load
from simnet.proofs import native
from simnet.proofs.backend import ACCEPTED, Circuit, Verification
from simnet.record.consensus import LoadLabels, load_csv, load_summary
from simnet.scenario.wrapper import ConsensusLoad, Tamper
from tests.proofs.proven import Altered, backend

FAST = (BackendId.STWO, BackendId.PLONKY3)
BOTH = Tamper(vrf=True, quorum_roots=True, every_n=2)
LOAD = ConsensusLoad(runs=3, validators=5, witness_commitments=6, seed=99, tamper=BOTH)
LABELS = LoadLabels("plonky3", (100.0, 57.0), "s.json", None, True)


def finished(load: ConsensusLoad, which: BackendId) -> LoadResult:
    result = LoadResult(circuit_of(load))
    assert list(run_load(load, backend(which), result)) == list(range(load.runs))
    return result


@pytest.mark.parametrize("which", FAST, ids=lambda b: b.label)
def test_every_proof_verifies_and_every_attack_is_refused(which: BackendId) -> None:
    summary = load_summary(LOAD, finished(LOAD, which), LABELS)
    assert summary["failures"] == []
    assert summary["tamper_vrf"] == summary["tamper_quorum"] == {"attempts": 2, "rejected": 2, "unexpected_accepts": 0}


@pytest.mark.nightly
def test_groth16_too() -> None:
    summary = load_summary(LOAD, finished(LOAD, BackendId.GROTH16), LABELS)
    assert summary["failures"] == [] and summary["tamper_vrf"] == {"attempts": 2, "rejected": 2, "unexpected_accepts": 0}


def test_a_single_validator_has_its_entry_spoiled() -> None:
    load = LOAD.model_copy(update={"validators": 1, "runs": 1})
    summary = load_summary(load, finished(load, BackendId.PLONKY3), LABELS)
    assert summary["failures"] == []
    assert summary["tamper_vrf"] == {"attempts": 1, "rejected": 1, "unexpected_accepts": 0}


def test_equal_seeds_give_equal_proofs() -> None:
    first, again = finished(LOAD, BackendId.PLONKY3), finished(LOAD, BackendId.PLONKY3)
    other = finished(LOAD.model_copy(update={"seed": 100}), BackendId.PLONKY3)
    assert first.proofs.hexdigest() == again.proofs.hexdigest() != other.proofs.hexdigest()
    assert [row.proof_bytes for row in first.rows] == [row.proof_bytes for row in again.rows]


def test_certificates_are_fresh_and_weights_lie_in_range() -> None:
    certificates = Certificates(ConsensusLoad(validators=40, witness_commitments=8), BackendId.PLONKY3, 64)
    made = [certificates.make(run) for run in (0, 1, 33)]
    assert len({c.block.digest for c in made}) == 3
    assert [(c.block.slot, c.block.epoch) for c in made] == [(0, 0), (1, 0), (33, 1)]
    weights = {m.weight for c in made for m in c.committee.members}
    assert min(weights) == 5 and max(weights) == 24
    assert all(vote.tags and vote.vrf for c in made for vote in c.votes), "everybody votes"


@pytest.mark.parametrize("which", FAST, ids=lambda b: b.label)
def test_the_bitmap_root_stands_where_the_attack_looks(which: BackendId) -> None:
    """Taking one precommit away changes the bitmap root, and nothing before it."""
    certificates = Certificates(LOAD, which, 8)
    certificate, circuit = certificates.make(0), circuit_of(LOAD)
    inputs = backend(which).public_inputs(circuit, certificate.statement)
    head = 32 + 24 + 2  # block hash; round, epoch, slot; number of validators
    record = 32 + 8 + 1 + 32 + 32
    vote_flags = head + len(certificate.committee.members) * record
    assert certificate.statement[vote_flags] == 0b1111
    zero_tag = vote_flags + 1 + 32
    fewer = bytearray(certificate.statement)
    fewer[vote_flags] = 0b1101
    fewer[zero_tag : zero_tag + 32] = bytes(32)
    other = backend(which).public_inputs(circuit, bytes(fewer))
    place = bitmap_root_place(which)
    assert other[: place.start] == inputs[: place.start] and other[place] != inputs[place]
    altered = altered_inputs("quorum_roots", backend(which), circuit, certificate, inputs)
    assert altered[place] != inputs[place] and altered[place.stop :] == inputs[place.stop :]


def test_rotation_moves_every_entry() -> None:
    votes = Certificates(LOAD, BackendId.PLONKY3, 8).make(0).votes
    turned = rotated(votes)
    assert [v.vrf for v in turned] == [votes[-1].vrf, *(v.vrf for v in votes[:-1])]
    assert [v.tags for v in turned] == [v.tags for v in votes]


@dataclass
class Crooked(Altered):
    """A backend that is wrong in a chosen way."""

    fault: str
    asked: int = 0

    def public_inputs(self, circuit: Circuit, statement: bytes) -> bytes:
        self.asked += 1
        if self.fault == "no inputs for the altered" and self.asked % 2 == 0:
            raise ProofError("no vector")
        return super().public_inputs(circuit, statement)

    def prove(self, circuit: Circuit, witness: bytes, seed: bytes, threads: int) -> bytes:
        if self.fault == "cannot prove":
            raise ProofError("no proof today")
        return bytes(200)

    def verify(self, circuit: Circuit, public_inputs: bytes, envelope: bytes, max_bytes: int) -> Verification:
        return Verification(False, "BadDay") if self.fault == "refuses" else ACCEPTED


def crooked(fault: str) -> tuple[dict[str, object], LoadResult]:
    load = LOAD.model_copy(update={"tamper": Tamper(vrf=True, every_n=1)})
    result = LoadResult(circuit_of(load))
    for _ in run_load(load, Crooked(fault), result):
        pass
    return load_summary(load, result, LABELS), result


def test_accepted_forgeries_are_counted() -> None:
    summary, _ = crooked("accepts all")
    assert summary["tamper_vrf"] == {"attempts": 3, "rejected": 0, "unexpected_accepts": 3}
    assert summary["failures"] == [f"run {i}: tamper vrf: the altered statement was accepted" for i in range(3)]


def test_a_failed_proof_is_a_failure_without_samples() -> None:
    summary, result = crooked("cannot prove")
    assert summary["failures"] == [f"run {i}: prove: no proof today" for i in range(3)]
    assert set(summary["prove_ms"].values()) == {0.0}  # type: ignore[attr-defined]
    assert summary["tamper_vrf"] is None and load_csv(result) == "run,prove_ms,verify_ms,proof_bytes\n"


def test_a_failed_verification_keeps_its_proving_time() -> None:
    summary, result = crooked("refuses")
    assert summary["failures"] == [f"run {i}: verify: BadDay" for i in range(3)]
    rows = list(csv.DictReader(io.StringIO(load_csv(result))))
    assert [(row["run"], row["verify_ms"], row["proof_bytes"]) for row in rows] == [(str(i), "", "200") for i in range(3)]
    assert all(len(row["prove_ms"].split(".")[1]) == 6 for row in rows)


def test_a_statement_without_a_vector_is_no_rejection() -> None:
    summary, _ = crooked("no inputs for the altered")
    assert summary["tamper_vrf"] == {"attempts": 3, "rejected": 0, "unexpected_accepts": 0}
    assert summary["failures"] == [f"run {i}: tamper vrf: no vector" for i in range(3)]


def test_the_summary_has_upstreams_keys_in_order() -> None:
    summary, _ = crooked("accepts all")
    names = "kind runs validators witness_commitments security_bits use_gpu seed summary_path csv_path prove_ms verify_ms proof_bytes"
    assert list(summary) == [*names.split(), "failures", "tamper_vrf", "tamper_quorum", "simnet"]
    assert list(summary["prove_ms"]) == ["min", "p50", "p90", "p95", "p99", "max", "mean"]  # type: ignore[call-overload]
    assert summary["kind"] == "consensus-load" and summary["tamper_quorum"] is None


def test_the_summary_states_what_happened_and_not_what_was_asked_for() -> None:
    load = LOAD.model_copy(update={"security_bits": 128, "use_gpu": True})
    summary = load_summary(load, LoadResult(circuit_of(load)), LABELS)
    assert (summary["security_bits"], summary["use_gpu"]) == (100, False)
    assert summary["simnet"]["requested"] == {"security_bits": 128, "use_gpu": True}  # type: ignore[index]


@pytest.mark.parametrize(("claim", "value"), [("use_gpu", True), ("security_bits", 128)])
def test_a_claim_of_more_is_refused(tmp_path: Path, claim: str, value: object) -> None:
    summary, _ = crooked("none")
    verdicts = {}
    for name, content in (("honest", summary), ("claims", {**summary, claim: value})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        analysis = analyze_file(tmp_path / f"{name}.json")
        verdicts[name] = {v.metric for v in analysis.verdicts if not v.passed}
    assert verdicts["claims"] - verdicts["honest"] == {claim}


def test_the_envelope_claims_the_altered_statement() -> None:
    """Otherwise a look at the envelope's header would be all the verifier does."""
    circuit, prover = circuit_of(LOAD), backend(BackendId.PLONKY3)
    certificate = Certificates(LOAD, BackendId.PLONKY3, 8).make(0)
    envelope = prover.prove(circuit, certificate.witness, bytes(32), 0)
    inputs = prover.public_inputs(circuit, certificate.statement)
    altered = altered_inputs("vrf", prover, circuit, certificate, inputs)
    assert prover.verify(circuit, altered, envelope, 2**24).reason == "PublicDigestMismatch"
    relabelled = consensus_load._relabelled(prover, circuit, altered, envelope)
    assert relabelled[native.PUBLIC_DIGEST] == native.public_digest(BackendId.PLONKY3, circuit, altered)
    assert prover.verify(circuit, altered, relabelled, 2**24).reason not in ("accepted", "PublicDigestMismatch")
