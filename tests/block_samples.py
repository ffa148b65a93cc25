"""Honest statements and witnesses of the circuits that prove blocks: what calibration and tests prove.

One made-up block with four joins and as many transfers as asked for, on the accounts of `WALLETS` key pairs.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from simnet.base import rng
from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs import block_evidence as evidence
from simnet.proofs import block_statements as pack
from simnet.proofs import native
from simnet.proofs.backend import Backend, Circuit
from simnet.proofs.block_statements import Aggregate, PrunedBlock, Roots, Vectors, pruning_statement, recursive_statement
from simnet.proofs.field import field_of
from simnet.proofs.samples import TRANSACTION, Sample
from simnet.proofs.statements import ZERO
from simnet.protocol.blocks import GENESIS_PARENT
from simnet.protocol.heartbeats import CLAIMS_MAX, Claim, Heartbeat, WindowLog, Windows
from simnet.protocol.joins import JOINS_MAX, Join
from simnet.protocol.ledger import Ledger, SignedTransfer, Transition
from simnet.protocol.roots import DEPTH, TRANSFERS_PER_STATE_PROOF, FieldBlock, apply_block, genesis_state
from simnet.protocol.transfer import NO_MEMO, Account, Transfer
from simnet.protocol.validators import Validator, ValidatorSet

WALLETS = 64
HEIGHT, TIMESTAMP = 1, 1_000
WINDOWS = Windows(origin_ms=500, slot_ms=6000, slots=8, beats=32, threshold=24)
NONCE = hashlib.blake2s(b"sample").digest()
IDENTITY = Circuit(CircuitId.IDENTITY, (DEPTH,))
STATE = Circuit(CircuitId.STATE, (TRANSFERS_PER_STATE_PROOF, JOINS_MAX, DEPTH))


def pruning_circuit(window: int, capacity: int) -> Circuit:
    """For windows of so many blocks of up to `capacity` transfers."""
    return Circuit(CircuitId.PRUNING, (window, capacity, min(window, 4)))


def recursive_circuit(capacity: int) -> Circuit:
    """For blocks of up to `capacity` transfers."""
    return Circuit(CircuitId.RECURSIVE, (capacity, JOINS_MAX, CLAIMS_MAX, TRANSFERS_PER_STATE_PROOF))


def uptime_circuit(log_depth: int) -> Circuit:
    """For logs of `2**log_depth` heartbeats in windows of `WINDOWS`."""
    return Circuit(CircuitId.UPTIME, (WINDOWS.beats, log_depth, DEPTH, WINDOWS.length_ms, 0))


def key(name: str, index: int) -> bytes:
    """A public key of the sample."""
    return native.ed25519_public_key(rng.secret(5, name, index))


def join(index: int) -> Join:
    """An unsigned join: circuits see no signature."""
    return Join(index, key("node", index), key("vrf", index), rng.secret(5, "vrf-output", index) + bytes(64), b"")


def transitions(count: int) -> tuple[Transition, ...]:
    """Transfers around a ring of accounts."""
    ledger, out = Ledger({key("wallet", i): Account(1_000_000) for i in range(WALLETS)}), list[Transition]()
    for i in range(count):
        sender, receiver = key("wallet", i % WALLETS), key("wallet", (i * 7 + 1) % WALLETS)
        account = ledger.accounts[sender]
        transfer = Transfer(
            sender, receiver if receiver != sender else key("wallet", (i + 1) % WALLETS), 10 + i, 1, account.nonce + 1, 1, 900, NO_MEMO
        )
        tx = SignedTransfer.of(transfer, account)
        out += ledger.transitions([tx])
        ledger, _ = ledger.apply([tx])
    return tuple(out)


def block(which: BackendId, transfers: int, capacity: int) -> tuple[FieldBlock, tuple[Transition, ...]]:
    """The sample block in one field."""
    genesis, _ = genesis_state(field_of(which), {key("wallet", i): Account(1_000_000) for i in range(WALLETS)})
    done = transitions(transfers)
    return apply_block(genesis, [join(i) for i in range(JOINS_MAX)], done, (HEIGHT, TIMESTAMP), capacity, chunked=True), done


def identity(which: BackendId, index: int = 0) -> Sample:
    """A join of the sample block."""
    done, _ = block(which, 1, 16)
    statement = evidence.identity_statement(done, index, NONCE)
    return Sample(IDENTITY, statement, evidence.identity_witness(done, index, statement))


def state(which: BackendId, transfers: int = TRANSFERS_PER_STATE_PROOF, index: int = 0) -> Sample:
    """A state proof of the sample block."""
    done, all_transfers = block(which, transfers, 64)
    chunk = all_transfers[index * TRANSFERS_PER_STATE_PROOF :][:TRANSFERS_PER_STATE_PROOF]
    statement = evidence.state_statement(done, index, chunk, TIMESTAMP)
    return Sample(STATE, statement, evidence.state_witness(done, index, chunk, TIMESTAMP, statement))


def uptime(which: BackendId, log_depth: int = 10, beats: int = WINDOWS.beats) -> Sample:
    """A claim of the sample's first identity, on the state after the block."""
    done, _ = block(which, 1, 16)
    sent = [Heartbeat(v, WINDOWS.due(n, v, JOINS_MAX), GENESIS_PARENT, bytes([v, n]) * 32) for n in range(beats) for v in range(JOINS_MAX)]
    claim, keys = Claim(0, WindowLog(0, tuple(sent))), {v: key("node", v) for v in range(JOINS_MAX)}
    leaves = evidence.log_leaves(which, claim.log, keys)
    root = evidence.log_root(which, leaves, log_depth)
    statement = evidence.uptime_statement(done.after, claim, keys[0], root, WINDOWS, WINDOWS.slots)
    return Sample(uptime_circuit(log_depth), statement, evidence.uptime_witness(done.after, claim, keys[0], leaves, log_depth, statement))


