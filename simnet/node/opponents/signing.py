"""What an opponent signs as a validator: blocks, proposals and votes, with its own keys and real one-time-key tags."""

from collections.abc import Sequence

from simnet.base.units import NS_PER_S
from simnet.node.committee import vote_tag_of
from simnet.node.opponents.act import Reach
from simnet.protocol.blocks import Block, Body
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import Phase, Proposal, Vote


def pending(reach: Reach) -> list[SignedTransfer]:
    """What an honest leader would put into the next block."""
    return reach.transactions.pool.select(
        reach.chain.ledger, reach.facts.scenario.chain.block_transactions_max, reach.ports.now // NS_PER_S
    )


def block_of(reach: Reach, slot: int, chosen: Sequence[SignedTransfer], *, apart: bool = False) -> Block:
    """A valid block on the head, with these transfers that all apply, and without anything else; `apart`: dated otherwise."""
    chain, facts = reach.chain, reach.facts
    backends = facts.backend_ids(reach.node)
    parent = chain.committed[-1].block.header.timestamp if chain.committed else 0
    now = max(reach.ports.clock.now // NS_PER_S, parent)
    if apart:
        now += -1 if now > parent else 1
    body = Body(tx_ids=tuple(tx.id for tx in chosen))
    return chain.next_block(reach.node, backends[slot % len(backends)], slot, now, body, chosen)


def proposal_of(reach: Reach, slot: int, block: Block) -> Proposal:
    """A fresh proposal, whatever was locked before."""
    unsigned = Proposal(slot, block, -1, reach.node, b"")
    return reach.keyring.signed(unsigned)


def vote_of(reach: Reach, slot: int, phase: Phase, block: Block | None) -> Vote:
    """A vote on the block's height, which may be decided here; for nil, on the next one."""
    height = reach.chain.height + 1 if block is None else block.header.height
    electorate = reach.chain.electorate_of(height)
    tag = b"" if block is None or electorate is None else vote_tag_of(reach.facts, reach.keyring, electorate, block, slot, phase)
    unsigned = Vote(height, slot, phase, None if block is None else block.hash, reach.node, tag, b"")
    return reach.keyring.signed(unsigned)
