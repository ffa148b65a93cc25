"""A validator at work: slots, proposals, votes, commits.

Turns the effects of `protocol.consensus.Voting` into signed messages and feeds it with what the network
brings, after checking it: signatures, the slot's leader, the block's contents and, before a prevote, the
proof of every transfer in the block.
"""

from collections import Counter, defaultdict

from simnet.base.units import NS_PER_S, NodeId, SimTime
from simnet.events import BlockCommitted, Proposed, VoteCast, WindowClosed
from simnet.net.network import Message, Validation
from simnet.node.chain import Chain, backend_of
from simnet.node.committee import vote_tag_of
from simnet.node.conduct import Conduct
from simnet.node.facts import Facts
from simnet.node.held import TOO_EARLY, OncePerSlot, verdict_of
from simnet.node.keyring import Keyring
from simnet.node.letters import BlockRefused, BlocksWanted, Committed, Letterbox, Signed, TransfersWanted, TransferVerified, VotedLate
from simnet.node.ports import Ports
from simnet.node.presence import Presence
from simnet.node.timing import Timing, latest_slot
from simnet.node.transactions import Transactions
from simnet.node.waiting import WaitingProposals
from simnet.protocol import consensus
from simnet.protocol.blocks import Block, Body, Registration
from simnet.protocol.consensus import Cast, Decide, Effect, FetchBlock, Propose, Step, Voting
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import Certificate, Phase, Proposal, RollCall, Vote, registration_size
from simnet.protocol.slotbook import Present, SlotBook
from simnet.protocol.validators import SLOTS_PER_EPOCH, Electorate, epoch_of
from simnet.protocol.votes import HANDED_PER_MEMBER, PROPOSALS_MAX

EARLY_MAX = 16
"""Proposals and votes of one author that are kept for the next height."""
HANDED_MAX = 16
"""Messages in a slot with votes that a neighbour hands over: an honest one answers each status, sent once a slot and when the link comes up."""
VOTES_MAX = 12
"""Votes of one author about one slot that a node passes on; an honest one casts three."""
REGISTER_AGAIN_SLOTS = 4
"""A registration that no block has taken is published again after so many slots: it may have been lost."""


