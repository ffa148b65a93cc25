"""A leader's blocks that must not be accepted."""

from dataclasses import replace

from simnet.node.opponents.act import Act
from simnet.proofs import native
from simnet.proofs.backend import BackendId
from simnet.protocol.blocks import Block, Body, Header, digests_root, registrations_root, tx_root
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import DIGEST_BYTES, Proposal
from simnet.protocol.state import Outcome, Position
from simnet.scenario import opponents as model
from simnet.units import NS_PER_S

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
        what = self.plan.turn("blocks", self.fault.what)
        header, body = self._invalid(what)
        unsigned = Proposal(self.slot, Block.assemble(header, body), -1, self.me, b"")
        made = replace(unsigned, signature=native.ed25519_sign(self.reach.secret, unsigned.signing_bytes()))
        return self.say(what, "proposal", made, made.size, subject=made.block.hash.hex()[:16])

    def _invalid(self, what: str) -> tuple[Header, Body]:
        chosen = self.reach.transactions.pool.select(self.reach.chain.ledger, self.world.scenario.chain.block_transactions_max)
        header, body = self._valid(chosen)
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

    def _valid(self, chosen: list[SignedTransfer]) -> tuple[Header, Body]:
        """What an honest leader might propose now, without joins and heartbeats."""
        chain, world = self.reach.chain, self.world
        backends = world.backend_ids(self.me)
        parent = chain.committed[-1].block.header.timestamp if chain.committed else 0
        now = max(world.clock_of(self.me).now // NS_PER_S, parent)
        body = Body(tx_ids=tuple(tx.id for tx in chosen))
        at = Position(chain.height + 1, self.slot, now)
        outcome = world.outcome(chain.head, chain.state, at, body, {tx.id: tx for tx in chosen})
        assert isinstance(outcome, Outcome), outcome
        header = Header(
            height=at.height,
            slot=self.slot,
            parent=chain.head,
            proposer=self.me,
            backend=BackendId(self.plan.turn(f"backend/{self.me}", backends)),
            state_root=outcome.after.ledger.root,
            tx_root=tx_root(body.tx_ids),
            timestamp=now,
            tx_count=len(body.tx_ids),
            registrations_root=registrations_root(body.registrations),
            joins_root=digests_root(body.joins),
            heartbeats_root=digests_root(body.heartbeats),
            fields=tuple(f.roots for f in outcome.fields),
        )
        return header, body


def _with_transfers(header: Header, body: Body, ids: tuple[bytes, ...]) -> tuple[Header, Body]:
    return replace(header, tx_root=tx_root(ids), tx_count=len(ids)), replace(body, tx_ids=ids)
