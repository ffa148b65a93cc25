"""`simnet proof`, `simnet keys` and `simnet doctor`, with the real provers."""

import json
import os
import struct
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simnet.base.catalogue import BackendId, CircuitId
from simnet.cli.circuits import CircuitName
from simnet.cli.main import app
from simnet.proofs import calibrate as calibration
from simnet.proofs import native, pinned, pins
from simnet.proofs.backend import Circuit, Security
from simnet.proofs.costs import PROVE, VERIFY, CostKey, cost_model
from simnet.proofs.keys import default_folder
from simnet.proofs.witness import FORMATS, unpack
from simnet.proofs.witness.fields import Shape

TRANSFER = ("--circuit", "transaction")
SMALL = ("--circuit", "consensus", "--params", "8,16,2")
CIRCUITS = {
    "transaction": TRANSFER,
    "identity": ("--circuit", "identity", "--params", "8"),
    "state": ("--circuit", "state", "--params", "2,1,16"),
    "pruning": ("--circuit", "pruning", "--params", "4,2,2"),
    "recursive": ("--circuit", "recursive", "--params", "4,1,1,2"),
    "uptime": ("--circuit", "uptime", "--params", "4,2,4,60,30"),
    "consensus": SMALL,
}
# Groth16's keys take seconds even at these sizes; the attack tests prove more circuits with it.
EXAMPLES = [
    pytest.param(b.label, c, marks=[pytest.mark.nightly] if b is BackendId.GROTH16 and c not in ("transaction", "consensus") else [])
    for b in BackendId
    for c in CIRCUITS
]
USUAL = [(b, c) for c in CIRCUITS if c != "transaction" for b in ("stwo", "plonky3")]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(default_folder()))
    monkeypatch.chdir(tmp_path)