class Voter:
    """One node's part in consensus."""

    def __init__(
        self,
        facts: Facts,
        ports: Ports,
        keyring: Keyring,
        chain: Chain,
        transactions: Transactions,
        presence: Presence,
        conduct: Conduct,
        letters: Letterbox,
    ) -> None:
        self._facts = facts
        self._ports = ports
        self._letters = letters
        self._keyring = keyring
        self._node = node = NodeId(keyring.node)
        self._chain = chain
        self._transactions = transactions
        self._presence = presence
        self._conduct = conduct
        self._clock = ports.clock
        self._timing = Timing(facts, ports)
        self._soon: list[tuple[Proposal, NodeId]] = []
        """Proposals of a slot that has not begun here."""
        self._backends = facts.backend_ids(node)
        self._turn = 0
        self.slot = -1
        """The slot by this node's clock."""
        self._signed = SlotBook()
        members = facts.genesis.electorate.members
        self._present = Present(members.weights, members.threshold)
        self._proposed_at: dict[bytes, int] = {}
        self._early: dict[int, list[Proposal | Vote]] = defaultdict(list)
        """For the next height, by author."""
        self._waiting = WaitingProposals(ports)
        self._registrations: dict[tuple[int, int], Registration] = {}
        """Heard of and not in the chain, by (validator, epoch)."""
        self._registered_at: dict[tuple[int, int], int] = {}
        """In which slot each of them was last published or passed on."""
        self._rivals: dict[int, Block] = {}
        """The node's second blocks by slot, where it equivocates."""
        self._votes_of = OncePerSlot(ports, "votes_of_author", VOTES_MAX)
        self._handed = Counter[NodeId]()
        self._calls_of = OncePerSlot(ports, "roll_calls_of_author", 1)
        self._proposals_of = OncePerSlot(ports, "proposals_of_author", PROPOSALS_MAX)
        self.voting = Voting(1, node, chain.electorate)

    # --- the slot clock ----------------------------------------------------------------------

    def on_slot(self, slot: int) -> None:
        """A slot begins."""
        self.slot = slot
        for said in (self._votes_of, self._proposals_of, self._calls_of, self._waiting):
            said.begin(slot)
        self._handed.clear()
        self._register()
        for waiting in self._waiting:
            self._letters.post(TransfersWanted(frozenset(waiting.missing), None))
        self._carry_out(self.voting.handle(consensus.SlotBegan(slot, self._may_vote())))
        if not self._present.is_slot(slot, (self._node,)):
            self._call_roll()
        soon, self._soon = self._soon, []
        for proposal, peer in soon:
            self._take(proposal, peer)

    def _may_vote(self) -> bool:
        """Whether this validator takes part in the present slot: in no height in the slot that decided the one before, and only where
        a quorum takes it for the present, too."""
        decided = self._chain.committed[-1].slot if self._chain.committed else -1
        free = self.slot > decided and self._signed.may_sign(self.voting.height, self.slot)
        return free and self._present.is_slot(self.slot, (self._node,))

    def has_signed_in(self, slot: int) -> bool:
        """Whether this validator may have signed something in a slot."""
        return self._signed.used(slot)

    def _call_roll(self) -> None:
        """Says what slot it is here, and so asks the others to hear that this validator is there."""
        if self._node in self.voting.electorate.weights:
            call = self._keyring.signed(RollCall(self._node, self.slot, self.voting.height, b""))
            self._calls_of.note(self._node, self.slot, call)
            self._ports.publish("roll_call", call, call.size)

    def on_deadline(self, slot: int, phase: Phase) -> None:
        """The slot's time for a phase is over."""
        self._carry_out(self.voting.handle(consensus.Deadline(slot, phase)))

    # --- what the network brings ---------------------------------------------------------------

    def on_proposal(self, message: Message, peer: NodeId) -> None:
        """A proposal came by gossip."""
        proposal = message.payload
        assert isinstance(proposal, Proposal)
        why = self._why_not_proposal(proposal)
        known = None if why else self._proposals_of.why_not(proposal.leader, proposal.slot, proposal.bare)
        if why is not None:
            self._ports.answer(message, Validation.REJECT, why)
        elif known is not None:
            self._ports.answer(message, verdict_of(known), known)
        else:
            self._ports.answer(message, Validation.ACCEPT)
            self._proposed_at.setdefault(proposal.block.hash, message.published_at)
            self._take(proposal, peer)

    def _why_not_proposal(self, proposal: Proposal) -> str | None:
        """What is wrong with a proposal whatever its block says."""
        header, why = proposal.block.header, self._facts.why_too_large(proposal.block)
        if why is not None:  # Before anything is computed from it or waits for it.
            return why
        if header.hash != proposal.block.hash:
            return "another_block"
        # The leader's signature covers the header alone: another body under it must not take the genuine one's place.
        why = proposal.block.why_malformed()
        if why is not None:
            return why
        if not self._facts.signed_by(proposal.leader, proposal.signing_bytes(), proposal.signature):
            return "SignatureInvalid"
        electorate = self._chain.electorate_of(header.height)
        if electorate is not None and proposal.leader != electorate.leader(proposal.slot):
            return "foreign_leader"
        return self._why_not_lock(proposal)

    def _why_not_lock(self, proposal: Proposal) -> str | None:
        """What is wrong with a re-proposal's proof of lock. A fresh block is of its proposal's slot and leader."""
        header, slot = proposal.block.header, proposal.valid_slot
        if slot < 0:
            fresh = header.slot == proposal.slot and header.proposer == proposal.leader and not proposal.lock
            return None if fresh else "slot"
        subject = (header.height, slot, Phase.PREVOTE, proposal.block.hash)
        if not header.slot <= slot < proposal.slot or any((v.height, v.slot, v.phase, v.block) != subject for v in proposal.lock):
            return "proof_of_lock"
        voters = {v.validator for v in proposal.lock}
        members = self._facts.genesis.electorate.members
        if len(voters) != len(proposal.lock) or members.weight_of(voters) < members.threshold:
            return "proof_of_lock"
        return None if all(map(self._facts.vote_valid, proposal.lock)) else "proof_of_lock"

    def on_vote(self, message: Message, peer: NodeId) -> None:
        """A vote came by gossip."""
        vote = message.payload
        assert isinstance(vote, Vote)
        if not self._facts.vote_valid(vote):
            self._ports.answer(message, Validation.REJECT, "SignatureInvalid")
            return
        if vote.slot > latest_slot(self._facts, self._ports):
            self._ports.answer(message, Validation.DROP, "slot")
            return
        self._heard(vote)
        known = self._votes_of.why_not(vote.validator, vote.slot, vote)
        if known is not None:
            self._ports.answer(message, verdict_of(known), known)
        else:
            self._ports.answer(message, Validation.ACCEPT)
            self._take(vote, peer)

    def on_roll_call(self, message: Message, _peer: NodeId) -> None:
        """Somebody says what slot it is."""
        call = message.payload
        assert isinstance(call, RollCall)
        if not self._facts.signed_by(call.validator, call.signing_bytes(), call.signature):
            self._ports.answer(message, Validation.REJECT, "SignatureInvalid")
        elif call.slot > latest_slot(self._facts, self._ports):
            self._ports.answer(message, Validation.DROP, "slot")
        else:
            # Also when it is known: who was ahead with its author has heard it before its time.
            self._heard(call)
            known = self._calls_of.why_not(call.validator, call.slot, call)
            self._ports.answer(message, verdict_of(known), known or "")

    def _heard(self, message: Vote | RollCall) -> None:
        """Notes what slot it is for somebody. Of the present are only those who are about as far: what others signed when their clocks
        were wrong can be kept and sent again."""
        if message.height + 1 >= self.voting.height:
            self._present.heard(message.validator, message.slot)

    def on_votes(self, votes: tuple[object, ...], peer: NodeId) -> bool:
        """A neighbour sent votes that this node had told it to lack. False when it sent others than signed ones."""
        if self._handed[peer] >= HANDED_MAX:
            self._ports.limit_reached("votes_of_peer")
            return True
        self._handed[peer] += 1
        given = [v for v in votes[: HANDED_PER_MEMBER * len(self._facts.genesis.validators)] if isinstance(v, Vote)]
        of_now = [v for v in given if v.height == self.voting.height]
        valid = [v for v in of_now if self._facts.vote_valid(v)]
        latest = latest_slot(self._facts, self._ports)
        for vote in valid:
            # Of an author and slot the book takes a few; what it does not count is no use to anybody.
            if vote.slot <= latest and self.voting.book.in_time(vote.slot):
                self._heard(vote)
                self._take(vote, peer)
        return len(valid) == len(of_now)

    def on_registration(self, message: Message, _peer: NodeId) -> None:
        """A validator's registration came by gossip."""
        registration = message.payload
        assert isinstance(registration, Registration)
        if not self._facts.registration_valid(registration):
            self._ports.answer(message, Validation.REJECT, "registration")
            return
        why = self._why_not_registration(registration)
        if why is None:
            self._keep_registration(registration)
        self._ports.answer(message, verdict_of(why), why or "")

    def _why_not_registration(self, registration: Registration) -> str | None:
        """Why a valid registration goes no further. The first of a validator for an epoch counts, and is passed on no more often than it is
        published again."""
        place = (registration.validator, registration.epoch)
        ahead = registration.epoch - epoch_of(max(0, self.slot))
        if ahead > self._facts.scenario.consensus.key_horizon_epochs:
            return TOO_EARLY
        if ahead < 0 or self._chain.registry.of(*place) is not None:
            return "registered"
        if self._registrations.get(place, registration) != registration:
            return "another"
        passed = self._registered_at.get(place, -REGISTER_AGAIN_SLOTS)
        return "known" if abs(self.slot - passed) < REGISTER_AGAIN_SLOTS - 1 else None  # Clocks differ a little.

    def _keep_registration(self, registration: Registration) -> None:
        place = (registration.validator, registration.epoch)
        self._registrations[place], self._registered_at[place] = registration, self.slot

    def _take(self, item: Proposal | Vote, peer: NodeId) -> None:
        self._letters.post(Signed(item))
        height = item.height if isinstance(item, Vote) else item.block.header.height
        if height == self.voting.height:
            self._deliver(item, peer)
        elif height > self.voting.height:
            self._keep_early(item, height)
            self._letters.post(BlocksWanted(peer))
        elif isinstance(item, Vote):
            self._letters.post(VotedLate(item))

    def _keep_early(self, item: Proposal | Vote, height: int) -> None:
        """Keeps what is of the next height; what is further off comes with the votes that neighbours exchange."""
        author = item.validator if isinstance(item, Vote) else item.leader
        if height != self.voting.height + 1:
            return
        if len(self._early[author]) >= EARLY_MAX:
            self._ports.limit_reached("early_messages")
            return
        self._early[author].append(item)

    def _deliver(self, item: Proposal | Vote, peer: NodeId) -> None:
        if isinstance(item, Vote):
            self._timing.note_vote(item, self.slot)
            self._carry_out(self.voting.handle(consensus.Voted(item)))
            return
        if item.leader != self.voting.electorate.leader(item.slot):
            return
        if item.slot > self.slot:
            if self._timing.keeps(item, len(self._soon)):
                self._soon.append((item, peer))
            return
        self._timing.note_proposal(item, self.slot, waiting=self.voting.step is Step.PROPOSE)
        missing = {i for i in item.block.tx_ids if i not in self._transactions.verified}
        if not missing:
            self._judge(item)
        elif self._waiting.add(item, missing):
            self._letters.post(TransfersWanted(frozenset(missing), peer))

    def on_verified(self, letter: TransferVerified) -> None:
        """Proposals that waited for a transfer may be judged."""
        # All that are ready first: a judgement may decide the height.
        for proposal in self._waiting.verified(letter.tx_id):
            if proposal.block.header.height == self.voting.height:
                self._judge(proposal)

    def _judge(self, proposal: Proposal) -> None:
        # What a block dated far ahead makes of the chain's windows is not even worked out.
        acceptable = self._timing.timely(proposal) and self._holds(proposal)
        self._carry_out(self.voting.handle(consensus.Proposed(proposal, acceptable)))

    def _holds(self, proposal: Proposal) -> bool:
        """Whether the block may follow the head; one that may on no chain is told."""
        why = self._chain.why_unacceptable(proposal.block, self.transfers_of(proposal.block), proposal.slot)
        if why is not None and why != "wrong_parent":  # On another fork an honest leader has another parent.
            self._letters.post(BlockRefused(proposal))
        return why is None

    def transfers_of(self, block: Block) -> dict[bytes, SignedTransfer]:
        """A block's transfers, all of which this node has verified."""
        return {i: self._transactions.verified[i].tx for i in block.tx_ids}

    # --- effects -------------------------------------------------------------------------------

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Propose():
                    self._propose(effect)
                case Cast(slot, phase, block):
                    self._cast(
                        self.voting.height, self.voting.electorate, slot, phase, None if block is None else self.voting.blocks[block]
                    )
                case Decide(block, slot):
                    self._decide(block, slot)
                case FetchBlock():
                    self._letters.post(BlocksWanted(None))

    def _propose(self, effect: Propose) -> None:
        if self._conduct.keeps("proposals", self.voting.height):
            return
        block = effect.block or self._build(effect.slot)
        self._signed.signed(block.header.height, effect.slot)
        proposal = self._signed_proposal(effect.slot, block, effect.valid_slot, effect.lock)
        self._proposals_of.note(self._node, effect.slot, proposal.bare)
        header = block.header
        backend = backend_of(block).label
        now = self._ports.now
        self._proposed_at.setdefault(block.hash, now)
        self._ports.emit(Proposed(now, self._node, header.height, effect.slot, block.hash.hex()[:16], backend, header.tx_count))
        rival = self._build(effect.slot, half=True) if self._conduct.equivocates("proposals") else block
        if rival.hash == block.hash:
            self._ports.publish("proposal", proposal, proposal.size)
        else:
            self._conduct.publish_both("proposal", proposal, self._signed_proposal(effect.slot, rival, -1, ()))
            self._rivals[effect.slot] = rival
        self._judge(proposal)

    def _signed_proposal(self, slot: int, block: Block, valid_slot: int, lock: tuple[Vote, ...]) -> Proposal:
        unsigned = Proposal(slot, block, valid_slot, self._node, b"", lock)
        return self._keyring.signed(unsigned)

    def _build(self, slot: int, *, half: bool = False) -> Block:
        """A new block of the transfers in the mempool; of half of them and no heartbeats, to differ from the whole."""
        chain, facts = self._chain, self._facts
        # A parent may be dated a little ahead of this node's clock.
        now = max(self._clock.now // NS_PER_S, chain.committed[-1].block.header.timestamp if chain.committed else 0)
        chosen = self._transactions.pool.select(chain.ledger, facts.scenario.chain.block_transactions_max, now)
        if half:
            chosen = chosen[: len(chosen) // 2]
        body = Body(
            tx_ids=tuple(tx.id for tx in chosen),
            registrations=self._pending_registrations(slot),
            joins=self._presence.joins(),
            heartbeats=() if half else self._presence.heartbeats(now),
        )
        backend = self._backends[self._turn % len(self._backends)]
        self._turn += 1
        return chain.next_block(self._node, backend, slot, now, body, chosen)

    def _cast(self, height: int, electorate: Electorate, slot: int, phase: Phase, block: Block | None) -> None:
        """Signs and publishes a vote, and counts it here."""
        if self._node not in electorate.weights or not self._signed.may_sign(height, slot) or self._conduct.keeps("votes", height):
            return
        self._signed.signed(height, slot)
        vote = self._signed_vote(height, electorate, slot, phase, block)
        self._votes_of.note(self._node, slot, vote)
        name = None if block is None else block.hash.hex()[:16]
        self._ports.emit(VoteCast(self._ports.now, self._node, height, slot, phase.label, name))
        if phase is not Phase.COMMIT and self._conduct.equivocates("votes"):
            self._cast_both(vote, block, electorate)
        else:
            self._ports.publish("vote", vote, vote.size)
        self._take(vote, self._node)

    def _cast_both(self, vote: Vote, block: Block | None, electorate: Electorate) -> None:
        """A second vote beside the honest one: for the slot's other block when there is one, else for or against the only one."""
        candidates = [self._rivals.get(vote.slot), self.voting.proposed(vote.slot)]
        other = next((b for b in candidates if b is not None and b.hash != vote.block), None)
        if other is None and block is None:
            self._ports.publish("vote", vote, vote.size)
            return
        second = self._signed_vote(vote.height, electorate, vote.slot, vote.phase, other)
        self._conduct.publish_both("vote", vote, second)

    def _signed_vote(self, height: int, electorate: Electorate, slot: int, phase: Phase, block: Block | None) -> Vote:
        tag = b"" if block is None else vote_tag_of(self._facts, self._keyring, electorate, block, slot, phase)
        subject = None if block is None else block.hash
        unsigned = Vote(height, slot, phase, subject, self._node, tag, b"")
        return self._keyring.signed(unsigned)

    def _decide(self, block: Block, slot: int) -> None:
        votes = self.voting.book.votes(slot, Phase.PRECOMMIT, block.hash)
        self.commit(block, slot, decision(block, slot, self.voting.electorate, votes), caught_up=False)

    def commit(self, block: Block, slot: int, certificate: Certificate, *, caught_up: bool) -> None:
        """Makes a block final here, says so with a commit vote, and turns to the next height."""
        committed = self._chain.append(block, slot, certificate, self.transfers_of(block))
        header = block.header
        now = self._ports.now
        self._ports.emit(
            BlockCommitted(
                now,
                self._node,
                header.height,
                slot,
                block.hash.hex()[:16],
                header.parent.hex()[:16],
                backend_of(block).label,
                NodeId(header.proposer),
                header.tx_count,
                SimTime(self._proposed_at.pop(block.hash, now)),
                caught_up,
                len(block.body.joins),
                len(block.body.heartbeats),
                len(committed.claims),
            )
        )
        assert committed.outcome is not None
        for w in committed.outcome.closed:
            self._ports.emit(WindowClosed(now, self._node, header.height, w.window, w.beats, w.reached, w.missed))
        for vote in certificate.votes:
            self._letters.post(Signed(vote))
        votes = {(v.slot, v.phase, v.validator): v for v in (*self.voting.book.all_for(block.hash), *certificate.votes)}
        self.voting = Voting(header.height + 1, self._node, self._chain.electorate)
        self._waiting.clear()
        self._rivals.clear()
        self._proposed_at.clear()
        self._registrations = {p: r for p, r in self._registrations.items() if self._chain.registry.of(*p) is None}
        self._letters.post(Committed(block, caught_up, tuple(v for _, v in sorted(votes.items()))))
        self._cast(header.height, committed.electorate, slot, Phase.COMMIT, block)
        self._go_on()

    def _go_on(self) -> None:
        """Takes up the next height: this slot, if nothing was signed in it, and what has come early."""
        self._carry_out(self.voting.handle(consensus.SlotBegan(self.slot, self._may_vote())))
        early, self._early = self._early, defaultdict(list)
        for items in early.values():
            for item in items:
                self._take(item, self._node)

    # --- keys ------------------------------------------------------------------------------------

    def _pending_registrations(self, slot: int) -> tuple[Registration, ...]:
        """What the next block can bring."""
        horizon = self._facts.scenario.consensus.key_horizon_epochs
        known = (r for _, r in sorted(self._registrations.items()))
        return tuple(r for r in known if self._chain.registry.why_not([r], slot, horizon) is None)

    def _register(self) -> None:
        """Registers keys for the epochs ahead: from the second half of an epoch on for one more; again until a block has it."""
        if self._conduct.keeps("registrations", self.voting.height):
            return
        now, half = epoch_of(self.slot), self.slot % SLOTS_PER_EPOCH >= SLOTS_PER_EPOCH // 2
        self._registrations = {p: r for p, r in self._registrations.items() if r.epoch >= now}
        self._registered_at = {p: slot for p, slot in self._registered_at.items() if p[1] >= now}
        for epoch in range(now, now + self._facts.scenario.consensus.key_horizon_epochs + half):
            asked = self._registered_at.get((self._node, epoch), -REGISTER_AGAIN_SLOTS)
            if self._chain.registry.of(self._node, epoch) is None and abs(self.slot - asked) >= REGISTER_AGAIN_SLOTS:
                self._publish_registration(epoch)

    def _publish_registration(self, epoch: int) -> None:
        place = (self._node, epoch)
        registration = self._registrations.get(place) or self._keyring.registration(self._facts.genesis.chain_id, epoch)
        self._registrations[place] = registration  # Also where nobody hears it: the own next block may bring it.
        if self._ports.publish("registration", registration, registration_size(registration)) is not None:
            self._registered_at[place] = self.slot


def decision(block: Block, slot: int, electorate: Electorate, votes: tuple[Vote, ...]) -> Certificate:
    """The certificate that a block's precommits make."""
    return Certificate(block.header.height, slot, block.hash, block.header.backend, electorate.registered(slot), votes)
