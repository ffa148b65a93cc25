"""Evidence of false proofs and invalid proposals: found, told to all, judged by everybody, booked; false accusations refused."""

from collections import Counter
from dataclasses import replace
from typing import Any

from simnet.base.blob import Blob
from simnet.base.rng import Draws
from simnet.events import (
    EvidenceTaken,
    MessageDelivered,
    MessagePublished,
    MessageValidated,
    MisconductFound,
    PeerScored,
    PenaltyBooked,
    ProofVerified,
)
from simnet.net.network import Validation
from simnet.node.court import Accused
from simnet.node.opponents.plan import Plan
from simnet.protocol.evidence import FalseProof, InvalidProposal
from simnet.protocol.messages import Certificate, ConsensusProof, Phase, Proposal, VrfEntry
from tests.mocks import Bench, misbehaving, scenario, summarised
from tests.node.alone import ACCEPTED, gossiped, puppets
from tests.node.test_by_script import SLOT_MS, begin, decided, votes_of

CHAIN = {"slot_ms": 1000, "lanes_per_wallet": 16, "block_proofs": ["identity", "state", "pruning", "uptime"]}


def bench(*faults: dict[str, Any], nodes: int = 7, slots: int = 10, **sections: Any) -> Bench:
    windows = [{"start_ms": 500, "duration_ms": 1000 * (slots - 3), **f} for f in faults]
    return Bench(scenario(nodes, slots=slots, rate=4.0, faults={"nodes": windows}, chain=CHAIN, consensus={"slashing": True}, **sections))


def verdicts_on_evidence(b: Bench) -> set[tuple[str, str]]:
    kinds = {e.message: e.kind for e in b.of(MessagePublished)}
    return {(e.verdict, e.reason) for e in b.of(MessageValidated) if kinds[e.message] == "evidence"}


def test_who_signs_a_false_proof_pays_for_it() -> None:
    b = bench({"kind": "forged_proofs", "nodes": [1, 4], "per_second": 4.0, "of": ["consensus", "block"]})
    summary = summarised(b)
    found = b.of(MisconductFound)
    assert {e.validator for e in found} == {1, 4} and {e.what for e in found} == {"false_proof"}
    assert {e.node for e in found} >= {0, 2, 3, 5, 6}
    booked = {(e.validator, e.evidence, e.penalty) for e in b.of(PenaltyBooked) if e.node == 0}
    assert booked >= {(1, "false_proof", 5), (4, "false_proof", 5)}
    details = [e.detail for e in b.of(EvidenceTaken) if e.node == 0 and e.evidence == "false_proof"]
    assert all(d.startswith("block_hash=") for d in details) and len(set(details)) == len({(e.height) for e in found})
    assert summary["slashing"]["evidence"]["false_proof"]["against"] == [1, 4]


def test_a_neighbour_that_saw_nothing_is_told_and_judges_for_itself() -> None:
    """A ring: only the forger's own neighbours see the forgery, since they pass nothing on that they refuse."""
    faults = {"nodes": [{"kind": "forged_proofs", "nodes": [3], "per_second": 4.0, "of": ["block"], "start_ms": 500, "duration_ms": 5000}]}
    b = Bench(scenario(7, slots=8, topology={"type": "ring", "k": 2}, faults=faults, chain=CHAIN, consensus={"slashing": True}))
    b.run()
    saw = {e.node for e in b.of(MisconductFound) if not e.heard}
    told = {e.node for e in b.of(MisconductFound) if e.heard}
    assert saw == {2, 4} and told >= {0, 1, 5, 6}


def test_a_leader_answers_for_a_block_that_nobody_may_accept() -> None:
    b = bench({"kind": "invalid_blocks", "nodes": [1, 4, 6], "what": ["state_root", "double_spend", "bad_time"]}, nodes=10, slots=18)
    summary = summarised(b)
    found = b.of(MisconductFound)
    assert {e.what for e in found} == {"invalid_proposal"} and {e.validator for e in found} <= {1, 4, 6}
    offences = {(e.validator, e.height, e.slot) for e in found}
    assert len(found) >= 9 * len(offences) > 0, "everybody knows"
    assert summary["slashing"]["evidence"]["false_proof"]["booked"] == len(offences)


def test_false_accusations_are_refused_and_cost_the_accuser() -> None:
    b = bench(misbehaving(2), slots=8)

    def accuse() -> None:
        accuser, committed = b.nodes[2], b.nodes[2].chain.committed[-1]
        genuine = next(p for p in accuser.aggregation.proofs_of(committed.block.header.height))
        assert committed.proof is not None
        forged = replace(genuine, envelope=Blob(genuine.envelope.data[:-1] + b"x"))
        block = committed.block
        bare = Proposal(block.header.slot, block, -1, block.header.proposer, b"")
        honest = b.nodes[block.header.proposer].keyring.signed(bare)
        elsewhere = replace(block, body=replace(block.body, tx_ids=(*block.body.tx_ids, bytes(32))))
        claims: list[FalseProof | InvalidProposal] = [
            FalseProof(genuine),
            FalseProof(committed.proof),
            FalseProof(forged),
            InvalidProposal(honest),
            InvalidProposal(replace(honest, block=elsewhere)),
        ]
        for claim in claims:
            b.publish(accuser.id, "evidence", claim, claim.size)

    b.at(5500, accuse)
    b.run()
    assert verdicts_on_evidence(b) - {("drop", "in_hand")} == {  # Two proofs of one prover are looked into one after the other.
        ("reject", "proof_holds"),
        ("reject", "SignatureInvalid"),
        ("reject", "block_holds"),
        ("reject", "tx_count"),
    }
    assert not b.of(MisconductFound) and not b.of(EvidenceTaken)
    told = [e for e in b.of(MessageDelivered) if e.kind == "evidence"]
    assert {e.peer for e in told} == {2}, "refused evidence is not passed on"
    assert {(e.peer, e.cause) for e in b.of(PeerScored)} == {(2, "invalid_evidence")}


