"""What a relay changes in what others signed is refused where it arrives, whatever the verifier would say to it."""

from dataclasses import replace

import pytest

from simnet.base.units import NodeId
from simnet.net.network import Validation
from simnet.node import finality
from simnet.node.aggregation import Incoming
from simnet.protocol.messages import ConsensusProof
from tests.mocks import Bench, scenario

RELAY = NodeId(4)


@pytest.fixture(scope="module")
def bench() -> Bench:
    """A run that is over; node 4 has made none of what is looked at."""
    bench = Bench(scenario(slots=6, rate=4.0))
    assert bench.run().complete
    return bench


def answers(bench: Bench, proof: ConsensusProof) -> list[tuple[Validation, str]]:
    """What node 0 says to a consensus proof of a block that it holds unproven."""
    node, asked = bench.nodes[0], bench.ask(0)
    committed = node.chain.at(proof.certificate.height)
    assert committed is not None
    kept, committed.proof = committed.proof, None
    node.finality.take(finality.Incoming(proof, RELAY, asked))
    committed.proof = kept
    return asked.told


def proven(bench: Bench) -> ConsensusProof:
    return next(c.proof for c in bench.nodes[0].chain.committed if c.proof is not None and c.proof.prover != RELAY)


def test_a_payload_is_the_one_that_the_transfer_names(bench: Bench) -> None:
    facts = bench.facts
    message = next(iter(bench.nodes[0].transactions.verified.values()))
    assert facts.why_malformed(message) is None
    assert facts.why_malformed(replace(message, payload=message.payload + b"x")) == "memo_mismatch"


def test_nobody_puts_its_name_under_anothers_consensus_proof(bench: Bench) -> None:
    proof = proven(bench)
    assert answers(bench, replace(proof, prover=RELAY)) == [(Validation.REJECT, "SignatureInvalid")]


def test_nobody_puts_its_name_under_anothers_block_proof(bench: Bench) -> None:
    aggregation = bench.nodes[0].aggregation
    proof = next(p for h in range(1, 4) for p in aggregation.proofs_of(h) if p.prover != RELAY)
    asked = bench.ask(0)
    aggregation.take(Incoming(replace(proof, prover=RELAY), RELAY, asked))
    assert asked.told == [(Validation.REJECT, "SignatureInvalid")]


@pytest.mark.parametrize("change", [lambda vrf: vrf[1:], lambda vrf: vrf[::-1], lambda vrf: (*vrf, vrf[-1])])
def test_a_proof_has_one_vrf_output_of_each_member(bench: Bench, change) -> None:  # type: ignore[no-untyped-def]
    proof = proven(bench)
    changed = replace(proof, vrf=change(proof.vrf), prover=RELAY)
    signed = bench.nodes[RELAY].keyring.signed(changed)
    assert answers(bench, signed) == [(Validation.REJECT, "vrf_entries")]
