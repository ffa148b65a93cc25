"""Hostile proofs at the native boundary: every region flipped, every public input changed, everything swapped.

All are rejected with a reason, and none crashes the process.
"""

import random
import struct

import pytest

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.proofs import native
from simnet.proofs.samples import TRANSACTION, transaction
from tests.proofs.proven import CONSENSUS, MAX_BYTES, SEED, backend, consensus, proven

CIRCUITS = [CircuitId.TRANSACTION, CircuitId.IDENTITY, CircuitId.STATE, CircuitId.CONSENSUS]
ALL = [(b, c) for b in BackendId for c in CIRCUITS]
HEADER = [
    ("proof_version", 0, "VersionMismatch"),
    ("backend", 2, "UnknownBackend"),
    ("circuit", 3, "UnknownProofKind"),
    ("circuit_version", 4, "CircuitVersionMismatch"),
    ("params_hash", 6, "ParamsHashMismatch"),
    ("params_hash", 37, "ParamsHashMismatch"),
    ("vk_id", 38, "VerifyingKeyMismatch"),
    ("public_digest", 70, "PublicDigestMismatch"),
    ("proof_len", 102, "BodyLengthMismatch"),
]
each = pytest.mark.parametrize(("which", "circuit"), ALL, ids=[f"{b.label}-{c.label}" for b, c in ALL])


def verify(which: BackendId, circuit: CircuitId, envelope: bytes, public: bytes | None = None) -> str:
    sample, own, _ = proven(which, circuit)
    return backend(which).verify(sample.circuit, own if public is None else public, envelope, MAX_BYTES).reason


@each
def test_an_honest_proof_is_accepted(which: BackendId, circuit: CircuitId) -> None:
    assert verify(which, circuit, proven(which, circuit)[2]) == "accepted"


@each
@pytest.mark.parametrize(("field", "offset", "reason"), HEADER)
def test_header_fields_are_checked_in_order(which: BackendId, circuit: CircuitId, field: str, offset: int, reason: str) -> None:
    envelope = bytearray(proven(which, circuit)[2])
    envelope[offset] ^= 0x40
    assert verify(which, circuit, bytes(envelope)) == reason, field


