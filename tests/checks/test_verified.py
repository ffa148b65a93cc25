"""nothing_unverified: in each run some part of the verification is left out, and the check says so."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.catalogue import BackendId, CircuitId
from simnet.node import committee, finality, sync, voting
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.facts import Facts
from simnet.node.finality import Finality
from simnet.node.processor import Processor
from simnet.node.voting import Voter
from simnet.proofs.backend import ACCEPTED, Circuit
from simnet.proofs.statements import BlockStatement, Committee, consensus_statement
from simnet.protocol.blocks import Block
from simnet.protocol.cases import Case, place_of
from simnet.protocol.certification import Proven
from simnet.protocol.messages import Certificate, ConsensusProof, Phase, Vote
from simnet.protocol.transfer import Account, Transfer
from simnet.protocol.validators import Electorate, Registry
from simnet.protocol.votes import VoteBook
from tests.checks.kit import bench, breaks, entry
from tests.mocks import MockBackend

CHECK = "nothing_unverified"


def test_an_undisturbed_run_holds_and_says_on_what() -> None:
    told = entry(bench(rate=6.0).run(), CHECK)
    assert told["held"] is True
    assert told["certificates"] == told["consensus_proofs"] == 20
    assert told["transfers"] > 40 and told["block_proofs"] > 20 and told["verified"] > 100


def without_verifier(monkeypatch: pytest.MonkeyPatch, circuit: CircuitId) -> None:
    """Every proof of a circuit is taken as it comes."""
    verify = Processor.verify

    def lax(self: Processor, backend: BackendId, of: Circuit, *rest: Any) -> None:
        if of.id is circuit:
            self._letters.judge(rest[-1], ACCEPTED)
        else:
            verify(self, backend, of, *rest)

    monkeypatch.setattr(Processor, "verify", lax)


@pytest.mark.parametrize(
    ("circuit", "words"),
    [
        (CircuitId.TRANSACTION, "whose proof it has not verified"),
        (CircuitId.CONSENSUS, "without verifying it"),
        (CircuitId.STATE, "without having verified it"),
        (CircuitId.RECURSIVE, "without having verified it"),
    ],
)
def test_a_proof_that_no_verifier_saw_is_found(monkeypatch: pytest.MonkeyPatch, circuit: CircuitId, words: str) -> None:
    without_verifier(monkeypatch, circuit)
    breaks(bench(rate=6.0).run(), CHECK, words)


def test_a_spoiled_proof_that_is_accepted_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MockBackend, "verify", lambda self, *_: ACCEPTED)
    spam = {"start_ms": 0, "spam_factor": 4, "publishers": [0, 1], "spam_kinds": ["flipped_bytes"]}
    result = bench(rate=6.0, faults={"byzantine": spam}).run()
    breaks(result, CHECK, "accepted flipped_bytes proof")
    assert entry(result, CHECK)["spoiled"] >= 1


def test_votes_that_nobody_signed_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures are not looked at, and one node signs nothing."""
    sign = Voter._signed_vote

    def unsigned(self: Voter, *what: Any) -> Vote:
        vote = sign(self, *what)
        return replace(vote, signature=bytes(64)) if vote.validator == 2 else vote

    monkeypatch.setattr(Voter, "_signed_vote", unsigned)
    monkeypatch.setattr(Facts, "vote_valid", lambda self, vote: True)
    breaks(bench().run(), CHECK, "a vote that node 2 did not sign")


@pytest.mark.parametrize(("nodes", "weight"), [(4, 20), (5, 30), (6, 40)])
def test_a_decision_on_no_quorum_of_the_stake_is_found(monkeypatch: pytest.MonkeyPatch, nodes: int, weight: int) -> None:
    """Half of it, three fifths, and two thirds exactly."""
    quorums = VoteBook.quorums

    def early(self: VoteBook, phase: Phase) -> Iterator[tuple[int, bytes | None]]:
        yield from quorums(self, phase)
        if phase is Phase.PRECOMMIT:
            yield from ((s, v) for (s, p), t in self._tallies.items() if p is phase for v, w in t.weight.items() if w >= weight)

    monkeypatch.setattr(VoteBook, "quorums", early)
    breaks(bench(nodes=nodes).run(), CHECK, f"precommits of {weight} of {10 * nodes} of the stake")