def simnet(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def proven(backend: str, circuit: tuple[str, ...]) -> None:
    """Leaves w.json, s.json and proof.bin."""
    for name, extra in (("w.json", ()), ("s.json", ("--statement",))):
        done = simnet("proof", "example", "--backend", backend, *circuit, *extra)
        assert done.exit_code == 0, done.stderr
        Path(name).write_text(done.stdout)
    done = simnet("proof", "prove", "w.json", "--backend", backend, *circuit)
    assert done.exit_code == 0, done.stderr


def verified(backend: str, circuit: tuple[str, ...], *extra: str) -> Result:
    return simnet("proof", "verify", "proof.bin", "--backend", backend, *circuit, "--statement", "s.json", *extra)


def test_the_command_knows_every_circuit() -> None:
    assert {c.id for c in CircuitName} == set(FORMATS) == set(CircuitId)
    assert set(CIRCUITS) == {c.value for c in CircuitName}


@pytest.mark.parametrize(("backend", "circuit"), EXAMPLES)
def test_an_example_is_proved_and_accepted(backend: str, circuit: str) -> None:
    proven(backend, CIRCUITS[circuit])
    result = verified(backend, CIRCUITS[circuit])
    assert (result.exit_code, result.stdout) == (0, "accepted\n")
    first = Path("proof.bin").read_bytes()
    proven(backend, CIRCUITS[circuit])
    assert Path("proof.bin").read_bytes() == first


@pytest.mark.nightly
@pytest.mark.parametrize(("backend", "circuit"), USUAL)
def test_an_example_of_the_usual_size_is_proved_and_accepted(backend: str, circuit: str) -> None:
    proven(backend, ("--circuit", circuit))
    result = verified(backend, ("--circuit", circuit))
    assert (result.exit_code, result.stdout) == (0, "accepted\n")


@pytest.mark.parametrize("backend", ["stwo", "plonky3"])
@pytest.mark.parametrize(("circuit", "number"), [("state", "block_time"), ("pruning", "start_height"), ("uptime", "node_clock")])
def test_a_proof_is_about_its_statement_alone(backend: str, circuit: str, number: str) -> None:
    proven(backend, CIRCUITS[circuit])
    value = json.loads(Path("s.json").read_text())
    Path("s.json").write_text(json.dumps(value | {number: value[number] + 1}))
    result = verified(backend, CIRCUITS[circuit])
    assert (result.exit_code, result.stdout) == (1, "rejected: PublicDigestMismatch\n")


def test_json_output_names_everything() -> None:
    proven("stwo", TRANSFER)
    made = json.loads(simnet("proof", "prove", "w.json", "--backend", "stwo", *TRANSFER, "--out", "x/p.bin", "--json").stdout)
    assert made["bytes"] == Path("x/p.bin").stat().st_size
    found = json.loads(verified("stwo", TRANSFER, "--json").stdout)
    assert (found["accepted"], found["reason"], found["backend"], found["circuit"]) == (True, "accepted", "stwo", "transaction")


def test_another_statement_backend_or_size_limit_is_rejected_with_exit_1() -> None:
    proven("stwo", TRANSFER)
    assert verified("plonky3", TRANSFER).stdout == "rejected: UnknownBackend\n"
    assert verified("stwo", TRANSFER, "--max-bytes", "1000").stdout == "rejected: ProofTooLarge\n"
    Path("s.json").write_text(Path("s.json").read_text().replace('"fee": 21', '"fee": 22'))
    result = verified("stwo", TRANSFER, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["reason"] == "PublicDigestMismatch"


@pytest.mark.parametrize("content", [b"", b"\0" * 105, b"\xff" * 200, bytes(1 << 16)])
def test_hostile_proofs_are_rejected(content: bytes) -> None:
    proven("stwo", TRANSFER)
    Path("proof.bin").write_bytes(content)
    result = verified("stwo", TRANSFER)
    assert result.exit_code == 1
    assert result.stdout.startswith("rejected: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["prove", "none.json", "--backend", "stwo", *TRANSFER], "none.json: No such file"),
        (["prove", "w.json", "--backend", "stwo", *TRANSFER], "w.json: amount = -1: must be an integer from 0"),
        (["prove", "f.json", "--backend", "stwo", *TRANSFER], "InvalidWitness"),
        (["prove", "w.json", "--backend", "stwo", *TRANSFER, "--params", "3"], "sizes '3': the transaction circuit takes none"),
        (["prove", "w.json", "--backend", "stwo", "--circuit", "consensus", "--params", "32,256"], "takes numbers for validators"),
        (["prove", "w.json", "--backend", "stwo", "--circuit", "consensus", "--params", "a,b,c"], "takes numbers for validators"),
        (["example", "--circuit", "consensus", "--params", "7,256,4"], "no example with the sizes 7x256x4: "),
        (["example", "--circuit", "recursive", "--params", "16,4,8,0"], "no example with the sizes 16x4x8x0: "),
        (
            ["prove", "w.json", "--backend", "stwo", "--circuit", "pruning", "--params", "4,2"],
            "takes numbers for headers, transactions of a block",
        ),
        (["verify", "none.bin", "--backend", "stwo", *TRANSFER, "--statement", "f.json"], "none.bin: No such file"),
        (["inspect", "w.json"], "w.json: "),
        (["inspect", "none.bin"], "none.bin: No such file"),
        (["prove", "w.json", "--backend", "halo2", *TRANSFER], "halo2"),
    ],
)
def test_bad_input_is_one_clear_error_with_exit_2(arguments: list[str], expected: str) -> None:
    value = json.loads(simnet("proof", "example", *TRANSFER).stdout)
    Path("w.json").write_text(json.dumps(value | {"amount": -1}))
    # Well formed, but more than the account holds: the circuit itself has no such statement.
    Path("f.json").write_text(json.dumps(value | {"amount": 2**62}))
    result = simnet("proof", *arguments)
    assert result.exit_code == 2, result.output
    assert expected in result.stderr
    assert "Traceback" not in result.output


def test_inspect_tells_what_an_envelope_claims() -> None:
    proven("groth16", TRANSFER)
    found = json.loads(simnet("proof", "inspect", "proof.bin", "--json").stdout)
    pin = next(p for p in pinned.committed() if p.name == "groth16/transaction/-")
    assert isinstance(pin, pinned.KeyPin)
    assert found["known_as"] == pin.name
    assert (found["params_hash"], found["vk_id"]) == (pin.params_hash, pin.vk_id)
    assert (found["proof_version"], found["circuit_version"], found["proof_bytes"]) == (1, 1, 128)
    assert found["envelope_bytes"] == Path("proof.bin").stat().st_size
    assert "circuit         transaction" in simnet("proof", "inspect", "proof.bin").stdout


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (2, ("backend", "unknown (9)")),
        (3, ("circuit", "unknown (9)")),
        (40, ("known_as", "parameters of stwo/transaction/-, unknown key")),
        (10, ("known_as", "unknown parameters or key")),
    ],
)
def test_inspect_says_what_it_does_not_know(at: int, expected: tuple[str, str]) -> None:
    proven("stwo", TRANSFER)
    data = bytearray(Path("proof.bin").read_bytes())
    data[at] = 9 if at < 4 else data[at] ^ 1
    Path("proof.bin").write_bytes(data)
    assert json.loads(simnet("proof", "inspect", "proof.bin", "--json").stdout)[expected[0]] == expected[1]


