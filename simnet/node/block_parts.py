"""What a committed block has to prove in one field: its parts, with the statement and the witness of each.

Statements are made of chain data alone, so a verifier builds them exactly as a prover does.
"""

from dataclasses import dataclass

from simnet.base.catalogue import BackendId, CircuitId
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.facts import Facts
from simnet.proofs import block_evidence as evidence
from simnet.proofs import block_statements as pack
from simnet.protocol.heartbeats import WindowLog
from simnet.protocol.joins import epoch_nonce
from simnet.protocol.ledger import Transition
from simnet.protocol.roots import TRANSFERS_PER_STATE_PROOF, FieldBlock
from simnet.protocol.state import Outcome


@dataclass(frozen=True, slots=True)
class Part:
    """One of the proofs of a block."""

    circuit: CircuitId
    index: int


class BlockParts:
    """Parts of the blocks of one chain."""

    def __init__(self, facts: Facts, chain: Chain) -> None:
        self._facts = facts
        self._chain = chain
        self._keys = {v.index: v.key for v in facts.genesis.validators}

    def of(self, height: int) -> tuple[Part, ...]:
        """What the block of a height has to prove, the same in every field."""
        committed = self._committed(height)
        facts, body = self._facts, committed.block.body
        numbers = {
            CircuitId.IDENTITY: len(body.joins),
            CircuitId.STATE: max(1, -(-len(body.tx_ids) // TRANSFERS_PER_STATE_PROOF)),
            CircuitId.UPTIME: len(committed.claims),
            CircuitId.PRUNING: int(height >= facts.scenario.chain.pruning_window_blocks),
        }
        return tuple(Part(c, i) for c, n in numbers.items() if facts.proves(c) for i in range(n))

    def remembered(self, height: int) -> bool:
        """Whether all that a block has to prove can still be said. What is forgotten is forgotten from the first block on."""
        return all(self._sayable(height, part) for part in self.of(height)) and self._committed(height).outcome is not None

    def _sayable(self, height: int, part: Part) -> bool:
        oldest = self._window_start(height) if part.circuit is CircuitId.PRUNING else height
        return self._committed(oldest).outcome is not None

    def statement(self, height: int, field: BackendId, part: Part) -> bytes | None:
        """The statement of a part; `None` when the block is too old to say."""
        if not self._sayable(height, part):
            return None
        key = (self._committed(height).block.hash, field, part)
        return self._facts.memory.get(key, lambda: self._statement(height, field, part))

    def _statement(self, height: int, field: BackendId, part: Part) -> bytes:
        match part.circuit:
            case CircuitId.IDENTITY:
                return self._identity(height, field, part.index)
            case CircuitId.STATE:
                return self._state(height, field, part.index)
            case CircuitId.UPTIME:
                return self._uptime(height, field, part.index)
            case CircuitId.PRUNING:
                return self._pruning(height, field)
        raise ValueError(f"{part.circuit.label} is no part of a block")

    def witness(self, height: int, field: BackendId, part: Part) -> bytes:
        """The witness of a part, for whoever proves it."""
        statement = self.statement(height, field, part)
        assert statement is not None
        done = self._field(height, field)
        match part.circuit:
            case CircuitId.IDENTITY:
                return evidence.identity_witness(done, part.index, statement)
            case CircuitId.STATE:
                timestamp = self._committed(height).block.header.timestamp
                return evidence.state_witness(done, part.index, self._chunk(height, part.index), timestamp, statement)
            case CircuitId.UPTIME:
                claim = self._committed(height).claims[part.index]
                leaves = self._log(claim.log, field)
                return evidence.uptime_witness(done.before, claim, self._keys[claim.validator], leaves, self._log_depth, statement)
            case _:
                return statement

    # --- the statements ------------------------------------------------------------------------------

    def _identity(self, height: int, field: BackendId, index: int) -> bytes:
        return evidence.identity_statement(self._field(height, field), index, epoch_nonce(self._facts.genesis.chain_id))

    def _state(self, height: int, field: BackendId, index: int) -> bytes:
        timestamp = self._committed(height).block.header.timestamp
        return evidence.state_statement(self._field(height, field), index, self._chunk(height, index), timestamp)

    def _chunk(self, height: int, index: int) -> tuple[Transition, ...]:
        first = index * TRANSFERS_PER_STATE_PROOF
        return self._outcome(height).transitions[first : first + TRANSFERS_PER_STATE_PROOF]

    def _uptime(self, height: int, field: BackendId, index: int) -> bytes:
        committed, before = self._committed(height), self._field(height, field).before
        claim = committed.claims[index]
        root = evidence.log_root(field, self._log(claim.log, field), self._log_depth)
        slot = committed.block.header.slot
        return evidence.uptime_statement(before, claim, self._keys[claim.validator], root, self._facts.rules.windows, slot)

    def _log(self, log: WindowLog, field: BackendId) -> bytes:
        """The leaves of a window's log."""
        return self._facts.memory.get((log.digest, field), lambda: evidence.log_leaves(field, log, self._keys))

    @property
    def _log_depth(self) -> int:
        return self._facts.circuits.uptime.params[1]

    # --- pruning -------------------------------------------------------------------------------------

    def _pruning(self, height: int, field: BackendId) -> bytes:
        """The window that ends at this block; the transfers of its older half are removed."""
        length, start = self._facts.scenario.chain.pruning_window_blocks, self._window_start(height)
        blocks = []
        for position, at in enumerate(range(start, height + 1)):
            block = self._committed(at).block
            roots = block.header.field(field)
            assert roots is not None
            digests = self._field(at, field).digests
            blocks.append(pack.PrunedBlock(roots.state, block.header.timestamp, digests, position < length // 2))
        first = self._committed(start).block.header.field(field)
        assert first is not None
        return pack.pruning_statement(first.parent, start, blocks)

    def _window_start(self, height: int) -> int:
        return height - self._facts.scenario.chain.pruning_window_blocks + 1

    # --- the chain's data ------------------------------------------------------------------------------

    def _committed(self, height: int) -> CommittedBlock:
        committed = self._chain.at(height)
        assert committed is not None
        return committed

    def _outcome(self, height: int) -> Outcome:
        outcome = self._committed(height).outcome
        assert outcome is not None
        return outcome

    def _field(self, height: int, field: BackendId) -> FieldBlock:
        return self._outcome(height).field(field)
