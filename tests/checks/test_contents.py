"""What blocks bring, whom evidence names, what counts as aggregated: each rule is taken away in a run, and the checks say so."""

from dataclasses import replace
from typing import Any

import pytest

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import NodeId
from simnet.checks.accusations import Accusations
from simnet.events import MisconductFound
from simnet.net.network import Validation
from simnet.node import block_prover
from simnet.node.aggregation import RECURSIVE, Aggregation
from simnet.node.block_parts import BlockParts
from simnet.node.block_prover import BlockProver
from simnet.node.chain import Chain
from simnet.node.court import Court
from simnet.node.facts import Facts
from simnet.node.presence import Presence
from simnet.node.timing import Timing
from simnet.node.voting import Voter
from simnet.proofs import native
from simnet.protocol.blocks import Block, registrations_root
from simnet.protocol.evidence import DoubleSign, InvalidProposal
from simnet.protocol.joins import Join
from simnet.protocol.mempool import Mempool
from simnet.protocol.messages import Proposal
from tests.checks.kit import bench, breaks, entry
from tests.mocks import misbehaving

NOTHING = "not_exercised"


def leading(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Every leader's blocks are changed before they are proposed."""
    build = Voter._build
    monkeypatch.setattr(Voter, "_build", lambda self, slot, **more: change(self, build(self, slot, **more)))


def again(block: Block, **header: Any) -> Block:
    return Block.assemble(replace(block.header, **header), block.body)


def test_nothing_is_said_where_nobody_is_accused() -> None:
    result = bench().run()
    assert result.complete and entry(result, "accusations")["status"] == NOTHING


def test_blocks_of_the_future_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Timing, "timely", lambda *_: True)
    leading(monkeypatch, lambda _, block: again(block, timestamp=10**6))
    breaks(bench(rate=0.01, chain={"block_proofs": []}).run(), "finality", "which is to come")


def test_time_that_goes_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    why = Chain._why_not_header
    monkeypatch.setattr(Chain, "_why_not_header", lambda self, *a: None if why(self, *a) == "timestamp" else why(self, *a))
    leading(monkeypatch, lambda v, block: again(block, timestamp=0) if block.header.height > 2 else block)
    breaks(bench(rate=0.01, chain={"block_proofs": []}).run(), "finality", "its parent of")


def test_a_proposer_that_does_not_lead_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    why = Chain._why_not_header
    monkeypatch.setattr(Chain, "_why_not_header", lambda self, *a: None if why(self, *a) == "foreign_proposer" else why(self, *a))
    why_lock = Voter._why_not_lock
    monkeypatch.setattr(Voter, "_why_not_lock", lambda self, p: None if p.valid_slot < 0 else why_lock(self, p))
    leading(monkeypatch, lambda v, block: again(block, proposer=(block.header.proposer + 1) % 4))
    breaks(bench().run(), "finality", "slot 0 is node")


def test_forged_registrations_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Facts, "registration_valid", lambda *_: True)

    def forge(v: Voter, block: Block) -> Block:
        known = v._chain.registry.epochs[0]
        other = next(r for r in known.values() if r.validator != v._node)
        forged = (replace(other, epoch=1, vrf=bytes(96), signature=bytes(64)),)
        if v._chain.registry.of(other.validator, 1) is not None:
            return block
        body = replace(block.body, registrations=forged)
        return Block.assemble(replace(block.header, registrations_root=registrations_root(forged)), body)

    leading(monkeypatch, forge)
    result = bench(consensus={"key_horizon_epochs": 1}).run()
    breaks(result, "nothing_unverified", "brings a registration that node")


def test_blocks_without_their_proofs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aggregation, "_complete", lambda self, height, field: self.holds(height, field, RECURSIVE))
    monkeypatch.setattr(BlockProver, "_prove", lambda *_: None)
    breaks(bench().run(), "nothing_unverified", "as aggregated without its proof")


def test_evidence_against_an_honest_node_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DoubleSign, "why_invalid", lambda *_: None)
    b = bench()

    def accuse() -> None:
        real = b.nodes[1].chain.committed[0].certificate.votes[0]
        pair = DoubleSign(real, replace(real, block=bytes(32)))
        b.publish(NodeId(1), "evidence", pair, pair.size)

    b.at(1500, accuse)
    breaks(b.run(), "accusations", "which is honest")


def test_points_taken_from_an_honest_node_are_found() -> None:
    b = bench()
    b.at(1500, lambda: b.nodes[1].peers.blame(NodeId(2), "made_up", 1))
    breaks(b.run(), "accusations", "node 1 has taken points from node 2, which is honest, for made_up")


