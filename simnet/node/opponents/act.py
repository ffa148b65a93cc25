"""What all kinds of opponents share: what they may reach, how they speak, and when they act."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from simnet.base.units import NS_PER_S, NodeId, SimTime
from simnet.events import OpponentActed
from simnet.net.network import Message
from simnet.node.aggregation import Aggregation
from simnet.node.chain import Chain
from simnet.node.conduct import Conduct
from simnet.node.facts import Facts
from simnet.node.keyring import Keyring
from simnet.node.opponents.plan import Plan, Plans
from simnet.node.ports import Ports
from simnet.node.transactions import Transactions
from simnet.node.voting import Voter
from simnet.node.wallet import Wallet
from simnet.scenario.opponents import Opponent, label

LONG_NS = 100 * 365 * 86_400 * NS_PER_S
T = TypeVar("T")
F = TypeVar("F", bound=Opponent)


@dataclass(frozen=True, slots=True)
class Reach:
    """An opponent's own node: it knows no more than that and what byzantine nodes have agreed on, and signs with that node's keys only."""

    facts: Facts
    ports: Ports
    plans: Plans
    keyring: Keyring
    chain: Chain
    transactions: Transactions
    aggregation: Aggregation
    voter: Voter
    wallet: Wallet
    conduct: Conduct

    @property
    def node(self) -> NodeId:
        return NodeId(self.keyring.node)

    @property
    def slot_ns(self) -> SimTime:
        return self.facts.slots.length

    def leader(self, slot: int) -> int:
        """Who leads a slot at the next height."""
        return self.chain.electorate.leader(slot)


class Act(Generic[F]):
    """One kind of misconduct of one node while its fault lasts. `as_part_of`: a flood that it belongs to."""

    replaces: frozenset[str] = frozenset()
    """What the node no longer sends as an honest one meanwhile."""

    def __init__(self, reach: Reach, plan: Plan, fault: F, as_part_of: str | None = None) -> None:
        self.reach = reach
        self.plan = plan
        self.fault = fault
        self.facts = reach.facts
        self.ports = reach.ports
        self.me = reach.node
        self.slot = -1
        self._part_of = as_part_of
        self._over = False

    # --- what the node tells it ----------------------------------------------------------------------

    def begin(self) -> None:
        """The fault begins."""
        self.reach.conduct.instead.update(self.replaces)

    def end(self) -> None:
        """It is over."""
        self._over = True
        self.reach.conduct.instead.difference_update(self.replaces)

    def on_slot(self, slot: int) -> None:
        """A slot begins by the node's clock, before the node does anything in it."""
        self.slot = slot

    def saw(self, message: Message) -> None:
        """A gossip message came, before the node looks into it."""

    def answers(self, kind: str, payload: object, peer: NodeId) -> bool:
        """A neighbour's point-to-point message came; True: it is dealt with, and the node itself hears nothing of it."""
        return False

    # --- what it does --------------------------------------------------------------------------------

    def one(self) -> int:
        """Sends one message if it can; how many bytes it has."""
        return 0

    def turn(self, name: str, choices: Sequence[T]) -> T:
        """The next of the choices for this node."""
        return self.plan.turn(self.me, name, choices)

    def later(self, delay: int, action: Callable[[], object]) -> None:
        """Does something after so many nanoseconds, unless the fault is over by then."""
        self.ports.after(delay, lambda: None if self._over else (action(), None)[1])

    def over_the_slot(self, times: int, action: Callable[[], object]) -> None:
        """Does something so often in the slot that begins: at a random moment of each of as many shares of it."""
        share = self.reach.slot_ns // times
        for number in range(times):
            self.later(number * share + int(self.plan.random.integers(share)), action)

    def every(self, per_second: float, action: Callable[[], object]) -> None:
        """Does something at a rate, beginning at a random moment of the first period."""
        # A rate too small for a run of any length: a period of a hundred years is never over, and a generator draws no number beyond 64 bits.
        period = max(1, round(min(NS_PER_S / per_second, LONG_NS)))

        def again() -> None:
            self.later(period, again)
            action()

        self.later(int(self.plan.random.integers(period)), again)

    def say(self, what: str, kind: str, payload: object, size: int, *, subject: str = "", spared: frozenset[NodeId] = frozenset()) -> int:
        """Publishes a message; its size, or 0 when no neighbour is connected."""
        name, what = (self._part_of, self.fault.kind) if self._part_of else (self.fault.kind, what)
        sent = self.ports.publish(kind, payload, size, spam=label(name, what), spared=spared)
        if sent is None:
            return 0
        self.ports.emit(OpponentActed(self.ports.now, self.me, name, what, sent.id, subject))
        return size
