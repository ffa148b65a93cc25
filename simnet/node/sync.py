"""Catching up: blocks that a node missed, and transfers that a proposal names but the node does not have."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from simnet.events import LimitReached
from simnet.net.network import Verdict
from simnet.node.aggregation import Aggregation
from simnet.node.aggregation import Incoming as IncomingProof
from simnet.node.chain import Chain, CommittedBlock, certificate_matches, certificate_weight
from simnet.node.conduct import Conduct
from simnet.node.finality import Finality
from simnet.node.transactions import Incoming, Transactions
from simnet.node.voting import Validator
from simnet.node.world import World
from simnet.proofs.backend import Verdict as ProofVerdict
from simnet.protocol.messages import Phase, ProofsOf, SyncedBlock, TxMessage
from simnet.protocol.validators import epoch_of
from simnet.units import NS_PER_S, NodeId, SimTime

STATUS_BYTES = 48
REQUEST_TIMEOUT = SimTime(2 * NS_PER_S)
"""A request that brought nothing may be repeated after this long."""
SILENT_REQUESTS = 3
"""After so many unanswered requests another neighbour is asked: one or two may have been lost."""
PROOFS_MAX = 256
"""Proofs of one block that are looked at in an answer."""
OWED_MAX = 4096
"""Transfers that neighbours asked for and this node does not have yet."""
SETTLED_AGE = SimTime(2 * NS_PER_S)
"""Younger transfers may still be on their way to everybody."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a node tells its neighbours about itself now and then."""

    height: int
    transfers: tuple[bytes, ...]
    """Pending ones that it has held for `SETTLED_AGE`."""
    aggregated: int
    """Blocks up to here it has held aggregated for `SETTLED_AGE`."""


