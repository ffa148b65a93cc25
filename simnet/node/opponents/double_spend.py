"""Two transfers of one lane and nonce, told to different halves of the neighbours."""

from simnet.node.letters import Misdeed
from simnet.node.opponents.act import Act
from simnet.node.wallet import Prepared
from simnet.scenario import opponents as model


class DoubleSpend(Act[model.DoubleSpend]):
    """Both are signed and proved like any other; at most one can ever be committed."""

    _made = 0

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        self.over_the_slot(self.fault.per_slot, self._prepare)

    def _prepare(self) -> None:
        self._made += 1
        pair = [self._half(side) for side in ("first", "second")]
        first, second = pair
        if first is not None and second is not None:
            send = Misdeed(lambda: self._send(first, second))
            first.ticket.when_ready(Misdeed(lambda: second.ticket.when_ready(send)))

    def _half(self, side: str) -> Prepared | None:
        draft = self.reach.wallet.forgery(f'{{"{side}":{self._made}}}'.encode())
        return None if draft is None else self.reach.wallet.prove(draft)

    def _send(self, first: Prepared, second: Prepared) -> None:
        peers = self.ports.connected()
        order = [peers[i] for i in self.plan.random.permutation(len(peers)).tolist()]
        half = (len(peers) + 1) // 2
        for side, prepared, spared in (("first", first, order[half:]), ("second", second, order[:half])):
            made = prepared.message()
            self.say(side, "transaction", made, made.size, subject=made.tx.id.hex()[:16], spared=frozenset(spared))
