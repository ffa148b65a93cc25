"""`simnet proof`: single proofs from JSON witnesses, checked and looked into from the command line."""

import hashlib
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from simnet.base.catalogue import BackendId
from simnet.base.codes import FAILED, HELD
from simnet.base.errors import InputError, Problem, SimnetError, reason
from simnet.base.jsontext import json_text
from simnet.base.regular import open_regular
from simnet.cli import paths
from simnet.cli.circuits import ONE_OF_BACKENDS, CircuitName, at_size, backends_named
from simnet.cli.exits import exits
from simnet.record.atomic import write_atomic
from simnet.record.places import refuse_collisions

if TYPE_CHECKING:
    from simnet.proofs.witness.fields import Shape

PROOF_BYTES_MAX = 64 << 20
T = TypeVar("T")


class Format(StrEnum):
    """How a proof to be checked lies in files."""

    envelope = "envelope"
    snarkjs = "snarkjs"


app = typer.Typer(name="proof", help="Make, check and look into single proofs.", no_args_is_help=True)

Backend = Annotated[str, typer.Option(metavar=ONE_OF_BACKENDS, help="The proof system.")]
CircuitOption = Annotated[CircuitName, typer.Option(help="The circuit.")]
Params = Annotated[str | None, typer.Option(help="The circuit's sizes, comma-separated, such as 32,256,4; by default the usual ones.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command()
@exits
def prove(
    witness: Annotated[Path, typer.Argument(help="JSON witness; `simnet proof example` prints a valid one.", parser=paths.path)],
    backend: Backend,
    circuit: CircuitOption,
    out: Annotated[Path, typer.Option(help="Where to write the proof envelope.", parser=paths.new_file)] = Path("proof.bin"),
    params: Params = None,
    as_json: Json = False,
) -> int:
    """Prove a JSON witness and write the proof envelope.

    The proof's randomness is derived from the witness, so that the same witness gives the same bytes.
    """
    from simnet.proofs.witness.files import read_packed

    refuse_collisions([("--out", out)], [("the witness", witness)])
    shape = _shape(backend, circuit, params)
    packed = read_packed(witness, shape, witness=True)
    prover = _prover(shape)
    seed = hashlib.blake2s(b"SIMNET-PROOF-COMMAND-V1" + packed).digest()
    envelope, ms = _timed(lambda: prover.prove(shape.circuit, packed, seed, 0))
    write_atomic(out, envelope)
    facts = {"proof": str(out), "bytes": len(envelope), "prove_ms": ms} | _named(shape)
    _show(facts, as_json, f"proved {circuit} with {backend} in {ms} ms: {out}, {len(envelope)} bytes")
    return HELD


@app.command()
@exits
def verify(
    envelope: Annotated[Path | None, typer.Argument(metavar="PROOF", help="A proof envelope.", parser=paths.path)] = None,
    backend: Annotated[str | None, typer.Option(metavar=ONE_OF_BACKENDS, help="The proof system.")] = None,
    circuit: Annotated[CircuitName | None, typer.Option(help="The circuit.")] = None,
    statement: Annotated[Path | None, typer.Option(help="JSON statement that the proof has to be about.", parser=paths.path)] = None,
    params: Params = None,
    max_bytes: Annotated[int, typer.Option(min=1, max=PROOF_BYTES_MAX, help="Larger proofs are rejected unread.")] = 4 << 20,
    form: Annotated[
        Format, typer.Option("--format", help="`snarkjs`: a Groth16 proof of any circuit, from three files.")
    ] = Format.envelope,
    key: Annotated[Path | None, typer.Option(help="With snarkjs: verification_key.json or a .zkey.", parser=paths.path)] = None,
    proof: Annotated[Path | None, typer.Option(help="With snarkjs: proof.json.", parser=paths.path)] = None,
    public: Annotated[Path | None, typer.Option(help="With snarkjs: public.json.", parser=paths.path)] = None,
    as_json: Json = False,
) -> int:
    """Check a proof: exit code 0 when it is accepted, 1 when it is rejected.

    An envelope is checked against a JSON statement: simnet proof verify proof.bin --backend stwo --circuit transaction
    --statement statement.json. A proof of snarkjs or circom is checked against its public inputs:
    simnet proof verify --format snarkjs --key verification_key.json --proof proof.json --public public.json.
    """
    ours = {"PROOF": envelope, "--backend": backend, "--circuit": circuit, "--statement": statement}
    theirs = {"--key": key, "--proof": proof, "--public": public}
    if form is Format.snarkjs:
        _require(form, theirs, ours | {"--params": params})
        return _verify_snarkjs(_given(key), _given(proof), _given(public), as_json)
    _require(form, ours, theirs)
    return _verify_envelope(_given(envelope), _shape(_given(backend), _given(circuit), params), _given(statement), max_bytes, as_json)


def _given(value: T | None) -> T:
    assert value is not None
    return value


def _require(form: Format, wanted: Mapping[str, object], others: Mapping[str, object]) -> None:
    """Refuses options that are missing and those of the other format. Raises SimnetError."""
    missing = [name for name, value in wanted.items() if value is None]
    foreign = [name for name, value in others.items() if value is not None]
    if missing or foreign:
        faults = [f"{', '.join(missing)}: required"] * bool(missing) + [f"{', '.join(foreign)}: of another format"] * bool(foreign)
        raise SimnetError(f"--format {form.value}: {'; '.join(faults)}")


def _verify_envelope(proof: Path, shape: "Shape", statement: Path, max_bytes: int, as_json: bool) -> int:
    from simnet.proofs.witness.files import read_packed

    packed = read_packed(statement, shape, witness=False)
    # One byte more than allowed is enough for the verifier to see that there are too many.
    envelope = _read_at_most(proof, max_bytes + 1)
    verifier = _prover(shape)
    public = verifier.public_inputs(shape.circuit, packed)
    verdict, ms = _timed(lambda: verifier.verify(shape.circuit, public, envelope, max_bytes))
    facts = {"accepted": verdict.accepted, "reason": verdict.reason, "verify_ms": ms, "public_inputs": public.hex()}
    facts |= {"pinned": verifier.is_pinned(shape.circuit)} | _named(shape)
    _show(facts, as_json, "accepted" if verdict.accepted else f"rejected: {verdict.reason}")
    return HELD if verdict.accepted else FAILED


def _verify_snarkjs(key: Path, proof: Path, public: Path, as_json: bool) -> int:
    from simnet.cli.snarkjs import accepts

    accepted, ms = _timed(lambda: accepts(key, proof, public))
    facts = {"accepted": accepted, "reason": "accepted" if accepted else "PairingMismatch", "verify_ms": ms}
    _show(facts, as_json, "accepted" if accepted else "rejected: PairingMismatch")
    return HELD if accepted else FAILED


@app.command()
@exits
def export(
    proof: Annotated[Path, typer.Argument(help="A proof envelope made with Groth16.", parser=paths.path)],
    circuit: CircuitOption,
    statement: Annotated[Path, typer.Option(help="JSON statement that the proof is about.", parser=paths.path)],
    out: Annotated[Path, typer.Option(help="Folder for verification_key.json, public.json and proof.json.", parser=paths.path)] = Path(),
    params: Params = None,
    as_json: Json = False,
) -> int:
    """Write a Groth16 proof as snarkjs has it, with its key and public inputs, for `snarkjs groth16 verify`."""
    from simnet.cli.snarkjs import DOCUMENTS
    from simnet.proofs import native
    from simnet.proofs.witness.files import read_packed

    refuse_collisions([(name, out / name) for name in DOCUMENTS], [("the proof", proof), ("the statement", statement)])
    shape = _shape(BackendId.GROTH16.label, circuit, params)
    packed = read_packed(statement, shape, witness=False)
    envelope = _read_at_most(proof, PROOF_BYTES_MAX)
    prover = _prover(shape)
    documents = native.groth16_export(prover.key(shape.circuit), prover.public_inputs(shape.circuit, packed), envelope)
    for name, text in zip(DOCUMENTS, documents, strict=True):
        write_atomic(out / name, text)
    _show({"written": [str(out / name) for name in DOCUMENTS]} | _named(shape), as_json, f"{', '.join(DOCUMENTS)} written to {out}")
    return HELD


@app.command()
@exits
def inspect(
    proof: Annotated[Path, typer.Argument(help="A proof envelope.", parser=paths.path)],
    as_json: Json = False,
) -> int:
    """Print what a proof envelope claims to be. Needs no key, and checks nothing but lengths."""
    from simnet.proofs import pinned
    from simnet.proofs.envelope import read_header
    from simnet.proofs.witness.files import read_limited

    envelope = read_limited(proof, PROOF_BYTES_MAX)
    try:
        header = read_header(envelope)
    except SimnetError as error:
        raise InputError([Problem(proof, None, "", None, str(error))]) from error
    facts: dict[str, object] = {
        "proof_version": header.proof_version,
        "backend": header.backend_label,
        "circuit": header.circuit_label,
        "circuit_version": header.circuit_version,
        "params_hash": header.params_hash.hex(),
        "vk_id": header.vk_id.hex(),
        "public_digest": header.public_digest.hex(),
        "proof_bytes": header.proof_bytes,
        "envelope_bytes": len(envelope),
        "known_as": pinned.known(header.params_hash, header.vk_id)
        or _cached(header.params_hash, header.vk_id)
        or "unknown parameters or key",
    }
    _show(facts, as_json, "\n".join(f"{name.replace('_', ' '):16}{value}" for name, value in facts.items()))
    return HELD


@app.command()
@exits
def example(
    circuit: CircuitOption,
    backend: Backend = BackendId.STWO.label,
    params: Params = None,
    statement: Annotated[bool, typer.Option("--statement", help="Print the statement alone, as `verify` takes it.")] = False,
) -> int:
    """Print a valid JSON witness to start from. Digests are of the backend's own field."""
    from simnet.proofs import witness

    shape = _shape(backend, circuit, params)
    sample = witness.example(shape)
    value = witness.unpack(sample.statement if statement else sample.witness, shape, witness=not statement)
    typer.echo(json_text(value))
    return HELD


def _cached(params_hash: bytes, vk_id: bytes) -> str | None:
    """The cached key with these ids, for circuits of other sizes than the committed ones."""
    from simnet.proofs.keys import default_folder, manifest

    try:
        entries = manifest(default_folder())
    except ValueError:
        return None  # `simnet keys verify` says what is wrong with it; an envelope can be looked into without
    ids = (params_hash.hex(), vk_id.hex())
    return next((f"cached {name}" for name, entry in entries.items() if (entry.params_hash, entry.vk_id) == ids), None)


def _shape(backend: str, circuit: CircuitName, params: str | None) -> "Shape":
    """The backend and the circuit at a size. Raises SimnetError for sizes that are no numbers, or too few or too many."""
    from simnet.proofs.witness.fields import Shape

    (system,) = backends_named("--backend", [backend])
    return Shape(system, at_size(circuit, params))


def _prover(shape: "Shape") -> Any:
    """The backend with its key loaded, so that timings are of the operation alone."""
    from simnet.proofs.keys import default_folder
    from simnet.proofs.native import NativeBackend

    prover = NativeBackend(shape.backend, default_folder())
    prover.load(shape.circuit)
    return prover


def _read_at_most(path: Path, count: int) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(count)
    except OSError as error:
        raise InputError([Problem(path, None, "", None, reason(error))]) from error


def _timed(operation: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = operation()
    return result, round((time.perf_counter() - start) * 1000, 3)


def _named(shape: "Shape") -> dict[str, object]:
    return {"backend": shape.backend.label, "circuit": shape.circuit.id.label, "params": list(shape.circuit.params)}


def _show(facts: dict[str, Any], as_json: bool, text: str) -> None:
    typer.echo(json_text(facts) if as_json else text)