class Sync:
    """One node's requests and answers."""

    def __init__(
        self,
        world: World,
        node: NodeId,
        chain: Chain,
        validator: Validator,
        transactions: Transactions,
        finality: Finality,
        aggregation: Aggregation,
        conduct: Conduct,
    ) -> None:
        self._world = world
        self._node = node
        self._chain = chain
        self._validator = validator
        self._transactions = transactions
        self._finality = finality
        self._aggregation = aggregation
        self._conduct = conduct
        self._ahead_of_us: dict[NodeId, int] = {}
        """Heights that neighbours told."""
        self._unanswered: Counter[NodeId] = Counter()
        """Requests for blocks that a neighbour has not answered, one after the other."""
        self._asked_at = SimTime(-REQUEST_TIMEOUT)
        self._asked_proofs_at = SimTime(-REQUEST_TIMEOUT)
        self._ahead: list[SyncedBlock] = []
        self._busy = False
        self._wanted: set[bytes] = set()
        """Transfers asked for by id."""
        self._owed: dict[bytes, list[NodeId]] = {}
        """Transfers to pass on once they are verified here: a proposal travels faster than what it names."""
        transactions.on_verified.append(self._settle)
        validator.request_blocks = self.request_blocks
        validator.request_transfers = self.request_transfers

    def send_status(self, peers: Iterable[NodeId]) -> None:
        """Tells neighbours how far this node is, and which transfers it has held for a while.

        Gossip's repair offers a message for a few heartbeats only; whoever lost all of that, or was away for longer than
        gossip remembers, learns here what it lacks.
        """
        settled = SimTime(self._world.now - SETTLED_AGE)
        status = Status(self._chain.height, self._transactions.held_since(settled), self._aggregation.since(settled))
        for peer in peers:
            self._world.network.send(self._node, peer, "status", status, STATUS_BYTES + 32 * len(status.transfers))

    def _on_status(self, status: "Status", peer: NodeId) -> None:
        self._ahead_of_us[peer] = status.height
        if status.height > self._chain.height:
            self.request_blocks(peer)
        elif status.height == self._chain.height:
            missing = tuple(i for i in status.transfers if not self._transactions.knows(i))
            if missing:
                self._world.network.send(self._node, peer, "tx_request", missing, 32 * len(missing))
        if status.aggregated > self._aggregation.height and self._world.now - self._asked_proofs_at >= REQUEST_TIMEOUT:
            self._asked_proofs_at = self._world.now
            self._world.network.send(self._node, peer, "proof_request", self._aggregation.height + 1, STATUS_BYTES)

    def request_blocks(self, peer: NodeId | None) -> None:
        """Asks a neighbour (the first one, if none is named) for the blocks after the own head."""
        now = self._world.now
        neighbours = self._world.network.connected(self._node)
        if not neighbours or self._busy or now - self._asked_at < REQUEST_TIMEOUT:
            return
        self._asked_at = now
        target = self._answering(peer if peer in neighbours else neighbours[0], neighbours)
        self._unanswered[target] += 1
        self._world.network.send(self._node, target, "block_request", self._chain.height + 1, STATUS_BYTES)

    def _answering(self, first: NodeId, neighbours: tuple[NodeId, ...]) -> NodeId:
        """The neighbour to ask: `first`, unless it keeps silent and another one is ahead, too."""
        ahead = [p for p in neighbours if p != first and self._ahead_of_us.get(p, 0) > self._chain.height]
        # min takes the first of equals.
        return min((first, *ahead), key=lambda p: max(0, self._unanswered[p] - SILENT_REQUESTS + 1))

    def request_transfers(self, ids: frozenset[bytes], peer: NodeId) -> None:
        """Asks a neighbour for transfers by id: the one that named them, if it is connected."""
        neighbours = self._world.network.connected(self._node)
        if neighbours:
            wanted = tuple(sorted(ids))
            self._wanted.update(ids)
            target = peer if peer in neighbours else neighbours[0]
            self._world.network.send(self._node, target, "tx_request", wanted, 32 * len(wanted))

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        """A point-to-point message of this protocol."""
        if kind == "status" and isinstance(payload, Status):
            self._on_status(payload, peer)
        elif kind == "block_request" and isinstance(payload, int):
            self._answer_blocks(payload, peer)
        elif kind == "block_response" and isinstance(payload, tuple):
            self._asked_at = SimTime(-REQUEST_TIMEOUT)
            self._unanswered[peer] = 0
            self._ahead = [b for b in payload if isinstance(b, SyncedBlock)]
            self._next_block(peer)
        elif kind == "proof_request" and isinstance(payload, int):
            self._answer_proofs(payload, peer)
        elif kind == "proof_response" and isinstance(payload, ProofsOf):
            self._take_proofs(payload, peer)
        elif kind == "tx_request" and isinstance(payload, tuple):
            self._answer_transfers(payload, peer)
        elif kind == "tx_response" and isinstance(payload, TxMessage):
            needed = payload.tx.id in self._wanted
            self._wanted.discard(payload.tx.id)
            self._transactions.examine(Incoming(payload, peer, None, _ignore, needed))

    def _answer_blocks(self, first: int, peer: NodeId) -> None:
        last = min(self._chain.height, first + self._world.scenario.chain.sync_blocks_max - 1)
        blocks = []
        for height in range(max(1, first), last + 1):
            c = self._chain.at(height)
            assert c is not None
            transfers = tuple(self._transactions.verified[i] for i in c.block.tx_ids)
            blocks.append(SyncedBlock(c.block, c.certificate, transfers, self._proofs_of(height, c)))
        if blocks and not self._conduct.keeps("blocks", first):
            answer = tuple(blocks)
            self._world.network.send(self._node, peer, "block_response", answer, sum(b.size for b in answer))

    def _answer_proofs(self, height: int, peer: NodeId) -> None:
        """One block's proofs a request: a block may have a dozen, of a hundred kilobytes each."""
        committed = self._chain.at(height)
        if committed is not None and not self._conduct.keeps("blocks", height):
            answer = self._proofs_of(height, committed)
            self._world.network.send(self._node, peer, "proof_response", answer, answer.size)

    def _proofs_of(self, height: int, committed: CommittedBlock) -> ProofsOf:
        return ProofsOf(height, committed.proof, self._aggregation.proofs_of(height))

    def _take_proofs(self, given: ProofsOf, peer: NodeId) -> None:
        """Examines a committed block's proofs like any others."""
        committed = self._chain.at(given.height)
        if committed is None:
            return
        if given.consensus is not None and given.consensus.certificate.height == given.height:
            self._finality.examine(given.consensus, peer, _ignore)
        for proof in given.proofs[:PROOFS_MAX]:
            if proof.height == given.height:
                self._aggregation.take(IncomingProof(proof, peer, _ignore))

    def _answer_transfers(self, ids: tuple[bytes, ...], peer: NodeId) -> None:
        for tx_id in ids[: self._world.scenario.chain.block_transactions_max]:
            if tx_id in self._transactions.verified:
                self._send_transfer(tx_id, peer)
            elif tx_id in self._owed or len(self._owed) < OWED_MAX:
                waiting = self._owed.setdefault(tx_id, [])
                if peer not in waiting:
                    waiting.append(peer)
            else:
                self._world.emit(LimitReached(self._world.now, self._node, "owed_transfers"))

    def _settle(self, tx_id: bytes) -> None:
        """A transfer was verified: pass it to those who asked for it."""
        for peer in self._owed.pop(tx_id, ()):
            self._send_transfer(tx_id, peer)

    def _send_transfer(self, tx_id: bytes, peer: NodeId) -> None:
        message = self._transactions.verified[tx_id]
        self._world.network.send(self._node, peer, "tx_response", message, message.size)

    def _next_block(self, peer: NodeId) -> None:
        """Takes the next fetched block that extends the own chain: checks its certificate, then its proofs, then commits."""
        while self._ahead and self._ahead[0].block.header.height <= self._chain.height:
            self._ahead.pop(0)
        if not self._ahead or self._busy:
            return
        synced = self._ahead.pop(0)
        if not self._certified(synced):
            self._ahead.clear()
            return
        missing = [t for t in synced.transfers if t.tx.id not in self._transactions.verified]
        self._busy = True
        self._verify_rest(synced, missing, peer)

    def _certified(self, synced: SyncedBlock) -> bool:
        """Whether the block follows the head with a signed precommit quorum and brings its own transfers."""
        certificate, block = synced.certificate, synced.block
        if block.header.height != self._chain.height + 1 or certificate.block != block.hash:
            return False
        if certificate.height != block.header.height or [t.tx.id for t in synced.transfers] != list(block.tx_ids):
            return False
        if not certificate_matches(certificate) or not all(self._world.vote_valid(v) for v in certificate.votes):
            return False
        members = self._chain.sets.get(epoch_of(certificate.slot))
        return members is not None and certificate_weight(certificate, Phase.PRECOMMIT, members) >= members.threshold

    def _verify_rest(self, synced: SyncedBlock, missing: list[TxMessage], peer: NodeId) -> None:
        """Verifies the proofs of transfers that this node has not seen, one after the other, then commits."""
        if not missing:
            self._busy = False
            self._commit(synced, peer)
            return
        message, rest = missing[0], missing[1:]
        if not self._world.signature_valid(message):
            self._busy = False
            return

        def then(verdict: ProofVerdict | None) -> None:
            if verdict is None or not verdict.accepted:
                self._busy = False
                return
            self._transactions.note_verified(message)
            self._verify_rest(synced, rest, peer)

        self._transactions.verify(Incoming(message, peer, None, _ignore), then)

    def _commit(self, synced: SyncedBlock, peer: NodeId) -> None:
        block, certificate = synced.block, synced.certificate
        if block.header.height != self._chain.height + 1:
            self._next_block(peer)
            return
        if self._chain.why_unacceptable(block, self._validator.transfers_of(block), certificate.slot) is not None:
            return
        for vote in certificate.votes:
            self._validator.note_vote(vote)
        self._validator.commit(block, certificate.slot, certificate, caught_up=True)
        self._take_proofs(synced.proofs, peer)
        self._next_block(peer)


def _ignore(_verdict: Verdict, _reason: str) -> None:
    """There is nobody to tell: the message did not come by gossip."""
