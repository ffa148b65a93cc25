"""Catching up: what a node missed and learns from its neighbours, whatever it was and however long ago.

Gossip offers a message for a few heartbeats only. So neighbours tell each other now and then, and whenever a link comes up, how far
they are (`Status`): the height, the votes that they hold of the height being voted on, pending transfers, the proofs of blocks that are not
aggregated. Whoever is ahead hands over, or is asked for, what the other lacks. Everything that comes is checked as if it had come by
gossip.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from simnet.base.recent import Recent
from simnet.base.units import NodeId, SimTime
from simnet.net.network import Validation
from simnet.node import aggregation, finality
from simnet.node.aggregation import Aggregation
from simnet.node.answer_limits import AnswerLimits
from simnet.node.block_requests import BlockRequests
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.committee import weight_by_phase, why_not_signed
from simnet.node.conduct import Conduct
from simnet.node.facts import Facts
from simnet.node.finality import Finality
from simnet.node.letters import BlocksWanted, Examined, Handed, TransfersWanted, TransferVerified
from simnet.node.peers import Peers
from simnet.node.ports import Ports
from simnet.node.status import PART_BYTES, PROOFS_HELD_BYTES, PROOFS_MAX, PROOFS_TOLD, STATUS_BYTES, ProofsHeld, Status, Told
from simnet.node.timing import latest_slot, patience
from simnet.node.transactions import Incoming, Transactions
from simnet.node.voting import Voter
from simnet.node.waiting import WAITING_MAX, Owed
from simnet.proofs.backend import Verification
from simnet.protocol.messages import Phase, ProofsOf, SyncedBlock, TxMessage

WANTED_MAX = 8192
"""Transfers that a proposal waits for; of those forgotten the pool decides whether it has room."""
ANSWERED_MAX = 256
"""Transfers of one request that are answered."""


@dataclass(frozen=True, slots=True)
class Fetched(Examined):
    """A transfer of a fetched block that this node had not seen."""

    message: TxMessage
    peer: NodeId


@dataclass(slots=True)
class Answer:
    """Blocks that a neighbour has given and this node takes, one after the other."""

    peer: NodeId
    first: int
    """The height that they were asked for from."""
    blocks: tuple[SyncedBlock, ...]
    taken: int = 0
    """Those that are the chain's."""
    useless: bool = False
    """The rest is not taken."""