def certified(monkeypatch: pytest.MonkeyPatch, node: int, change: Callable[[Certificate], Certificate]) -> Any:
    """One node commits with other certificates than it has seen."""
    b = bench()
    append, victim = Chain.append, b.nodes[node].chain

    def other(self: Chain, block: Block, slot: int, certificate: Certificate, txs: Any) -> CommittedBlock:
        return append(self, block, slot, change(certificate) if self is victim else certificate, txs)

    monkeypatch.setattr(Chain, "append", other)
    return b, lambda vote: b.nodes[vote.validator].keyring.signed(vote)


def test_a_certificate_of_a_slot_to_come_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Really signed by all of them, in a slot that has not begun."""

    def later(certificate: Certificate) -> Certificate:
        slot = certificate.slot + 5
        return replace(certificate, slot=slot, votes=tuple(sign(replace(v, slot=slot)) for v in certificate.votes))

    b, sign = certified(monkeypatch, 1, later)
    assert breaks(b.run(), CHECK, "which has not begun").nodes == (1,)


def forgers(*what: str) -> Any:
    fault = {"kind": "forged_votes", "nodes": [3], "what": list(what), "start_ms": 0, "duration_ms": 5000}
    return bench(faults={"nodes": [fault]})


@pytest.mark.parametrize("what", ["impersonated", "bad_signature", "future", "early"])
def test_false_messages_are_watched(what: str) -> None:
    assert entry(forgers(what).run(), CHECK)["false_messages"] >= 20


@pytest.mark.parametrize(("module", "what"), [(finality, "early"), (voting, "future")])
def test_an_accepted_message_of_a_slot_to_come_is_found(module: Any, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "latest_slot", lambda *_: 1000)
    breaks(forgers(what).run(), CHECK, f"which is forged_votes.{what}")


@pytest.mark.parametrize(("module", "start_ms", "offset_ms"), [(voting, 2520, 800), (sync, 0, 3000)])
def test_decisions_of_slots_to_come_are_found(module: Any, start_ms: int, offset_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All clocks but one are fast: theirs is a genuine quorum, of slots that have not begun for the one whose clock is right."""
    fast = {"kind": "clock_skew", "nodes": [0, 2, 3], "start_ms": start_ms, "duration_ms": 3000, "offset_ms": offset_ms}
    result = bench(12, faults={"nodes": [fast]}).run()
    assert result.complete, result.violations
    monkeypatch.setattr(module, "latest_slot", lambda *_: 1000)
    assert breaks(bench(12, faults={"nodes": [fast]}).run(), CHECK, "which has not begun").nodes == (1,)


def test_an_accepted_vote_in_anothers_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Facts, "vote_valid", lambda self, vote: True)
    breaks(forgers("impersonated").run(), CHECK, "which is forged_votes.impersonated")


def test_a_certificate_of_another_block_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(certificate: Certificate) -> Certificate:
        block = bytes(32)
        return replace(certificate, block=block, votes=tuple(sign(replace(v, block=block)) for v in certificate.votes))

    b, sign = certified(monkeypatch, 1, other)
    breaks(b.run(), CHECK, "certificate is of 0000000000000000")


def test_one_vote_counted_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b, _ = certified(monkeypatch, 1, lambda c: replace(c, votes=(c.votes[0],) * 4))
    breaks(b.run(), CHECK, "precommits of 10 of 40")


