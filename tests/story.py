"""A small made-up run, event by event, whose figures can be worked out by hand."""

from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events import (
    BlockCommitted,
    BlockProven,
    DirectSent,
    Event,
    FaultInjected,
    LimitReached,
    MessageArrived,
    MessageDelivered,
    MessageLost,
    MessagePublished,
    MessageValidated,
    PeerConnected,
    PeerDisconnected,
    ProofMade,
    ProofVerified,
    Proposed,
    PublicationSkipped,
    RunEnded,
    TrafficStarted,
    TransferLate,
    TransferStale,
    TxAdmitted,
    TxEvicted,
    TxRefused,
)
from simnet.events.run_info import RunInfo
from simnet.record.summary import Labels

TOPIC = "/rpp/sim/tx"
LABELS = Labels(scenario_sha256="ab" * 32, cost_model="calibrated")


def info(seed: int = 7) -> RunInfo:
    return RunInfo(
        scenario="story",
        seed=seed,
        duration=from_ms(10_000),
        regions=("WEST", "WEST", "EAST", "EAST"),
        backends=(("stwo",), ("plonky3",), ("groth16",), ("stwo", "plonky3")),
        peer_ids=("peer-d", "peer-c", "peer-b", "peer-a"),
        classes=("trusted", "untrusted", "trusted", "untrusted"),
        stakes=(10, 10, 10, 10),
        edges=((NodeId(0), NodeId(1)), (NodeId(1), NodeId(2)), (NodeId(2), NodeId(3))),
        reproducible=True,
        security="standard",
        heartbeat=from_ms(350),
        security_bits={"stwo": {"transaction": (100.0, 57.84)}},
    )


def n(node: int) -> NodeId:
    return NodeId(node)


def t(ms: float) -> SimTime:
    return SimTime(round(ms * 1_000_000))


def published(ms: float, message: int, kind: str = "transaction", spam: str | None = None, node: int = 0) -> Event:
    return MessagePublished(t(ms), n(node), message, TOPIC, kind, 100, spam)


def delivered(ms: float, message: int, node: int, peer: int, since: float, kind: str = "transaction", repaired: bool = False) -> Event:
    return MessageDelivered(t(ms), n(node), n(peer), message, TOPIC, kind, t(since), 100, repaired)


def committed(ms: float, node: int, height: int, proposed: float, caught_up: bool = False) -> Event:
    block, parent, by = f"b{height}", f"b{height - 1}", NodeId(0)
    return BlockCommitted(t(ms), n(node), height, height, block, parent, "stwo", by, 5, t(proposed), caught_up, 0, 0, 0)


def story() -> list[Event]:
    return [
        PeerConnected(t(0), n(0), n(1)),
        PeerConnected(t(0), n(1), n(0)),
        TrafficStarted(t(500)),
        ProofMade(t(900), n(0), "stwo", "transaction", "00", 50_000, t(500), t(600), t(900), False),
        ProofMade(t(950), n(0), "stwo", "transaction", "01", 60_000, t(500), t(900), t(950), True),
        published(1000, 1),
        MessageArrived(t(1010), n(1), n(0), 1, 100, False),
        delivered(1010, 1, 1, 0, 1000),
        ProofVerified(t(1015), n(1), n(0), "stwo", "transaction", "00", True, "accepted", None, 50_000, t(1010), t(3)),
        MessageValidated(t(1015), n(1), n(0), 1, "accept", "accepted"),
        TxAdmitted(t(1015), n(1), "tx1"),
        delivered(1030, 1, 2, 1, 1000),
        TxAdmitted(t(1031), n(2), "tx1"),
        delivered(1060, 1, 3, 2, 1000),
        MessageArrived(t(1061), n(2), n(1), 1, 100, True),
        TxRefused(t(1062), n(3), "tx1", "pool_full"),
        Proposed(t(1100), n(0), 1, 1, "b1", "stwo", 5),
        committed(1200, 0, 1, 1100),
        committed(1220, 1, 1, 1100),
        TxEvicted(t(1220), n(1), "tx1", "committed"),
        committed(1260, 2, 1, 1100),
        BlockProven(t(1300), n(0), 1, "b1", "stwo"),
        BlockProven(t(1310), n(1), 1, "b1", "stwo"),
        BlockProven(t(1350), n(2), 1, "b1", "stwo"),
        FaultInjected(t(2000), "partition_start", "WEST-EAST"),
        PeerDisconnected(t(2000), n(1), n(2), "partition"),
        published(2100, 2),
        delivered(2110, 2, 1, 0, 2100),
        MessageLost(t(2120), n(1), n(2), 2, "link_down"),
        FaultInjected(t(4000), "partition_end", "WEST-EAST"),
        delivered(4050, 2, 2, 1, 2100, repaired=True),
        committed(5000, 0, 2, 4800),
        committed(5600, 3, 2, 4800, caught_up=True),
        FaultInjected(t(6000), "byzantine_spam", "node:0"),
        published(6000, 3, spam="flipped_bytes"),
        delivered(6010, 3, 1, 0, 6000),
        ProofVerified(t(6012), n(1), n(0), "stwo", "transaction", "02", False, "BadProof", "flipped_bytes", 50_000, t(6010), t(2)),
        MessageValidated(t(6012), n(1), n(0), 3, "reject", "BadProof"),
        published(6000, 4, spam="copy"),
        delivered(6010, 4, 1, 0, 6000),
        MessageValidated(t(6012), n(1), n(0), 4, "ignore", "replay"),
        published(7000, 5, "block_probe", node=2),
        delivered(7020, 5, 3, 2, 7000, "block_probe"),
        DirectSent(t(7100), n(0), n(1), "ihave", 40),
        TransferStale(t(7200), n(0), "tx9"),
        TransferLate(t(7300), n(0), t(25)),
        PublicationSkipped(t(7400), None, "no_active_node"),
        LimitReached(t(7500), n(0), "pool"),
        RunEnded(t(11_500)),
    ]
