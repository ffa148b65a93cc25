"""What a neighbour sends may be of any content: nothing breaks a node, nothing of another shape is accepted, nobody honest is accused."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from simnet.base.blob import Blob
from simnet.base.units import NodeId
from simnet.events import MessageValidated
from simnet.net.network import Network
from simnet.node.peers import Peers
from simnet.node.wallet import Wallet
from simnet.protocol import shapes
from simnet.protocol.messages import Certificate, Proposal, TxMessage, Vote
from tests.mocks import Bench, misbehaving, scenario

LIAR = NodeId(0)
NUMBERS = (-1, 255, 256, 65_536, 2**32, 2**63, 2**64 - 1, 2**64, 2**70)
TEXTS = (b"", b"x", bytes(31), bytes(33), bytes(63), bytes(65))


def variants(value: Any, depth: int = 2) -> list[Any]:
    """The value with one field at a time of another size, range or structure."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return list(NUMBERS)
    if isinstance(value, bytes):
        return [*TEXTS, value[:-1], value + b"\0", bytes(len(value))]
    if isinstance(value, tuple):
        inner = [(*value[:i], v, *value[i + 1 :]) for i in range(min(1, len(value))) for v in variants(value[i], depth)]
        return [(), (*value, *value[:1]), (b"",), *inner]
    if value is None:
        return [b"", bytes(33)]
    if isinstance(value, Blob):
        return [Blob(b""), Blob(value.data[:-1])]
    if is_dataclass(value) and depth:
        found: list[Any] = []
        for f in fields(value):
            found += [replace(value, **{f.name: v}) for v in variants(getattr(value, f.name), depth - 1)]  # type: ignore[type-var]
        return found
    return []


@pytest.fixture(scope="module")
def sent() -> dict[str, list[Any]]:
    """Payloads of a run by kind."""
    seen: dict[str, list[Any]] = {}
    publish = Network.publish

    def noting(self: Network, node: NodeId, **message: Any) -> Any:
        seen.setdefault(message["kind"], []).append(message["payload"])
        return publish(self, node, **message)

    patch = pytest.MonkeyPatch()
    patch.setattr(Network, "publish", noting)
    ahead = {"kind": "clock_skew", "nodes": [3], "offset_ms": 5000, "start_ms": 3000, "duration_ms": 1000}
    faults = {"nodes": [{"kind": "equivocation", "nodes": [4], "start_ms": 500, "duration_ms": 4000}, ahead]}
    bench = Bench(scenario(slots=22, rate=4.0, slot_ms=500, faults=faults, consensus={"key_horizon_epochs": 1, "slashing": True}))
    bench.run()
    patch.undo()
    return seen


def test_every_kind_has_a_shape_and_genuine_messages_have_it(sent: dict[str, list[Any]]) -> None:
    known = {kind: payloads for kind, payloads in sent.items() if kind in shapes.GOSSIP}
    assert known.keys() >= shapes.GOSSIP.keys() - {"endorsement"}
    assert all(shapes.fits_gossip(kind, payload) for kind, payloads in known.items() for payload in payloads)