def pruning(which: BackendId, window: int, capacity: int) -> Sample:
    """A window of full blocks, the older half removed."""
    digests = tuple(native.lift(which, rng.secret(5, "digest", i)) for i in range(capacity))
    blocks = [PrunedBlock(digests[0], TIMESTAMP + i, digests, i < window // 2) for i in range(window)]
    statement = pruning_statement(native.lift(which, GENESIS_PARENT), 1, blocks)
    return Sample(pruning_circuit(window, capacity), statement, statement)


def decision(which: BackendId, done: FieldBlock, transfers: Sequence[Transition]) -> bytes:
    """That four members of stake 10 had to decide the sample block."""
    r = done.roots
    header = native.header_digest(which, r.parent, HEIGHT, r.state, r.transactions, TIMESTAMP, len(transfers))
    members = ValidatorSet.of(Validator(i, key("node", i), b"", 10, 2, 100) for i in range(4))
    return native.decision_vector(which, header, members.digest, members.total, members.threshold)


def recursive(which: BackendId, backend: Backend, capacity: int, transfers: int | None = None) -> Sample:
    """The aggregate of the sample block on genesis; `backend` computes the vectors of its parts."""
    count = capacity if transfers is None else transfers
    done, all_transfers = block(which, count, capacity)
    states = []
    for index in range(max(1, -(-count // TRANSFERS_PER_STATE_PROOF))):
        chunk = all_transfers[index * TRANSFERS_PER_STATE_PROOF :][:TRANSFERS_PER_STATE_PROOF]
        states.append(backend.public_inputs(STATE, evidence.state_statement(done, index, chunk, TIMESTAMP)))
    vectors = Vectors(
        identity=[backend.public_inputs(IDENTITY, evidence.identity_statement(done, i, NONCE)) for i in range(JOINS_MAX)],
        transaction=[backend.public_inputs(TRANSACTION, t.tx.transfer.statement(t.tx.account)) for t in all_transfers],
        uptime=[],
        decision=[decision(which, done, all_transfers)],
        state=states,
        pruning=[],
    )
    first = Roots(done.before.accounts.root, done.before.identities.root)
    genesis = Aggregate.of(ZERO, first, 0, native.genesis_aggregate(which, first.pack()))
    roots = replace(first, state=done.roots.state, identity=done.roots.identity)
    statement = recursive_statement([ZERO] * pack.FAMILIES, genesis, roots, done.roots.parent, HEIGHT, TIMESTAMP, vectors)
    return Sample(recursive_circuit(capacity), statement, statement)
