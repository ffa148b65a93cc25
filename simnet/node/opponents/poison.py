"""What passes through a node goes on altered where no signature covers it, or comes again later."""

from collections import deque
from dataclasses import replace

from simnet.blob import Blob
from simnet.net.network import Message
from simnet.node.opponents.act import Act
from simnet.node.opponents.envelopes import Claim, forged, negated
from simnet.node.opponents.plan import Plan
from simnet.proofs.backend import BackendId
from simnet.protocol.blocks import Block
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import DIGEST_BYTES, ConsensusProof, Proposal, TxMessage
from simnet.scenario import opponents as model

KEPT_MAX = 256
"""Messages that may be sent again."""
AGE_SLOTS = 2
"""How old they are at least."""
CREDIT_MAX = 8
"""Alterations that may be due at once."""
NOT_AGAIN = frozenset({"block_probe", "transaction_probe"})


class Poison(Act[model.Poison]):
    """Alters the next fitting message at the rate given; the altered copy leaves before the genuine one."""

    def prepare(self) -> None:
        """Nothing is due and nothing kept."""
        self._credit = 0
        self._what = ""
        self._kept: deque[Message] = deque(maxlen=KEPT_MAX)

    def begin(self) -> None:
        self.prepare()
        self.every(self.fault.per_second, self._due)

    def _due(self) -> None:
        self._credit = min(CREDIT_MAX, self._credit + 1)
        self._next()
        if self._what == "replayed" and self._replay():
            self._done()

    def _next(self) -> None:
        self._what = self._what or self.turn("poison", self.fault.what)

    def _done(self) -> None:
        self._credit -= 1
        self._what = ""

    def saw(self, message: Message) -> None:
        if message.kind not in NOT_AGAIN:
            self._kept.append(message)
        if not self._credit:
            return
        self._next()
        made = altered(self._what, message.payload, self.plan)
        if made is None:
            self._what = ""  # Another alteration may fit the next message.
            return
        payload, subject = made
        if self.say(self._what, message.kind, payload, message.size, subject=subject):
            self._done()

    def one(self) -> int:
        return self._replay()

    def _replay(self) -> int:
        """An old message, as it was, as a new one."""
        limit = self.world.now - AGE_SLOTS * self.reach.slot_ns
        old = [m for m in self._kept if m.published_at <= limit]
        if not old:
            return 0
        chosen = old[int(self.plan.random.integers(len(old)))]
        return self.say("replayed", chosen.kind, chosen.payload, chosen.size)


def altered(what: str, payload: object, plan: Plan) -> tuple[TxMessage | ConsensusProof | Proposal, str] | None:
    """The message changed, with the name of its proof, block or transfer; None when the change does not fit it."""
    match payload, what:
        case TxMessage(), "altered_field":
            account = replace(payload.tx.account, nonce=payload.tx.account.nonce + 1)
            return replace(payload, tx=SignedTransfer.of(payload.tx.transfer, account)), payload.tx.id.hex()[:16]
        case ConsensusProof(), "altered_field":
            return replace(payload, prover=payload.prover + 1), payload.envelope.name
        case Proposal(), "altered_body":
            ids = payload.block.body.tx_ids[1:] or (plan.bytes(DIGEST_BYTES),)
            body = replace(payload.block.body, tx_ids=ids)
            return replace(payload, block=Block(payload.block.header, body, payload.block.hash)), payload.block.hash.hex()[:16]
        case ((TxMessage() | ConsensusProof()), "negated_proof") if payload.backend == BackendId.GROTH16:
            envelope = Blob.of(negated(payload.envelope.data))
            return replace(payload, envelope=envelope), envelope.name
        case TxMessage(), "other_proof":
            claim = Claim(b"", b"", 0)
            envelope = Blob.of(forged("spoiled", payload.envelope.data, claim, plan))
            return replace(payload, envelope=envelope), envelope.name
    return None
