"""coherence: all live honest nodes hold the same chain, the same aggregate of every height and, after the drain, the same mempool.

Chains and mempools are compared among those who are part of a calm when the run ends.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from simnet.base.units import NodeId, SimTime, to_ms
from simnet.checks.calm import Calm
from simnet.checks.reference import header_hash
from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import BlockAggregated, Handlers

CHECK = "coherence"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a node said about one aggregate."""

    node: NodeId
    previous: str
    commitment: str


class Coherence:
    """Aggregates as nodes announce them; the rest at the end."""

    def __init__(self, setting: Setting, findings: Findings, calm: Calm) -> None:
        self._setting = setting
        self._findings = findings
        self._calm = calm
        self._aggregates: dict[tuple[str, int], Claim] = {}
        """The first that was announced, by (field, height)."""
        self._compared = 0

    @property
    def handlers(self) -> Handlers:
        return {BlockAggregated: self._aggregated}

    def _aggregated(self, e: BlockAggregated) -> None:
        if e.node not in self._setting.honest:
            return
        self._compared += 1
        own = self._setting.nodes[e.node].chain.at(e.height)
        if own is None or not header_hash(own.block.header).hex().startswith(e.block):
            self._findings.broken(CHECK, e.at, [e.node], f"node {e.node} aggregates {e.block}, which is not its block of height {e.height}")
        mine = Claim(e.node, e.previous, e.commitment)
        agreed = self._aggregates.setdefault((e.backend, e.height), mine)
        parent = self._aggregates.get((e.backend, e.height - 1))
        if (agreed.previous, agreed.commitment) != (mine.previous, mine.commitment):
            detail = (
                f"node {e.node} holds aggregate {e.commitment} of height {e.height} in {e.backend}, node {agreed.node} {agreed.commitment}"
            )
            self._findings.broken(CHECK, e.at, [e.node, agreed.node], detail)
        elif parent is not None and parent.commitment != e.previous:
            detail = f"node {e.node}: the aggregate of height {e.height} in {e.backend} follows {e.previous}, not {parent.commitment}"
            self._findings.broken(CHECK, e.at, [e.node, parent.node], detail)

    # --- after the drain -------------------------------------------------------------------------------

    def reached(self, live: Collection[NodeId]) -> bool:
        """Whether those of these nodes that are compared hold the same chain and transfers."""
        compared = self._compared_of(live)
        union, common = self._pending(compared)
        return union == common and len({self._setting.nodes[n].chain.head for n in compared}) <= 1

    def _compared_of(self, live: Collection[NodeId]) -> list[NodeId]:
        """The honest ones that are part of a calm: nobody who is cut off can hold what the others hold."""
        joined = {} if self._calm.since is None else self._calm.joined
        return [n for n in live if n in self._setting.honest and n in joined]

    def _pending(self, live: Collection[NodeId]) -> tuple[frozenset[bytes], frozenset[bytes]]:
        """Transfers that some, and that all of these nodes hold, apart from what the longest chain has. A pool at its limit
        holds what came first and can take nothing more: it is left out."""
        nodes = self._setting.nodes
        longest = max((n.chain for n in nodes.values()), key=lambda chain: chain.height)
        committed = {i for c in longest.committed for i in c.block.tx_ids}
        pools = [nodes[n].transactions.pool for n in live]
        views = [frozenset(pool.pending) - committed for pool in pools if len(pool.pending) < pool.limit]
        return frozenset().union(*views), frozenset.intersection(*views) if views else frozenset()

    def at_end(self, live: Sequence[NodeId], waited: SimTime, at: SimTime) -> None:
        """Compares what live honest nodes hold. `waited`: how long the run went on for stragglers."""
        live = self._compared_of(live)
        if len(live) > 1:
            self._findings.looked_at(CHECK, "nodes", len(live))
        self._findings.note(CHECK, "aggregates", self._compared)
        self._findings.note(CHECK, "waited_ms", round(to_ms(waited)))
        self._compare_chains(live, at)
        union, common = self._pending(live)
        for name, value in (("pending", union), ("common", common), ("missing_somewhere", union - common)):
            self._findings.note(CHECK, name, len(value))
        if union != common:
            pools = {n: self._setting.nodes[n].transactions.pool.pending.keys() for n in live}
            behind = [n for n in live if not union - common <= pools[n]]
            self._findings.broken(CHECK, at, behind, f"{len(union - common)} of {len(union)} transfers are missing at nodes {behind}")

    def _compare_chains(self, live: Sequence[NodeId], at: SimTime) -> None:
        lines = {n: [header_hash(c.block.header) for c in self._setting.nodes[n].chain.committed] for n in live}
        longest = max(lines.values(), key=len, default=[])
        other = [n for n, line in lines.items() if line != longest]
        if other:
            heights = ", ".join(f"node {n} at height {len(lines[n])}" for n in other)
            self._findings.broken(CHECK, at, other, f"not all hold the same chain of {len(longest)} blocks: {heights}")
