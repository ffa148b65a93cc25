"""What an opponent signs as a validator: blocks, proposals and votes, with its own keys and real one-time-key tags."""

from collections.abc import Sequence
from dataclasses import replace

from simnet.node.chain import backend_of
from simnet.node.committee import block_statement, committee_of
from simnet.node.identity import otk_tree
from simnet.node.opponents.act import Reach
from simnet.proofs import native
from simnet.proofs.statements import vote_message
from simnet.protocol.blocks import Block, Body, Header, digests_root, registrations_root, tx_root
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.protocol.state import Outcome, Position
from simnet.protocol.validators import SLOTS_PER_EPOCH, Lane, epoch_of
from simnet.units import NS_PER_S


def pending(reach: Reach) -> list[SignedTransfer]:
    """What an honest leader would put into the next block."""
    return reach.transactions.pool.select(
        reach.chain.ledger, reach.world.scenario.chain.block_transactions_max, reach.world.now // NS_PER_S
    )


def block_of(reach: Reach, slot: int, chosen: Sequence[SignedTransfer], *, apart: bool = False) -> Block:
    """A valid block on the head, with these transfers that all apply, and without anything else; `apart`: dated otherwise."""
    chain, world = reach.chain, reach.world
    backends = world.backend_ids(reach.node)
    parent = chain.committed[-1].block.header.timestamp if chain.committed else 0
    now = max(world.clock_of(reach.node).now // NS_PER_S, parent)
    if apart:
        now += -1 if now > parent else 1
    body = Body(tx_ids=tuple(tx.id for tx in chosen))
    at = Position(chain.height + 1, slot, now)
    outcome = world.outcome(chain.head, chain.state, at, body, {tx.id: tx for tx in chosen})
    assert isinstance(outcome, Outcome), outcome
    header = Header(
        height=at.height,
        slot=slot,
        parent=chain.head,
        proposer=reach.node,
        backend=backends[slot % len(backends)],
        state_root=outcome.after.ledger.root,
        tx_root=tx_root(body.tx_ids),
        timestamp=now,
        tx_count=len(body.tx_ids),
        registrations_root=registrations_root(body.registrations),
        joins_root=digests_root(body.joins),
        heartbeats_root=digests_root(body.heartbeats),
        fields=tuple(f.roots for f in outcome.fields),
    )
    return Block.assemble(header, body)


def proposal_of(reach: Reach, slot: int, block: Block) -> Proposal:
    """A fresh proposal, whatever was locked before."""
    unsigned = Proposal(slot, block, -1, reach.node, b"")
    return replace(unsigned, signature=native.ed25519_sign(reach.secret, unsigned.signing_bytes()))


def vote_of(reach: Reach, slot: int, phase: Phase, block: Block | None) -> Vote:
    """A vote on the next height."""
    tag = b"" if block is None else _tag(reach, slot, phase, block)
    unsigned = Vote(reach.chain.height + 1, slot, phase, None if block is None else block.hash, reach.node, tag, b"")
    return replace(unsigned, signature=native.ed25519_sign(reach.secret, unsigned.signing_bytes()))


def _tag(reach: Reach, slot: int, phase: Phase, block: Block) -> bytes:
    electorate, backend, epoch = reach.chain.electorate, backend_of(block), epoch_of(slot)
    if electorate.registry.of(reach.node, epoch) is None:
        return b""
    committee = committee_of(reach.world, electorate.members, electorate.registry, (slot, Lane.VOTE, backend, electorate.registered(slot)))
    key = otk_tree(reach.world.seed, reach.node, backend, epoch, Lane.VOTE).key(slot % SLOTS_PER_EPOCH, phase)
    return native.vote_tag(backend, phase, key, vote_message(committee, block_statement(block, slot, committee)))
