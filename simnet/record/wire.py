"""What crossed the links: bytes of each peer, losses, queues that overflowed."""

from collections import Counter

from simnet.events import DirectSent, Handlers, MessageArrived, MessageLost
from simnet.events.run_info import RunInfo
from simnet.record.messages import MessageBook
from simnet.record.stats import ms


class WireCollector:
    """Bytes on the wire in both directions, forwarding and control messages included, and what was lost."""

    def __init__(self, info: RunInfo, book: MessageBook) -> None:
        self._info = info
        self._book = book
        self._bytes_in = [0] * info.nodes
        self._bytes_out = [0] * info.nodes
        self._copies = 0
        self._redundant = 0
        self._gossip_bytes = 0
        self._lost: Counter[str] = Counter()
        self._direct: Counter[str] = Counter()
        self._direct_bytes: Counter[str] = Counter()
        self._slow: dict[tuple[int, int, int], Counter[str]] = {}
        self._last_direct: DirectSent | None = None

    @property
    def handlers(self) -> Handlers:
        return {MessageArrived: self._arrived, MessageLost: self._lost_copy, DirectSent: self._direct_sent}

    @property
    def lost(self) -> Counter[str]:
        """Copies lost so far, by reason."""
        return self._lost

    def _arrived(self, event: MessageArrived) -> None:
        self._copies += 1
        self._redundant += event.duplicate
        self._gossip_bytes += event.bytes
        self._bytes_in[event.node] += event.bytes
        self._bytes_out[event.peer] += event.bytes

    def _lost_copy(self, event: MessageLost) -> None:
        self._lost[event.reason] += 1
        message = self._book.get(event.message)
        if message is None:
            self._lost_direct(event)
        elif event.reason != "queue_full":
            self._bytes_out[event.node] += message.bytes
        if event.reason == "queue_full":
            # Slow peers are recorded once per heartbeat and neighbour.
            key = (event.at // self._info.heartbeat, event.node, event.peer)
            own = message is not None and message.author == event.node
            record = self._slow.setdefault(key, Counter())
            record["queue_full"] += 1
            record["publish_failed" if own else "forward_failed"] += 1

    def _lost_direct(self, event: MessageLost) -> None:
        """Takes back what a control message that was lost at once did not do. One lost on its way still counts."""
        sent = self._last_direct
        if (
            sent is None
            or event.reason in ("link_down", "corrupt")
            or (sent.at, sent.node, sent.peer) != (event.at, event.node, event.peer)
        ):
            return
        self._bytes_in[event.peer] -= sent.bytes
        if event.reason == "queue_full":
            self._bytes_out[event.node] -= sent.bytes

    def _direct_sent(self, event: DirectSent) -> None:
        self._last_direct = event
        self._direct[event.kind] += 1
        self._direct_bytes[event.kind] += event.bytes
        self._bytes_out[event.node] += event.bytes
        self._bytes_in[event.peer] += event.bytes

    # --- upstream's fields -----------------------------------------------------------------------

    def peer_traffic(self) -> list[dict[str, object]] | None:
        info = self._info
        rows: list[dict[str, object]] = [
            {
                "peer_id": info.peer_ids[node],
                "peer_class": info.classes[node],
                "bytes_in": self._bytes_in[node],
                "bytes_out": self._bytes_out[node],
            }
            for node in sorted(range(info.nodes), key=lambda node: info.peer_ids[node])
            if self._bytes_in[node] or self._bytes_out[node]
        ]
        return rows or None

    def slow_peer_records(self) -> list[dict[str, object]] | None:
        rows: list[dict[str, object]] = [
            {
                "node": self._info.peer_ids[node],
                "peer": self._info.peer_ids[peer],
                "publish_failed": counts["publish_failed"],
                "forward_failed": counts["forward_failed"],
                "queue_full": counts["queue_full"],
                "timeout": 0,
                "timestamp_ms": ms((beat + 1) * self._info.heartbeat),
            }
            for (beat, node, peer), counts in sorted(self._slow.items())
        ]
        return rows or None

    def bandwidth(self) -> dict[str, int] | None:
        if not self._slow:
            return None
        return {"throttled_peers": len({peer for _, _, peer in self._slow}), "slow_peer_events": len(self._slow)}

    def gossip_backpressure(self) -> dict[str, int] | None:
        if not self._slow:
            return None
        total: Counter[str] = sum(self._slow.values(), Counter())
        return {
            "events": len(self._slow),
            "unique_peers": len({peer for _, _, peer in self._slow}),
            "queue_full_messages": total["queue_full"],
            "publish_failures": total["publish_failed"],
            "forward_failures": total["forward_failed"],
            "timeout_failures": 0,
        }

    # --- ours --------------------------------------------------------------------------------------

    def detail(self) -> dict[str, object]:
        direct = {kind: {"count": self._direct[kind], "bytes": self._direct_bytes[kind]} for kind in sorted(self._direct)}
        return {
            "copies_arrived": self._copies,
            "copies_redundant": self._redundant,
            "copies_lost": dict(sorted(self._lost.items())),
            "gossip_bytes": self._gossip_bytes,
            "direct": direct,
        }
