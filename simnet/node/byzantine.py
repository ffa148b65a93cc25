"""Byzantine spam: what a listed publisher sends besides each of its own publications.

Apart from plain copies, each kind is a fresh transfer, properly signed, on a lane that the spammer never uses
otherwise, so that no cheap check stops it and the receiver's verifier has to.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId
from simnet.base.units import NodeId
from simnet.node.facts import Facts
from simnet.node.letters import Misdeed
from simnet.node.wallet import Draft, Wallet
from simnet.proofs import native
from simnet.protocol.messages import TxMessage
from simnet.scenario.upstream import SpamKind

FLIPPED_BYTES = 3


class Spammer:
    """Makes the spam of one byzantine publisher."""

    def __init__(self, facts: Facts, node: NodeId, wallet: Wallet, send: Callable[[TxMessage, str], None]) -> None:
        self._facts = facts
        self._wallet = wallet
        self._send = send
        self._random = facts.draws.generator("byzantine", node)
        self._made = 0

    def publish(self, original: TxMessage, kinds: Iterable[SpamKind]) -> None:
        """Sends the spam beside a publication, one message of each kind given."""
        for kind in kinds:
            self._made += 1
            if kind == "copy":
                self._send(original, kind)
            elif kind == "flipped_bytes":
                self._send_flipped()
            else:
                self._send_forged(kind, original)

    def _draft(self) -> Draft | None:
        return self._wallet.forgery(f'{{"spam":{self._made}}}'.encode())

    def _send_flipped(self) -> None:
        """A proof of the right statement, made for real, with a few bits flipped; sent when the proof is ready."""
        draft = self._draft()
        prepared = None if draft is None else self._wallet.prove(draft)
        if prepared is None:
            return

        def send() -> None:
            message = prepared.message()
            self._send(replace(message, envelope=Blob(self._flip(message.envelope.data))), "flipped_bytes")

        prepared.ticket.when_ready(Misdeed(send))

    def _send_forged(self, kind: str, original: TxMessage) -> None:
        """A transfer with an envelope that proves another one."""
        draft = self._draft()
        if draft is None:
            return
        envelope = original.envelope.data
        if kind == "oversize":
            padding = self._facts.scenario.provers.proof_bytes_max + 1 - len(envelope)
            envelope += bytes(max(1, padding))
        elif kind == "other_statement":
            # The header claims this statement; the proof behind it is valid, but of another.
            digest = self._public_digest(BackendId(original.backend), draft)
            envelope = envelope[: native.PUBLIC_DIGEST.start] + digest + envelope[native.PUBLIC_DIGEST.stop :]
        self._send(draft.message(BackendId(original.backend), Blob(envelope)), kind)

    def _public_digest(self, backend: BackendId, draft: Draft) -> bytes:
        circuit = self._facts.circuits.transaction
        statement = draft.tx.transfer.statement(draft.tx.account)
        return native.public_digest(backend, circuit, self._facts.statements.public_inputs(backend, circuit, statement))

    def _flip(self, envelope: bytes) -> bytes:
        """Flips one bit in each of a few bytes of the proof behind the header."""
        data = bytearray(envelope)
        for _ in range(FLIPPED_BYTES):
            at = int(self._random.integers(native.ENVELOPE_HEADER_BYTES, len(data)))
            data[at] ^= 1 << int(self._random.integers(8))
        return bytes(data)