def test_a_ban_of_an_honest_node_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Accusations, "_scored", lambda *_: None)
    b = bench()
    b.at(1500, lambda: b.nodes[1].peers.blame(NodeId(2), "made_up", 10**6))
    breaks(b.run(), "accusations", "has cut off node 2")


def test_true_accusations_are_counted_and_held() -> None:
    """Of who votes twice, and of who sends votes that nobody signed."""
    fault = {"kind": "equivocation", "nodes": [3], "start_ms": 0, "duration_ms": 4000}
    told = entry(bench(faults={"nodes": [fault]}).run(), "accusations")
    assert told["status"] == "held" and told["accusations"] >= 3
    forger = {"kind": "forged_votes", "what": ["bad_signature"], "nodes": [3], "start_ms": 0, "duration_ms": 2000}
    told = entry(bench(faults={"nodes": [forger]}).run(), "accusations")
    assert told["status"] == "held" and told["points"] >= 3


def test_what_a_liar_thinks_of_others_breaks_nothing() -> None:
    b = bench(faults={"nodes": [misbehaving(1)]})
    b.at(1500, lambda: b.nodes[1].peers.blame(NodeId(2), "made_up", 1))
    told = entry(b.run(), "accusations")
    assert (told["status"], told["points"]) == ("held", 1)


@pytest.mark.parametrize("believers", [(0, 1, 2, 3), (1,)])
def test_an_honest_leader_that_is_convicted_is_found_unless_by_a_liar(monkeypatch: pytest.MonkeyPatch, believers: tuple[int, ...]) -> None:
    """Node 1 accuses the leader of a block that holds; some take its word."""
    judge = Court._judge_proposal

    def lax(self: Court, claim: InvalidProposal) -> tuple[Validation, str]:
        return (Validation.ACCEPT, "state_root") if self._ports.node in believers else judge(self, claim)

    monkeypatch.setattr(Court, "_judge_proposal", lax)
    b = bench(faults={"nodes": [misbehaving(1)]})

    def accuse() -> None:
        block = next(c.block for c in b.nodes[1].chain.committed if c.block.header.proposer != 1)
        bare = Proposal(block.header.slot, block, -1, block.header.proposer, b"")
        claim = InvalidProposal(b.nodes[block.header.proposer].keyring.signed(bare))
        b.publish(NodeId(1), "evidence", claim, claim.size)
        b.nodes[1].watch._publish(claim)

    b.at(2500, accuse)
    result = b.run()
    if len(believers) > 1:
        breaks(result, "accusations", "holds evidence of invalid_proposal against node")
    else:
        assert entry(result, "accusations")["status"] == "held" and b.of(MisconductFound)


# --- each part of what a block brings --------------------------------------------------------------------


def test_more_transfers_than_a_block_may_bring_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    select = Mempool.select
    monkeypatch.setattr(Facts, "why_too_large", lambda self, block: None)
    monkeypatch.setattr(Mempool, "select", lambda self, ledger, _limit, timestamp: select(self, ledger, 10**6, timestamp))
    result = bench(rate=6.0, chain={"block_transactions_max": 1, "block_proofs": []}).run()
    breaks(result, "nothing_unverified", "transfers")