@pytest.mark.parametrize(
    "change", [lambda d: d[:100], lambda d: d[:-1], lambda d: d + b"\0", lambda d: d[:102] + struct.pack("<I", 1 << 31) + d[106:]]
)
def test_inspect_refuses_wrong_lengths(change: Any) -> None:
    proven("stwo", TRANSFER)
    Path("proof.bin").write_bytes(change(Path("proof.bin").read_bytes()))
    result = simnet("proof", "inspect", "proof.bin")
    assert result.exit_code == 2
    assert "proof.bin: " in result.stderr


def test_inspect_knows_cached_keys_of_other_sizes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path / "keys"))
    proven("stwo", SMALL)
    inspect = ("proof", "inspect", "proof.bin", "--json")
    assert json.loads(simnet(*inspect).stdout)["known_as"] == "cached stwo-consensus-8x16x2-v1.key"
    (tmp_path / "keys" / "manifest.json").write_text("{")
    assert json.loads(simnet(*inspect).stdout)["known_as"] == "unknown parameters or key"


def test_this_build_gives_the_committed_checksums() -> None:
    checked = 0
    for pin in pinned.committed():
        if not (isinstance(pin, pinned.KeyPin) and pin.slow):
            assert pins.differences(pin, pins.recompute(pin)) == [], f"{pin.name}: if this is meant, run `simnet keys pin`"
            checked += 1
    assert checked >= 3 + 2 * len(FORMATS)


@pytest.mark.nightly
def test_pinning_anew_gives_the_committed_file() -> None:
    assert simnet("keys", "pin", "--out", "pinned.toml").exit_code == 0
    assert pinned.parse(Path("pinned.toml").read_text()) == pinned.committed()


def test_every_circuit_is_pinned_for_every_backend() -> None:
    keys = {(p.backend, p.circuit.id, p.circuit.params) for p in pinned.committed() if isinstance(p, pinned.KeyPin)}
    assert keys == {(b, c, f.default) for b in BackendId for c, f in FORMATS.items()}
    assert pinned.parse(pinned.to_toml(pinned.committed())) == pinned.committed()


def test_keys_verify_names_what_differs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path / "keys"))
    proven("stwo", TRANSFER)
    cheap = tuple(p for p in pinned.committed() if p.name in ("stwo/hash", "stwo/transaction/-"))
    monkeypatch.setattr(pinned, "committed", lambda: cheap)
    assert simnet("keys", "verify").exit_code == 0
    text = pinned.to_toml(cheap).replace(cheap[0].sha256, "0" * 64)
    monkeypatch.setattr(pinned, "committed", lambda: pinned.parse(text))
    result = simnet("keys", "verify")
    assert result.exit_code == 1
    assert f"FAIL stwo/hash: sha256: {'0' * 64} is pinned" in result.stdout


def test_a_damaged_cached_key_is_named_and_made_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "keys"
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(folder))
    proven("groth16", TRANSFER)
    (file,) = folder.glob("groth16-*.key")
    data = bytearray(file.read_bytes())
    data[5000] ^= 1
    file.write_bytes(data)
    monkeypatch.setattr(pinned, "committed", lambda: ())
    failed = simnet("keys", "verify")
    assert (failed.exit_code, f"FAIL {file}: damaged" in failed.stdout) == (1, True)
    assert "warn" in next(line for line in simnet("doctor", "--quick").stdout.splitlines() if str(file) in line)
    assert verified("groth16", TRANSFER).exit_code == 0
    assert f"{file}: its checksum is wrong; thrown away and made again" in caplog.text
    assert simnet("keys", "verify").exit_code == 0


def test_a_cached_key_that_is_not_the_committed_one_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path / "keys"))
    monkeypatch.setattr(native, "SETUP_SEED", b"another-setup-whose-secrets-leak")
    proven("groth16", TRANSFER)
    monkeypatch.undo()
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path / "keys"))
    result = simnet("keys", "verify")
    assert result.exit_code == 1
    assert "intact, but is not the key of this circuit's setup" in result.stdout