@dataclass(slots=True)
class AskedProofs:
    """Who was asked for proofs of one block."""

    unanswered: NodeId | None = None
    """Who was asked last, while nobody has answered."""
    times: Counter[NodeId] = field(default_factory=Counter)
    when: dict[NodeId, SimTime] = field(default_factory=dict)
    """When each was asked last."""


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
        self._patience = patience(facts.slots.length)
        self._requests = BlockRequests(facts.scenario.chain.sync_blocks_max, self._patience)
        self._limits = AnswerLimits(ports, facts.slots.length, self._patience)
        self._asked: defaultdict[int, AskedProofs] = defaultdict(AskedProofs)
        """By height."""
        self._told: dict[NodeId, Told] = {}
        self._silent: Counter[NodeId] = Counter()
        """Requests for proofs, since the last one that was answered with something of use."""
        self._answers: deque[Answer] = deque()
        """One of a neighbour at most. A late one must not cost another neighbour the place of its own."""
        self._taking = False
        self._verifying = False
        """The first answer's next block waits for the verifier."""
        self._turn = 0
        """Whom to ask next when nobody in particular has what is wanted."""
        most = facts.scenario.chain.block_transactions_max
        self._wanted: Recent[bytes, None] = Recent(max(WANTED_MAX, WAITING_MAX * most))
        """Transfers asked for by id."""
        self._owed = Owed(ports, most)

    def on_slot(self) -> None:
        """A slot begins."""
        self._owed.begin()
        self._go_on_asking()

    def on_connected(self, peer: NodeId) -> None:
        """A link came up."""
        self._limits.connected(peer)
        self.send_status([peer])

    # --- status --------------------------------------------------------------------------------------

    def send_status(self, peers: Iterable[NodeId]) -> None:
        """Tells neighbours how far this node is."""
        if not peers or self._conduct.keeps("status", self._chain.height):
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
        self._requests.told(peer, status.height)
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
        if votes and not self._conduct.keeps("votes", self._chain.height + 1) and self._limits.allows(peer, "votes"):
            self._ports.send(peer, "votes", votes, sum(v.size for v in votes))

    def _exchange_proofs(self, status: Status, peer: NodeId) -> None:
        """Asks for proofs of the first blocks that are not aggregated here, of which neighbours have more."""
        self._told[peer] = Told(status.aggregated, {p.height: p for p in status.proofs})
        for height in range(self._aggregated + 1, min(self._chain.height, self._aggregated + PROOFS_TOLD) + 1):
            self._request_proofs(self._proofs_held(height, self._ports.now))
        for old in [height for height in self._asked if height <= self._aggregated]:
            del self._asked[old]

    def _request_proofs(self, own: ProofsHeld) -> None:
        """Of the neighbours that have more, who kept silent least and was asked least about this block: neither by talking most nor by
        giving a little at a time must a liar be the one who always is asked, and where links lose much all are silent. A better one need
        not wait for the answer of one that owes many; but each is asked about a block once in a while only, since it takes time to verify
        what it has given."""
        now, asked = self._ports.now, self._asked[own.height]
        able = [p for p in self._ports.connected() if p in self._told and self._told[p].has_more(own)]
        able = [p for p in able if now - asked.when.get(p, -self._patience) >= self._patience]
        if not able:
            return
        target = min(able, key=lambda p: (self._silent[p] + asked.times[p], p))
        last = asked.unanswered
        if last is None or now - asked.when[last] >= self._patience or self._silent[target] + 1 < self._silent[last]:
            asked.unanswered, asked.when[target] = target, now
            asked.times[target] += 1
            self._silent[target] += 1
            self._ports.send(target, "proof_request", own, PROOFS_HELD_BYTES + PART_BYTES * len(own.parts))

    # --- requests ------------------------------------------------------------------------------------

    def on_blocks_wanted(self, letter: BlocksWanted) -> None:
        """Another part has seen that this node is behind."""
        self._request_blocks(letter.of)

    def _go_on_asking(self) -> None:
        """At the pace of what neighbours happen to say, many blocks take longer than what is promised of them."""
        if self._requests.is_behind(self._chain.height, self._ports.connected()):
            self._request_blocks(None)

    def _request_blocks(self, named: NodeId | None) -> None:
        """Asks a neighbour for the blocks after the own head, unless some are being taken. `named`: known to have them."""
        if self._answers:
            return
        height = self._chain.height
        peer = self._requests.ask(self._ports.now, height, named, self._ports.connected())
        if peer is not None:
            self._ports.send(peer, "block_request", height + 1, STATUS_BYTES)

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
            if not self._limits.allows(peer, height):
                break
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
        if (answer.consensus is not None or answer.proofs) and self._limits.allows(peer, ("proofs", theirs.height)):
            self._ports.send(peer, "proof_response", answer, answer.size)

    def _proofs_of(self, height: int, committed: CommittedBlock) -> ProofsOf:
        return ProofsOf(height, committed.proof, self._aggregation.proofs_of(height))

    def _take_proofs(self, given: ProofsOf, peer: NodeId) -> None:
        """Examines a committed block's proofs like any others."""
        if self._chain.at(given.height) is None:
            return
        if given.height in self._asked:
            self._asked[given.height].unanswered = None
        if given.consensus is not None and given.consensus.certificate.height == given.height:
            self._finality.take(finality.Incoming(given.consensus, peer, Handed("consensus_proof", peer)))
        for proof in given.proofs[:PROOFS_MAX]:
            if proof.height == given.height:
                self._aggregation.take(aggregation.Incoming(proof, peer, Handed("block_proof", peer)))

    def _answer_transfers(self, ids: tuple[bytes, ...], peer: NodeId) -> None:
        for tx_id in ids[:ANSWERED_MAX]:
            if tx_id not in self._transactions.verified:
                self._owed.note(tx_id, peer)
            elif self._limits.allows(peer, tx_id, WAITING_MAX):  # Each proposal that waits may ask for it.
                self._send_transfer(tx_id, peer)

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
        given = tuple(b for b in blocks[: self._facts.scenario.chain.sync_blocks_max] if isinstance(b, SyncedBlock))
        if given and self._requests.expects(peer, given[0].block.header.height):
            self._answers.append(Answer(peer, given[0].block.header.height, given))
            self._take_blocks()

    def _take_blocks(self) -> None:
        """Takes block after block until one waits for the verifier, then asks for more. In a loop: an answer may have a thousand."""
        if self._taking:
            return
        self._taking = True
        while self._answers and not self._verifying:
            answer = self._answers[0]
            if not answer.useless and answer.taken < len(answer.blocks):
                self._take_next(answer)
                continue
            self._answers.popleft()
            if not answer.useless:
                self._requests.took(answer.peer, answer.first, answer.taken)
        self._taking = False
        self._go_on_asking()

    def _take_next(self, answer: Answer) -> None:
        """Takes the next block if it is the chain's, or extends it: checks its certificate, then its transfers' proofs, then commits."""
        synced, height = answer.blocks[answer.taken], answer.first + answer.taken
        known = self._chain.at(height)
        if known is not None:
            answer.taken += 1
            answer.useless = known.block.hash != synced.block.hash
            return
        why = self._why_not_certified(synced)
        if why is not None:
            self._peers.refused("block_response", answer.peer, why)
            answer.useless = True
            return
        missing = next((t for t in synced.transfers if t.tx.id not in self._transactions.verified), None)
        if missing is not None:
            self._verify(missing, answer)
        elif self._commit(synced, answer.peer):
            answer.taken += 1
        else:
            answer.useless = True

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

    def _verify(self, message: TxMessage, answer: Answer) -> None:
        """Verifies the proof of a transfer that this node has not seen."""
        why = self._facts.why_malformed(message)
        if why is not None:
            self._peers.refused("transaction", answer.peer, why)
            answer.useless = True
            return
        self._verifying = True
        self._transactions.verify(message, answer.peer, None, Fetched(message, answer.peer))

    def on_verdict(self, fetched: Fetched, verdict: Verification | None) -> None:
        """The verifier has answered about a transfer of the first answer's next block, or has no room."""
        self._verifying = False
        if verdict is not None and verdict.accepted:
            self._transactions.note_verified(fetched.message)
        else:
            self._answers[0].useless = True
            if verdict is not None:
                self._peers.refused("transaction", fetched.peer, verdict.reason)
        self._take_blocks()

    def _commit(self, synced: SyncedBlock, peer: NodeId) -> bool:
        block, certificate = synced.block, synced.certificate
        if self._chain.why_unacceptable(block, self._voter.transfers_of(block), certificate.slot) is not None:
            return False
        self._voter.commit(block, certificate.slot, certificate, caught_up=True)
        self._take_proofs(synced.proofs, peer)
        return True
