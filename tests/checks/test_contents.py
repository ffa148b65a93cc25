"""What blocks bring, whom evidence names, what counts as aggregated: each rule is taken away in a run, and the checks say so."""

from dataclasses import replace
from typing import Any

import pytest

from simnet.base.units import NodeId
from simnet.checks.accusations import Accusations
from simnet.node.aggregation import RECURSIVE, Aggregation
from simnet.node.block_prover import BlockProver
from simnet.node.chain import Chain
from simnet.node.timing import Timing
from simnet.node.voting import Validator
from simnet.node.world import World
from simnet.protocol.blocks import Block, registrations_root
from simnet.protocol.evidence import DoubleSign
from tests.checks.kit import bench, breaks, entry

NOTHING = "not_exercised"


def leading(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Every leader's blocks are changed before they are proposed."""
    build = Validator._build
    monkeypatch.setattr(Validator, "_build", lambda self, slot, **more: change(self, build(self, slot, **more)))


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
    why_lock = Validator._why_not_lock
    monkeypatch.setattr(Validator, "_why_not_lock", lambda self, p: None if p.valid_slot < 0 else why_lock(self, p))
    leading(monkeypatch, lambda v, block: again(block, proposer=(block.header.proposer + 1) % 4))
    breaks(bench().run(), "finality", "slot 0 is node")


def test_forged_registrations_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "registration_valid", lambda *_: True)

    def forge(v: Validator, block: Block) -> Block:
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
        b.world.publish_consensus(NodeId(1), "evidence", pair, pair.size)

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
