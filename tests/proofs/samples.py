"""Honest statements and witnesses for the tests of the real backends."""

from dataclasses import dataclass
from functools import cache

from simnet import rng
from simnet.proofs import native
from simnet.proofs.backend import BackendId, Circuit, CircuitId
from simnet.proofs.keys import default_folder
from simnet.proofs.native import NativeBackend
from simnet.proofs.statements import (
    ZERO,
    BlockStatement,
    Committee,
    CommitteeMember,
    MemberVotes,
    block_digest,
    consensus_statement,
    consensus_witness,
    tier_seed,
    vote_message,
)
from simnet.protocol.transfer import NO_MEMO, Account, Transfer

TRANSACTION = Circuit(CircuitId.TRANSACTION, ())
CONSENSUS = Circuit(CircuitId.CONSENSUS, (8, 8, 4))
MAX_BYTES = 4 * 1024 * 1024
SEED = bytes(range(32))


@cache
def backend(which: BackendId) -> NativeBackend:
    """One backend per test process, with the user's key cache."""
    return NativeBackend(which, default_folder())


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


def consensus(which: BackendId, *, voters: int = 5, height: int = 3) -> Sample:
    """Six validators of equal weight, of whom `voters` voted in slot 37 of epoch 1."""
    slot, epoch, index = 37, 1, 5
    trees = [native.OtkTree(which, rng.secret(2, "otk", i), epoch) for i in range(6)]
    keys = [native.ed25519_public_key(rng.secret(3, "validator", i)) for i in range(6)]
    members = tuple(CommitteeMember(k, 10, 2, 100 + i, t.root) for i, (k, t) in enumerate(zip(keys, trees, strict=True)))
    committee = Committee(which, CONSENSUS.params[0], members)
    block = BlockStatement(bytes(32), height, b"s" * 32, b"t" * 32, 1_000, 2, slot, epoch, (b"a" * 32, b"b" * 32), (b"r" * 32,))
    message = vote_message(committee, block)
    votes = []
    for i, (member, tree) in enumerate(zip(members, trees, strict=True)):
        if i >= voters:
            votes.append(MemberVotes(None, None))
            continue
        t0, t1, t2 = (native.vote_tag(which, phase, tree.key(index, phase), message) for phase in range(3))
        key = tree.key(index, 3)
        output = native.vrf_output(which, key, block_digest(which, block), epoch, tier_seed(which, member.key, member.timetoke_hours))
        votes.append(MemberVotes((t0, t1, t2), (output, key)))
    statement = consensus_statement(committee, block, tuple(votes))
    opened = {
        i: (tuple(t.key(index, x) for x in range(4)) if i < voters else (ZERO,) * 4, t.public(index), t.path(index))
        for i, t in enumerate(trees)
    }
    return Sample(CONSENSUS, statement, consensus_witness(statement, tuple(votes), opened))


@cache
def proven(which: BackendId, circuit: CircuitId) -> tuple[Sample, bytes, bytes]:
    """(sample, public inputs, envelope) of an honest proof."""
    sample = transaction() if circuit is CircuitId.TRANSACTION else consensus(which)
    prover = backend(which)
    return sample, prover.public_inputs(sample.circuit, sample.statement), prover.prove(sample.circuit, sample.witness, SEED, 1)
