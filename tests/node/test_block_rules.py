"""What a node checks of a block before it votes for it: in-field roots, joins, heartbeats, slots."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from simnet.proofs import native
from simnet.protocol.blocks import Block, Body, FieldRoots, digests_root
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.joins import Join
from tests.mocks import Bench, scenario

Change = Callable[[Bench, Block], Block]


class Proposal:
    """A block with a join and heartbeats that a node is about to propose at height 2."""

    def __init__(self) -> None:
        self.bench = Bench(scenario(slots=1, rate=8.0))
        assert self.bench.run().complete
        self.slot = 1
        self.node = self.bench.nodes[self.bench.leader(self.slot)]
        self.block = self.node.voter._build(self.slot)
        assert self.block.body.joins
        assert len(self.block.body.heartbeats) > 2

    def why(self, block: Block, slot: int | None = None) -> str | None:
        txs = self.node.voter.transfers_of(block)
        return self.node.chain.why_unacceptable(block, txs, self.slot if slot is None else slot)


@pytest.fixture(scope="module")
def proposal() -> Proposal:
    return Proposal()


def again(block: Block, body: Body | None = None, **header: object) -> Block:
    """The block with another body and header fields, and roots that fit the body."""
    body = body or block.body
    roots = {"joins_root": digests_root(body.joins), "heartbeats_root": digests_root(body.heartbeats)}
    return Block.assemble(replace(block.header, **{**roots, **header}), body)  # type: ignore[arg-type]


def signed(bench: Bench, beat: Heartbeat) -> Heartbeat:
    signature = bench.nodes[beat.validator].keyring.sign(beat.signing_bytes(bench.facts.genesis.chain_id))
    return replace(beat, signature=signature)


def test_the_block_itself_is_acceptable(proposal: Proposal) -> None:
    assert proposal.why(proposal.block) is None
    assert proposal.why(again(proposal.block)) is None


@pytest.mark.parametrize("name", ["parent", "state", "identity", "transactions"])
def test_every_in_field_root_is_checked(proposal: Proposal, name: str) -> None:
    first: FieldRoots = proposal.block.header.fields[0]
    changed = replace(first, **{name: bytes(32)})  # type: ignore[arg-type]
    assert proposal.why(again(proposal.block, fields=(changed, *proposal.block.header.fields[1:]))) == "field_roots"


def test_no_field_may_be_left_out(proposal: Proposal) -> None:
    assert proposal.why(again(proposal.block, fields=())) == "field_roots"


def test_the_slot_neither_runs_ahead_nor_falls_back(proposal: Proposal) -> None:
    assert proposal.why(again(proposal.block, slot=2)) == "slot"
    assert proposal.why(again(proposal.block, slot=3), slot=3) == "foreign_proposer"
    assert proposal.why(again(proposal.block, slot=0)) == "slot"
    # A block that was first proposed in an earlier slot may be decided in a later one.
    assert proposal.why(proposal.block, slot=5) is None


def test_a_body_other_than_the_headers_is_malformed(proposal: Proposal) -> None:
    block = proposal.block
    for body, why in (
        (replace(block.body, joins=()), "joins_root"),
        (replace(block.body, heartbeats=block.body.heartbeats[1:]), "heartbeats_root"),
    ):
        assert proposal.why(Block.assemble(block.header, body)) == why


def test_joins_are_signed_by_the_node_itself_with_its_own_vrf(proposal: Proposal) -> None:
    facts = proposal.bench.facts
    good = proposal.bench.nodes[4].keyring.join(facts.genesis.chain_id)
    assert facts.join_valid(good)
    stranger = replace(good, key=good.vrf_key)
    for bad in (
        replace(good, signature=bytes(64)),
        replace(good, validator=3),
        replace(good, vrf=bytes(96)),
        replace(good, vrf_key=good.key),
        stranger,
        replace(good, validator=99),
    ):
        assert not facts.join_valid(bad)
        assert proposal.why(again(proposal.block, replace(proposal.block.body, joins=(bad,)))) == "join"


def test_a_stranger_cannot_join_in_a_validators_place(proposal: Proposal) -> None:
    facts, secret = proposal.bench.facts, bytes(range(32))
    chain_id = facts.genesis.chain_id
    bare = Join(4, native.ed25519_public_key(secret), native.vrf_public_key(secret), b"", b"")
    drawn = replace(bare, vrf=native.vrf_prove(secret, bare.vrf_input(chain_id)))
    own = replace(drawn, signature=native.ed25519_sign(secret, drawn.signing_bytes(chain_id)))
    assert proposal.why(again(proposal.block, replace(proposal.block.body, joins=(own,)))) == "join"


def test_a_vrf_output_of_another_chain_is_refused(proposal: Proposal) -> None:
    facts, keyring = proposal.bench.facts, proposal.bench.nodes[4].keyring
    good = keyring.join(facts.genesis.chain_id)
    mixed = replace(good, vrf=keyring.join(bytes(32)).vrf)
    resigned = replace(mixed, signature=keyring.sign(mixed.signing_bytes(facts.genesis.chain_id)))
    assert not facts.join_valid(resigned)


def test_more_joins_than_a_state_proof_holds_are_refused(proposal: Proposal) -> None:
    bench = proposal.bench
    joins = tuple(node.keyring.join(bench.facts.genesis.chain_id) for node in bench.nodes[:5])
    assert proposal.why(again(proposal.block, replace(proposal.block.body, joins=joins))) == "joins"


def test_who_has_joined_does_not_join_again(proposal: Proposal) -> None:
    (joined,) = proposal.node.chain.committed[0].block.body.joins
    assert proposal.why(again(proposal.block, replace(proposal.block.body, joins=(joined,)))) == "inapplicable_join"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"t": 9_999_999}, "inapplicable_heartbeat"),
        ({"t": 10}, "inapplicable_heartbeat"),
        ({"head": b"x" * 32}, "heartbeat"),
        ({"validator": 77}, "heartbeat"),
    ],
)
def test_heartbeats_are_signed_dated_and_of_this_chain(proposal: Proposal, change: dict[str, object], why: str) -> None:
    block = proposal.block
    beat = replace(block.body.heartbeats[-1], **change)  # type: ignore[arg-type]
    if beat.validator != 77:
        beat = signed(proposal.bench, beat)
    changed = tuple(sorted((*block.body.heartbeats[:-1], beat), key=lambda b: b.place))
    assert proposal.why(again(block, replace(block.body, heartbeats=changed))) == why


def test_unsigned_and_unsorted_heartbeats_are_refused(proposal: Proposal) -> None:
    block = proposal.block
    bare = replace(block.body.heartbeats[0], signature=bytes(64))
    assert proposal.why(again(block, replace(block.body, heartbeats=(bare, *block.body.heartbeats[1:])))) == "heartbeat"
    reversed_order = tuple(reversed(block.body.heartbeats))
    assert proposal.why(again(block, replace(block.body, heartbeats=reversed_order))) == "heartbeats"
