"""The statements and witnesses that nodes build are what the circuits of blocks accept."""

from collections.abc import Callable
from functools import cache

import pytest

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.proofs import native
from simnet.proofs.samples import Sample
from tests import block_samples as samples
from tests.proofs.proven import MAX_BYTES, SEED, backend

FIELDS = (BackendId.STWO, BackendId.PLONKY3)
each_field = pytest.mark.parametrize("which", FIELDS)
SAMPLES: dict[str, Callable[[BackendId], Sample]] = {
    "first join": lambda b: samples.identity(b, 0),
    "last join": lambda b: samples.identity(b, 3),
    "joins and transfers": lambda b: samples.state(b, 40, 0),
    "transfers of the second chunk": lambda b: samples.state(b, 40, 1),
    "transfers of the last chunk": lambda b: samples.state(b, 40, 2),
    "a block without transfers": lambda b: samples.state(b, 0),
    "a full window of heartbeats": samples.uptime,
    "just enough heartbeats": lambda b: samples.uptime(b, beats=24),
    "a pruning window": lambda b: samples.pruning(b, 4, 16),
    "an aggregate": lambda b: samples.recursive(b, backend(b), 16, transfers=5),
    "an aggregate of a full block": lambda b: samples.recursive(b, backend(b), 16),
    "an aggregate of joins alone": lambda b: samples.recursive(b, backend(b), 16, transfers=0),
}


@cache
def sample(which: BackendId, name: str) -> Sample:
    return SAMPLES[name](which)


@each_field
@pytest.mark.parametrize("name", SAMPLES)
def test_what_a_node_builds_is_proved_and_accepted(which: BackendId, name: str) -> None:
    s, prover = sample(which, name), backend(which)
    public = prover.public_inputs(s.circuit, s.statement)
    envelope = prover.prove(s.circuit, s.witness, SEED, 1)
    assert prover.verify(s.circuit, public, envelope, MAX_BYTES).accepted


@each_field
def test_one_heartbeat_too_few_is_not_proved(which: BackendId) -> None:
    few = samples.uptime(which, beats=23)
    with pytest.raises(ProofError):
        backend(which).prove(few.circuit, few.witness, SEED, 1)


@each_field
def test_a_proof_of_one_chunk_is_refused_for_another(which: BackendId) -> None:
    first, second, prover = sample(which, "joins and transfers"), sample(which, "transfers of the second chunk"), backend(which)
    envelope = prover.prove(second.circuit, second.witness, SEED, 1)
    verdict = prover.verify(first.circuit, prover.public_inputs(first.circuit, first.statement), envelope, MAX_BYTES)
    assert (verdict.accepted, verdict.reason) == (False, "PublicDigestMismatch")


@each_field
def test_an_aggregate_on_another_parent_is_refused(which: BackendId) -> None:
    s, prover = sample(which, "an aggregate"), backend(which)
    assert s.circuit.id is CircuitId.RECURSIVE
    # The opening of the previous aggregate begins after the key ids, with the commitment before it.
    at = 7 * 32
    other = s.statement[:at] + bytes([s.statement[at] ^ 1]) + s.statement[at + 1 :]
    envelope = prover.prove(s.circuit, s.witness, SEED, 1)
    verdict = prover.verify(s.circuit, prover.public_inputs(s.circuit, other), envelope, MAX_BYTES)
    assert (verdict.accepted, verdict.reason) == (False, "PublicDigestMismatch")


@each_field
def test_a_decision_of_other_members_is_another_aggregate(which: BackendId) -> None:
    """The members' digest is bound, and the block's header must be the one that they decided."""
    s, prover = sample(which, "an aggregate"), backend(which)
    decision = samples.decision(which, *samples.block(which, 5, 16))
    at = s.statement.index(decision)
    assert s.statement.count(decision) == 1
    others = s.statement[: at + 32] + native.lift(which, b"m" * 32) + s.statement[at + 64 :]
    public = [prover.public_inputs(s.circuit, statement) for statement in (s.statement, others)]
    assert public[0] != public[1]
    assert prover.verify(s.circuit, public[1], prover.prove(s.circuit, others, SEED, 1), MAX_BYTES).accepted
    another_block = s.statement[:at] + native.lift(which, b"b" * 32) + s.statement[at + 32 :]
    with pytest.raises(ProofError, match="R11"):
        prover.prove(s.circuit, another_block, SEED, 1)