def test_a_consensus_proof_with_too_few_votes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its prover leaves members out, and nobody looks."""
    prove = Finality._prove

    def short(self: Finality, committed: CommittedBlock, certificate: Certificate, keys: Any) -> None:
        prove(self, committed, replace(certificate, votes=tuple(v for v in certificate.votes if v.validator < 2)), keys)

    monkeypatch.setattr(Finality, "_prove", short)
    monkeypatch.setattr(Finality, "why_unrelated", lambda self, proof, committed: None)
    breaks(bench().run(), CHECK, "whose certificate has tags of 20 of 40")


def test_a_transfer_that_its_sender_did_not_sign_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from simnet.node.wallet import Draft

    message = Draft.message

    def unsigned(self: Draft, *rest: Any) -> Any:
        return replace(message(self, *rest), signature=bytes(64))

    monkeypatch.setattr(Draft, "message", unsigned)
    monkeypatch.setattr(Facts, "signature_valid", lambda self, message: True)
    breaks(bench(rate=6.0).run(), CHECK, "whose signature does not verify")


def test_a_proof_of_another_transfer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makers and verifiers leave the account out of the statement, all alike."""
    monkeypatch.setattr(Transfer, "statement", lambda self, account: self.encode() + Account(1).encode())
    breaks(bench(rate=6.0).run(), CHECK, "whose proof is of something else")


def test_a_consensus_proof_of_another_block_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provers and verifiers leave the block out of the statement, all alike."""

    def anything(block: Block, slot: int, members: Committee) -> BlockStatement:
        return replace(committee.block_statement(block, slot, members), digest=bytes(32))

    def statement(facts: Facts, electorate: Electorate, registry: Registry, block: Block, proof: ConsensusProof) -> bytes:
        members = committee.committee_of(facts, electorate.members, registry, place_of(proof.certificate))
        votes = committee.member_votes(electorate.members, proof.certificate, proof.vrf)
        return consensus_statement(members, anything(block, proof.certificate.slot, members), votes)

    monkeypatch.setattr(finality, "block_statement", anything)
    monkeypatch.setattr(finality, "proof_statement", statement)
    breaks(bench().run(), CHECK, "of something else for height 1")


# --- each part of a certificate ------------------------------------------------------------------------


def test_a_certificate_of_a_slot_before_its_block_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def earlier(certificate: Certificate) -> Certificate:
        slot = max(0, certificate.slot - 1)
        return replace(certificate, slot=slot, votes=tuple(sign(replace(v, slot=slot)) for v in certificate.votes))

    b, sign = certified(monkeypatch, 1, earlier)
    assert breaks(b.run(), CHECK, "before the block's own slot").nodes == (1,)


def test_prevotes_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    b, sign = certified(monkeypatch, 1, lambda c: replace(c, votes=tuple(sign(replace(v, phase=Phase.PREVOTE)) for v in c.votes)))
    assert breaks(b.run(), CHECK, "precommits of 0 of 40").nodes == (1,)


def test_votes_for_something_else_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed, by a quorum, for the slot before."""
    b, sign = certified(
        monkeypatch, 1, lambda c: replace(c, votes=tuple(sign(replace(v, slot=max(0, v.slot - 1))) for v in c.votes)) if c.slot else c
    )
    assert breaks(b.run(), CHECK, "for something else").nodes == (1,)


def test_a_vote_of_nobody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b, _ = certified(monkeypatch, 1, lambda c: replace(c, votes=(*c.votes, replace(c.votes[0], validator=77))))
    assert breaks(b.run(), CHECK, "a vote that node 77 did not sign").nodes == (1,)


