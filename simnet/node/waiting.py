"""Proposals whose transfers are not all verified here yet, and transfers that neighbours wait for and this node does not have yet.

Both end by themselves, since a leader may name transfers that do not exist. A proposal waits through its own slot, in which it is
voted on, and the next one. Nothing depends on it after that: who has voted for its block has the transfers, and proposes it again or
hands it over. So those that wait are of three slots at most (a clock may be put back by one), and a slot has one leader, of whom
`PROPOSALS_MAX` proposals are taken: no leader takes another one's place.

What is owed to a neighbour is forgotten after one to two slots: who still waits asks again at the beginning of a slot, each in turn. In that
time it can ask for what the proposals of three slots name, and for no more.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from simnet.base.units import NodeId
from simnet.node.ports import Ports
from simnet.protocol.messages import Proposal
from simnet.protocol.votes import PROPOSALS_MAX

SLOTS_WAITED = 1
"""A proposal waits for so many slots after its own."""
WAITING_MAX = (2 * SLOTS_WAITED + 1) * PROPOSALS_MAX
"""Proposals that wait for transfers."""
OWED_MAX = 512
"""Transfers that one neighbour asked for and this node does not have yet; more where the blocks of all that wait may name more."""


@dataclass(slots=True)
class Waiting:
    """A proposal whose transfers are not all verified yet."""

    proposal: Proposal
    missing: set[bytes]


class WaitingProposals:
    """Those of one node."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._slot = -1
        self._waiting: list[Waiting] = []

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting)

    def begin(self, slot: int) -> None:
        """A slot begins: what is not of about now waits no longer."""
        self._slot = slot
        self._waiting = [w for w in self._waiting if self._is_of_now(w.proposal)]

    def _is_of_now(self, proposal: Proposal) -> bool:
        return abs(proposal.slot - self._slot) <= SLOTS_WAITED

    def add(self, proposal: Proposal, missing: set[bytes]) -> bool:
        """Whether a proposal waits for these transfers."""
        if not self._is_of_now(proposal):
            return False
        if len(self._waiting) >= WAITING_MAX:
            self._ports.limit_reached("waiting_proposals")
            return False
        self._waiting.append(Waiting(proposal, missing))
        return True

    def verified(self, tx_id: bytes) -> list[Proposal]:
        """A transfer is there: the proposals that lacked nothing else."""
        for waiting in self._waiting:
            waiting.missing.discard(tx_id)
        ready = [w.proposal for w in self._waiting if not w.missing]
        self._waiting = [w for w in self._waiting if w.missing]
        return ready

    def clear(self) -> None:
        """Their height is decided."""
        self._waiting.clear()


class Owed:
    """Transfers to pass on once they are verified here: a proposal travels faster than what it names."""

    def __init__(self, ports: Ports, transactions_max: int) -> None:
        self._ports = ports
        self._most = max(OWED_MAX, WAITING_MAX * transactions_max)
        self._asked: dict[bytes, dict[NodeId, None]] = {}
        """Who asked for what in this slot."""
        self._before: dict[bytes, dict[NodeId, None]] = {}
        """And in the one before."""
        self._count: Counter[NodeId] = Counter()

    def begin(self) -> None:
        """A slot begins: what was asked before the last one is not owed any more."""
        for peers in self._before.values():
            self._count.subtract(peers.keys())
        self._asked, self._before = {}, self._asked
        self._count = +self._count

    def note(self, tx_id: bytes, peer: NodeId) -> None:
        """A neighbour asks for a transfer that is not here."""
        if peer in self._asked.get(tx_id, ()):
            return
        if peer in self._before.get(tx_id, ()):
            del self._before[tx_id][peer]
            self._count[peer] -= 1
        if self._count[peer] >= self._most:
            self._ports.limit_reached("owed_transfers")
            return
        self._asked.setdefault(tx_id, {})[peer] = None
        self._count[peer] += 1

    def pay(self, tx_id: bytes) -> tuple[NodeId, ...]:
        """The transfer is here: to whom it goes."""
        peers = (*self._before.pop(tx_id, ()), *self._asked.pop(tx_id, ()))
        self._count.subtract(peers)
        return peers

    def owed_to(self, peer: NodeId) -> int:
        """How many transfers a neighbour is owed."""
        return self._count[peer]
