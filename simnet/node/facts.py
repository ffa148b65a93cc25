"""What all nodes of a run know and none can change: the scenario, the genesis, the circuits, and a memory of pure results.

Pure functions of shared data (signature checks, ledgers after a block, statements) are computed once per run
and looked up by every other node: same inputs, same answer. What a node pays for them in virtual time is its own.
"""

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.recent import Recent
from simnet.base.rng import Draws
from simnet.base.units import from_ms
from simnet.net.faults import SETTLE
from simnet.node.keyring import PublicKeys, registration_valid
from simnet.proofs import native
from simnet.proofs.backend import Circuit
from simnet.protocol.blocks import Block, Body, Registration, digests_root, tx_root
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.joins import JOINS_MAX, Join
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import Endorsement, TxMessage, Vote
from simnet.protocol.slots import SlotTimes
from simnet.protocol.state import ChainState, Outcome, Position, Rules, advance, heartbeat_limit
from simnet.protocol.transfer import transfer_id
from simnet.protocol.validators import Electorate, Validator
from simnet.scenario.model import Scenario

SHARED_OUTCOMES_KEPT = 64
"""Heights for which outcomes stay in the shared memory; a node that is further behind computes its own."""


@dataclass(frozen=True, slots=True)
class Genesis:
    """The chain's start."""

    chain_id: bytes
    validators: tuple[Validator, ...]
    wallets: tuple[tuple[bytes, ...], ...]
    """Public keys of each node's lanes."""
    state: ChainState
    electorate: Electorate
    """Who votes on height 1."""
    lane_numbers: Mapping[bytes, int]
    """Which lane of its wallet a key is: what its secret is derived from."""


@dataclass(frozen=True, slots=True)
class Circuits:
    """The circuits of this run, at their sizes."""

    transaction: Circuit
    consensus: Circuit
    identity: Circuit
    state: Circuit
    pruning: Circuit
    recursive: Circuit
    uptime: Circuit

    def of(self, circuit: CircuitId) -> Circuit:
        """The circuit of a family."""
        found: Circuit = getattr(self, circuit.label)
        return found


class Statements(Protocol):
    """What follows from statements without proving any."""

    def public_inputs(self, backend: BackendId, circuit: Circuit, statement: bytes) -> bytes:
        """The public-input vector. Raises ProofError when there is none."""

    def vk_id(self, backend: BackendId, circuit: Circuit) -> bytes:
        """Identity of a circuit's verifying key."""

    def aggregate(self, backend: BackendId, circuit: Circuit, statement: bytes) -> bytes:
        """What a recursive statement adds up to: four digests. Raises ProofError when there is no such aggregate."""


T = TypeVar("T")
VERDICTS_KEPT = 65_536
"""Of each kind, about what came from others: a signature that is asked for again later is verified again."""


