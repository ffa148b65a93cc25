"""What opponents make of real proofs, before the real verifiers."""

from typing import Any

import pytest

from simnet.base.catalogue import BackendId
from simnet.base.rng import Draws
from simnet.node.opponents.envelopes import Claim, forged, negated
from simnet.node.opponents.plan import Plan
from simnet.proofs import native, samples
from simnet.proofs.backend import ACCEPTED
from simnet.scenario.opponents import ForgedProofs
from tests.proofs.proven import CONSENSUS, MAX_BYTES, SEED, backend

FAULT: Any = ForgedProofs(kind="forged_proofs", nodes=(0,), start_ms=0, duration_ms=1)


def proved(which: BackendId, amount: int) -> tuple[bytes, bytes]:
    """(public inputs, envelope) of a transfer."""
    sample, prover = samples.transaction(amount), backend(which)
    prover.load(sample.circuit)
    return prover.public_inputs(sample.circuit, sample.statement), prover.prove(sample.circuit, sample.witness, SEED, 1)


@pytest.mark.parametrize("which", BackendId)
@pytest.mark.parametrize("what", ["spoiled", "other_statement", "other_block", "other_key", "oversize"])
def test_no_forged_proof_is_accepted(which: BackendId, what: str) -> None:
    circuit, prover = samples.TRANSACTION, backend(which)
    public, real = proved(which, 25)
    _, other = proved(which, 26)
    assert prover.verify(circuit, public, real, MAX_BYTES) == ACCEPTED
    prover.load(CONSENSUS)
    claim = Claim(native.public_digest(which, circuit, public), prover.vk_id(CONSENSUS), MAX_BYTES)
    made = forged(what, other if what in ("other_statement", "other_block") else real, claim, Plan(Draws(1), 0, FAULT))
    assert made != real and not prover.verify(circuit, public, made, MAX_BYTES).accepted


def test_a_negated_groth16_proof_is_another_proof_of_the_same() -> None:
    """Malleable by nature: whoever keys anything by a proof's bytes must know."""
    circuit, prover = samples.TRANSACTION, backend(BackendId.GROTH16)
    public, real = proved(BackendId.GROTH16, 25)
    made = negated(real)
    assert made != real and negated(made) == real
    assert prover.verify(circuit, public, made, MAX_BYTES) == ACCEPTED
    other, _ = proved(BackendId.GROTH16, 26)
    assert not prover.verify(circuit, other, made, MAX_BYTES).accepted
