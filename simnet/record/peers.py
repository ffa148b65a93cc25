"""What nodes made of bad neighbours, and what forgeries cost the verifiers of honest nodes."""

from collections import Counter

from simnet.base.units import NodeId
from simnet.events import Handlers, LimitReached, MessagePublished, OpponentActed, PeerBanned, PeerScored, ProofVerified
from simnet.events.run_info import RunInfo
from simnet.record.stats import ms, ratio
from simnet.scenario.opponents import LABEL_MARK

THROTTLED = "peer_throttled"


class PeersCollector:
    """Points, bans, throttled messages; the verifiers' time by what it went into."""

    def __init__(self, info: RunInfo) -> None:
        self._nodes = info.nodes
        self._points: Counter[tuple[NodeId, str]] = Counter()
        self._bans: Counter[NodeId] = Counter()
        self._throttled = 0
        self._byzantine: set[NodeId] = set()
        self._forged: dict[str, str] = {}
        """Kind of opponent by the name of a proof that it sent."""
        self._spent: Counter[NodeId] = Counter()
        self._cost: Counter[tuple[str, NodeId]] = Counter()

    @property
    def handlers(self) -> Handlers:
        return {
            PeerScored: self._scored,
            PeerBanned: self._banned,
            LimitReached: self._limit,
            MessagePublished: self._published,
            OpponentActed: self._acted,
            ProofVerified: self._verified,
        }

    def _scored(self, event: PeerScored) -> None:
        self._points[event.peer, event.cause] += event.thousandths

    def _banned(self, event: PeerBanned) -> None:
        self._bans[event.peer] += 1

    def _limit(self, event: LimitReached) -> None:
        self._throttled += event.what == THROTTLED

    def _published(self, event: MessagePublished) -> None:
        if event.spam is not None:
            self._byzantine.add(event.node)

    def _acted(self, event: OpponentActed) -> None:
        self._byzantine.add(event.node)
        if event.subject:
            self._forged[event.subject] = event.kind

    def _verified(self, event: ProofVerified) -> None:
        self._spent[event.node] += event.cost
        if not event.accepted:
            label = self._forged.get(event.proof) or (event.spam or "unknown").partition(LABEL_MARK)[0]
            self._cost[label, event.node] += event.cost

    def block(self, end: int) -> dict[str, object]:
        """`simnet.peers`; "honest" are the nodes that sent nothing byzantine in the whole run."""
        causes = {cause for _, cause in self._points}
        return {
            "points": {c: sum(p for (_, cause), p in self._points.items() if cause == c) / 1000 for c in sorted(causes)},
            "honest_points": sum(p for (node, _), p in self._points.items() if node not in self._byzantine) / 1000,
            "bans": self._bans.total(),
            "banned": sorted(self._bans),
            "honest_bans": sum(count for node, count in self._bans.items() if node not in self._byzantine),
            "throttled": self._throttled,
            "verifiers": self._verifiers(end),
        }

    def _verifiers(self, end: int) -> dict[str, object]:
        honest = self._nodes - len(self._byzantine)
        spent = sum(cost for node, cost in self._spent.items() if node not in self._byzantine)
        return {
            "honest_ms": ms(spent),
            "refused": {
                kind: self._share(sum(c for (k, n), c in self._cost.items() if k == kind and n not in self._byzantine), spent, honest * end)
                for kind in sorted({kind for kind, _ in self._cost})
            },
        }

    @staticmethod
    def _share(cost: int, spent: int, available: int) -> dict[str, object]:
        return {"ms": ms(cost), "share": ratio(cost, spent), "load": ratio(cost, available)}