@pytest.mark.parametrize("circuit", [TRANSFER, ("--circuit", "identity", "--params", "1")])
def test_a_written_key_makes_no_false_proof_verify(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture, circuit: tuple[str, ...]
) -> None:
    """Whoever knows a setup's secrets can prove anything: a key of such a setup, checksums and all, at a size that is pinned and at one
    that is not."""
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path / "keys"))
    with monkeypatch.context() as theirs:
        theirs.setattr(native, "SETUP_SEED", b"another-setup-whose-secrets-leak")
        proven("groth16", circuit)
        assert verified("groth16", circuit).exit_code == 0
    assert "who wrote it" not in caplog.text
    failed = simnet("keys", "verify")
    assert failed.exit_code == 1
    assert failed.stdout.count("who wrote it could prove anything") == 1
    result = verified("groth16", circuit)
    assert (result.exit_code, result.stdout) == (1, "rejected: VerifyingKeyMismatch\n")
    assert "who wrote it could prove anything; thrown away and made again" in caplog.text
    assert simnet("keys", "verify").exit_code == 0


@pytest.mark.parametrize("backend", ["stwo", "plonky3"])
def test_a_block_without_votes_is_refused(backend: str) -> None:
    """Made by a prover that lies in the limbs of the phases' weights, which were once allowed to be p instead of 0."""
    files = Path(__file__).parents[2] / "zk" / "vectors" / "forged"
    circuit = Circuit(CircuitId.CONSENSUS, (8, 8, 4))
    shape = Shape(BackendId[backend.upper()], circuit)
    statement = unpack((files / f"{backend}.statement").read_bytes(), shape, witness=False)
    assert all(ballot["votes"] in ([], ["vrf"]) for ballot in statement["ballots"])
    Path("s.json").write_text(json.dumps(statement))
    Path("proof.bin").write_bytes((files / f"{backend}.proof").read_bytes())
    result = verified(backend, ("--circuit", "consensus", "--params", "8,8,4"))
    assert (result.exit_code, result.stdout) == (1, "rejected: ConstraintMismatch\n")


def test_proofs_of_snarkjs_are_checked() -> None:
    files = Path(__file__).parents[2] / "zk" / "vectors" / "snarkjs"
    public = ("--public", str(files / "public.json"))
    check = ("proof", "verify", "--format", "snarkjs", "--proof", str(files / "proof.json"))
    for key in ("verification_key.json", "multiplier.zkey"):
        result = simnet(*check, "--key", str(files / key), *public)
        assert (result.exit_code, result.stdout) == (0, "accepted\n")
    Path("public.json").write_text('["34"]')
    wrong = simnet(*check, "--key", str(files / "multiplier.zkey"), "--public", "public.json", "--json")
    assert (wrong.exit_code, json.loads(wrong.stdout)["reason"]) == (1, "PairingMismatch")
    Path("public.json").write_text("[33]")
    refused = simnet(*check, "--key", str(files / "multiplier.zkey"), "--public", "public.json")
    assert (refused.exit_code, "public.json: " in refused.stderr) == (2, True)
    both = simnet(*check, *public, "--backend", "stwo")
    assert (both.exit_code, "--key: required" in both.stderr, "--backend: of another format" in both.stderr) == (2, True, True)


def test_a_proof_is_exported_for_snarkjs() -> None:
    proven("groth16", TRANSFER)
    assert simnet("proof", "export", "proof.bin", *TRANSFER, "--statement", "s.json", "--out", "out").exit_code == 0
    files = ("--key", "out/verification_key.json", "--proof", "out/proof.json", "--public", "out/public.json")
    assert simnet("proof", "verify", "--format", "snarkjs", *files).stdout == "accepted\n"
    Path("s.json").write_text(Path("s.json").read_text().replace('"fee": 21', '"fee": 22'))
    refused = simnet("proof", "export", "proof.bin", *TRANSFER, "--statement", "s.json", "--out", "other")
    assert (refused.exit_code, Path("other").exists()) == (2, False)


