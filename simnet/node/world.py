"""What all nodes of a run share: the clock, the network, the provers, the genesis and the memory of pure results.

Pure functions of shared data (signature checks, ledgers after a block, statements) are computed once per run
and looked up by every other node: same inputs, same answer. What a node pays for them in virtual time is its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import simpy

from simnet.events import Event
from simnet.net.network import Network
from simnet.proofs import native
from simnet.proofs.backend import BackendId, Circuit
from simnet.proofs.costs import CostModel
from simnet.proofs.workshop import Workshop
from simnet.protocol.blocks import Block
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.messages import TxMessage, Vote
from simnet.protocol.validators import EpochSet, Validator
from simnet.scenario.model import Scenario
from simnet.units import NodeId, SimTime

CONSENSUS_TOPIC = "/rpp/sim/consensus"


@dataclass(frozen=True, slots=True)
class Genesis:
    """The chain's start."""

    chain_id: bytes
    secrets: tuple[bytes, ...]
    """Signing seeds of the nodes; a node uses its own only."""
    validators: tuple[Validator, ...]
    wallets: tuple[tuple[bytes, ...], ...]
    """Public keys of each node's lanes."""
    ledger: Ledger
    epoch: EpochSet


@dataclass(frozen=True, slots=True)
class Circuits:
    """The circuits of this run, at their sizes."""

    transaction: Circuit
    consensus: Circuit


@dataclass(slots=True)
class World:
    """Shared by all nodes; holds no node's state."""

    env: simpy.Environment
    scenario: Scenario
    seed: int
    network: Network
    workshop: Workshop
    costs: CostModel
    genesis: Genesis
    circuits: Circuits
    emit: Callable[[Event], None]
    ledgers: dict[tuple[bytes, bytes], tuple[Ledger, tuple[SignedTransfer, ...]]] = field(default_factory=dict)
    _transfer_signatures: dict[tuple[bytes, bytes], bool] = field(default_factory=dict)
    _validator_signatures: dict[tuple[int, bytes, bytes], bool] = field(default_factory=dict)

    @property
    def now(self) -> SimTime:
        """Virtual time."""
        return SimTime(int(self.env.now))

    def after(self, delay: int, action: Callable[[], None]) -> None:
        """Runs `action` after `delay` nanoseconds of virtual time."""
        timeout = self.env.timeout(delay)
        assert timeout.callbacks is not None
        timeout.callbacks.append(lambda _: action())

    def signature_valid(self, message: TxMessage) -> bool:
        """Whether the sender's key signed the transfer."""
        key = (message.tx.id, message.signature)
        if key not in self._transfer_signatures:
            transfer = message.tx.transfer
            signed = transfer.signing_bytes(self.genesis.chain_id)
            self._transfer_signatures[key] = native.ed25519_verify(transfer.sender, signed, message.signature)
        return self._transfer_signatures[key]

    def vote_valid(self, vote: Vote) -> bool:
        """Whether a known validator signed the vote."""
        return self.signed_by(vote.validator, vote.signing_bytes(), vote.signature)

    def signed_by(self, validator: int, message: bytes, signature: bytes) -> bool:
        """Whether a validator of the genesis list signed the message."""
        if not 0 <= validator < len(self.genesis.validators):
            return False
        key = (validator, message, signature)
        if key not in self._validator_signatures:
            self._validator_signatures[key] = native.ed25519_verify(self.genesis.validators[validator].key, message, signature)
        return self._validator_signatures[key]

    def publish_consensus(self, node: NodeId, kind: str, payload: object, size: int) -> bool:
        """Publishes on the consensus topic; False when no neighbour is connected."""
        return self.network.publish(node, topic=CONSENSUS_TOPIC, kind=kind, payload=payload, size=size) is not None

    def ledger_after(self, parent: bytes, ledger: Ledger, block: Block, txs: Mapping[bytes, SignedTransfer]) -> tuple[Ledger, bool]:
        """The ledger after a block on its parent's ledger, and whether every transfer applied."""
        key = (parent, block.hash)
        if key not in self.ledgers:
            after, refused = ledger.apply(txs[i] for i in block.tx_ids)
            self.ledgers[key] = (after, tuple(refused))
        after, refused_txs = self.ledgers[key]
        return after, not refused_txs

    def backend_ids(self, node: int) -> tuple[BackendId, ...]:
        """The proof backends that a node may use, in turn order: its region decides."""
        return tuple(BackendId[b.upper()] for b in self.scenario.backends_of_node[node])
