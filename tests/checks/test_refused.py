"""proven, aggregated: what an honest node sets out to prove, and its own prover refuses, ends no run and is not lost either."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simnet.base.catalogue import CircuitId
from simnet.base.errors import ProofError
from simnet.events import ProvingFailed
from simnet.proofs.backend import Circuit
from tests.checks.kit import Bench, bench, breaks, broken
from tests.mocks import MockBackend, scenario

WHY = "ConstraintViolation: C11 (gate 560)"


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[[CircuitId], None]:
    """Provers refuse every witness of a circuit."""
    prove = MockBackend.prove

    def refuse(which: CircuitId) -> None:
        def strict(self: MockBackend, circuit: Circuit, *rest: Any) -> bytes:
            if circuit.id is which:
                raise ProofError(WHY)
            return prove(self, circuit, *rest)

        monkeypatch.setattr(MockBackend, "prove", strict)

    return refuse


@pytest.mark.parametrize(
    ("circuit", "check"),
    [
        (CircuitId.CONSENSUS, "proven"),
        (CircuitId.TRANSACTION, "proven"),
        (CircuitId.STATE, "aggregated"),
        (CircuitId.RECURSIVE, "aggregated"),
    ],
)
def test_a_prover_that_refuses_its_own_node_is_found(refusing: Callable[[CircuitId], None], circuit: CircuitId, check: str) -> None:
    refusing(circuit)
    b = bench(8, rate=3.0)
    result = b.run()
    violation = breaks(result, check, f"refused the node's own {circuit.label} witness: {WHY}")
    assert violation.nodes == (b.of(ProvingFailed)[0].node,)
    assert min(n.chain.height for n in b.nodes) >= 7, "the run goes on"
    assert "nothing_unverified" not in broken(result)


def test_the_same_where_costs_are_those_of_the_machine(refusing: Callable[[CircuitId], None]) -> None:
    """There a job's time is asked for before its result."""
    refusing(CircuitId.CONSENSUS)
    breaks(Bench(scenario(4, slots=5), costs=Path("measured")).run(), "proven", WHY)


def test_what_an_opponents_prover_refuses_is_its_own_affair(refusing: Callable[[CircuitId], None]) -> None:
    refusing(CircuitId.TRANSACTION)
    fault = {"kind": "forged_proofs", "nodes": [0, 1, 2, 3], "of": ["consensus"], "per_second": 1.0, "start_ms": 0, "duration_ms": 4000}
    b = bench(5, rate=3.0, faults={"nodes": [fault]})
    result = b.run()
    assert b.of(ProvingFailed) and "proven" not in broken(result)


def test_another_error_of_a_prover_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(MockBackend, "prove", fail)
    with pytest.raises(MemoryError):
        bench(5, rate=3.0).run()