@pytest.mark.parametrize("which", ["proof.bin", "s.json"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(which: str) -> None:
    proven("stwo", TRANSFER)
    makers: list[Callable[[], None]] = [
        lambda: os.mkfifo(which),
        lambda: Path(which).symlink_to("/dev/zero"),
        lambda: Path(which).mkdir(),
    ]
    for make in makers:
        Path(which).unlink()
        make()
        result = verified("stwo", TRANSFER)
        assert (result.exit_code, which in result.stderr) == (2, True)


def calibrated(*arguments: str) -> set[str]:
    """Measures as briefly as can be; the texts of the costs in the table."""
    result = simnet("calibrate", "--seconds", "0", "--out", "c.toml", *arguments)
    assert result.exit_code == 0, result.stderr
    costs = tomllib.loads(Path("c.toml").read_text())["costs_us"]
    assert all(10 < us < 60_000_000 for us in costs.values())
    assert all(key in result.stdout for key in costs)
    return set(costs)


def both(backend: BackendId, circuit: Circuit) -> set[str]:
    return {CostKey(backend, circuit, operation, security).text for operation in (PROVE, VERIFY) for security in Security}


def test_calibrate_measures_a_table_that_a_run_can_use() -> None:
    circuits = [c for each in calibration.usual_circuits([8], [16]).values() for c in each]
    keys = calibrated("--backend", "stwo", "--validators", "8", "--blocks", "16")
    assert keys == {key for circuit in circuits for key in both(BackendId.STWO, circuit)}
    costs = cost_model("c.toml")
    for circuit in circuits:
        assert costs.cost(CostKey(BackendId.STWO, circuit, PROVE), "job", None) > 10_000


def test_calibrate_measures_the_circuits_and_sizes_that_are_named() -> None:
    named = ("transaction", "pruning:4,2,2", "uptime:4,2,4,60,30", "consensus", "consensus:8,256,4")
    keys = calibrated("--backend", "plonky3", *(part for name in named for part in ("--circuit", name)), "--validators", "8")
    sizes = {
        CircuitId.TRANSACTION: (),
        CircuitId.PRUNING: (4, 2, 2),
        CircuitId.UPTIME: (4, 2, 4, 60, 30),
        CircuitId.CONSENSUS: (8, 256, 4),
    }
    assert keys == {key for circuit, size in sizes.items() for key in both(BackendId.PLONKY3, Circuit(circuit, size))}


def test_calibrate_leaves_out_what_takes_minutes_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[tuple[BackendId, CircuitId]] = set()

    def note(jobs: list[tuple[Any, Circuit]], *_: object) -> list[tuple[CostKey, float]]:
        asked.update((backend.id, circuit.id) for backend, circuit in jobs)
        return []

    monkeypatch.setattr(calibration, "measure", note)
    everything = {(b, c) for b in BackendId for c in CircuitId}
    assert simnet("calibrate").exit_code == 0
    assert asked == everything - {(BackendId.GROTH16, CircuitId.STATE)}
    asked.clear()
    assert simnet("calibrate", "--circuit", "state").exit_code == 0
    assert asked == {(b, CircuitId.STATE) for b in BackendId}


def test_calibrate_refuses_sizes_that_a_circuit_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native.NativeBackend, "load", lambda *_: pytest.fail("made a key"))
    result = simnet("calibrate", "--circuit", "transaction", "--circuit", "pruning:3,3,3")
    assert (result.exit_code, "Unsupported: " in result.stderr) == (2, True), result.output
    assert not Path("costs.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--validators", "9"], "--validators '9': allowed are numbers out of 8, 32, 64, 128"),
        (["--validators", "8,8"], "each once"),
        (["--validators", ""], "allowed are"),
        (["--blocks", "17"], "--blocks '17': allowed are numbers out of 16, 64, 256, 512"),
        (["--backend", "halo2"], "halo2"),
        (["--circuit", "halo2"], "--circuit 'halo2': allowed are transaction, identity, state, "),
        (
            ["--circuit", "state:16,4"],
            "sizes '16,4': the state circuit takes numbers for transfers, identities, tree depth, such as 16,4,32",
        ),
        (["--circuit", "state:"], "sizes '': the state circuit takes numbers"),
        (["--circuit", "state:1,2,3,"], "sizes '1,2,3,': the state circuit"),
        (["--seconds", "-1"], "--seconds"),
        (["--out", "file/costs.toml"], "cannot write"),
    ],
)
def test_calibrate_refuses_before_it_measures(monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str) -> None:
    monkeypatch.setattr(calibration, "measure", lambda *_: pytest.fail("measured"))
    Path("file").write_text("")
    result = simnet("calibrate", *arguments)
    assert (result.exit_code, expected in result.stderr) == (2, True), result.output
