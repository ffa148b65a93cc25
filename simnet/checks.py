"""Invariants watched in every run. A broken one ends the run.

agreement            no two nodes commit different blocks at one height
finality             a node never commits a height twice, and every block extends the node's last one
no_double_spend      no transfer is committed twice, no account's nonce is used twice
supply               balances and collected fees add up to the genesis supply after every block
no_invalid_proof     no verifier accepts a spoiled proof, and every committed transfer carries a proof that a prover of this run made
mempool_coherence    after the drain all live honest nodes hold the same transfers, apart from what the chain has
aggregation          nodes agree on every block's aggregate, aggregates chain, and live nodes hold those of all but the last proven blocks
progress             blocks are committed, and no live node is left more than one block behind
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from simnet.events import BlockAggregated, BlockCommitted, BlockProven, Event, ProofMade, ProofVerified
from simnet.node.node import Node
from simnet.protocol.blocks import GENESIS_PARENT
from simnet.protocol.ledger import Ledger
from simnet.run_info import RunInfo
from simnet.scenario.opponents import is_opponents, spoils_proof
from simnet.units import NodeId, SimTime, to_ms

HARMLESS_SPAM = frozenset({"copy"})
"""Byzantine kinds whose proof is valid."""


AGGREGATION_LAG = 2
"""The last blocks of a run may still wait for their aggregates."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken invariant."""

    invariant: str
    at: SimTime
    detail: str


@dataclass(slots=True)
class Tally:
    """What one invariant has counted."""

    held: bool | None = True
    """None: the run ended before this was looked at."""
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, n: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + n


INVARIANTS = (
    "agreement",
    "finality",
    "no_double_spend",
    "supply",
    "no_invalid_proof",
    "aggregation",
    "mempool_coherence",
    "progress",
)
AT_END = frozenset({"mempool_coherence", "progress"})
"""Looked at after the drain only."""