@each
def test_every_region_of_the_proof_is_covered(which: BackendId, circuit: CircuitId) -> None:
    """A flipped bit in each of 400 evenly spread places, and in every one of the first and last 64 bytes."""
    envelope = proven(which, circuit)[2]
    start = native.ENVELOPE_HEADER_BYTES
    body = range(start, len(envelope))
    places = {*body[:64], *body[-64:], *body[:: max(1, len(body) // 400)]}
    rng = random.Random(7)
    for place in sorted(places):
        hostile = bytearray(envelope)
        hostile[place] ^= 1 << rng.randrange(8)
        assert verify(which, circuit, bytes(hostile)) != "accepted", f"byte {place} of {len(envelope)}"


@each
def test_cut_and_extended_proofs(which: BackendId, circuit: CircuitId) -> None:
    envelope = proven(which, circuit)[2]
    assert {verify(which, circuit, envelope[:n]) for n in range(native.ENVELOPE_HEADER_BYTES)} == {"InvalidProofShape"}
    for hostile in (envelope[:-1], envelope + b"\0", envelope[:200]):
        assert verify(which, circuit, hostile) == "BodyLengthMismatch"
    for change in (-1, 1, 4, -32, 64):
        body = envelope[native.ENVELOPE_HEADER_BYTES :]
        body = body[:change] if change < 0 else body + bytes(change)
        hostile = envelope[:102] + struct.pack("<I", len(body)) + body
        assert verify(which, circuit, hostile) != "accepted"


@each
def test_an_oversize_proof_is_refused_before_anything_else(which: BackendId, circuit: CircuitId) -> None:
    sample, public, envelope = proven(which, circuit)
    limit = len(envelope) - 1
    assert backend(which).verify(sample.circuit, public, b"\xff" * len(envelope), limit).reason == "ProofTooLarge"
    assert backend(which).verify(sample.circuit, public, envelope, limit + 1).accepted


@each
def test_every_public_input_is_bound(which: BackendId, circuit: CircuitId) -> None:
    """Each element plus one, with the header's digest patched to match, so that only the proof can tell."""
    sample, public, envelope = proven(which, circuit)
    size = 32 if which is BackendId.GROTH16 else 4
    for at in range(0, len(public), size):
        element = int.from_bytes(public[at : at + size], "little")
        changed = public[:at] + (element + 1 if element % 2**16 != 0xFFFF else element - 1).to_bytes(size, "little") + public[at + size :]
        digest = native.public_digest(which, sample.circuit, changed)
        patched = envelope[: native.PUBLIC_DIGEST.start] + digest + envelope[native.PUBLIC_DIGEST.stop :]
        assert verify(which, circuit, envelope, changed) != "accepted"
        assert verify(which, circuit, patched, changed) != "accepted", f"element {at // size}"


@each
def test_public_inputs_must_be_canonical(which: BackendId, circuit: CircuitId) -> None:
    """x and x + p are not the same input."""
    modulus = {
        BackendId.STWO: 2**31 - 1,
        BackendId.PLONKY3: 2**31 - 2**24 + 1,
        BackendId.GROTH16: 21888242871839275222246405745257275088548364400416034343698204186575808495617,
    }[which]
    _, public, envelope = proven(which, circuit)
    size = 32 if which is BackendId.GROTH16 else 4
    raised = int.from_bytes(public[:size], "little") + modulus
    assert verify(which, circuit, envelope, raised.to_bytes(size, "little") + public[size:]) == "NonCanonicalFieldElement"
    assert verify(which, circuit, envelope, public[:-1]) in {"PublicInputMismatch", "NonCanonicalFieldElement"}
    assert verify(which, circuit, envelope, public + bytes(size)) == "PublicInputMismatch"
    assert verify(which, circuit, envelope, b"") == "PublicInputMismatch"


@pytest.mark.parametrize("ours", BackendId)
@pytest.mark.parametrize("theirs", BackendId)
def test_proofs_do_not_cross_backends_or_circuits(ours: BackendId, theirs: BackendId) -> None:
    for a in CIRCUITS:
        for b in CIRCUITS:
            reason = verify(ours, a, proven(theirs, b)[2])
            assert (reason == "accepted") == (ours is theirs and a is b)


@pytest.mark.parametrize("which", BackendId)
def test_a_proof_of_another_size_profile_is_refused(which: BackendId) -> None:
    """The header is patched to claim our key; the transcript (or pairing) still tells."""
    sample, public, envelope = proven(which, CircuitId.CONSENSUS)
    other = proven(which, CircuitId.TRANSACTION)[2]
    disguised = envelope[: native.ENVELOPE_HEADER_BYTES - 4] + other[native.ENVELOPE_HEADER_BYTES - 4 :]
    assert not backend(which).verify(sample.circuit, public, disguised, MAX_BYTES).accepted


@pytest.mark.parametrize("which", BackendId)
def test_a_proof_for_another_statement_is_refused(which: BackendId) -> None:
    other = transaction(amount=26)
    public = backend(which).public_inputs(TRANSACTION, other.statement)
    envelope = proven(which, CircuitId.TRANSACTION)[2]
    digest = native.public_digest(which, TRANSACTION, public)
    patched = envelope[: native.PUBLIC_DIGEST.start] + digest + envelope[native.PUBLIC_DIGEST.stop :]
    assert backend(which).verify(TRANSACTION, public, envelope, MAX_BYTES).reason == "PublicDigestMismatch"
    assert not backend(which).verify(TRANSACTION, public, patched, MAX_BYTES).accepted


@pytest.mark.parametrize("which", BackendId)
def test_false_statements_cannot_be_proved(which: BackendId) -> None:
    prover = backend(which)
    for false in (transaction(nonce=9), transaction(amount=0), transaction(amount=1_000_000)):
        with pytest.raises(ProofError):
            prover.prove(TRANSACTION, false.witness, SEED, 1)
    with pytest.raises(ProofError):
        prover.prove(CONSENSUS, consensus(which, voters=4).witness, SEED, 1)


@pytest.mark.parametrize("which", BackendId)
def test_proof_bytes_depend_on_seed_and_statement_alone(which: BackendId) -> None:
    sample, _, envelope = proven(which, CircuitId.TRANSACTION)
    prover = backend(which)
    assert {prover.prove(sample.circuit, sample.witness, SEED, threads) for threads in (1, 2, 4, 0)} == {envelope}
    large, _, large_envelope = proven(which, CircuitId.CONSENSUS)
    assert prover.prove(large.circuit, large.witness, SEED, 2) == large_envelope


@pytest.mark.parametrize("which", BackendId)
def test_random_bytes_never_crash(which: BackendId) -> None:
    rng = random.Random(11)
    envelope = proven(which, CircuitId.TRANSACTION)[2]
    header = envelope[: native.ENVELOPE_HEADER_BYTES - 4]
    for _ in range(300):
        noise = rng.randbytes(rng.randrange(0, 4096))
        assert verify(which, CircuitId.TRANSACTION, noise) != "accepted"
        assert verify(which, CircuitId.TRANSACTION, header + struct.pack("<I", len(noise)) + noise) != "accepted"
