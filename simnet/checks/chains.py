"""agreement, finality, no_double_spend, supply: from every honest node's own blocks, recomputed.

agreement         no two honest nodes commit different blocks at one height, and a block is what its hash says
finality          a node commits one height after the other, each on the one before, and never changes any
no_double_spend   every transfer applies to the balances that the node's own blocks lead to, so that none is spent twice
supply            balances and fees add up to the genesis supply after every block, and are what header and node say
"""

from dataclasses import dataclass

from simnet.base.units import NS_PER_S, NodeId, SimTime
from simnet.checks.contents import why_out_of_order
from simnet.checks.reference import Place, Reference, header_hash, why_not_body
from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import BlockCommitted, BlockProven, Handlers
from simnet.node.chain import Chain
from simnet.protocol.blocks import GENESIS_PARENT, Block, Body
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.validators import Electorate

LEDGERS_KEPT = 64
"""As many as a node keeps itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """A block that a node committed: its hash, recomputed, and its place in the reference."""

    hash: bytes
    place: bytes


GENESIS = Step(GENESIS_PARENT, GENESIS_PARENT)


class Chains:
    """Follows the chain of every honest node."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings
        self._reference = Reference(setting.genesis.state.ledger)
        self._agreed: dict[int, tuple[bytes, NodeId]] = {}
        """The first block committed at a height, and by whom."""
        start = setting.genesis.electorate
        self._electorates = {1: Electorate(start.members, start.registry)}
        """Who votes on the heights after those that are agreed on; from the registrations in their blocks."""
        self._lines: dict[NodeId, list[Step]] = {node: [] for node in sorted(setting.honest)}
        self._bodies: dict[bytes, Body] = {}
        self._ledgers: dict[bytes, Ledger] = {}
        """The last body and ledger that were compared, by block and place: the very same object is not compared again."""

    @property
    def handlers(self) -> Handlers:
        return {BlockCommitted: self._committed, BlockProven: self._proven}

    def _committed(self, e: BlockCommitted) -> None:
        line = self._lines.get(e.node)
        if line is None:
            return
        chain = self._setting.nodes[e.node].chain
        own = chain.at(e.height)
        if own is None or chain.height != e.height:
            self._findings.broken("finality", e.at, [e.node], f"node {e.node} announced height {e.height} and holds {chain.height}")
            return
        block = own.block
        found = self._agrees(e, block)
        before = line[-1] if line else GENESIS
        self._follows(e, chain, line, before)
        place = self._reference.place(before.place, block, self._transfers(e.node, block))
        self._adds_up(e, chain, place)
        line.append(Step(found, place.key))

    def _agrees(self, e: BlockCommitted, block: Block) -> bytes:
        """The block is what its hash says, and the one that the others have. Gives the hash, recomputed."""
        found = header_hash(block.header)
        if found != block.hash or not found.hex().startswith(e.block) or block.header.height != e.height:
            self._findings.broken(
                "agreement", e.at, [e.node], f"node {e.node}: {e.block} at height {e.height} hashes to {found.hex()[:16]}"
            )
        agreed, first = self._agreed.setdefault(e.height, (found, e.node))
        self._findings.looked_at("agreement", "commits")
        if first == e.node:
            self._findings.looked_at("agreement", "blocks")
            self._registers(e.height, block)
        if agreed != found:
            detail = f"node {e.node} committed {found.hex()[:16]} at height {e.height}, node {first} {agreed.hex()[:16]}"
            self._findings.broken("agreement", e.at, [first, e.node], detail)
        if self._bodies.get(found) is not block.body:
            why = why_not_body(block)
            if why is not None:
                self._findings.broken("agreement", e.at, [e.node], f"node {e.node}: height {e.height} has other {why} than its header")
            self._bodies[found] = block.body
        return agreed if agreed == found else found

    def _registers(self, height: int, block: Block) -> None:
        """Who votes on the next height, and with which keys."""
        before = self._electorates.get(height)
        if before is not None:
            new = block.body.registrations
            self._electorates[height + 1] = Electorate(before.members, before.registry.with_new(new)) if new else before

    def leader(self, height: int, slot: int) -> NodeId | None:
        """Who leads a slot in which a height after an agreed one is voted on. Heights below are forgotten."""
        for old in [h for h in self._electorates if h < height and height in self._electorates]:
            del self._electorates[old]
        electorate = self._electorates.get(height)
        return None if electorate is None else NodeId(electorate.leader(slot))

    def _follows(self, e: BlockCommitted, chain: Chain, line: list[Step], before: Step) -> None:
        """It comes one height after the node's last block, on that one, which is still what it was."""
        self._findings.looked_at("finality", "commits")
        height = len(line)
        last = chain.at(height)
        changed = last is not None and header_hash(last.block.header) != before.hash
        own = chain.at(e.height)
        assert own is not None
        if e.height != height + 1 or own.block.header.parent != before.hash or changed:
            what = f"from height {height} ({before.hash.hex()[:16]}) to {e.height} on {own.block.header.parent.hex()[:16]}"
            self._findings.broken("finality", e.at, [e.node], f"node {e.node} went {what}")
        header = own.block.header
        now = max(e.at, self._setting.nodes[e.node].clock.now) + self._setting.precision
        why = why_out_of_order(header, None if last is None else last.block.header, now / NS_PER_S)
        leader = self.leader(e.height, header.slot)
        if why is None and leader not in (None, header.proposer):
            why = f"is by node {header.proposer}, slot {header.slot} is node {leader}'s"
        if why is not None:
            self._findings.broken("finality", e.at, [e.node], f"node {e.node}: height {e.height} {why}")

    def _transfers(self, node: NodeId, block: Block) -> tuple[SignedTransfer, ...]:
        """The block's transfers as this node holds them."""
        held = self._setting.nodes[node].transactions.verified
        return tuple(held[i].tx for i in block.tx_ids if i in held)

    def _adds_up(self, e: BlockCommitted, chain: Chain, place: Place) -> None:
        """The reference comes to the same balances."""
        effect = self._reference.effect(place)
        self._findings.looked_at("no_double_spend", "transfers", len(place.transfers))
        if len(place.transfers) != len(place.block.tx_ids):
            self._findings.broken(
                "no_double_spend", e.at, [e.node], f"node {e.node}: height {e.height} names transfers that it does not hold"
            )
            return
        if effect.refused is not None:
            self._findings.broken("no_double_spend", e.at, [e.node], f"node {e.node}: {effect.refused} at height {e.height}")
            return
        self._findings.looked_at("supply", "blocks")
        ledger = chain.ledger
        if effect.supply != self._reference.supply:
            why: str | None = f"{effect.supply} in all, {self._reference.supply} at genesis"
        elif effect.root != place.block.header.state_root:
            why = f"the header's state root is {place.block.header.state_root.hex()[:16]}, recomputed {effect.root.hex()[:16]}"
        else:
            why = None if self._ledgers.get(place.key) is ledger else self._reference.difference(place, ledger)
        self._ledgers[place.key] = ledger
        if len(self._ledgers) > LEDGERS_KEPT:
            del self._ledgers[next(iter(self._ledgers))]
        if why is not None:
            self._findings.broken("supply", e.at, [e.node], f"node {e.node}, height {e.height}: {why}")

    def _proven(self, e: BlockProven) -> None:
        if e.node not in self._lines:
            return
        line = self._lines[e.node]
        self._findings.looked_at("agreement", "proven")
        if e.height > len(line) or not line[e.height - 1].hash.hex().startswith(e.block):
            self._findings.broken(
                "agreement", e.at, [e.node], f"node {e.node} took a proof of {e.block}, not its block at height {e.height}"
            )

    def at_end(self, at: SimTime) -> None:
        """No node has changed anything that it ever committed."""
        for node, line in self._lines.items():
            chain = self._setting.nodes[node].chain
            for height, step in enumerate(line, 1):
                own = chain.at(height)
                if own is None or header_hash(own.block.header) != step.hash:
                    self._findings.broken("finality", at, [node], f"node {node} has changed its block at height {height}")
                    break