@pytest.mark.parametrize("what", ["signature", "vrf", "key", "stranger"])
def test_forged_joins_are_found(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """All of each but one thing is the validator's own."""
    monkeypatch.setattr(Facts, "join_valid", lambda *_: True)
    joins = Presence.joins
    b = bench()
    chain_id = b.facts.genesis.chain_id

    def forged(join: Join) -> Join:
        keyring = b.nodes[join.validator].keyring
        if what == "signature":
            return replace(join, signature=bytes(64))
        if what == "stranger":
            return replace(join, validator=77)
        other = replace(join, vrf=bytes(96)) if what == "vrf" else replace(join, key=bytes(32))
        drawn = other if what == "vrf" else replace(other, vrf=native.vrf_prove(keyring._vrf, other.vrf_input(chain_id)))
        return replace(drawn, signature=keyring.sign(drawn.signing_bytes(chain_id)))

    monkeypatch.setattr(Presence, "joins", lambda self: tuple(map(forged, joins(self)[:1])))
    breaks(b.run(), "nothing_unverified", "brings a join that node")


@pytest.mark.parametrize("what", ["signature", "vrf", "stranger", "roots"])
def test_each_part_of_a_registration_is_looked_at(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(Facts, "registration_valid", lambda *_: True)
    b = bench(consensus={"key_horizon_epochs": 1})

    def forge(v: Voter, block: Block) -> Block:
        if v._chain.registry.of(v._node, 1) is not None:
            return block
        own = v._keyring.registration(b.facts.genesis.chain_id, 1)
        changes: dict[str, dict[str, Any]] = {
            "signature": {"signature": bytes(64)},
            "vrf": {"vrf": bytes(96)},
            "stranger": {"validator": 77},
            "roots": {"otk_roots": v._keyring.otk_roots(2)},
        }
        other = replace(own, **changes[what])
        forged = (v._keyring.signed(other) if what in {"vrf", "roots"} else other,)
        body = replace(block.body, registrations=forged)
        return Block.assemble(replace(block.header, registrations_root=registrations_root(forged)), body)

    leading(monkeypatch, forge)
    breaks(b.run(), "nothing_unverified", "brings a registration that node")


def test_unsigned_heartbeats_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Facts, "heartbeat_valid", lambda *_: True)
    beats = Presence.heartbeats
    monkeypatch.setattr(Presence, "heartbeats", lambda self, t: tuple(replace(b, signature=bytes(64)) for b in beats(self, t)))
    breaks(bench().run(), "nothing_unverified", "brings a heartbeat that node")


def test_a_slot_that_is_its_parents_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    why, why_lock = Chain._why_not_header, Voter._why_not_lock
    idle = {"slot", "foreign_proposer"}
    monkeypatch.setattr(Chain, "_why_not_header", lambda self, *a: None if (w := why(self, *a)) in idle else w)
    monkeypatch.setattr(Voter, "_why_not_lock", lambda self, p: None if p.valid_slot < 0 else why_lock(self, p))
    leading(monkeypatch, lambda v, block: again(block, slot=0) if block.header.height == 2 else block)
    breaks(bench(rate=0.01, chain={"block_proofs": []}).run(), "finality", "is of slot 0, its parent of 0")


# --- each kind of proof ----------------------------------------------------------------------------------

WINDOWS = {"uptime_window_slots": 2, "heartbeats_per_window": 8, "heartbeats_min": 2}


@pytest.mark.parametrize("circuit", [CircuitId.IDENTITY, CircuitId.STATE, CircuitId.UPTIME, CircuitId.PRUNING])
def test_each_kind_of_proof_is_missed(monkeypatch: pytest.MonkeyPatch, circuit: CircuitId) -> None:
    """Nobody makes it and nobody waits for it."""
    of = BlockParts.of
    monkeypatch.setattr(BlockParts, "of", lambda self, height: tuple(p for p in of(self, height) if p.circuit is not circuit))
    breaks(bench(8, chain=WINDOWS).run(), "nothing_unverified", f"as aggregated without its proof {circuit.label} 0")


def test_a_second_proof_of_one_kind_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    of = BlockParts.of
    monkeypatch.setattr(BlockParts, "of", lambda self, height: tuple(p for p in of(self, height) if p.index == 0))
    chain = {"block_proofs": ["state"]}
    breaks(bench(rate=30.0, chain=chain).run(), "nothing_unverified", "as aggregated without its proof state 1")


def test_a_recursive_proof_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BlockProver, "_prove_recursive", lambda *_: None)
    monkeypatch.setattr(Aggregation, "_recursive", property(lambda self: False))
    breaks(bench().run(), "nothing_unverified", "as aggregated without its proof recursive 0")


def test_proofs_of_several_fields_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some make all parts and the others the recursive proof, each in their own field."""
    first = BackendId.STWO

    def somewhere(self: Aggregation, height: int, _field: BackendId) -> bool:
        return all(any(self.holds(height, f, part) for f in self.fields) for part in (*self.parts.of(height), RECURSIVE))

    prove, recursive = BlockProver._prove, BlockProver._prove_recursive
    monkeypatch.setattr(block_prover, "turn_of", lambda rank: 0)
    monkeypatch.setattr(BlockProver, "_prove", lambda self, h, work, part: prove(self, h, work, part) if work.backend is first else None)
    monkeypatch.setattr(
        BlockProver, "_prove_recursive", lambda self, h, work: recursive(self, h, work) if work.backend is not first else None
    )
    monkeypatch.setattr(Aggregation, "_complete", somewhere)
    result = bench(regions={"assignments": ["STWO", "STWO", "PLONKY3", "PLONKY3"]}).run()
    breaks(result, "nothing_unverified", "as aggregated without its proof")