def test_who_accuses_itself_has_one_proof_after_the_other_looked_into() -> None:
    """However many spoiled proofs of its own it brings: the first that is found out is the evidence, and more of it is known."""
    four = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}, provers={"cpu_factor": 20.0}))
    begin(four, 0)
    decided(four, four)
    begin(four, 1)
    one, bad = four[0], four[3]
    block = one.node.chain.committed[0].block
    votes = tuple(sorted((v for o in four for phase in Phase for v in votes_of(o, phase)), key=lambda v: (v.validator, v.phase)))
    certificate = Certificate(1, 0, block.hash, block.header.backend, one.node.chain.committed[0].electorate.registered(0), votes)
    entries = tuple(VrfEntry(v, bytes(32), bytes(32)) for v in certificate.tags())

    def spoiled(i: int) -> ConsensusProof:
        unsigned = ConsensusProof(certificate, entries, int(bad.node.id), block.header.backend, Blob(b"%064d" % i), b"")
        return bad.node.keyring.signed(unsigned)

    for i in range(100):
        one.hear("evidence", FalseProof(spoiled(i)), int(bad.node.id))
    assert len(one.node.processor.waiting("verifier")) == 1
    assert Counter(reason for _, reason in one.ports.answers)["in_hand"] == 99
    one.ports.pass_time(60_000_000_000)
    assert [e.validator for e in one.ports.events if isinstance(e, MisconductFound)] == [bad.node.id]
    assert one.hear("evidence", FalseProof(spoiled(100)), int(bad.node.id)) == (Validation.IGNORE, "known")
    other = four[2].node.keyring.signed(replace(spoiled(0), prover=int(four[2].node.id), signature=b""))
    one.hear("evidence", FalseProof(other), 3)
    assert one.hear("evidence", FalseProof(other), 3) == (Validation.DROP, "in_hand")
    one.node.letters.judge(Accused(gossiped(1, "evidence", FalseProof(other)), FalseProof(other).offence), ACCEPTED)
    assert one.ports.answers[-1] == (Validation.REJECT, "proof_holds")
    one.hear("evidence", FalseProof(other), 3)
    assert len(one.node.processor.waiting("verifier")) == 2, "the next one is looked into when the first was wrong"
    (verified,) = [e for e in one.ports.events if isinstance(e, ProofVerified)]
    assert verified.peer == bad.node.id and one.node.peers.has_time_for(bad.node.id), "and a true accusation costs nothing"


def test_false_accusations_take_the_accusers_share_of_the_verifiers_time() -> None:
    provers = {"refused_burst_ms": 1, "refused_share_max": 0.0001}
    b = bench(misbehaving(2), slots=8, provers=provers, gossip={"peer_score_max": 10**6})

    def accuse() -> None:
        accuser = b.nodes[2]
        for committed in accuser.chain.committed[:4]:
            for genuine in accuser.aggregation.proofs_of(committed.block.header.height):
                b.publish(accuser.id, "evidence", FalseProof(genuine), genuine.size)

    b.at(5500, accuse)
    b.run()
    assert {("reject", "proof_holds"), ("drop", "peer_throttled")} <= verdicts_on_evidence(b)
    told = {e.message for e in b.of(MessageDelivered) if e.kind == "evidence"}
    looked_into = [e for e in b.of(MessageValidated) if e.message in told and e.reason == "proof_holds"]
    assert len(told) >= 12 and {e.node for e in looked_into} == {0, 1, 3, 4, 5, 6} and len(looked_into) <= 2 * 6
    assert {e.peer for e in b.of(PeerScored)} == {2}


def test_what_cannot_be_judged_here_convicts_nobody() -> None:
    """Of another height than there is, or on another parent: on a fork, an honest leader has one."""
    b = bench(slots=6)

    def accuse() -> None:
        node = b.nodes[2]
        slot, leader = node.voter.slot, node.chain.electorate.leader(node.voter.slot)
        block = node.chain.committed[-1].block
        for header in (
            replace(block.header, parent=b"p" * 32, height=block.header.height + 1, slot=slot, proposer=leader),
            replace(block.header, height=block.header.height + 9, slot=slot, proposer=leader),
        ):
            bare = Proposal(slot, block.assemble(header, block.body), -1, leader, b"")
            claim = InvalidProposal(b.nodes[leader].keyring.signed(bare))
            b.publish(node.id, "evidence", claim, claim.size)

    b.at(3900, accuse)
    b.run()
    assert verdicts_on_evidence(b) == {("drop", "another_parent"), ("drop", "not_committed")}
    assert not b.of(MisconductFound)


def test_turns_are_shared_or_taken_by_each() -> None:
    fault: Any = scenario(5, faults={"nodes": [{"kind": "poison", "nodes": [3, 1], "duration_ms": 10}]}).faults.nodes[0]
    plan = Plan(Draws(7), 0, fault)
    assert [plan.turn(1, "x", "abc") for _ in range(4)] == ["a", "b", "c", "a"]
    assert [plan.turn(3, "x", "abc") for _ in range(2)] == ["b", "c"]
    assert [plan.next("x", "ab") for _ in range(3)] == ["a", "b", "a"]
    halves = plan.halves({0: 5, 1: 9, 2: 3, 3: 1, 4: 3})
    assert halves == (frozenset({0}), frozenset({2, 4})), "colluders are in neither, and the weights are near each other"
