"""Equivocation, the evidence of it, and the slashing books of all nodes (`slashing`)."""

from collections import Counter, defaultdict

from simnet.base.units import NodeId
from simnet.events import DoubleSignFound, Equivocated, EvidenceTaken, Handlers, PenaltyBooked, ProofTakenOver, SlashingSettled, Withheld

Piece = tuple[NodeId, str]
"""(validator, detail)."""


class SlashingCollector:
    """Evidence and penalties, each counted once however many nodes hold it, and what is left in any node's books."""

    def __init__(self) -> None:
        self._equivocated: Counter[str] = Counter()
        self._withheld: Counter[str] = Counter()
        self._offences: dict[tuple[NodeId, int, int], set[NodeId]] = defaultdict(set)
        self._heard = self._taken_over = 0
        self._taken: dict[str, dict[Piece, set[NodeId]]] = defaultdict(lambda: defaultdict(set))
        self._booked: dict[str, dict[Piece, int]] = defaultdict(dict)
        self._booked_by: Counter[NodeId] = Counter()
        self._queue: Counter[NodeId] = Counter()
        self._alarms: Counter[NodeId] = Counter()
        self._raised = self._cleared = 0
        self._rewards_withheld: dict[int, int] = {}
        """Time tokens by height; what the node that withheld most did."""

    @property
    def handlers(self) -> Handlers:
        return {
            Equivocated: self._on_equivocated,
            Withheld: self._on_withheld,
            ProofTakenOver: self._on_taken_over,
            DoubleSignFound: self._on_found,
            EvidenceTaken: self._on_taken,
            PenaltyBooked: self._on_booked,
            SlashingSettled: self._on_settled,
        }

    def _on_equivocated(self, event: Equivocated) -> None:
        self._equivocated[event.what] += 1

    def _on_withheld(self, event: Withheld) -> None:
        self._withheld[event.what] += 1

    def _on_taken_over(self, event: ProofTakenOver) -> None:
        self._taken_over += 1

    def _on_found(self, event: DoubleSignFound) -> None:
        self._offences[event.validator, event.height, event.slot].add(event.node)
        self._heard += event.heard

    def _on_taken(self, event: EvidenceTaken) -> None:
        self._taken[event.evidence][event.validator, event.detail].add(event.node)
        self._queue[event.node] += 1
        self._alarms[event.node] += 1
        self._raised += 1

    def _on_booked(self, event: PenaltyBooked) -> None:
        self._booked[event.evidence][event.validator, event.detail] = event.penalty
        self._booked_by[event.validator] += 1
        self._queue[event.node] -= 1

    def _on_settled(self, event: SlashingSettled) -> None:
        self._alarms[event.node] -= event.cleared
        self._cleared += event.cleared
        self._rewards_withheld[event.height] = max(event.withheld, self._rewards_withheld.get(event.height, 0))

    # --- answers -------------------------------------------------------------------------------------

    def conduct(self) -> dict[str, object]:
        """Parts of `simnet.node_faults`: what cheating nodes did, and what others noticed."""
        found: dict[str, object] = {}
        if self._equivocated:
            found["equivocation"] = {
                "pairs_sent": dict(sorted(self._equivocated.items())),
                "offences_found": len(self._offences),
                "found_by_nodes_min": min(map(len, self._offences.values()), default=0),
                "found_by_gossip": self._heard,
            }
        if self._withheld:
            found["withholding"] = {
                "withheld": dict(sorted(self._withheld.items())),
                "consensus_proofs_taken_over": self._taken_over,
            }
        return found

    def block(self) -> dict[str, object]:
        """The summary's `slashing`, of a run that books penalties."""
        amounts = [amount for pieces in self._booked.values() for amount in pieces.values()]
        return {
            "evidence": {kind: self._figures(kind) for kind in sorted(self._taken)},
            "penalties": len(amounts),
            "penalty_tokens": sum(amounts),
            "penalised": sorted(self._booked_by),
            "rewards_withheld_tokens": sum(self._rewards_withheld.values()),
            "alarms": {"raised": self._raised, "cleared": self._cleared, "standing": sum(self._alarms.values())},
            "queue_left_max": max(self._queue.values(), default=0),
        }

    def _figures(self, kind: str) -> dict[str, object]:
        pieces = self._taken[kind]
        return {
            "pieces": len(pieces),
            "nodes_min": min(map(len, pieces.values())),
            "against": sorted({validator for validator, _ in pieces}),
            "booked": len(self._booked[kind]),
            "booked_tokens": sum(self._booked[kind].values()),
        }
