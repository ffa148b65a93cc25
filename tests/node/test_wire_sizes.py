"""What messages count on the wire: every field of theirs once, by the widths in the table of shapes."""

from dataclasses import is_dataclass
from enum import IntEnum
from typing import Any

import pytest

from simnet.net.network import Network
from simnet.protocol.blocks import Block, Registration
from simnet.protocol.evidence import DoubleSign
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import DIGEST_BYTES, Vote
from simnet.protocol.shapes import SHAPES, U8, U16
from simnet.protocol.validators import SLOTS_PER_EPOCH
from tests.mocks import Bench, scenario

WIDTHS = {U8: 1, U16: 2}
"""Of integers; all others are packed in eight bytes."""
FOLLOWS = {(Block, "hash"), (SignedTransfer, "id")}
"""What a receiver computes."""
FRAMES_MAX = 8
"""For what says how many or of which kind, in the whole message."""
MEASURED = {
    "transaction", "vote", "endorsement", "proposal", "tag_set", "key_disclosure", "consensus_proof", "registration", "join", "heartbeat",
    "block_proof", "evidence", "block_response", "tx_request", "tx_response",
}  # fmt: skip


def content(value: Any) -> int:
    """Bytes of everything that a message tells."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, tuple):
        return sum(map(content, value))
    if isinstance(value, Vote):
        return 19 + 2 * DIGEST_BYTES + 64  # The places of block and tag are there, whether it has them or not.
    if value is None:
        return 0
    assert is_dataclass(value), value
    return sum(field(type(value), name, getattr(value, name)) for name in SHAPES[type(value)] if (type(value), name) not in FOLLOWS)


def field(kind: type, name: str, value: Any) -> int:
    if isinstance(value, IntEnum):
        return 1
    return WIDTHS.get(SHAPES[kind][name], 8) if isinstance(value, int) else content(value)


Sent = list[tuple[str, Any, int]]


@pytest.fixture(scope="module")
def sent() -> Sent:
    """Kind, payload and bytes of whatever nodes send where one equivocates, one catches up, and keys run out."""
    found: Sent = []
    publish, send = Network.publish, Network.send

    def published(network: Network, node: Any, **said: Any) -> Any:
        found.append((said["kind"], said["payload"], said["size"]))
        return publish(network, node, **said)

    def told(network: Network, node: Any, peer: Any, kind: str, payload: Any, size: int) -> bool:
        found.append((kind, payload, size))
        return send(network, node, peer, kind, payload, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Network, "publish", published)
        patch.setattr(Network, "send", told)
        cheat = {"kind": "equivocation", "nodes": [3], "start_ms": 2000, "duration_ms": 2000}
        bench = Bench(scenario(5, slots=60, slot_ms=500, faults={"nodes": [cheat]}, consensus={"key_horizon_epochs": 1}))
        for node in (0, 1):
            bench.isolate(node, 4950, 22_500)
        bench.isolate(2, 25_000, 28_000)
        bench.run()
    return found


def test_every_kind_is_measured(sent: Sent) -> None:
    assert {kind for kind, _, _ in sent} >= MEASURED
    assert any(isinstance(p, DoubleSign) for _, p, _ in sent)
    blocks = [p.block for kind, p, _ in sent if kind == "proposal"]
    assert any(s.proofs.proofs for kind, p, _ in sent if kind == "block_response" for s in p)
    assert any(b.registrations for b in blocks) and any(b.body.joins for b in blocks) and any(b.body.heartbeats for b in blocks)


@pytest.mark.parametrize("kind", sorted(MEASURED))
def test_every_field_is_counted_once(sent: Sent, kind: str) -> None:
    for said, payload, size in sent:
        if said != kind:
            continue
        told = content(payload)
        if isinstance(payload, Registration):
            # Its one-time keys travel beside it.
            told += sum(map(len, payload.otk_roots)) * SLOTS_PER_EPOCH * 4 * DIGEST_BYTES
        assert told <= size <= told + FRAMES_MAX * max(1, len(payload) if isinstance(payload, tuple) else 1), payload
