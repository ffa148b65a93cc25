"""A node: composes wallet, mempool, validator, finality and synchronisation around one network endpoint."""

from collections.abc import Callable

from simnet.events import LimitReached
from simnet.net.network import Message, Verdict
from simnet.node.aggregation import Aggregation
from simnet.node.block_prover import BlockProver
from simnet.node.byzantine import Spammer
from simnet.node.chain import Chain
from simnet.node.finality import Finality
from simnet.node.presence import Presence
from simnet.node.processor import Processor
from simnet.node.sync import Sync
from simnet.node.transactions import Incoming, Transactions
from simnet.node.voting import Validator
from simnet.node.wallet import Wallet
from simnet.node.world import World
from simnet.protocol.blocks import Block
from simnet.protocol.messages import TxMessage
from simnet.units import NodeId, from_ms

TX_TOPIC = "/rpp/sim/tx"
PROBES = frozenset({"block_probe", "transaction_probe"})
"""They carry nothing to check: the network passes them on by itself."""
BUSY_RETRY = from_ms(500)
"""An own transfer that the own verifier had no room for is offered to it again after this long."""


class Node:
    """One node, attached to the network as its application."""

    def __init__(self, world: World, node: NodeId) -> None:
        self.id = node
        self._world = world
        self.chain = Chain(world)
        processor = Processor(world, node, world.scenario.provers.cpu_factor_of(world.scenario.region_of_node[node]))
        self.transactions = Transactions(world, node, processor, lambda: self.chain.ledger)
        self.presence = Presence(world, node, self.chain)
        self.validator = Validator(world, node, self.chain, self.transactions, self.presence)
        self.finality = Finality(world, node, self.chain, processor, self.validator.votes, self.validator.note_vote)
        self.aggregation = Aggregation(world, node, self.chain, processor)
        self.block_prover = BlockProver(world, node, self.chain, processor, self.aggregation)
        self.sync = Sync(world, node, self.chain, self.validator, self.transactions, self.finality, self.aggregation)
        self.wallet = Wallet(world, node, processor, lambda: self.chain.ledger, self.transactions.pool.is_busy, self._publish_transfer)
        byzantine = world.scenario.faults.byzantine
        self.spammer: Spammer | None = None
        if byzantine is not None and node in byzantine.publishers:
            self.spammer = Spammer(world, node, self.wallet, self._publish_spam)
        self.validator.on_commit = self._on_commit
        self.validator.on_vote_seen = self.finality.on_vote_seen
        self.finality.on_proven = self._on_proven
        self._handlers: dict[str, Callable[[Message, NodeId], None]] = {
            "transaction": self.transactions.on_gossip,
            "vote": self.validator.on_vote,
            "proposal": self.validator.on_proposal,
            "tag_set": self.finality.on_certificate,
            "key_disclosure": self.finality.on_disclosure,
            "consensus_proof": self.finality.on_proof,
            "registration": self.validator.on_registration,
            "join": self.presence.on_join,
            "heartbeat": self.presence.on_heartbeat,
            "block_proof": self.aggregation.on_gossip,
        }
        world.network.attach(node, self, PROBES)

    # --- the network's side ----------------------------------------------------------------------

    def on_gossip(self, message: Message, peer: NodeId) -> None:
        """First reception of a gossip message."""
        handler = self._handlers.get(message.kind)
        if handler is not None:
            handler(message, peer)
        else:
            self._world.network.verdict(self.id, message, Verdict.IGNORE, "unknown_kind")

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        """A point-to-point message."""
        self.sync.on_direct(kind, payload, peer)

    def on_connected(self, peer: NodeId) -> None:
        """A link came up: tell the neighbour how far this node is."""
        self.sync.send_status([peer])

    def on_disconnected(self, peer: NodeId) -> None:
        """A link went down; nothing is kept per neighbour."""

    # --- own business ------------------------------------------------------------------------------

    def on_slot(self, slot: int) -> None:
        """A slot of the shared clock begins."""
        self.presence.on_slot(slot)
        self.validator.on_slot(slot)

    def publish_probe(self, kind: str, payload: bytes) -> None:
        """Publishes an opaque probe on the transaction topic."""
        self._world.network.publish(self.id, topic=TX_TOPIC, kind=kind, payload=payload, size=len(payload))

    def _publish_transfer(self, message: TxMessage) -> str | None:
        """Publishes an own transfer; otherwise says why not."""
        if self.transactions.pool.why_not(message.tx) == "mempool_full":
            # Others' pools are hardly emptier, and a transfer that nobody holds would block its lane for ever.
            self._world.emit(LimitReached(self._world.now, self.id, "chain.mempool_transactions_max"))
            return "mempool_full"
        published = self._world.network.publish(self.id, topic=TX_TOPIC, kind="transaction", payload=message, size=message.size)
        if published is None:
            return "no_peer"

        self._take_own(message)
        return None

    def _take_own(self, message: TxMessage) -> None:
        """Puts an own transfer into the own mempool, which verifies like every other."""

        def settle(_verdict: Verdict, reason: str) -> None:
            if reason == "stale":
                self.wallet.on_stale(message.tx, message.payload)
            elif reason == "verifier_busy":
                # It is published: without it here, its lane would never be free again.
                self._world.after(BUSY_RETRY, lambda: self._take_own(message))

        self.transactions.examine(Incoming(message, self.id, None, settle))

    def _publish_spam(self, message: TxMessage, kind: str) -> None:
        self._world.network.publish(self.id, topic=TX_TOPIC, kind="transaction", payload=message, size=message.size, spam=kind)

    def _on_commit(self, block: Block, caught_up: bool) -> None:
        height = block.header.height
        self.presence.on_commit(block)
        stale = self.transactions.after_block(block, self.chain.ledger)
        self.wallet.on_block(self.chain.ledger, block.tx_ids)
        for tx in stale:
            if self.wallet.owns(tx.transfer.sender):
                self.wallet.on_stale(tx, self.transactions.verified[tx.id].payload)
        self.finality.on_commit(height)
        self.block_prover.on_commit(height, caught_up=caught_up)
        self.aggregation.on_commit(height)

    def _on_proven(self, height: int) -> None:
        self.aggregation.on_proven()
        self.block_prover.on_proven(height)
