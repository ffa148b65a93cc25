"""What the network's tests share: small scenarios in code, and a network whose nodes do as they are told."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from simnet.base.units import NodeId
from simnet.events import Event
from simnet.net.clockwork import Clockwork
from simnet.net.message import Message, Validation
from simnet.net.network import Network
from simnet.net.topology import Edge
from simnet.scenario.model import Scenario

E = TypeVar("E", bound=Event)


def scenario(nodes: int = 2, *, delay_ms: int = 10, jitter_ms: int = 0, loss: float = 0.0, **sections: Any) -> Scenario:
    """A valid scenario with one kind of link; `sections` replace whole sections."""
    tables: dict[str, Any] = {
        "name": "test",
        "sim": {"seed": 1, "duration_ms": 60_000},
        "topology": {"type": "erdos_renyi", "n": nodes, "p": 1.0},
        "links": {"default": {"delay_ms": delay_ms, "jitter_ms": jitter_ms, "loss": loss}},
        "traffic": {"tx": {"phases": [{"model": "poisson", "duration_ms": 60_000, "lambda_per_sec": 10.0}]}},
    }
    return Scenario.model_validate({**tables, **sections})


class Node:
    """Accepts everything at once, unless `judge` says otherwise (None: no answer yet)."""

    def __init__(self, bench: "Bench", node: NodeId) -> None:
        self.bench, self.node = bench, node
        self.judge: Callable[[Message], Validation | None] = lambda _: Validation.ACCEPT
        self.got: list[Message] = []
        self.direct: list[tuple[str, object, NodeId, int]] = []
        self.links: list[tuple[str, NodeId]] = []

    def on_verdict(self, message: Message, peer: NodeId, verdict: Validation, reason: str) -> None:
        """Its own verdicts are no news to it."""

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        self.got.append(message)
        verdict = self.judge(message)
        if verdict is not None:
            self.bench.network.verdict(self.node, message, verdict)

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        self.direct.append((kind, payload, peer, int(self.bench.env.now)))

    def on_connected(self, peer: NodeId) -> None:
        self.links.append(("up", peer))

    def on_disconnected(self, peer: NodeId) -> None:
        self.links.append(("down", peer))


class Bench:
    """A network of `Node`s and everything it emitted."""

    def __init__(self, given: Scenario, edges: Sequence[tuple[int, int]], seed: int = 1, passed_on: frozenset[str] = frozenset()) -> None:
        self.env = Clockwork()
        self.events: list[Event] = []
        self.edges: list[Edge] = [(NodeId(a), NodeId(b)) for a, b in edges]
        count = given.topology.n
        classes = ["trusted", "untrusted"] * count
        self.network = Network(self.env, given, seed, self.edges, given.region_of_node, classes[:count], self.events.append)
        self.nodes = [Node(self, NodeId(i)) for i in range(count)]
        for node in self.nodes:
            self.network.attach(node.node, node, passed_on)

    def publish(self, node: int = 0, size: int = 100) -> Message | None:
        return self.network.publish(NodeId(node), topic="t", kind="transaction", payload=b"", size=size)

    def run(self, until_ms: float | None = None) -> None:
        self.env.run() if until_ms is None else self.env.run(until=int(until_ms * 1_000_000))

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]
