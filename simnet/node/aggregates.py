"""The aggregate of every block, in every field that proves blocks: a function of chain data alone.

A field's aggregates form a chain from genesis. A block's recursive proof is made in one field; the aggregates of
the other fields are known all the same, so the next block may be proved in any of them.

Of the decision an aggregate binds the block and the members, never which votes proved it: honest nodes may hold different
consensus proofs of a block, and all hold the same aggregate.
"""

from dataclasses import dataclass

from simnet.base.catalogue import BackendId, CircuitId
from simnet.node.block_parts import BlockParts
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.facts import Facts
from simnet.proofs import native
from simnet.proofs.block_statements import Aggregate, Roots, Vectors, recursive_statement
from simnet.proofs.field import field_of
from simnet.proofs.statements import ZERO
from simnet.protocol.roots import header_digest


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A block's aggregate with the recursive statement behind it."""

    statement: bytes
    value: Aggregate


class Aggregates:
    """The aggregates of one node's chain."""

    def __init__(self, facts: Facts, chain: Chain, parts: BlockParts) -> None:
        self._facts = facts
        self._chain = chain
        self._parts = parts
        self._known: dict[BackendId, list[Aggregate]] = {}

    def value(self, height: int, field: BackendId) -> Aggregate | None:
        """The aggregate of a block; `None` for one that is not committed here, or whose field was left behind by what is forgotten."""
        known = self._known.setdefault(field, [self._genesis(field)])
        while len(known) <= height:
            found = self._next(len(known), field, known[-1])
            if found is None:
                return None
            known.append(found.value)
        return known[height]

    def of(self, height: int, field: BackendId) -> Aggregated | None:
        """The aggregate of a block with its statement; `None` for one that is not committed here, or aggregated long ago."""
        previous = self.value(height - 1, field)
        return None if previous is None else self._next(height, field, previous)

    def _genesis(self, field: BackendId) -> Aggregate:
        state = next(f for f in self._facts.genesis.state.fields if f.backend == field)
        roots = Roots(state.accounts.root, state.identities.root)
        return Aggregate.of(ZERO, roots, 0, native.genesis_aggregate(field, roots.pack()))

    def _next(self, height: int, field: BackendId, previous: Aggregate) -> Aggregated | None:
        committed = self._chain.at(height)
        # What this node has forgotten is no matter of the memory that all share.
        if committed is None or not self._parts.remembered(height):
            return None
        key = (committed.block.hash, field, previous.commitment)
        return self._facts.memory.get(key, lambda: self._aggregate(committed, field, previous))

    def _aggregate(self, committed: CommittedBlock, field: BackendId, previous: Aggregate) -> Aggregated:
        header, members = committed.block.header, committed.electorate.members
        own = header.field(field)
        assert own is not None
        vectors = self._vectors(committed, field)
        roots = Roots(own.state, own.identity, native.lift(field, members.digest))
        statement = recursive_statement(self._vk_ids(field), previous, roots, own.parent, header.height, header.timestamp, vectors)
        digests = self._facts.statements.aggregate(field, self._facts.circuits.recursive, statement)
        return Aggregated(statement, Aggregate.of(previous.commitment, roots, header.height, digests))

    def _vk_ids(self, field: BackendId) -> list[bytes]:
        """Key ids of the circuits that this chain uses, in order of their numbers; zero for the others."""
        facts, always = self._facts, (CircuitId.TRANSACTION, CircuitId.CONSENSUS)
        return [facts.statements.vk_id(field, facts.circuits.of(c)) if c in always or facts.proves(c) else ZERO for c in CircuitId]

    def _vectors(self, committed: CommittedBlock, field: BackendId) -> Vectors:
        """Every item's public inputs in this field."""
        facts, height = self._facts, committed.block.header.height
        assert committed.outcome is not None
        lists: dict[CircuitId, list[bytes]] = {c: [] for c in CircuitId}

        def add(circuit: CircuitId, statement: bytes) -> None:
            lists[circuit].append(facts.statements.public_inputs(field, facts.circuits.of(circuit), statement))

        for part in self._parts.of(height):
            statement = self._parts.statement(height, field, part)
            assert statement is not None
            add(part.circuit, statement)
        for t in committed.outcome.transitions:
            add(CircuitId.TRANSACTION, t.tx.transfer.statement(t.tx.account))
        members, digest = committed.electorate.members, header_digest(field_of(field), committed.block.header)
        return Vectors(
            identity=lists[CircuitId.IDENTITY],
            transaction=lists[CircuitId.TRANSACTION],
            uptime=lists[CircuitId.UPTIME],
            decision=[native.decision_vector(field, digest, members.digest, members.total, members.threshold)],
            state=lists[CircuitId.STATE],
            pruning=lists[CircuitId.PRUNING],
        )
