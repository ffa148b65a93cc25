"""Votes that honest nodes must not count."""

from dataclasses import replace

from simnet.base.units import from_ms
from simnet.net.network import Message
from simnet.node.keyring import Keyring
from simnet.node.opponents.act import Act
from simnet.node.opponents.late_keys import LateKeys
from simnet.node.opponents.plan import Plan, flipped
from simnet.protocol.blocks import Block, Registration
from simnet.protocol.messages import DIGEST_BYTES, Endorsement, KeyDisclosure, Phase, Proposal, Vote, registration_size
from simnet.protocol.validators import Lane, epoch_of
from simnet.scenario import opponents as model

FAR_SLOTS, FAR_HEIGHTS, FAR_EPOCHS = 64, 1000, 8
"""How far from now a forged vote may be."""
LATE = "unregistered"
"""What waits for a time without keys instead of taking its turn."""
EARLY_SLOTS = 8
"""How far from now are endorsements and keys that come early: near enough that keys for the slot are registered."""


class ForgedVotes(Act[model.ForgedVotes]):
    """Spreads its votes over the slot."""

    _proposed: tuple[int, bytes] | None = None
    """The last proposal that came, by slot and block."""
    _late: LateKeys | None = None

    def begin(self) -> None:
        super().begin()
        if LATE in self.fault.what:
            self._late = LateKeys(self.reach)
            self._late.begin()

    def end(self) -> None:
        super().end()
        if self._late is not None:
            self._late.end()

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        if self._late is not None:
            for due in self._late.on_slot(slot):
                kind, size = ("registration", registration_size(due)) if isinstance(due, Registration) else ("key_disclosure", due.size)
                self.say(LATE, kind, due, size)
            # Its own proposal, if it leads, is made after this.
            self.later(1, lambda: self._tag(self.reach.voter.voting.proposed(slot)))
        self.over_the_slot(self.fault.per_slot, self.one)

    def saw(self, message: Message) -> None:
        if isinstance(message.payload, Proposal):
            self._proposed = (message.payload.slot, message.payload.block.hash)
            if self.slot >= 0 and message.payload.leader == self.reach.leader(self.slot):
                self._tag(message.payload.block)  # Before the honest part of the node looks into it.

    def _tag(self, block: Block | None) -> None:
        if self._late is not None and block is not None and block.header.slot == self.slot:
            for vote in self._late.votes_for(block, self.slot):
                self.say(LATE, "vote", vote, vote.size, subject=block.hash.hex()[:16])

    def one(self) -> int:
        choices = [what for what in self.fault.what if what != LATE]
        if not choices:
            return 0
        what = self.turn("votes", choices)
        if what in ("bad_roots", "bad_vrf"):
            registration = self._registration(what)
            return self.say(what, "registration", registration, registration_size(registration))
        if what == "bad_keys":
            disclosure = self._disclosure()
            return self.say(what, "key_disclosure", disclosure, disclosure.size)
        if what == "early":
            kind, early = self._early()
            return self.say(what, kind, early, early.size, subject=str(early.slot))
        block = self._proposed[1] if self._proposed is not None and self._proposed[0] == self.slot else None
        if what == "bad_tag" and block is None:
            return 0  # There is no block to vote for.
        vote = forge(what, self.me, self.reach.keyring, self._honest(block or self.plan.bytes(DIGEST_BYTES)), self.plan, self._others)
        return self.say(what, "vote", vote, vote.size, subject=str(vote.slot) if what == "future" else "")

    def _early(self) -> tuple[str, Endorsement | KeyDisclosure]:
        """Of a slot that has not begun by anybody's clock, about the next block; signed with this node's own key."""
        now, precision = self.ports.now // self.reach.slot_ns, from_ms(self.facts.scenario.clock_precision_ms)
        slot = now + 2 + precision // self.reach.slot_ns + int(self.plan.random.integers(EARLY_SLOTS))
        height, block, backend = self.reach.chain.height + 1, self.plan.bytes(DIGEST_BYTES), self.facts.backend_ids(self.me)[0]
        if self.turn("early", ("endorsement", "key_disclosure")) == "endorsement":
            tags = (self.plan.bytes(DIGEST_BYTES), self.plan.bytes(DIGEST_BYTES), self.plan.bytes(DIGEST_BYTES))
            registered = self.reach.chain.electorate.registered(slot)
            said = Endorsement(height, slot, Lane.RECOVER, block, backend, registered, self.me, tags, b"")
            return "endorsement", self.reach.keyring.signed(said)
        keys = self.reach.keyring.one_time(backend, slot, Lane.VOTE)
        told = KeyDisclosure(height, slot, Lane.VOTE, backend, block, self.me, keys, b"")
        return "key_disclosure", self.reach.keyring.signed(told)

    def _registration(self, what: str) -> Registration:
        """For the next epoch, with roots or VRF of a later one in the place of its own."""
        epoch, chain_id, keyring = epoch_of(max(0, self.slot)) + 1, self.facts.genesis.chain_id, self.reach.keyring
        later = epoch + 1 + int(self.plan.random.integers(FAR_EPOCHS))
        genuine = keyring.registration(chain_id, epoch)
        if what == "bad_roots":
            return keyring.signed(replace(genuine, otk_roots=keyring.otk_roots(later)))
        return keyring.signed(replace(genuine, vrf=keyring.registration(chain_id, later).vrf))

    def _disclosure(self) -> KeyDisclosure:
        """About the last block, in the slot's own name, with another slot's keys."""
        slot, backend, committed = max(0, self.slot), self.facts.backend_ids(self.me)[0], self.reach.chain.committed
        block = committed[-1].block.hash if committed else self.plan.bytes(DIGEST_BYTES)
        keys = self.reach.keyring.one_time(backend, slot + 1 + int(self.plan.random.integers(EARLY_SLOTS)), Lane.VOTE)
        height = max(1, self.reach.chain.height)
        return self.reach.keyring.signed(KeyDisclosure(height, slot, Lane.VOTE, backend, block, self.me, keys, b""))

    @property
    def _others(self) -> int:
        return len(self.facts.genesis.validators)

    def _honest(self, block: bytes) -> Vote:
        """A vote of this node and moment, unsigned; its tag is of the right length and nothing else."""
        phase = Phase(int(self.plan.random.integers(len(Phase))))
        return Vote(self.reach.chain.height + 1, max(0, self.slot), phase, block, self.me, self.plan.bytes(DIGEST_BYTES), b"")


def forge(what: str, me: int, keyring: Keyring, vote: Vote, plan: Plan, validators: int) -> Vote:
    """One forged vote, signed with this node's key whatever it says."""
    draws = plan.random
    match what:
        case "impersonated":
            vote = replace(vote, validator=(me + 1 + int(draws.integers(validators - 1))) % validators if validators > 1 else me + 1)
        case "stale":
            vote = replace(vote, slot=max(0, vote.slot - 1 - int(draws.integers(FAR_SLOTS))))
        case "future":
            vote = replace(vote, slot=vote.slot + 1 + int(draws.integers(FAR_SLOTS)))
        case "foreign_height":
            vote = replace(vote, height=vote.height + 1 + int(draws.integers(FAR_HEIGHTS)))
    genuine = keyring.signed(vote)
    return replace(genuine, signature=flipped(genuine.signature, 0, draws)) if what == "bad_signature" else genuine