# --- each part of a transfer ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["another", "altered"])
def test_a_transfer_that_is_not_what_its_id_says_is_found(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """One node holds something else by that name when it commits: another transfer, or its own with another amount."""
    b = bench(rate=6.0)
    append, victim, held = Chain.append, b.nodes[2].chain, b.nodes[2].transactions.verified

    def other(self: Chain, block: Block, *rest: Any) -> CommittedBlock:
        if self is victim and len(block.tx_ids) > 1:
            first, second = held[block.tx_ids[0]], held[block.tx_ids[1]]
            altered = replace(first.tx, transfer=replace(first.tx.transfer, amount=first.tx.transfer.amount + 1))
            held[block.tx_ids[0]] = second if what == "another" else replace(first, tx=altered)
        return append(self, block, *rest)

    monkeypatch.setattr(Chain, "append", other)
    assert breaks(b.run(), CHECK, "which is another than its id says").nodes == (2,)


# --- each part of what proves a block ----------------------------------------------------------------------


def noted(monkeypatch: pytest.MonkeyPatch, b: Any, node: int, change: Callable[[ConsensusProof], ConsensusProof]) -> None:
    """One node takes other consensus proofs than it has verified."""
    note, victim = Finality._note_proven, b.nodes[node].finality

    def other(self: Finality, committed: CommittedBlock, proof: ConsensusProof) -> None:
        note(self, committed, change(proof) if self is victim else proof)

    monkeypatch.setattr(Finality, "_note_proven", other)


def test_who_counts_a_block_as_proven_without_a_proof_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so and has already lost the proof."""
    b = bench()
    feed, victim = Finality._feed, b.nodes[1].finality

    def losing(self: Finality, event: Any) -> None:
        feed(self, event)
        if self is victim and isinstance(event, Proven):
            self._committed(event.height).proof = None

    monkeypatch.setattr(Finality, "_feed", losing)
    assert breaks(b.run(), CHECK, "as proven and holds no proof").nodes == (1,)


def test_an_unsigned_vote_in_a_proofs_certificate_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()

    def unsigned(proof: ConsensusProof) -> ConsensusProof:
        first, *rest = proof.certificate.votes
        return replace(proof, certificate=replace(proof.certificate, votes=(replace(first, signature=bytes(64)), *rest)))

    noted(monkeypatch, b, 1, unsigned)
    assert breaks(b.run(), CHECK, "whose certificate has a vote that node").nodes == (1,)


def test_an_unsigned_endorsement_in_a_proofs_certificate_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """For four slots nobody discloses keys, so that blocks are endorsed."""
    b, disclose, spoiled = bench(12), Finality._disclose, list[int]()

    def silent(self: Finality, effect: Any) -> None:
        if self._ports.now > 4_500_000_000:
            disclose(self, effect)

    def unsigned(proof: ConsensusProof) -> ConsensusProof:
        if not proof.certificate.endorsements:
            return proof
        spoiled.append(proof.certificate.height)
        first, *rest = proof.certificate.endorsements
        return replace(proof, certificate=replace(proof.certificate, endorsements=(replace(first, signature=bytes(64)), *rest)))

    monkeypatch.setattr(Finality, "_disclose", silent)
    noted(monkeypatch, b, 1, unsigned)
    assert breaks(b.run(), CHECK, "whose certificate has a vote that node").nodes == (1,) and spoiled


def test_a_proof_that_counts_members_without_keys_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provers and verifiers, which are mocks here and look at no key, count whoever has given tags and keys."""
    monkeypatch.setattr(Case, "keyed", lambda self, place: self.electorate.weights)
    monkeypatch.setattr(finality, "why_no_tag_set", lambda *_: None)
    fault = {"kind": "forged_votes", "nodes": [1], "what": ["unregistered"], "start_ms": 0, "duration_ms": 44_000}
    b = bench(46, rate=0.3, chain={"block_proofs": []}, consensus={"key_horizon_epochs": 1}, faults={"nodes": [fault]})
    breaks(b.run(), CHECK, "has tags of nodes [1], of whose keys it counts none")


def test_a_forged_proof_of_an_opponent_that_is_accepted_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MockBackend, "verify", lambda self, *_: ACCEPTED)
    fault = {"kind": "forged_proofs", "nodes": [3], "of": ["transfer"], "per_second": 4.0, "start_ms": 0, "duration_ms": 4000}
    breaks(bench(rate=6.0, faults={"nodes": [fault]}).run(), CHECK, "accepted forged_proofs.")