def test_nothing_of_another_shape_is_taken(sent: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of spoiled messages while a chain runs, from one whom nobody cuts off: it goes on, and accepts none of them."""
    monkeypatch.setattr(Peers, "blame", lambda *_: None)
    bench = Bench(scenario(slots=6, rate=4.0, limits={"events_max": 5_000_000}))
    spoiled: list[tuple[str, int]] = []

    def attack(kind: str) -> None:
        genuine = sent[kind][-1]
        for variant in variants(genuine):
            if variant != genuine:
                message = bench.network.publish(LIAR, topic="/test", kind=kind, payload=variant, size=100)
                assert message is not None
                spoiled.append((kind, message.id))

    for place, kind in enumerate(k for k in sorted(shapes.GOSSIP) if k in sent):
        bench.at(1200 + 200 * place, lambda kind=kind: attack(kind))  # type: ignore[misc]
    result = bench.run()
    assert not [v for v in result.violations if v.invariant not in ("coherence", "proven", "aggregated")], result.violations
    assert len(spoiled) > 700
    kinds = {number: kind for kind, number in spoiled}
    taken = {kinds[e.message] for e in bench.of(MessageValidated) if e.message in kinds and e.verdict == "accept" and e.node != LIAR}
    # A certificate is a list of others' signed votes; its own numbers are nobody's claim. Floods and bans keep the rest out.
    assert taken <= {"tag_set"}
    assert result.checks["accusations"]["status"] == "not_exercised"


@pytest.mark.parametrize(
    "kind",
    [
        "block_response",
        "proof_response",
        "tx_response",
        "tx_request",
        "block_request",
        "proof_request",
        "status",
        "votes",
        "fork_request",
        "fork_response",
    ],
)
def test_answers_of_another_shape_are_dropped(sent: dict[str, list[Any]], kind: str) -> None:
    bench = Bench(scenario(slots=3, faults={"nodes": [misbehaving(LIAR)]}))
    vote, transfer = sent["vote"][0], sent["transaction"][0]
    junk = [
        None,
        (),
        (b"x",),
        (None,),
        -1,
        2**70,
        b"",
        "text",
        vote,
        (vote, replace(vote, height=-1)),
        transfer,
        replace(transfer, backend=256),
    ]
    bench.at(1500, lambda: [bench.network.send(LIAR, NodeId(1), kind, payload, 10) for payload in junk])
    assert bench.run().complete


def test_fields_do_not_run_into_each_other(sent: dict[str, list[Any]]) -> None:
    """Two contents with one signature: what was cut off one field is at the start of the next."""
    vote = next(v for v in sent["vote"] if v.tag)
    assert isinstance(vote, Vote) and vote.block is not None
    moved = replace(vote, block=vote.block + vote.tag[:8], tag=vote.tag[8:])
    assert moved.signing_bytes() == vote.signing_bytes() and not shapes.is_shaped(moved)
    proposal = sent["proposal"][0]
    assert isinstance(proposal, Proposal)
    padded = replace(proposal.block.header, state_root=proposal.block.header.state_root + b"x")
    assert padded.hash == proposal.block.header.hash and not shapes.is_shaped(padded)
    registration = sent["registration"][0]
    flat = replace(registration, otk_roots=((), tuple(root for lane in registration.otk_roots for root in lane)))
    assert flat.signing_bytes() == registration.signing_bytes() and not shapes.is_shaped(flat)


@pytest.mark.parametrize("receiver", [b"\1" * 32, None])
def test_nobody_is_paid_who_does_not_exist(monkeypatch: pytest.MonkeyPatch, receiver: bytes | None) -> None:
    """A transfer to a stranger, signed and proven, is refused where it comes in: no leader puts it into a block."""
    monkeypatch.setattr(Peers, "blame", lambda *_: None)
    bench = Bench(scenario(slots=4, rate=4.0))
    draft = Wallet.draft

    def to_nobody(self: Wallet, lane: bytes, payee: bytes, amount: int, payload: bytes) -> Any:
        return draft(self, lane, receiver or payee, amount, payload)

    monkeypatch.setattr(Wallet, "draft", to_nobody)
    result = bench.run()
    assert result.complete, result.violations
    committed = sum(len(c.block.tx_ids) for c in bench.nodes[1].chain.committed)
    assert committed == 0 if receiver else committed > 3


def test_a_transfer_that_is_dated_ahead_waits_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wallets date by their node's clock: no block takes a transfer before its time, which no prover could prove."""
    skew = {"nodes": [{"kind": "clock_skew", "nodes": [1], "start_ms": 0, "duration_ms": 5000, "offset_ms": 3000}]}
    bench = Bench(scenario(slots=9, rate=4.0, faults=skew))
    result = bench.run()
    assert result.complete, result.violations
    for c in bench.nodes[0].chain.committed:
        dated = [bench.nodes[0].transactions.verified[i].tx.transfer.timestamp for i in c.block.tx_ids]
        assert all(t <= c.block.header.timestamp for t in dated)
    ahead: list[TxMessage] = [m for m in bench.nodes[0].transactions.verified.values() if m.tx.transfer.timestamp > 0]
    assert ahead


def test_a_certificate_without_a_quorum_goes_no_further() -> None:
    bench = Bench(scenario(slots=4, faults={"nodes": [misbehaving(LIAR)]}))
    empty = Certificate(10**6, 1, bytes(32), 1, 5)
    bench.at(1500, lambda: bench.network.publish(LIAR, topic="/test", kind="tag_set", payload=empty, size=100))
    assert bench.run().complete
    verdicts = {(e.node, e.verdict, e.reason) for e in bench.of(MessageValidated) if e.reason == "no_quorum"}
    assert verdicts == {(n, "reject", "no_quorum") for n in range(1, 5)}
