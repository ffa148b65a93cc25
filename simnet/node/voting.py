"""A validator at work: slots, proposals, votes, commits.

Turns the effects of `protocol.consensus.Voting` into signed messages and feeds it with what the network
brings, after checking it: signatures, the slot's leader, the block's contents and, before a prevote, the
proof of every transfer in the block.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from simnet.events import BlockCommitted, LimitReached, Proposed, VoteCast, WindowClosed
from simnet.net.network import Message, Verdict
from simnet.node.chain import Chain, block_statement, committee_of
from simnet.node.conduct import Conduct
from simnet.node.identity import make_registration, otk_tree, registration_valid
from simnet.node.presence import Presence
from simnet.node.timing import Timing
from simnet.node.transactions import Transactions
from simnet.node.world import World
from simnet.proofs import native
from simnet.proofs.backend import BackendId
from simnet.proofs.statements import vote_message
from simnet.protocol.blocks import Block, Body, Header, Registration, digests_root, registrations_root, tx_root
from simnet.protocol.consensus import Cast, Decide, Effect, Equivocation, FetchBlock, Propose, Step, Voting
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import Certificate, Phase, Proposal, Vote, registration_size
from simnet.protocol.state import Outcome, Position
from simnet.protocol.validators import SLOTS_PER_EPOCH, EpochSet, epoch_of
from simnet.units import NS_PER_S, NodeId, SimTime

EARLY_MAX = 4096
"""Proposals and votes kept for heights that this node has not reached."""


@dataclass(slots=True)
class Waiting:
    """A proposal whose transfers are not all verified yet."""

    proposal: Proposal
    missing: set[bytes]


class Validator:
    """One node's part in consensus."""

    def __init__(self, world: World, node: NodeId, chain: Chain, transactions: Transactions, presence: Presence, conduct: Conduct) -> None:
        self._world = world
        self._node = node
        self._chain = chain
        self._transactions = transactions
        self._presence = presence
        self._conduct = conduct
        self._clock = world.clock_of(node)
        self._timing = Timing(world, node)
        self._soon: list[tuple[Proposal, NodeId]] = []
        """Proposals of a slot that has not begun here."""
        self._secret = world.genesis.secrets[node]
        self._backends = world.backend_ids(node)
        self._turn = 0
        self._slot = -1
        self._proposed_at: dict[bytes, int] = {}
        self._early: dict[int, list[Proposal | Vote]] = defaultdict(list)
        self._waiting: list[Waiting] = []
        self.votes: dict[tuple[int, bytes], dict[tuple[int, Phase], Vote]] = defaultdict(dict)
        """Votes for blocks by (slot, block), then by (validator, phase): what certificates are made of."""
        self._registrations: dict[int, Registration] = {}
        self._rivals: dict[int, Block] = {}
        """The node's second blocks by slot, where it equivocates."""
        self.request_blocks: Callable[[NodeId | None], None] = lambda _: None
        self.request_transfers: Callable[[frozenset[bytes], NodeId], None] = lambda _ids, _peer: None
        self.on_commit: Callable[[Block, bool], None] = lambda _block, _caught_up: None
        self.on_vote_seen: Callable[[Vote], None] = lambda _: None
        self.on_signed: list[Callable[[Proposal | Vote], None]] = []
        """Told every proposal and vote whose signature was checked, for whatever height; some more than once."""
        transactions.on_verified.append(self._on_verified)
        self._voting = Voting(1, node, chain.sets_of_next())

    # --- the slot clock ----------------------------------------------------------------------

    def on_slot(self, slot: int) -> None:
        """A slot begins."""
        self._slot = slot
        self._register_for_next_epoch()
        self._carry_out(self._voting.start_slot(slot))
        soon, self._soon = self._soon, []
        for proposal, peer in soon:
            self._take(proposal, peer)

    def on_deadline(self, slot: int, phase: Phase) -> None:
        """The slot's time for a phase is over."""
        self._carry_out(self._voting.on_deadline(slot, phase))

    # --- what the network brings ---------------------------------------------------------------

    def on_proposal(self, message: Message, peer: NodeId) -> None:
        """A proposal came by gossip."""
        proposal = message.payload
        assert isinstance(proposal, Proposal)
        if not self._world.signed_by(proposal.leader, proposal.signing_bytes(), proposal.signature):
            self._world.network.verdict(self._node, message, Verdict.REJECT, "SignatureInvalid")
            return
        self._world.network.verdict(self._node, message, Verdict.ACCEPT)
        self._proposed_at.setdefault(proposal.block.hash, message.published_at)
        self._take(proposal, peer)

    def on_vote(self, message: Message, peer: NodeId) -> None:
        """A vote came by gossip."""
        vote = message.payload
        assert isinstance(vote, Vote)
        if not self._world.vote_valid(vote):
            self._world.network.verdict(self._node, message, Verdict.REJECT, "SignatureInvalid")
            return
        self._world.network.verdict(self._node, message, Verdict.ACCEPT)
        self._take(vote, peer)

    def on_registration(self, message: Message, _peer: NodeId) -> None:
        """A validator's registration for the next epoch came by gossip."""
        registration = message.payload
        assert isinstance(registration, Registration)
        genesis = self._world.genesis
        if not registration_valid(registration, genesis.validators, genesis.chain_id):
            self._world.network.verdict(self._node, message, Verdict.REJECT, "registration")
            return
        known = self._registrations.get(registration.validator)
        if known is None or known.epoch < registration.epoch:
            self._registrations[registration.validator] = registration
        self._world.network.verdict(self._node, message, Verdict.ACCEPT)

    def _take(self, item: Proposal | Vote, peer: NodeId) -> None:
        height = item.height if isinstance(item, Vote) else item.block.header.height
        if isinstance(item, Vote):
            self.note_vote(item)
        else:
            self._tell_signed(item)
        if height == self._voting.height:
            self._deliver(item, peer)
        elif height > self._voting.height:
            if sum(map(len, self._early.values())) >= EARLY_MAX:
                self._world.emit(LimitReached(self._world.now, self._node, "early_messages"))
                return
            self._early[height].append(item)
            self.request_blocks(peer)

    def note_vote(self, vote: Vote) -> None:
        """Keeps a verified vote for a block, whatever its height."""
        self._tell_signed(vote)
        if vote.block is not None:
            self.votes[(vote.slot, vote.block)].setdefault((vote.validator, vote.phase), vote)
            self.on_vote_seen(vote)

    def _tell_signed(self, item: Proposal | Vote) -> None:
        for tell in self.on_signed:
            tell(item)

    def _deliver(self, item: Proposal | Vote, peer: NodeId) -> None:
        if isinstance(item, Vote):
            self._timing.note_vote(item, self._slot)
            self._carry_out(self._voting.on_vote(item))
            return
        leaders = self._chain.sets_of_next().at(item.slot).leaders(item.slot)
        if not leaders or item.leader != leaders[0]:
            return
        if item.slot > self._slot:
            if self._timing.keeps(item, len(self._soon)):
                self._soon.append((item, peer))
            return
        self._timing.note_proposal(item, self._slot, waiting=self._voting.step is Step.PROPOSE)
        missing = {i for i in item.block.tx_ids if i not in self._transactions.verified}
        if missing:
            self._waiting.append(Waiting(item, missing))
            self.request_transfers(frozenset(missing), peer)
        else:
            self._judge(item)

    def _on_verified(self, tx_id: bytes) -> None:
        """A transfer's proof was verified: proposals that waited for it may be judged."""
        for waiting in self._waiting:
            waiting.missing.discard(tx_id)
        ready = [waiting for waiting in self._waiting if not waiting.missing]
        # Before any is judged: a judgement may decide the height, which empties the list.
        self._waiting = [waiting for waiting in self._waiting if waiting.missing]
        for waiting in ready:
            if waiting.proposal.block.header.height == self._voting.height:
                self._judge(waiting.proposal)

    def _judge(self, proposal: Proposal) -> None:
        txs = self.transfers_of(proposal.block)
        acceptable = self._timing.timely(proposal) and self._chain.why_unacceptable(proposal.block, txs, proposal.slot) is None
        self._carry_out(self._voting.on_proposal(proposal, acceptable))

    def transfers_of(self, block: Block) -> dict[bytes, SignedTransfer]:
        """A block's transfers, all of which this node has verified."""
        return {i: self._transactions.verified[i].tx for i in block.tx_ids}

    # --- effects -------------------------------------------------------------------------------

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Propose():
                    self._propose(effect)
                case Cast():
                    self.cast(self._voting.height, effect.slot, effect.phase, self._block_of(effect.block))
                case Decide():
                    self._decide(effect.block, effect.slot)
                case FetchBlock():
                    self.request_blocks(None)
                case Equivocation():
                    pass  # `Watch` sees every signed message, whatever its height, and keeps the evidence.

    def _block_of(self, block: bytes | None) -> Block | None:
        return None if block is None else self._voting.blocks[block]

    def _propose(self, effect: Propose) -> None:
        if self._conduct.keeps("proposals", self._voting.height):
            return
        block = effect.block or self._build(effect.slot)
        proposal = self._signed_proposal(effect.slot, block, effect.valid_slot)
        header = block.header
        backend = BackendId(header.backend).label
        now = self._world.now
        self._proposed_at.setdefault(block.hash, now)
        self._world.emit(Proposed(now, self._node, header.height, effect.slot, block.hash.hex()[:16], backend, header.tx_count))
        rival = self._build(effect.slot, half=True) if self._conduct.equivocates("proposals") else block
        if rival.hash == block.hash:
            self._world.publish_consensus(self._node, "proposal", proposal, proposal.size)
        else:
            self._conduct.publish_both("proposal", proposal, self._signed_proposal(effect.slot, rival, -1))
            self._rivals[effect.slot] = rival
        self._judge(proposal)

    def _signed_proposal(self, slot: int, block: Block, valid_slot: int) -> Proposal:
        unsigned = Proposal(slot, block, valid_slot, self._node, b"")
        return replace(unsigned, signature=native.ed25519_sign(self._secret, unsigned.signing_bytes()))

    def _build(self, slot: int, *, half: bool = False) -> Block:
        """A new block of the transfers in the mempool; of half of them and no heartbeats, to differ from the whole."""
        chain, world = self._chain, self._world
        chosen = self._transactions.pool.select(chain.ledger, world.scenario.chain.block_transactions_max)
        if half:
            chosen = chosen[: len(chosen) // 2]
        epoch = epoch_of(slot) + 1
        known = chain.registered(epoch)
        # A parent may be dated a little ahead of this node's clock.
        now = max(self._clock.now // NS_PER_S, chain.committed[-1].block.header.timestamp if chain.committed else 0)
        body = Body(
            tx_ids=tuple(tx.id for tx in chosen),
            registrations=tuple(r for v, r in sorted(self._registrations.items()) if r.epoch == epoch and v not in known),
            joins=self._presence.joins(),
            heartbeats=() if half else self._presence.heartbeats(now),
        )
        at = Position(chain.height + 1, slot, now)
        outcome = world.outcome(chain.head, chain.state, at, body, {tx.id: tx for tx in chosen})
        assert isinstance(outcome, Outcome), outcome
        backend = self._backends[self._turn % len(self._backends)]
        self._turn += 1
        header = Header(
            height=at.height,
            slot=slot,
            parent=chain.head,
            proposer=self._node,
            backend=backend,
            state_root=outcome.after.ledger.root,
            tx_root=tx_root(body.tx_ids),
            timestamp=now,
            tx_count=len(chosen),
            registrations_root=registrations_root(body.registrations),
            joins_root=digests_root(body.joins),
            heartbeats_root=digests_root(body.heartbeats),
            fields=tuple(f.roots for f in outcome.fields),
        )
        return Block.assemble(header, body)

    def cast(self, height: int, slot: int, phase: Phase, block: Block | None) -> None:
        """Signs and publishes a vote, and counts it here."""
        members = self._chain.sets_of_next().at(slot) if height == self._voting.height else self._members_at(height)
        if self._node not in members.weights or self._conduct.keeps("votes", height):
            return
        vote = self._signed_vote(height, slot, phase, block, members)
        name = None if block is None else block.hash.hex()[:16]
        self._world.emit(VoteCast(self._world.now, self._node, height, slot, phase.label, name))
        if phase is not Phase.COMMIT and self._conduct.equivocates("votes"):
            self._cast_both(vote, block, members)
        else:
            self._world.publish_consensus(self._node, "vote", vote, vote.size)
        self._take(vote, self._node)

    def _cast_both(self, vote: Vote, block: Block | None, members: EpochSet) -> None:
        """A second vote beside the honest one: for the slot's other block when there is one, else for or against the only one."""
        candidates = [self._rivals.get(vote.slot), self._voting.proposed(vote.slot)]
        other = next((b for b in candidates if b is not None and b.hash != vote.block), None)
        if other is None and block is None:
            self._world.publish_consensus(self._node, "vote", vote, vote.size)
            return
        second = self._signed_vote(vote.height, vote.slot, vote.phase, other, members)
        self._conduct.publish_both("vote", vote, second)

    def _signed_vote(self, height: int, slot: int, phase: Phase, block: Block | None, members: EpochSet) -> Vote:
        tag = b""
        if block is not None:
            backend = BackendId(block.header.backend)
            committee = committee_of(members, backend, self._world.circuits.consensus.params[0])
            key = otk_tree(self._world.seed, self._node, backend, epoch_of(slot)).key(slot % SLOTS_PER_EPOCH, phase)
            tag = native.vote_tag(backend, phase, key, vote_message(committee, block_statement(block, slot, committee)))
        subject = None if block is None else block.hash
        unsigned = Vote(height, slot, phase, subject, self._node, tag, b"")
        return replace(unsigned, signature=native.ed25519_sign(self._secret, unsigned.signing_bytes()))

    def _members_at(self, height: int) -> EpochSet:
        committed = self._chain.at(height)
        assert committed is not None
        return committed.members

    def _decide(self, block: Block, slot: int) -> None:
        votes = [v for (_, phase), v in sorted(self.votes[(slot, block.hash)].items()) if phase is Phase.PRECOMMIT]
        certificate = Certificate(block.header.height, slot, block.hash, tuple(votes))
        self.commit(block, slot, certificate, caught_up=False)
        self.cast(block.header.height, slot, Phase.COMMIT, block)

    def commit(self, block: Block, slot: int, certificate: Certificate, *, caught_up: bool) -> None:
        """Makes a block final here and turns to the next height."""
        committed = self._chain.append(block, slot, certificate, self.transfers_of(block))
        header = block.header
        now = self._world.now
        self._world.emit(
            BlockCommitted(
                now,
                self._node,
                header.height,
                slot,
                block.hash.hex()[:16],
                header.parent.hex()[:16],
                BackendId(header.backend).label,
                NodeId(header.proposer),
                header.tx_count,
                SimTime(self._proposed_at.get(block.hash, now)),
                caught_up,
                len(block.body.joins),
                len(block.body.heartbeats),
                len(committed.claims),
            )
        )
        assert committed.outcome is not None
        for w in committed.outcome.closed:
            self._world.emit(WindowClosed(now, self._node, header.height, w.window, w.beats, w.reached, w.missed))
        self._voting = Voting(header.height + 1, self._node, self._chain.sets_of_next())
        self._waiting.clear()
        self._rivals.clear()
        self.on_commit(block, caught_up)
        for item in self._early.pop(header.height + 1, []):
            self._take(item, self._node)
        if self._slot > slot:
            self._carry_out(self._voting.start_slot(self._slot))

    # --- epochs --------------------------------------------------------------------------------

    def _register_for_next_epoch(self) -> None:
        """In the second half of an epoch a validator registers for the next one: once, as soon as it has a neighbour."""
        epoch = epoch_of(self._slot) + 1
        mine = self._registrations.get(self._node)
        if self._slot % SLOTS_PER_EPOCH < SLOTS_PER_EPOCH // 2 or (mine is not None and mine.epoch == epoch):
            return
        registration = make_registration(self._world.seed, self._world.genesis.chain_id, self._node, self._secret, epoch)
        if self._world.publish_consensus(self._node, "registration", registration, registration_size(registration)):
            self._registrations[self._node] = registration
