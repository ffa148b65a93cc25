"""Catching up: what a node missed and learns from its neighbours, whatever it was and however long ago.

Gossip offers a message for a few heartbeats only. So neighbours tell each other now and then, and whenever a link comes up, how far
they are (`Status`): the height, the votes that they hold of the height being voted on, pending transfers, the proofs of blocks that are not
aggregated. Whoever is ahead hands over, or is asked for, what the other lacks. Everything that comes is checked as if it had come by
gossip.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simnet.base.catalogue import BackendId
from simnet.base.recent import Recent
from simnet.base.units import NS_PER_S, NodeId, SimTime
from simnet.net.network import Validation
from simnet.node import aggregation, finality
from simnet.node.aggregation import Aggregation
from simnet.node.block_parts import Part
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.committee import weight_by_phase, why_not_signed
from simnet.node.conduct import Conduct
from simnet.node.facts import Facts
from simnet.node.finality import Finality
from simnet.node.letters import BlocksWanted, Examined, Handed, TransfersWanted, TransferVerified
from simnet.node.peers import Peers
from simnet.node.ports import Ports
from simnet.node.timing import latest_slot
from simnet.node.transactions import Incoming, Transactions
from simnet.node.voting import Voter
from simnet.node.waiting import WAITING_MAX, Owed
from simnet.proofs.backend import Verification
from simnet.protocol.messages import Phase, ProofsOf, SyncedBlock, TxMessage
from simnet.protocol.shapes import DIGEST, U8, U63, below, each, either, fits_direct, nothing
from simnet.protocol.votes import TOLD_MAX, Holding

STATUS_BYTES, HOLDING_BYTES, PART_BYTES, PROOFS_HELD_BYTES = 48, 60, 4, 10
PATIENCE_MAX = SimTime(2 * NS_PER_S)
"""A request that brought nothing may be repeated after this long, or after half a slot if that is shorter. And younger transfers and proofs
may still be on their way to everybody."""
PROOFS_MAX = 256
"""Proofs of one block that are looked at in an answer."""
PROOFS_TOLD = 8
"""Blocks, from the first one that is not aggregated, whose proofs neighbours tell each other about."""
_VOTERS = below(1 << (1 << 16))
"""A bit set of validators."""
WANTED_MAX = 8192
"""Transfers that a proposal waits for; of those forgotten the pool decides whether it has room."""
ANSWERED_MAX = 256
"""Transfers of one request that are answered."""


@dataclass(frozen=True, slots=True)
class ProofsHeld:
    """Which verified proofs of a block a node holds."""

    height: int
    consensus: bool
    parts: frozenset[tuple[BackendId, Part]]

    def lacks(self, other: "ProofsHeld") -> bool:
        """Whether the other one holds something more."""
        return (other.consensus and not self.consensus) or bool(other.parts - self.parts)


@dataclass(frozen=True, slots=True)
class Told:
    """What a neighbour said last of the proofs that it has."""

    aggregated: int
    held: Mapping[int, ProofsHeld]
    """By height."""

    def has_more(self, own: ProofsHeld) -> bool:
        """Whether it has proofs of a block that this node lacks."""
        return own.height <= self.aggregated or (own.height in self.held and own.lacks(self.held[own.height]))


@dataclass(frozen=True, slots=True)
class Status:
    """What a node tells its neighbours about itself now and then."""

    height: int
    votes: tuple[Holding, ...]
    """Of the height after it."""
    transfers: tuple[bytes, ...]
    """Pending ones that it has held for a while."""
    aggregated: int
    """Blocks up to here it has held aggregated, or proven where blocks carry no other proofs, for a while."""
    proofs: tuple[ProofsHeld, ...]
    """Of the first blocks after those."""
    head: bytes
    """The hash of the block at `height`."""

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        parts = sum(PROOFS_HELD_BYTES + PART_BYTES * len(p.parts) for p in self.proofs)
        return STATUS_BYTES + HOLDING_BYTES * len(self.votes) + 32 * len(self.transfers) + parts


def fits(kind: str, payload: object) -> bool:
    """Whether a point-to-point message has the shape of its kind."""
    match kind:
        case "status":
            return _fits_status(payload)
        case "proof_request":
            return _fits_proofs_held(payload)
    return fits_direct(kind, payload)


def _fits_status(x: object) -> bool:
    if not isinstance(x, Status) or len(x.votes) > TOLD_MAX or len(x.proofs) > PROOFS_TOLD:
        return False
    return (
        U63(x.height)
        and U63(x.aggregated)
        and each(_fits_holding)(x.votes)
        and each(DIGEST)(x.transfers)
        and each(_fits_proofs_held)(x.proofs)
        and DIGEST(x.head)
    )


def _fits_holding(h: object) -> bool:
    return isinstance(h, Holding) and U63(h.slot) and h.phase in Phase and either(nothing, DIGEST)(h.block) and _VOTERS(h.voters)


def _fits_proofs_held(p: object) -> bool:
    if not isinstance(p, ProofsHeld) or not U63(p.height) or len(p.parts) > PROOFS_MAX:
        return False
    return all(U8(field) for field, _ in p.parts) and {type(part) for _, part in p.parts} <= {Part}


@dataclass(frozen=True, slots=True)
class Fetched(Examined):
    """A transfer of a fetched block that this node had not seen, and those that come after it."""

    synced: SyncedBlock
    message: TxMessage
    rest: tuple[TxMessage, ...]
    peer: NodeId


class Sync:
    """One node's requests and answers."""

    def __init__(
        self,
        facts: Facts,
        ports: Ports,
        chain: Chain,
        voter: Voter,
        transactions: Transactions,
        finality: Finality,
        aggregation: Aggregation,
        conduct: Conduct,
        peers: Peers,
    ) -> None:
        self._facts = facts
        self._ports = ports
        self._chain = chain
        self._voter = voter
        self._transactions = transactions
        self._finality = finality
        self._aggregation = aggregation
        self._conduct = conduct
        self._peers = peers
        self._ahead_of_us: dict[NodeId, int] = {}
        """Heights that neighbours told."""
        self._owes: Counter[NodeId] = Counter()
        """Blocks that a neighbour had said to have, was asked for and has not given."""
        self._asked: dict[NodeId, int] = {}
        """The first height of a request for blocks that is not answered."""
        self._patience = min(PATIENCE_MAX, SimTime(facts.slots.length // 2))
        self._asked_at = SimTime(-self._patience)
        self._asked_proofs: dict[int, tuple[int, NodeId]] = {}
        """When who was asked last, by height."""
        self._asked_about: dict[int, Counter[NodeId]] = {}
        """How often each was asked for a height's proofs."""
        self._told: dict[NodeId, Told] = {}
        self._silent: Counter[NodeId] = Counter()
        """Requests for proofs, since the last one that was answered with something of use."""
        self._ahead: list[SyncedBlock] = []
        self._busy = False
        self._turn = 0
        """Whom to ask next when nobody in particular has what is wanted."""
        most = facts.scenario.chain.block_transactions_max
        self._wanted: Recent[bytes, None] = Recent(max(WANTED_MAX, WAITING_MAX * most))
        """Transfers asked for by id."""
        self._owed = Owed(ports, most)

    def on_slot(self) -> None:
        """A slot begins."""
        self._owed.begin()

    # --- status --------------------------------------------------------------------------------------

    def send_status(self, peers: Iterable[NodeId]) -> None:
        """Tells neighbours how far this node is."""
        if not peers:
            return
        status = self._status()
        for peer in peers:
            self._ports.send(peer, "status", status, status.size)

    def _status(self) -> Status:
        settled = SimTime(self._ports.now - self._patience)
        first = self._aggregated + 1
        proofs = tuple(self._proofs_held(h, settled) for h in range(first, min(self._chain.height, first + PROOFS_TOLD - 1) + 1))
        votes = self._voter.voting.book.holdings()
        aggregated = self._aggregation.since(settled) if self._aggregation.fields else self._chain.proven_since(settled)
        return Status(self._chain.height, votes, self._transactions.held_since(settled), aggregated, proofs, self._chain.head)

    @property
    def _aggregated(self) -> int:
        """Up to which height this node wants no more proofs."""
        return self._aggregation.height if self._aggregation.fields else self._chain.proven_height

    def _proofs_held(self, height: int, limit: SimTime) -> ProofsHeld:
        """What was here at `limit`: younger proofs may still be on their way to everybody."""
        committed = self._chain.at(height)
        proven = committed is not None and committed.proven_at is not None and committed.proven_at <= limit
        return ProofsHeld(height, proven, self._aggregation.parts_held(height, limit))

    def _on_status(self, status: Status, peer: NodeId) -> None:
        self._ahead_of_us[peer] = status.height
        if status.height > self._chain.height:
            self._request_blocks(peer)
        elif status.height == self._chain.height:
            self._exchange_votes(status, peer)
            missing = self._transactions.lacking(status.transfers)
            if missing:
                self._ports.send(peer, "tx_request", missing, 32 * len(missing))
        self._exchange_proofs(status, peer)

    def _exchange_votes(self, status: Status, peer: NodeId) -> None:
        """Hands over the votes of the present height that a neighbour lacks."""
        votes = self._voter.voting.book.missing_at(status.votes)
        if votes and not self._conduct.keeps("votes", self._chain.height + 1):
            self._ports.send(peer, "votes", votes, sum(v.size for v in votes))

    def _exchange_proofs(self, status: Status, peer: NodeId) -> None:
        """Asks for proofs of the first blocks that are not aggregated here, of which neighbours have more."""
        self._told[peer] = Told(status.aggregated, {p.height: p for p in status.proofs})
        for height in range(self._aggregated + 1, min(self._chain.height, self._aggregated + PROOFS_TOLD) + 1):
            self._request_proofs(self._proofs_held(height, self._ports.now))
        self._asked_proofs = {h: asked for h, asked in self._asked_proofs.items() if h > self._aggregated}
        self._asked_about = {h: asked for h, asked in self._asked_about.items() if h > self._aggregated}

    def _request_proofs(self, own: ProofsHeld) -> None:
        """Of the neighbours that have more, who kept silent least and was asked least about this block: neither by talking most nor by
        giving a little at a time must a liar be the one who always is asked, and where links lose much all are silent. A better one need
        not wait for the answer of one that owes many."""
        neighbours = self._ports.connected()
        able = [p for p in neighbours if p in self._told and self._told[p].has_more(own)]
        if not able:
            return
        about = self._asked_about.setdefault(own.height, Counter())
        target, now = min(able, key=lambda p: (self._silent[p] + about[p], p)), self._ports.now
        asked_at, asked = self._asked_proofs.get(own.height, (-self._patience, target))
        if now - asked_at >= self._patience or self._silent[target] + 1 < self._silent[asked]:
            self._asked_proofs[own.height] = (now, target)
            self._silent[target] += 1
            about[target] += 1
            self._ports.send(target, "proof_request", own, PROOFS_HELD_BYTES + PART_BYTES * len(own.parts))

    # --- requests ------------------------------------------------------------------------------------

    def on_blocks_wanted(self, letter: BlocksWanted) -> None:
        """Another part has seen that this node is behind."""
        self._request_blocks(letter.of)

    def _request_blocks(self, peer: NodeId | None) -> None:
        """Asks a neighbour (the first one, if none is named) for the blocks after the own head."""
        now = self._ports.now
        neighbours = self._ports.connected()
        if not neighbours or self._busy or now - self._asked_at < self._patience:
            return
        self._asked_at = now
        target = self._answering(peer if peer in neighbours else neighbours[0], neighbours)
        self._asked[target] = self._chain.height + 1
        told = self._ahead_of_us.get(target, 0) - self._chain.height
        self._owes[target] += max(1, min(told, self._facts.scenario.chain.sync_blocks_max))
        self._ports.send(target, "block_request", self._chain.height + 1, STATUS_BYTES)

    def _answering(self, first: NodeId, neighbours: tuple[NodeId, ...]) -> NodeId:
        """The neighbour to ask: of those that are ahead the one that owes least, `first` among equals."""
        ahead = [p for p in neighbours if p != first and self._ahead_of_us.get(p, 0) > self._chain.height]
        # min takes the first of equals.
        return min((first, *ahead), key=lambda p: self._owes[p])

    def on_transfers_wanted(self, letter: TransfersWanted) -> None:
        """Asks a neighbour for transfers by id: the one that named them, if it is connected, or each in turn."""
        neighbours = self._ports.connected()
        if neighbours:
            wanted = tuple(sorted(letter.ids))
            for tx_id in wanted:
                self._wanted.pop(tx_id, None)  # It is as young as those that are asked for the first time.
                self._wanted[tx_id] = None
            self._turn += 1
            target = letter.of if letter.of in neighbours else neighbours[self._turn % len(neighbours)]
            for first in range(0, len(wanted), ANSWERED_MAX):
                part = wanted[first : first + ANSWERED_MAX]
                self._ports.send(target, "tx_request", part, 32 * len(part))

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        """A point-to-point message of this protocol."""
        match kind, payload:
            case "status", Status():
                self._on_status(payload, peer)
            case "votes", tuple():
                if not self._voter.on_votes(payload, peer):
                    self._peers.refused(kind, peer, "SignatureInvalid")
            case "block_request", int():
                self._answer_blocks(payload, peer)
            case "block_response", tuple():
                self._on_blocks(payload, peer)
            case "proof_request", ProofsHeld():
                self._answer_proofs(payload, peer)
            case "proof_response", ProofsOf():
                self._take_proofs(payload, peer)
            case "tx_request", tuple():
                self._answer_transfers(payload, peer)
            case "tx_response", TxMessage():
                needed = payload.tx.id in self._wanted
                self._wanted.pop(payload.tx.id, None)
                self._transactions.examine(Incoming(payload, peer, None, Handed("transaction", peer), needed))

    # --- answers -------------------------------------------------------------------------------------

    def _answer_blocks(self, first: int, peer: NodeId) -> None:
        last = min(self._chain.height, first + self._facts.scenario.chain.sync_blocks_max - 1)
        blocks = []
        for height in range(max(1, first), last + 1):
            c = self._chain.at(height)
            assert c is not None
            transfers = tuple(self._transactions.verified[i] for i in c.block.tx_ids)
            blocks.append(SyncedBlock(c.block, c.certificate, transfers, self._proofs_of(height, c)))
        if blocks and not self._conduct.keeps("blocks", first):
            answer = tuple(blocks)
            self._ports.send(peer, "block_response", answer, sum(b.size for b in answer))

    def _answer_proofs(self, theirs: ProofsHeld, peer: NodeId) -> None:
        """One block's proofs a request: a block may have a dozen, of a hundred kilobytes each."""
        committed = self._chain.at(theirs.height)
        if committed is None or self._conduct.keeps("blocks", theirs.height):
            return
        consensus = None if theirs.consensus else committed.proof
        answer = ProofsOf(theirs.height, consensus, self._aggregation.proofs_of(theirs.height, theirs.parts))
        if answer.consensus is not None or answer.proofs:
            self._ports.send(peer, "proof_response", answer, answer.size)

    def _proofs_of(self, height: int, committed: CommittedBlock) -> ProofsOf:
        return ProofsOf(height, committed.proof, self._aggregation.proofs_of(height))

    def _take_proofs(self, given: ProofsOf, peer: NodeId) -> None:
        """Examines a committed block's proofs like any others."""
        if self._chain.at(given.height) is None:
            return
        self._asked_proofs.pop(given.height, None)
        if given.consensus is not None and given.consensus.certificate.height == given.height:
            self._finality.take(finality.Incoming(given.consensus, peer, Handed("consensus_proof", peer)))
        for proof in given.proofs[:PROOFS_MAX]:
            if proof.height == given.height:
                self._aggregation.take(aggregation.Incoming(proof, peer, Handed("block_proof", peer)))

    def _answer_transfers(self, ids: tuple[bytes, ...], peer: NodeId) -> None:
        for tx_id in ids[:ANSWERED_MAX]:
            if tx_id in self._transactions.verified:
                self._send_transfer(tx_id, peer)
            else:
                self._owed.note(tx_id, peer)

    def on_verified(self, letter: TransferVerified) -> None:
        """A transfer goes to those who asked for it."""
        for peer in self._owed.pay(letter.tx_id):
            self._send_transfer(letter.tx_id, peer)

    def _send_transfer(self, tx_id: bytes, peer: NodeId) -> None:
        message = self._transactions.verified[tx_id]
        self._ports.send(peer, "tx_response", message, message.size)

    def on_answer(self, origin: Handed, verdict: Validation, reason: str) -> None:
        """What a neighbour's answer is worth to it; there is nobody to tell, since it did not come by gossip."""
        if verdict is Validation.REJECT:
            self._peers.refused(origin.kind, origin.peer, reason)
        elif verdict is Validation.ACCEPT:
            self._silent[origin.peer] = 0

    # --- blocks that others have committed -------------------------------------------------------------

    def _on_blocks(self, blocks: tuple[object, ...], peer: NodeId) -> None:
        first = self._asked.pop(peer, None)
        if self._busy or first is None:
            return
        self._asked_at = SimTime(-self._patience)
        most = self._facts.scenario.chain.sync_blocks_max
        self._ahead = [b for i, b in enumerate(blocks[:most]) if isinstance(b, SyncedBlock) and b.block.header.height == first + i]
        self._next_block(peer)

    def _credit(self, peer: NodeId) -> None:
        """A neighbour gave a block of the chain."""
        self._owes[peer] = max(0, self._owes[peer] - 1)

    def _next_block(self, peer: NodeId) -> None:
        """Takes the next fetched block that extends the own chain: checks its certificate, then its proofs, then commits."""
        while self._ahead and (known := self._chain.at(self._ahead[0].block.header.height)) is not None:
            if self._ahead.pop(0).block.hash == known.block.hash:
                self._credit(peer)
        if not self._ahead or self._busy:
            return
        synced = self._ahead.pop(0)
        why = self._why_not_certified(synced)
        if why is not None:
            self._peers.refused("block_response", peer, why)
            self._ahead.clear()
            return
        missing = tuple(t for t in synced.transfers if t.tx.id not in self._transactions.verified)
        self._busy = True
        self._verify_rest(synced, missing, peer)

    def _why_not_certified(self, synced: SyncedBlock) -> str | None:
        """`None` when the block follows the head with a signed precommit quorum of a slot that has been, and brings its own transfers."""
        certificate, block, electorate = synced.certificate, synced.block, self._chain.electorate
        header = block.header
        if header.height != self._chain.height + 1:
            return "another_block"
        if header.hash != block.hash or (certificate.height, certificate.block) != (header.height, block.hash):
            return "certificate"
        if certificate.backend != header.backend:  # Its members do not sign it.
            return "backend"
        if self._facts.why_too_large(block) or block.why_malformed():  # The certificate covers the header alone.
            return "another_body"
        if not header.slot <= certificate.slot <= latest_slot(self._facts, self._ports):
            return "slot"
        if certificate.endorsements or certificate.registered != electorate.registered(certificate.slot):
            return "registrations"
        why = why_not_signed(self._facts, certificate)
        if why is not None:
            return why
        if [t.tx.id for t in synced.transfers] != list(block.tx_ids):
            return "transfers"
        return None if weight_by_phase(certificate, electorate)[Phase.PRECOMMIT] >= electorate.threshold else "no_quorum"

    def _verify_rest(self, synced: SyncedBlock, missing: tuple[TxMessage, ...], peer: NodeId) -> None:
        """Verifies the proofs of transfers that this node has not seen, one after the other, then commits."""
        if not missing:
            self._busy = False
            self._commit(synced, peer)
            return
        message, rest = missing[0], missing[1:]
        why = self._facts.why_malformed(message)
        if why is not None:
            self._peers.refused("transaction", peer, why)
            self._busy = False
            return
        self._transactions.verify(message, peer, None, Fetched(synced, message, rest, peer))

    def on_verdict(self, fetched: Fetched, verdict: Verification | None) -> None:
        """The verifier has answered about a transfer of a fetched block."""
        if verdict is not None and verdict.accepted:
            self._transactions.note_verified(fetched.message)
            self._verify_rest(fetched.synced, fetched.rest, fetched.peer)
            return
        if verdict is not None:
            self._peers.refused("transaction", fetched.peer, verdict.reason)
        self._busy = False

    def _commit(self, synced: SyncedBlock, peer: NodeId) -> None:
        block, certificate = synced.block, synced.certificate
        if block.header.height != self._chain.height + 1:
            self._next_block(peer)
            return
        if certificate.slot > latest_slot(self._facts, self._ports):
            return  # The clock was put back meanwhile.
        if self._chain.why_unacceptable(block, self._voter.transfers_of(block), certificate.slot) is not None:
            return
        self._credit(peer)
        self._voter.commit(block, certificate.slot, certificate, caught_up=True)
        self._take_proofs(synced.proofs, peer)
        self._next_block(peer)
        if not self._ahead and any(self._ahead_of_us.get(p, 0) > self._chain.height for p in self._ports.connected()):
            # At once: at the pace of what neighbours happen to say, many blocks take longer than what is promised of them.
            self._request_blocks(peer)