class Memory:
    """Pure results by key; beyond `limit` the oldest is forgotten and computed again when asked for."""

    def __init__(self, limit: int) -> None:
        self._known: Recent[Hashable, object] = Recent(limit)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result of `make`, which must depend on `key` alone."""
        return cast("T", self._known.made(key, make))


@dataclass(slots=True)
class Facts:
    """Shared by all nodes; holds no node's state, and lets nobody do anything."""

    scenario: Scenario
    draws: Draws
    statements: Statements
    genesis: Genesis
    circuits: Circuits
    rules: Rules
    public_keys: PublicKeys
    memory: "Memory" = field(default_factory=lambda: Memory(1024))
    """Statements of block proofs."""
    slots: SlotTimes = field(init=False)
    _outcomes: dict[tuple[object, ...], Outcome | str] = field(default_factory=dict)
    _transfers: Recent[TxMessage, str] = field(default_factory=lambda: Recent(VERDICTS_KEPT))
    """What is wrong with each; empty: nothing."""
    _backends: tuple[tuple[BackendId, ...], ...] = ()
    _consensus_fields: tuple[BackendId, ...] = ()
    _block_circuits: frozenset[CircuitId] = frozenset()
    _registrations: Recent[bytes, bool] = field(default_factory=lambda: Recent(VERDICTS_KEPT))
    _joins: Recent[bytes, bool] = field(default_factory=lambda: Recent(VERDICTS_KEPT))
    _messages: Recent[Vote | Heartbeat, bool] = field(default_factory=lambda: Recent(VERDICTS_KEPT))
    """Whether each of those that come most often is signed by whom it names."""
    _validator_signatures: Recent[tuple[int, bytes, bytes], bool] = field(default_factory=lambda: Recent(VERDICTS_KEPT))

    def __post_init__(self) -> None:
        self._backends = tuple(tuple(BackendId[b.upper()] for b in names) for names in self.scenario.backends_of_node)
        self._consensus_fields = tuple(b for b in BackendId if any(b in own for own in self._backends))
        self.slots = SlotTimes(SETTLE, from_ms(self.scenario.chain.slot_ms))
        self._block_circuits = frozenset(c for c in CircuitId if self.scenario.proves(c.label))

    @property
    def consensus_fields(self) -> tuple[BackendId, ...]:
        """Backends in which consensus proofs are made: those that some node has, ascending."""
        return self._consensus_fields

    def proves(self, circuit: CircuitId) -> bool:
        """Whether blocks carry proofs of this circuit."""
        return circuit in self._block_circuits

    def why_too_large(self, block: Block) -> str | None:
        """Which list of a block is longer than any honest one can be; `None`: none is."""
        members, body, windows = len(self.genesis.validators), block.body, self.rules.windows
        if len(body.tx_ids) > self.scenario.chain.block_transactions_max:
            return "too_many_transactions"
        if len(body.registrations) > members * (1 + self.scenario.consensus.key_horizon_epochs):
            return "too_many_registrations"
        if len(body.joins) > JOINS_MAX:
            return "joins"
        begun = max(0, 1 + windows.of(heartbeat_limit(block.header.timestamp)))
        return "too_many_heartbeats" if len(body.heartbeats) > members * windows.beats * begun else None

    def oversize(self, envelope: Blob) -> bool:
        """Whether a proof is larger than any node takes."""
        return len(envelope) > self.scenario.provers.proof_bytes_max

    def why_malformed(self, message: TxMessage) -> str | None:
        """What is wrong with a transfer whatever the chain is: its sender signed it, and nothing else than it."""
        return self._transfers.made(message, lambda: self._look_at(message)) or None

    def _look_at(self, message: TxMessage) -> str:
        if not self.signature_valid(message):
            return "SignatureInvalid"
        if hashlib.blake2s(message.payload).digest() != message.tx.transfer.memo:
            return "memo_mismatch"
        return "" if message.backend in BackendId.__members__.values() else "UnknownBackend"

    def signature_valid(self, message: TxMessage) -> bool:
        """Whether the sender's key signed the transfer, and it is called by its own content's hash."""
        tx = message.tx
        signed = tx.transfer.signing_bytes(tx.account, self.genesis.chain_id)
        genuine = tx.id == transfer_id(tx.transfer, tx.account)
        return genuine and native.ed25519_verify(tx.transfer.sender, signed, message.signature)

    def vote_valid(self, vote: Vote) -> bool:
        """Whether a known validator signed the vote."""
        return self._messages.made(vote, lambda: self.signed_by(vote.validator, vote.signing_bytes(), vote.signature))

    def endorsement_valid(self, endorsement: Endorsement) -> bool:
        """Whether a known validator signed the endorsement."""
        return self.signed_by(endorsement.validator, endorsement.signing_bytes(), endorsement.signature)

    def registration_valid(self, registration: Registration) -> bool:
        """Whether a known validator signed the registration, its VRF proof holds, and its roots are those of its public keys."""
        key = hashlib.blake2s(registration.signing_bytes() + registration.signature).digest()
        return self._registrations.made(key, lambda: self._check_registration(registration))

    def _check_registration(self, registration: Registration) -> bool:
        return registration_valid(registration, self.genesis.validators, self.genesis.chain_id, self.public_keys)

    def signed_by(self, validator: int, message: bytes, signature: bytes) -> bool:
        """Whether a validator of the genesis list signed the message."""
        if not 0 <= validator < len(self.genesis.validators):
            return False
        key = (validator, message, signature)
        public = self.genesis.validators[validator].key
        return self._validator_signatures.made(key, lambda: native.ed25519_verify(public, message, signature))

    def join_valid(self, join: Join) -> bool:
        """Whether a join is the validator's own: its keys, signature and VRF proof (I1 to I3 of the identity circuit)."""
        return self._joins.made(join.digest, lambda: self._check_join(join))

    def _check_join(self, join: Join) -> bool:
        genesis = self.genesis
        if not 0 <= join.validator < len(genesis.validators):
            return False
        validator = genesis.validators[join.validator]
        if (join.key, join.vrf_key) != (validator.key, validator.vrf_key):
            return False
        if not native.ed25519_verify(join.key, join.signing_bytes(genesis.chain_id), join.signature):
            return False
        return native.vrf_verify(join.vrf_key, join.vrf_input(genesis.chain_id), join.vrf)

    def heartbeat_valid(self, beat: Heartbeat) -> bool:
        """Whether a known validator signed the heartbeat."""
        chain_id = self.genesis.chain_id
        return self._messages.made(beat, lambda: self.signed_by(beat.validator, beat.signing_bytes(chain_id), beat.signature))

    def outcome(self, parent: bytes, before: ChainState, at: Position, body: Body, txs: Mapping[bytes, SignedTransfer]) -> Outcome | str:
        """What a block of these contents makes of its parent's state, or why its contents do not apply."""
        key = (parent, at, tx_root(body.tx_ids), digests_root(body.joins), digests_root(body.heartbeats))
        if key not in self._outcomes:
            for old in [k for k in self._outcomes if isinstance(k[1], Position) and k[1].height + SHARED_OUTCOMES_KEPT < at.height]:
                del self._outcomes[old]
            self._outcomes[key] = advance(before, self.rules, at, body, txs)
        return self._outcomes[key]

    def backend_ids(self, node: int) -> tuple[BackendId, ...]:
        """The proof backends that a node may use, in turn order."""
        return self._backends[node]
