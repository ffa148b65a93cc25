"""The security profiles at the native boundary and in a run."""

import pytest

from simnet import _zk
from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs.backend import Circuit, Security
from simnet.proofs.costs import CostKey, cost_model
from simnet.proofs.keys import default_folder
from simnet.proofs.native import NativeBackend
from simnet.proofs.samples import TRANSACTION, transaction
from tests.proofs.proven import MAX_BYTES, SEED

STARKS = (BackendId.STWO, BackendId.PLONKY3)
FLOORS = {Security.STANDARD: (100.0, 56.0), Security.HIGH: (105.0, 86.0)}


def backend(which: BackendId, security: Security) -> NativeBackend:
    return NativeBackend(which, default_folder(), security)


@pytest.mark.parametrize("security", Security)
@pytest.mark.parametrize("which", STARKS)
def test_each_profile_has_its_bits_and_proves(which: BackendId, security: Security) -> None:
    prover = backend(which, security)
    conjectured, proven = prover.security_bits(TRANSACTION)
    floor = FLOORS[security]
    assert conjectured >= floor[0]
    assert floor[1] <= proven < conjectured
    sample = transaction()
    envelope = prover.prove(TRANSACTION, sample.witness, SEED, 1)
    assert prover.verify(TRANSACTION, prover.public_inputs(TRANSACTION, sample.statement), envelope, MAX_BYTES).accepted


@pytest.mark.parametrize("which", STARKS)
@pytest.mark.parametrize("ours", Security)
def test_a_proof_of_the_other_profile_is_refused(which: BackendId, ours: Security) -> None:
    """As it is, and with a header that claims our key."""
    verifier, prover = backend(which, ours), backend(which, Security(1 - ours))
    sample = transaction()
    public = verifier.public_inputs(TRANSACTION, sample.statement)
    envelope = prover.prove(TRANSACTION, sample.witness, SEED, 1)
    assert verifier.verify(TRANSACTION, public, envelope, MAX_BYTES).reason == "ParamsHashMismatch"
    key = verifier.key(TRANSACTION)
    disguised = envelope[:6] + key.params_hash + key.vk_id + envelope[70:]
    assert not verifier.verify(TRANSACTION, public, disguised, MAX_BYTES).accepted


def test_groth16_has_one_level() -> None:
    standard, high = (backend(BackendId.GROTH16, s).key(TRANSACTION) for s in Security)
    assert standard.vk_id == high.vk_id
    assert CostKey(BackendId.GROTH16, TRANSACTION, "prove", Security.HIGH).text == "groth16/transaction/-/prove"


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(_zk.ZkError, match="security profile 2"):
        _zk.Key.generate(1, 1, [], bytes(32), 2)


def test_the_high_profile_has_costs_of_its_own() -> None:
    costs = cost_model("calibrated")
    for which in STARKS:
        for circuit in (TRANSACTION, Circuit(CircuitId.CONSENSUS, (32, 256, 4))):
            for operation in ("prove", "verify"):
                standard, high = (costs.cost(CostKey(which, circuit, operation, s), "job", None) for s in Security)
                assert high > standard, f"{which.label} {circuit.id.label} {operation}"
