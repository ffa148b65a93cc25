"""`simnet proof`: single proofs from JSON witnesses, checked and looked into from the command line."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simnet.cli.circuits import BackendName, CircuitName, at_size
from simnet.cli.exits import FAILED, HELD, exits
from simnet.errors import InputError, Problem, SimnetError
from simnet.record.atomic import write_atomic

if TYPE_CHECKING:
    from simnet.proofs.witness.fields import Shape

PROOF_BYTES_MAX = 64 << 20
app = typer.Typer(name="proof", help="Make, check and look into single proofs.", no_args_is_help=True)

Backend = Annotated[BackendName, typer.Option(help="The proof system.")]
CircuitOption = Annotated[CircuitName, typer.Option(help="The circuit.")]
Params = Annotated[str | None, typer.Option(help="The circuit's sizes, comma-separated, such as 32,256,4; by default the usual ones.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command()
@exits
def prove(
    witness: Annotated[Path, typer.Argument(help="JSON witness; `simnet proof example` prints a valid one.")],
    backend: Backend,
    circuit: CircuitOption,
    out: Annotated[Path, typer.Option(help="Where to write the proof envelope.")] = Path("proof.bin"),
    params: Params = None,
    as_json: Json = False,
) -> int:
    """Prove a JSON witness and write the proof envelope.

    The proof's randomness is derived from the witness, so that the same witness gives the same bytes.
    """
    from simnet.proofs.witness.files import read_packed

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
    proof: Annotated[Path, typer.Argument(help="A proof envelope.")],
    backend: Backend,
    circuit: CircuitOption,
    statement: Annotated[Path, typer.Option(help="JSON statement that the proof has to be about.")],
    params: Params = None,
    max_bytes: Annotated[int, typer.Option(min=1, max=PROOF_BYTES_MAX, help="Larger proofs are rejected unread.")] = 4 << 20,
    as_json: Json = False,
) -> int:
    """Check a proof against a JSON statement: exit code 0 when it is accepted, 1 when it is rejected."""
    from simnet.proofs.witness.files import read_packed

    shape = _shape(backend, circuit, params)
    packed = read_packed(statement, shape, witness=False)
    # One byte more than allowed is enough for the verifier to see that there are too many.
    envelope = _read_at_most(proof, max_bytes + 1)
    verifier = _prover(shape)
    public = verifier.public_inputs(shape.circuit, packed)
    verdict, ms = _timed(lambda: verifier.verify(shape.circuit, public, envelope, max_bytes))
    facts = {"accepted": verdict.accepted, "reason": verdict.reason, "verify_ms": ms, "public_inputs": public.hex()} | _named(shape)
    _show(facts, as_json, "accepted" if verdict.accepted else f"rejected: {verdict.reason}")
    return HELD if verdict.accepted else FAILED


@app.command()
@exits
def inspect(
    proof: Annotated[Path, typer.Argument(help="A proof envelope.")],
    as_json: Json = False,
) -> int:
    """Print what a proof envelope claims to be. Needs no key, and checks nothing but lengths."""
    from simnet.proofs import pins
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
        "known_as": pins.known(header.params_hash, header.vk_id)
        or _cached(header.params_hash, header.vk_id)
        or "unknown parameters or key",
    }
    _show(facts, as_json, "\n".join(f"{name.replace('_', ' '):16}{value}" for name, value in facts.items()))
    return HELD


@app.command()
@exits
def example(
    circuit: CircuitOption,
    backend: Backend = BackendName.stwo,
    params: Params = None,
    statement: Annotated[bool, typer.Option("--statement", help="Print the statement alone, as `verify` takes it.")] = False,
) -> int:
    """Print a valid JSON witness to start from. Digests are of the backend's own field."""
    from simnet.proofs import witness

    shape = _shape(backend, circuit, params)
    sample = witness.example(shape)
    value = witness.unpack(sample.statement if statement else sample.witness, shape, witness=not statement)
    typer.echo(json.dumps(value, indent=2))
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


def _shape(backend: BackendName, circuit: CircuitName, params: str | None) -> "Shape":
    """The backend and the circuit at a size. Raises SimnetError for sizes that are no numbers, or too few or too many."""
    from simnet.proofs.witness.fields import Shape

    return Shape(backend.id, at_size(circuit, params))


def _prover(shape: "Shape") -> Any:
    """The backend with its key loaded, so that timings are of the operation alone."""
    from simnet.proofs.keys import default_folder
    from simnet.proofs.native import NativeBackend

    prover = NativeBackend(shape.backend, default_folder())
    prover.load(shape.circuit)
    return prover


def _read_at_most(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise InputError([Problem(path, None, "", None, error.strerror or str(error))]) from error


def _timed(operation: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = operation()
    return result, round((time.perf_counter() - start) * 1000, 3)


def _named(shape: "Shape") -> dict[str, object]:
    return {"backend": shape.backend.label, "circuit": shape.circuit.id.label, "params": list(shape.circuit.params)}


def _show(facts: dict[str, Any], as_json: bool, text: str) -> None:
    typer.echo(json.dumps(facts, indent=2) if as_json else text)
