"""Parts of a node alone, and whole ones by a script: ports that write down what a part does, provers that wait to be told their verdict, letters that are kept.

No network, no clock that goes by itself, no provers, no other parts.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import blake2s
from heapq import heappop, heappush
from typing import Any

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId
from simnet.base.rng import Draws
from simnet.base.units import NodeId, SimTime
from simnet.events import Event, LimitReached
from simnet.net.network import Message, Validation
from simnet.node.clock import Clock
from simnet.node.facts import Facts
from simnet.node.genesis import make_circuits, make_genesis, make_rules
from simnet.node.keyring import Keyring, PublicKeys, make_keyrings
from simnet.node.letters import Examined, Letter, Letterbox, Origin
from simnet.node.node import Node
from simnet.node.opponents.plan import Plans
from simnet.node.processor import Proving
from simnet.proofs.backend import Circuit, Verification
from simnet.proofs.costs import cost_model
from simnet.proofs.workshop import Workshop
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.messages import TxMessage
from simnet.protocol.transfer import Transfer
from simnet.scenario.model import Scenario
from tests.mocks import mock_backends

ACCEPTED = Verification(True, "")
PAYLOAD = b"payload"


def facts_of(given: Scenario) -> tuple[Facts, Sequence[Keyring]]:
    """What all nodes of a scenario know, and each one's secrets. Made once: facts do not change."""
    return _facts(given.model_dump_json(by_alias=True))


@cache
def _facts(model: str) -> tuple[Facts, Sequence[Keyring]]:
    given = Scenario.model_validate_json(model)
    keyrings = make_keyrings(given.topology.n, given.sim.seed, None)
    genesis = make_genesis(given, given.sim.seed, keyrings)
    return Facts(
        given, Draws(given.sim.seed), MockStatements(), genesis, make_circuits(given), make_rules(given), PublicKeys(keyrings)
    ), keyrings


class MockStatements:
    """What follows from statements for mock proofs."""

    def __init__(self) -> None:
        self._backends = mock_backends()

    def public_inputs(self, backend: BackendId, circuit: Circuit, statement: bytes) -> bytes:
        return self._backends[backend].public_inputs(circuit, statement)

    def vk_id(self, backend: BackendId, circuit: Circuit) -> bytes:
        return self._backends[backend].vk_id(circuit)

    def aggregate(self, backend: BackendId, circuit: Circuit, statement: bytes) -> bytes:
        return self._backends[backend].aggregate(circuit, statement)


class Written:
    """Ports: whatever goes out is written down. Time goes on when the test says so."""

    def __init__(self, node: int = 0, neighbours: tuple[int, ...] = (1, 2)) -> None:
        self.node = NodeId(node)
        self.now = SimTime(0)
        self.clock = Clock(lambda: self.now)
        self.neighbours = tuple(map(NodeId, neighbours))
        self.published: list[tuple[str, Any]] = []
        self.sent: list[tuple[int, str, Any]] = []
        self.answers: list[tuple[Validation, str]] = []
        self.events: list[Event] = []
        self.links: list[tuple[str, int]] = []
        self._planned: list[tuple[int, int, Callable[[], None]]] = []

    def clock_error(self, node: int) -> int:
        return self.clock.error if node == self.node else 0

    def after(self, delay: int, action: Callable[[], None]) -> None:
        heappush(self._planned, (self.now + delay, len(self._planned), action))

    def pass_time(self, nanoseconds: int) -> None:
        """Time goes on, and what was planned for it happens."""
        end = SimTime(self.now + nanoseconds)
        while self._planned and self._planned[0][0] <= end:
            at, _, action = heappop(self._planned)
            self.now = SimTime(at)
            action()
        self.now = end

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def limit_reached(self, what: str) -> None:
        self.events.append(LimitReached(self.now, self.node, what))

    def publish(
        self, kind: str, payload: object, size: int, *, spam: str | None = None, spared: frozenset[NodeId] = frozenset()
    ) -> Message | None:
        if not self.neighbours:
            return None
        self.published.append((kind, payload))
        return gossiped(len(self.published), kind, payload, int(self.node))

    def answer(self, message: Message, verdict: Validation, reason: str = "", /) -> None:
        self.answers.append((verdict, reason))

    def send(self, peer: NodeId, kind: str, payload: object, size: int, /) -> bool:
        self.sent.append((int(peer), kind, payload))
        return peer in self.neighbours

    def connected(self) -> tuple[NodeId, ...]:
        return self.neighbours

    def cut(self, peer: NodeId) -> None:
        self.links.append(("cut", int(peer)))

    def join(self, peer: NodeId) -> None:
        self.links.append(("join", int(peer)))

    @property
    def limits(self) -> list[str]:
        """Limits that were hit."""
        return [e.what for e in self.events if isinstance(e, LimitReached)]


