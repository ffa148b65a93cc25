"""What passes through a node goes on altered where no signature covers it, or comes again later."""

from collections import Counter, deque
from dataclasses import replace
from typing import Any

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId
from simnet.net.network import Message
from simnet.node.opponents.act import Act
from simnet.node.opponents.envelopes import Claim, forged, negated
from simnet.node.opponents.plan import Plan, flipped
from simnet.protocol.blocks import Block, Registration
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.joins import Join
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import (
    DIGEST_BYTES,
    BlockProof,
    Certificate,
    ConsensusProof,
    Endorsement,
    KeyDisclosure,
    Phase,
    Proposal,
    RollCall,
    TxMessage,
    Vote,
)
from simnet.scenario import opponents as model

KEPT_MAX = 256
"""Messages that may be sent again."""
AGE_SLOTS = 2
"""How old they are at least."""
CREDIT_MAX = 8
"""Alterations that may be due at once."""
CUT = 24
"""Bytes of a block's hash that a misshapen vote leaves."""
REPLAYED, REPEATED, MISSIGNED = "replayed", "repeated", "bad_signature"
NOT_AGAIN = frozenset({"block_probe", "transaction_probe"})


class Poison(Act[model.Poison]):
    """At the rate given it does what fits a message that comes and was done least; an altered copy leaves before the genuine one."""

    def prepare(self) -> None:
        """Nothing is due and nothing kept."""
        self._credit = 0
        self._done = Counter[str]()
        self._done_to = Counter[tuple[str, str]]()
        """What was done to messages that came, by their kind."""
        self._kept: deque[Message] = deque(maxlen=KEPT_MAX)
        self._saved = 0
        """Copies that are sent together when a slot begins."""

    def begin(self) -> None:
        self.prepare()
        self.every(self.fault.per_second, self._due)

    def _due(self) -> None:
        self._credit = min(CREDIT_MAX, self._credit + 1)
        if REPLAYED in self.fault.what and self._done[REPLAYED] <= self._rarest() and self._replay():
            self._did(REPLAYED)
        elif REPEATED in self.fault.what and self._credit and self._is_turn_to_save:
            self._saved += 1
            self._did(REPEATED)

    @property
    def _is_turn_to_save(self) -> bool:
        """Saving a copy needs no message that fits: the others come first."""
        return self._done[REPEATED] < self._rarest(REPEATED)

    def _is_turn_to_missign(self, kind: str) -> bool:
        """Nearly every message can be missigned: the others come first, and each kind of message in its turn."""
        return self._done_to[MISSIGNED, kind] < max(1, self._rarest(REPEATED, MISSIGNED))

    def _rarest(self, *besides: str) -> int:
        """How often the rarest of what was done was done."""
        others = [what for what in self.fault.what if what not in besides]
        if not others:
            return CREDIT_MAX + max(self._done.values(), default=0)
        return min((self._done[what] for what in others if self._done[what]), default=0)

    def on_slot(self, slot: int) -> None:
        """What was saved goes out before anybody can say something new, the same for each author."""
        super().on_slot(slot)
        said: dict[tuple[str, int], Message] = {}
        for message in self._kept:
            if (author := self._author_of(message.payload)) is not None:
                said.setdefault((message.kind, author), message)  # The oldest: the newest may still be needed.
        for message in said.values():
            for _ in range(self._saved // len(said)):
                self.say(REPEATED, message.kind, message.payload, message.size)
        self._saved = self._saved % len(said) if said else self._saved

    def _author_of(self, said: object) -> int | None:
        """Who said something about a block that is not proven, which honest nodes say again, too: of a certificate its first member."""
        if not isinstance(said, (Endorsement, KeyDisclosure, Certificate)):
            return None
        committed = self.reach.chain.at(said.height)
        if committed is None or committed.proof is not None:
            return None
        return min(said.voters(Phase.COMMIT), default=None) if isinstance(said, Certificate) else said.validator

    def _order(self, kind: str) -> list[model.Poisoned]:
        """What was done least comes first."""
        return sorted(self.fault.what, key=lambda what: self._done_to[what, kind] if what == MISSIGNED else self._done[what])

    def _did(self, what: str) -> None:
        self._credit -= 1
        self._done[what] += 1

    def saw(self, message: Message) -> None:
        if message.kind not in NOT_AGAIN:
            self._kept.append(message)
        for what in self._order(message.kind) if self._credit else ():
            if what == MISSIGNED and not self._is_turn_to_missign(message.kind):
                continue
            # One stays for what was never done to such a message: else the frequent kinds use up all.
            if self._credit == 1 and self._done_to[what, message.kind]:
                continue
            made = altered(what, message.payload, self.plan)
            if made is None:
                continue
            payload, subject = made
            if self.say(what, message.kind, payload, message.size, subject=subject):
                self._did(what)
                self._done_to[what, message.kind] += 1
            return

    def one(self) -> int:
        return self._replay()

    def _replay(self) -> int:
        """An old message, as it was, as a new one."""
        limit = self.ports.now - AGE_SLOTS * self.reach.slot_ns
        old = [m for m in self._kept if m.published_at <= limit]
        if not old:
            return 0
        chosen = old[int(self.plan.random.integers(len(old)))]
        return self.say(REPLAYED, chosen.kind, chosen.payload, chosen.size)


def altered(what: str, payload: object, plan: Plan) -> tuple[object, str] | None:
    """The message changed, with the name of its proof, block or transfer; None when the change does not fit it."""
    match payload, what:
        case _, "altered_field":
            return with_another_field(payload, plan)
        case Proposal(), "altered_body":
            ids = payload.block.body.tx_ids[1:] or (plan.bytes(DIGEST_BYTES),)
            body = replace(payload.block.body, tx_ids=ids)
            return replace(payload, block=Block(payload.block.header, body, payload.block.hash)), payload.block.hash.hex()[:16]
        case Vote(block=bytes() as block), "misshapen":
            # What the author signed is block and tag end to end: the same bytes, cut elsewhere.
            signed = block + payload.tag
            return replace(payload, block=signed[:CUT], tag=signed[CUT:]), block.hex()[:16]
        case Proposal(), "misshapen":
            header = replace(payload.block.header, state_root=payload.block.header.state_root + b"x")
            return replace(payload, block=Block(header, payload.block.body, payload.block.hash)), payload.block.hash.hex()[:16]
        case ((TxMessage() | ConsensusProof()), "negated_proof") if payload.backend == BackendId.GROTH16:
            envelope = Blob(negated(payload.envelope.data))
            return replace(payload, envelope=envelope), envelope.name
        case TxMessage(), "other_proof":
            claim = Claim(b"", b"", 0)
            envelope = Blob(forged("spoiled", payload.envelope.data, claim, plan))
            return replace(payload, envelope=envelope), envelope.name
        case _, "bad_signature":
            return missigned(payload, plan)
    return None


def with_another_field(payload: object, plan: Plan) -> tuple[object, str] | None:
    """The message with another value where its authors signed none, with the name of its proof, block or transfer."""
    match payload:
        case TxMessage():
            account = replace(payload.tx.account, nonce=payload.tx.account.nonce + 1)
            return replace(payload, tx=SignedTransfer.of(payload.tx.transfer, account)), payload.tx.id.hex()[:16]
        case ConsensusProof():
            return replace(payload, prover=payload.prover + 1), payload.envelope.name
        case Certificate():
            registered, backend = plan.next("certificate", ((1, 0), (0, 1)))
            other = replace(payload, registered=payload.registered + registered, backend=payload.backend + backend)
            return other, payload.block.hex()[:16]
        case Proposal(lock=(_, *_)):
            return payload.bare, payload.block.hash.hex()[:16]
    return None


def missigned(payload: object, plan: Plan) -> tuple[object, str] | None:
    """A signed message, its signature spoiled, with the block that it is about; of a certificate its last vote's or endorsement's."""
    match payload:
        case Certificate(votes=(*others, Vote() as last)):
            return replace(payload, votes=(*others, _spoiled(last, plan))), payload.block.hex()[:16]
        case Certificate(endorsements=(*others, Endorsement() as last)):
            return replace(payload, endorsements=(*others, _spoiled(last, plan))), payload.block.hex()[:16]
        case Endorsement() | KeyDisclosure():
            return _spoiled(payload, plan), payload.block.hex()[:16]
        case Vote() | RollCall() | Proposal() | TxMessage() | ConsensusProof() | BlockProof() | Registration() | Join() | Heartbeat():
            return _spoiled(payload, plan), ""
    return None


def _spoiled(signed: Any, plan: Plan) -> Any:
    return replace(signed, signature=flipped(signed.signature, 0, plan.random))