class Checks:
    """Observes a run and reports violations; looks at nodes only to read what an event announced."""

    def __init__(self, info: RunInfo, genesis: Ledger, nodes: Mapping[NodeId, Node]) -> None:
        self.violations: list[Violation] = []
        self._info = info
        self._supply = genesis.supply
        self._nodes = nodes
        self._tallies = {name: Tally(None if name in AT_END else True) for name in INVARIANTS}
        self._blocks: dict[int, str] = {}
        self._heads: dict[NodeId, tuple[int, str]] = {}
        self._spent: set[bytes] = set()
        self._nonces: set[tuple[bytes, int]] = set()
        self._made: set[str] = set()
        self._aggregates: dict[tuple[str, int], tuple[str, str]] = {}
        """(previous, own) commitment by (field, height)."""
        self._handlers: dict[type[Event], Callable[..., None]] = {
            BlockCommitted: self._on_committed,
            BlockProven: self._on_proven,
            BlockAggregated: self._on_aggregated,
            ProofMade: self._on_made,
            ProofVerified: self._on_verified,
        }

    def on_event(self, event: Event) -> None:
        """Checks what an event shows."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def report(self) -> dict[str, dict[str, object]]:
        """Invariant -> whether it held and the counts behind it."""
        return {name: {"held": t.held, **t.counts} for name, t in self._tallies.items()}

    def _violated(self, invariant: str, at: SimTime, detail: str) -> None:
        self._tallies[invariant].held = False
        self.violations.append(Violation(invariant, at, detail))

    # --- during the run ------------------------------------------------------------------------

    def _on_committed(self, e: BlockCommitted) -> None:
        self._tallies["agreement"].add("commits")
        first = e.height not in self._blocks
        agreed = self._blocks.setdefault(e.height, e.block)
        if agreed != e.block:
            self._violated("agreement", e.at, f"node {e.node} committed {e.block} at height {e.height}, others {agreed}")
        height, head = self._heads.get(e.node, (0, GENESIS_PARENT.hex()[:16]))
        self._tallies["finality"].add("commits")
        if e.height != height + 1 or e.parent != head:
            detail = f"node {e.node} went from height {height} ({head}) to {e.height} on {e.parent}"
            self._violated("finality", e.at, detail)
        self._heads[e.node] = (e.height, e.block)
        if first:
            self._tallies["agreement"].add("blocks")
            self._check_block(e, self._nodes[e.node])

    def _check_block(self, e: BlockCommitted, node: Node) -> None:
        """Looks into a block when the first node commits it."""
        chain = node.chain
        for tx_id in chain.committed[-1].block.tx_ids:
            message = node.transactions.verified[tx_id]
            transfer = message.tx.transfer
            spend = (transfer.sender, transfer.nonce)
            if tx_id in self._spent or spend in self._nonces:
                self._violated("no_double_spend", e.at, f"transfer {tx_id.hex()[:16]} at height {e.height}")
            self._spent.add(tx_id)
            self._nonces.add(spend)
            if message.envelope.name not in self._made:
                self._violated("no_invalid_proof", e.at, f"transfer {tx_id.hex()[:16]} carries a proof that nobody made")
        self._tallies["no_double_spend"].add("transfers", e.tx_count)
        self._tallies["supply"].add("blocks")
        supply = chain.ledger.supply
        if supply != self._supply:
            self._violated("supply", e.at, f"{supply} after height {e.height}, {self._supply} at genesis")

    def _on_proven(self, e: BlockProven) -> None:
        self._tallies["agreement"].add("proven")
        if self._blocks.get(e.height) != e.block:
            self._violated("agreement", e.at, f"node {e.node} proved {e.block} at height {e.height}")

    def _on_aggregated(self, e: BlockAggregated) -> None:
        tally = self._tallies["aggregation"]
        tally.add("aggregates")
        agreed = self._aggregates.setdefault((e.backend, e.height), (e.previous, e.commitment))
        parent = self._aggregates.get((e.backend, e.height - 1), ("", e.previous))
        if agreed != (e.previous, e.commitment) or parent[1] != e.previous or self._blocks.get(e.height) != e.block:
            what = f"{e.commitment} on {e.previous} of {e.backend} for block {e.block}"
            self._violated(
                "aggregation", e.at, f"node {e.node} holds {what} at height {e.height}; others have {agreed}, parent {parent[1]}"
            )

    def _on_made(self, e: ProofMade) -> None:
        self._made.add(e.proof)

    def _on_verified(self, e: ProofVerified) -> None:
        tally = self._tallies["no_invalid_proof"]
        tally.add("verified")
        spoiled = spoils_proof(e.spam) if is_opponents(e.spam) else e.spam is not None and e.spam not in HARMLESS_SPAM
        if spoiled:
            tally.add("spoiled")
        if spoiled and e.accepted:
            self._violated("no_invalid_proof", e.at, f"node {e.node} accepted {e.spam} proof {e.proof} of {e.backend}")

    # --- after the drain -------------------------------------------------------------------------

    def pending(self, live: Collection[NodeId]) -> tuple[frozenset[bytes], frozenset[bytes]]:
        """Transfers that some, and that all of these nodes hold, apart from what the longest chain has."""
        longest = max((n.chain for n in self._nodes.values()), key=lambda chain: chain.height)
        committed = {i for c in longest.committed for i in c.block.tx_ids}
        views = [frozenset(self._nodes[n].transactions.pool.pending) - committed for n in live]
        return frozenset().union(*views), frozenset.intersection(*views) if views else frozenset()

    def at_end(self, live: list[NodeId], after_drain: SimTime, at: SimTime) -> None:
        """Compares what live honest nodes hold. `after_drain`: how long the run went on for stragglers."""
        union, common = self.pending(live)
        for name in AT_END:
            self._tallies[name].held = True
        self._tallies["mempool_coherence"].counts = {
            "nodes": len(live),
            "pending": len(union),
            "common": len(common),
            "missing_somewhere": len(union - common),
            "waited_ms": round(to_ms(after_drain)),
        }
        if union != common:
            behind = sorted(n for n in live if not union - common <= self._nodes[n].transactions.pool.pending.keys())
            self._violated("mempool_coherence", at, f"{len(union - common)} of {len(union)} transfers are missing at nodes {behind}")
        self._check_progress(live, at)
        self._check_aggregated(live, at)

    def _check_progress(self, live: list[NodeId], at: SimTime) -> None:
        heights = {n: self._nodes[n].chain.height for n in live}
        highest = max((n.chain.height for n in self._nodes.values()), default=0)
        self._tallies["progress"].counts = {"height": highest, "least_height": min(heights.values(), default=0)}
        behind = [n for n, h in heights.items() if h < highest - 1]
        if highest == 0 or behind:
            self._violated("progress", at, f"height {highest}, nodes left behind: {behind}")

    def _check_aggregated(self, live: list[NodeId], at: SimTime) -> None:
        """Block proofs follow consensus proofs: what is proven for a while must be aggregated."""
        chains = {n: self._nodes[n] for n in live if self._nodes[n].aggregation.fields}
        heights = {n: node.aggregation.height for n, node in chains.items()}
        least = min(heights.values(), default=0)
        self._tallies["aggregation"].counts |= {"height": max(heights.values(), default=0), "least_height": least}
        due = {n: min(node.chain.proven_height, node.chain.height - AGGREGATION_LAG) for n, node in chains.items()}
        behind = [n for n in heights if heights[n] < due[n]]
        if behind:
            self._violated("aggregation", at, f"nodes {behind} lack proofs of block {least + 1} or later ones")