class Kept(Mapping[type, tuple[Callable[[Any], None], ...]]):
    """Routes: every letter is kept, and goes on to whom the test names."""

    def __init__(self, routes: Mapping[type[Letter], Callable[[Any], None]]) -> None:
        self._routes = routes
        self.letters: list[Letter] = []

    def __getitem__(self, kind: type) -> tuple[Callable[[Any], None], ...]:
        return (self.letters.append, *(then for known, then in self._routes.items() if known is kind))

    def __iter__(self) -> Iterator[type]:
        return iter(self._routes)

    def __len__(self) -> int:
        return len(self._routes)


class Post:
    """A letterbox whose letters and answers are kept."""

    def __init__(self, ports: Written) -> None:
        self.box = Letterbox(ports.after)
        self.answers: list[tuple[Origin, Validation, str]] = []
        self._kept = Kept({})

    @property
    def letters(self) -> list[Letter]:
        return self._kept.letters

    def open(self, *origins: type[Origin], **_: object) -> None:
        """Nothing but the answers for these origins is routed anywhere."""
        self.route({}, *origins)

    def route(self, routes: Mapping[type[Letter], Callable[[Any], None]], *origins: type[Origin]) -> None:
        """Letters of these kinds reach the part under test, too."""
        self._kept = Kept(routes)
        self.box.open(self._kept, {kind: lambda *told: self.answers.append(told) for kind in origins}, {})


def transfer_of(
    facts: Facts, keyring: Keyring, ledger: Ledger, lane: int = 0, *, ahead: int = 0, timestamp: int = 0, amount: int = 1
) -> TxMessage:
    """A signed transfer from a lane of a node's wallet to node 2's; `ahead`: from a state so many transfers later."""
    key = facts.genesis.wallets[keyring.node][lane]
    account = replace(ledger.accounts[key], nonce=ledger.accounts[key].nonce + ahead)
    memo = blake2s(PAYLOAD).digest()
    made = Transfer(key, facts.genesis.wallets[2][0], amount, 1, account.nonce + 1, 0, timestamp, memo)
    signature = keyring.sign_for_lane(facts.genesis.lane_numbers[key], made.signing_bytes(account, facts.genesis.chain_id))
    return TxMessage(SignedTransfer.of(made, account), signature, PAYLOAD, BackendId.STWO, Blob(b"proof"))


class Idle:
    """Provers that do nothing until the test judges what they were given."""

    def __init__(self) -> None:
        self.given: list[Examined] = []

    def verify(
        self, backend: BackendId, circuit: Circuit, statement: bytes, envelope: Blob, peer: NodeId, spam: str | None, item: Examined
    ) -> None:
        self.given.append(item)

    def prove(self, backend: BackendId, circuit: Circuit, witness: bytes, *, again: bool = False) -> None:
        """There is never room."""

    def too_large(self, backend: BackendId, circuit: Circuit, envelope: Blob, peer: NodeId, spam: str | None) -> bool:
        return False


def gossiped(number: int, kind: str, payload: object, publisher: int = 2) -> Message:
    """A gossip message as a node gets it."""
    return Message(number, NodeId(publisher), "/test", kind, payload, 100, SimTime(0), None, array("q"))


class Puppet:
    """A whole node on ports that write down: the test is its network and its clock. Proofs are mocks."""

    def __init__(self, facts: Facts, keyring: Keyring, workshop: Workshop) -> None:
        peers = tuple(v.index for v in facts.genesis.validators if v.index != keyring.node)
        self.ports = Written(keyring.node, peers)
        self.node = Node(facts, self.ports, Proving(workshop, cost_model("calibrated")), keyring, Plans(facts.draws, ()))
        self.heard = 0

    def hear(self, kind: str, payload: object, peer: int) -> tuple[Validation, str]:
        """A gossip message comes; what the node answers at once, the last of its answers."""
        self.heard += 1
        self.node.on_gossip(gossiped(self.heard, kind, payload, peer), NodeId(peer))
        return self.ports.answers[-1]

    def said(self, kind: str) -> list[Any]:
        """What it has published of a kind."""
        return [payload for published, payload in self.ports.published if published == kind]

    def take_sent(self, peer: int) -> list[tuple[str, Any]]:
        """What it has sent to a neighbour since the last time."""
        taken = [(kind, payload) for to, kind, payload in self.ports.sent if to == peer]
        self.ports.sent = [one for one in self.ports.sent if one[0] != peer]
        return taken


OPEN: list[Workshop] = []
"""Provers of the test that is running, closed at its end (`conftest.py`)."""


def puppets(given: Scenario) -> list[Puppet]:
    """All nodes of a scenario, with nothing between them."""
    facts, keyrings = facts_of(given)
    workshop = Workshop(mock_backends(), bytes(32), given.provers.proof_bytes_max, given.limits.proofs_max)
    OPEN.append(workshop)
    return [Puppet(facts, keyring, workshop) for keyring in keyrings]
