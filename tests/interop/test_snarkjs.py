"""Groth16 beside snarkjs: either one's setup, either one's prover, either one's verifier."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.proofs import native, samples
from tests.interop import tools
from tests.proofs.proven import MAX_BYTES, SEED, backend, proven

pytestmark = pytest.mark.xdist_group("snarkjs")

R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""The order of BN254's groups."""
TRANSACTION = samples.TRANSACTION
LOG_SIZE = 11
"""The transaction circuit has 1,960 constraints, and one more for each public input."""


@dataclass(frozen=True)
class Ceremony:
    """snarkjs' setup for our transaction circuit, and snarkjs' proof of our sample."""

    folder: Path
    zkey: bytes
    vk: str
    public: str
    proof: str


@pytest.fixture(scope="module")
def ceremony(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    folder = tmp_path_factory.mktemp("ceremony")
    (folder / "circuit.r1cs").write_bytes(native.groth16_r1cs(TRANSACTION))
    (folder / "witness.wtns").write_bytes(native.groth16_wtns(TRANSACTION, samples.transaction().witness))
    tools.snarkjs("groth16", "setup", "circuit.r1cs", tools.powers_of_tau(LOG_SIZE), "first.zkey", cwd=folder)
    tools.snarkjs("zkey", "beacon", "first.zkey", "last.zkey", *tools.BEACON, cwd=folder)
    tools.snarkjs("zkey", "export", "verificationkey", "last.zkey", "vk.json", cwd=folder)
    tools.snarkjs("groth16", "prove", "last.zkey", "witness.wtns", "proof.json", "public.json", cwd=folder)
    vk, public, proof = ((folder / f"{name}.json").read_text() for name in ("vk", "public", "proof"))
    return Ceremony(folder, (folder / "last.zkey").read_bytes(), vk, public, proof)


def changed_public(text: str, index: int, by: int) -> str:
    inputs = json.loads(text)
    inputs[index] = str(int(inputs[index]) + by)
    return json.dumps(inputs)


def test_our_setup_our_prover_their_verifier(tmp_path: Path) -> None:
    _, public_inputs, envelope = proven(BackendId.GROTH16, CircuitId.TRANSACTION)
    vk, public, proof = native.groth16_export(backend(BackendId.GROTH16).key(TRANSACTION), public_inputs, envelope)
    assert tools.accepts(tmp_path, vk, public, proof)
    assert not tools.accepts(tmp_path, vk, changed_public(public, 2, 1), proof)
    parts = json.loads(proof)
    parts["pi_a"], parts["pi_c"] = parts["pi_c"], parts["pi_a"]
    assert not tools.accepts(tmp_path, vk, public, json.dumps(parts))


def test_their_setup_their_prover_our_verifier(ceremony: Ceremony) -> None:
    sample = samples.transaction()
    vector = backend(BackendId.GROTH16).public_inputs(TRANSACTION, sample.statement)
    ours = [int.from_bytes(vector[i : i + 32], "little") for i in range(0, len(vector), 32)]
    assert [int(x) for x in json.loads(ceremony.public)] == ours
    assert native.groth16_verify(ceremony.vk, ceremony.public, ceremony.proof)
    for index in range(len(ours)):
        assert not native.groth16_verify(ceremony.vk, changed_public(ceremony.public, index, 1), ceremony.proof)


def test_a_public_input_plus_r_is_refused(ceremony: Ceremony) -> None:
    with pytest.raises(ProofError, match=r"public\.json: .* not below the field's modulus"):
        native.groth16_verify(ceremony.vk, changed_public(ceremony.public, 0, R), ceremony.proof)


def test_a_zkey_s_verification_key_is_the_one_that_snarkjs_exports(ceremony: Ceremony) -> None:
    assert native.zkey_verification_key(ceremony.zkey) == ceremony.vk


def test_their_setup_our_prover_either_verifier(ceremony: Ceremony, tmp_path: Path) -> None:
    key = native.groth16_key(TRANSACTION, ceremony.zkey)
    sample = samples.transaction(amount=26)
    public_inputs = key.public_inputs(sample.statement)
    envelope = key.prove(sample.witness, SEED, 1)
    assert key.verify(public_inputs, envelope, MAX_BYTES) == 0
    vk, public, proof = native.groth16_export(key, public_inputs, envelope)
    assert vk == ceremony.vk
    assert tools.accepts(tmp_path, ceremony.vk, public, proof)
    assert not tools.accepts(tmp_path, ceremony.vk, ceremony.public, proof)
    verdict = backend(BackendId.GROTH16).verify(TRANSACTION, public_inputs, envelope, MAX_BYTES)
    assert verdict.reason == "VerifyingKeyMismatch"


def test_a_zkey_with_another_coefficient_or_point_is_refused(ceremony: Ceremony) -> None:
    start = {}
    at = 12
    while at < len(ceremony.zkey):
        size = int.from_bytes(ceremony.zkey[at + 4 : at + 12], "little")
        start[int.from_bytes(ceremony.zkey[at : at + 4], "little")] = at + 12
        at += 12 + size
    for section, offset, message in [
        (4, 4 + 12, "another circuit"),
        (4, 4 + 8, "another circuit"),
        *((s, 0, "off the curve") for s in range(5, 10)),
    ]:
        damaged = bytearray(ceremony.zkey)
        damaged[start[section] + offset] ^= 1
        with pytest.raises(ProofError, match=message):
            native.groth16_key(TRANSACTION, bytes(damaged))


def test_snarkjs_checks_our_witness_against_our_circuit(ceremony: Ceremony) -> None:
    tools.snarkjs("wtns", "check", "circuit.r1cs", "witness.wtns", cwd=ceremony.folder)
    wrong = bytearray((ceremony.folder / "witness.wtns").read_bytes())
    wrong[-32] ^= 1
    (ceremony.folder / "wrong.wtns").write_bytes(wrong)
    done = tools.node(tools.SNARKJS, "wtns", "check", "circuit.r1cs", "wrong.wtns", cwd=ceremony.folder)
    assert "WITNESS IS NOT CORRECT" in done.stdout + done.stderr
