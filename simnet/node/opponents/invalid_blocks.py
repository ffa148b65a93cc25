"""A leader's blocks that must not be accepted."""

from dataclasses import replace

from simnet.node.opponents.act import Act
from simnet.node.opponents.signing import block_of, pending, proposal_of
from simnet.protocol.blocks import Block, Body, Header, tx_root
from simnet.protocol.messages import DIGEST_BYTES
from simnet.scenario import opponents as model

UNKNOWN_TRANSFERS = 3
AN_HOUR_S = 3600
PROPOSALS = "proposals"


class InvalidBlocks(Act[model.InvalidBlocks]):
    """When the node leads, this block goes out in place of an honest one."""

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        self.reach.conduct.instead.discard(PROPOSALS)
        if self.reach.leader(slot) == self.me and self.one():
            self.reach.conduct.instead.add(PROPOSALS)

    def end(self) -> None:
        super().end()
        self.reach.conduct.instead.discard(PROPOSALS)

    def one(self) -> int:
        what = self.plan.next("blocks", self.fault.what)
        header, body = self._invalid(what)
        made = proposal_of(self.reach, self.slot, Block.assemble(header, body))
        return self.say(what, "proposal", made, made.size, subject=made.block.hash.hex()[:16])

    def _invalid(self, what: str) -> tuple[Header, Body]:
        chosen = pending(self.reach)
        valid = block_of(self.reach, self.slot, chosen)
        header, body = valid.header, valid.body
        match what:
            case "state_root":
                return replace(header, state_root=self.plan.bytes(DIGEST_BYTES)), body
            case "wrong_parent":
                return replace(header, parent=self.plan.bytes(DIGEST_BYTES)), body
            case "unknown_transfers":
                return _with_transfers(header, body, tuple(self.plan.bytes(DIGEST_BYTES) for _ in range(UNKNOWN_TRANSFERS)))
            case "double_spend":
                spent = [i for c in self.reach.chain.committed for i in c.block.tx_ids][-1:]
                # Nothing is spent yet: the same transfer twice comes nearest.
                again = spent or [tx.id for tx in chosen[:1]] or [self.plan.bytes(DIGEST_BYTES)]
                return _with_transfers(header, body, (*body.tx_ids, *again))
        parent = self.reach.chain.committed[-1].block.header.timestamp if self.reach.chain.committed else 0
        return replace(header, timestamp=parent - 1 if parent else header.timestamp + AN_HOUR_S), body


def _with_transfers(header: Header, body: Body, ids: tuple[bytes, ...]) -> tuple[Header, Body]:
    return replace(header, tx_root=tx_root(ids), tx_count=len(ids)), replace(body, tx_ids=ids)
