"""Falsehoods for nodes that catch up, or nothing at all."""

from collections.abc import Callable
from dataclasses import replace

from simnet.base.blob import Blob
from simnet.base.units import NodeId
from simnet.events import OpponentActed
from simnet.node.opponents.act import Act, Reach
from simnet.node.opponents.envelopes import Claim, forged
from simnet.node.opponents.forged_votes import forge
from simnet.node.opponents.plan import Plan
from simnet.node.opponents.signing import block_of, pending
from simnet.node.status import ProofsHeld, Status
from simnet.node.timing import patience
from simnet.protocol.blocks import Block
from simnet.protocol.messages import DIGEST_BYTES, Certificate, Phase, ProofsOf, SyncedBlock, TxMessage, Vote
from simnet.scenario import opponents as model

AHEAD = 100
"""Blocks that a lying status has more than there are."""
REQUEST, PROOF_REQUEST, STATUS = "block_request", "proof_request", "status"
LATE_PERCENT = 90
"""Of a neighbour's patience."""
ABOUT_BLOCKS: tuple[model.SyncLie, ...] = ("blocks", "certificates", "withheld", "dripped")
ABOUT_PROOFS: tuple[model.SyncLie, ...] = ("proofs", "withheld")


class LyingSync(Act[model.LyingSync]):
    """Says at every slot that it is far ahead, hands out votes that nobody cast, and answers requests with lies.

    Where it drips, it is always a block ahead of who is behind, never as far as it is, and gives that block just before it would be given up: whoever asks the
    neighbour that keeps back least, or that answers, asks it alone.
    """

    def __init__(self, reach: Reach, plan: Plan, fault: model.LyingSync, as_part_of: str | None = None) -> None:
        super().__init__(reach, plan, fault, as_part_of)
        self._heights: dict[NodeId, int] = {}
        """Of neighbours, where it drips."""

    def begin(self) -> None:
        super().begin()
        if "dripped" in self.fault.what:
            self.reach.conduct.instead.add(STATUS)

    def end(self) -> None:
        super().end()
        self.reach.conduct.instead.discard(STATUS)

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        peers = self.ports.connected()
        if "status" in self.fault.what and peers:
            self._tell("status", "status", self._status(), 0)
        if "votes" in self.fault.what and peers:
            votes = tuple(self._vote() for _ in peers)
            self._tell("votes", "votes", votes, sum(v.size for v in votes))
        for peer in peers:
            if peer in self._heights:
                self._tempt(peer, self._heights[peer])

    def answers(self, kind: str, payload: object, peer: NodeId) -> bool:
        """Whether it has dealt with a neighbour's request in its own way."""
        if kind == STATUS and isinstance(payload, Status) and "dripped" in self.fault.what:
            self._heights[peer] = payload.height
            self._tempt(peer, payload.height)
        if kind == REQUEST and isinstance(payload, int):
            return self._lie(
                ABOUT_BLOCKS, lambda what: self._drip(payload, peer) if what == "dripped" else self._answer_blocks(what, payload, peer)
            )
        if kind == PROOF_REQUEST and isinstance(payload, ProofsHeld):
            return self._lie(ABOUT_PROOFS, lambda what: self._answer_proofs(payload, peer) if what == "proofs" else True)
        return False

    def _lie(self, among: tuple[model.SyncLie, ...], answer: Callable[[model.SyncLie], bool]) -> bool:
        choices = [what for what in among if what in self.fault.what]
        if not choices:
            return False
        what = self.turn(among[0], choices)
        done = what == "withheld" or answer(what)
        if done:
            self._acted(what)
        return done

    def _tell(self, what: str, kind: str, payload: object, size: int) -> None:
        """The same lie to all neighbours."""
        for peer in self.ports.connected():
            self.ports.send(peer, kind, payload, payload.size if isinstance(payload, Status) else size)
        self._acted(what)

    def _acted(self, what: str) -> None:
        self.ports.emit(OpponentActed(self.ports.now, self.me, self.fault.kind, what, -1, ""))

    # --- what it says ----------------------------------------------------------------------------------

    def _status(self) -> Status:
        height = self.reach.chain.height + AHEAD
        return Status(height, (), (self.plan.bytes(DIGEST_BYTES),), height, (), self.reach.chain.head)

    def _vote(self) -> Vote:
        bare = Vote(self.reach.chain.height + 1, max(0, self.slot), Phase.PRECOMMIT, self.plan.bytes(DIGEST_BYTES), self.me, b"", b"")
        return forge("impersonated", self.me, self.reach.keyring, bare, self.plan, len(self.facts.genesis.validators))

    def _tempt(self, peer: NodeId, height: int) -> None:
        """Says to a neighbour that is behind that it is one block ahead of it, and no more."""
        if height < self.reach.chain.height:
            told = Status(height + 1, (), (), 0, (), self.reach.chain.head)
            self.ports.send(peer, STATUS, told, told.size)

    def _drip(self, height: int, peer: NodeId) -> bool:
        """One true block, late, and the next temptation."""
        if self.reach.chain.at(height) is None:
            return False
        block, certificate, transfers = self._true(height)
        given = (SyncedBlock(block, certificate, transfers, ProofsOf(height, None, ())),)

        def give() -> None:
            self.ports.send(peer, "block_response", given, sum(b.size for b in given))
            self._heights[peer] = height
            self._tempt(peer, height)

        self.later(patience(self.reach.slot_ns) * LATE_PERCENT // 100, give)
        return True

    def _answer_blocks(self, what: model.SyncLie, height: int, peer: NodeId) -> bool:
        """One block, where there may be many: the first lie ends the neighbour's interest."""
        block, certificate, transfers = self._true(height)
        if what == "blocks":
            block = Block.assemble(replace(block.header, state_root=self.plan.bytes(DIGEST_BYTES)), block.body)
        else:
            certificate = replace(certificate, votes=certificate.votes[: len(certificate.votes) // 2])
        lie = (SyncedBlock(block, certificate, transfers, ProofsOf(height, None, ())),)
        return self.ports.send(peer, "block_response", lie, sum(b.size for b in lie))

    def _true(self, height: int) -> tuple[Block, Certificate, tuple[TxMessage, ...]]:
        """What it would say if it were honest; of a height that there is not, a block of its own that it alone votes for."""
        committed, transactions = self.reach.chain.at(height), self.reach.transactions
        if committed is not None:
            block, certificate = committed.block, committed.certificate
        else:
            block = block_of(self.reach, max(0, self.slot), pending(self.reach))
            registered = self.reach.chain.electorate.registered(max(0, self.slot))
            certificate = Certificate(height, block.header.slot, block.hash, block.header.backend, registered, (self._vote(),))
        return block, certificate, tuple(transactions.verified[i] for i in block.tx_ids)

    def _answer_proofs(self, theirs: ProofsHeld, peer: NodeId) -> bool:
        """The consensus proof that it holds, spoiled, and signed so that it is looked into."""
        committed = self.reach.chain.at(theirs.height)
        if committed is None or committed.proof is None or theirs.consensus:
            return False
        spoiled = Blob(forged("spoiled", committed.proof.envelope.data, Claim(b"", b"", 0), self.plan))
        unsigned = replace(committed.proof, envelope=spoiled, prover=self.me)
        proof = self.reach.keyring.signed(unsigned)
        lie = ProofsOf(theirs.height, proof, ())
        return self.ports.send(peer, "proof_response", lie, lie.size)
