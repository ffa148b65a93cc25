"""Honest statements and witnesses of every circuit: what calibration, benchmarks and tests prove."""

from dataclasses import dataclass

from simnet.base import rng
from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs import native
from simnet.proofs.backend import Circuit
from simnet.proofs.statements import (
    ZERO,
    BlockStatement,
    Committee,
    CommitteeMember,
    MemberVotes,
    consensus_statement,
    consensus_witness,
    tier_seed,
    vote_message,
)
from simnet.protocol.transfer import NO_MEMO, Account, Transfer

TRANSACTION = Circuit(CircuitId.TRANSACTION, ())
SLOT, EPOCH = 37, 1
SLOT_INDEX = SLOT % 32


@dataclass(frozen=True)
class Sample:
    """A statement with its witness."""

    circuit: Circuit
    statement: bytes
    witness: bytes


def transaction(amount: int = 25, nonce: int = 8) -> Sample:
    """A transfer of a funded account."""
    sender, receiver = (native.ed25519_public_key(rng.secret(1, "sample", i)) for i in range(2))
    transfer = Transfer(sender, receiver, amount, 2, nonce, 1, 1_000, NO_MEMO)
    statement = transfer.statement(Account(balance=1_000_000, nonce=7, tier=3, last_decay=900))
    return Sample(TRANSACTION, statement, statement)


def honest(which: BackendId, circuit: Circuit) -> Sample:
    """The native module's own sample of a circuit. Raises ZkError for sizes that the circuit does not have."""
    return Sample(circuit, *native.sample(which, circuit.id, circuit.params))


def consensus(which: BackendId, circuit: Circuit, members: int, voters: int, commitments: int | None = None) -> Sample:
    """`members` validators of equal weight, of whom the first `voters` voted; a quorum needs two thirds and one.

    `commitments` is the number of witness commitments, by default three quarters of what the circuit holds.
    """
    trees = [native.OtkTree(which, rng.secret(2, "otk", i), EPOCH) for i in range(members)]
    keys = [native.ed25519_public_key(rng.secret(3, "validator", i)) for i in range(members)]
    validators = tuple(CommitteeMember(k, 10, 2, 100 + i, t.root) for i, (k, t) in enumerate(zip(keys, trees, strict=True)))
    committee = Committee(which, circuit.params[0], validators)
    transfers = tuple(rng.secret(4, "transfer", i) for i in range(circuit.params[1] * 3 // 4 if commitments is None else commitments))
    parent, state, txs = (native.lift(which, text * 32) for text in (b"p", b"s", b"t"))
    header = native.header_digest(which, parent, 3, state, txs, 1_000, len(transfers))
    block = BlockStatement(header, SLOT, EPOCH, transfers, (b"r" * 32,))
    votes = tuple(
        _votes(committee, block, member, tree) if i < voters else MemberVotes(None, None)
        for i, (member, tree) in enumerate(zip(validators, trees, strict=True))
    )
    statement = consensus_statement(committee, block, votes)
    opened = {
        i: (tuple(t.key(SLOT_INDEX, x) for x in range(4)) if i < voters else (ZERO,) * 4, t.public(SLOT_INDEX), t.path(SLOT_INDEX))
        for i, t in enumerate(trees)
    }
    return Sample(circuit, statement, consensus_witness(statement, votes, opened))


def _votes(committee: Committee, block: BlockStatement, member: CommitteeMember, tree: native.OtkTree) -> MemberVotes:
    """One member's three tags and VRF entry."""
    backend = committee.backend
    message = vote_message(committee, block)
    t0, t1, t2 = (native.vote_tag(backend, phase, tree.key(SLOT_INDEX, phase), message) for phase in range(3))
    key = tree.key(SLOT_INDEX, 3)
    seed = tier_seed(backend, member.key, member.timetoke_hours)
    return MemberVotes((t0, t1, t2), (native.vrf_output(backend, key, block.digest, EPOCH, seed), key))
