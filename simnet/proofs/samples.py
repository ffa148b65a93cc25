"""Honest statements and witnesses of every circuit: what calibration, benchmarks and tests prove."""

import struct
from dataclasses import dataclass, replace

from simnet import rng
from simnet.proofs import native
from simnet.proofs.backend import BackendId, Circuit, CircuitId
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
IDENTITY = Circuit(CircuitId.IDENTITY, (32,))
STATE = Circuit(CircuitId.STATE, (16, 4, 32))
BLOCK_TIME = 1_000
ACCOUNT_TAG, IDENTITY_TAG = 6, 13
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


def identity(which: BackendId, circuit: Circuit = IDENTITY) -> Sample:
    """The registration of a key in an identity tree that has one other."""
    (depth,) = circuit.params
    key, other = (native.ed25519_public_key(rng.secret(5, "identity", i)) for i in range(2))
    vrf_secret, nonce = rng.secret(5, "vrf", 0), rng.secret(5, "nonce", 0)
    vrf_key = native.vrf_public_key(vrf_secret)
    address, state_root = native.address(which, key), native.lift(which, b"s" * 32)
    output = native.vrf_prove(vrf_secret, nonce + address)[:32]
    registered = native.address(which, other)
    tree = native.Tree(which, depth, native.empty_leaf(which, IDENTITY_TAG))
    tree = tree.update(registered, native.identity_leaf(which, registered, state_root))
    commitment = native.identity_commitment(which, key, vrf_key, output, tree.root, state_root)
    after = tree.update(address, native.identity_leaf(which, address, commitment))
    statement = key + vrf_key + output + tree.root + state_root + nonce + after.root
    return Sample(circuit, statement, statement + tree.path(address))


class _Ledger:
    """Accounts and their tree while a sample block is applied."""

    def __init__(self, which: BackendId, depth: int) -> None:
        self.which = which
        self.accounts: dict[bytes, Account] = {}
        self.tree = native.Tree(which, depth, native.empty_leaf(which, ACCOUNT_TAG))

    def set(self, key: bytes, account: Account) -> bytes:
        """Writes an account; returns its slot's siblings."""
        address = native.address(self.which, key)
        path = self.tree.path(address)
        self.tree = self.tree.update(address, native.account_leaves(self.which, key + account.encode()))
        self.accounts[key] = account
        return path

    def open(self, key: bytes, commitment: bytes) -> bytes:
        """Writes the account that an identity opens; returns its slot's siblings."""
        address = native.address(self.which, key)
        path = self.tree.path(address)
        self.tree = self.tree.update(address, native.opened_account_leaf(self.which, key, commitment, BLOCK_TIME))
        return path

    def apply(self, transfer: Transfer) -> bytes:
        """Applies a transfer; returns its part of the witness."""
        sender, spent = self.accounts[transfer.sender], transfer.amount + transfer.fee
        path = self.set(transfer.sender, replace(sender, balance=sender.balance - spent, nonce=transfer.nonce))
        is_new = transfer.receiver not in self.accounts
        before = self.accounts.get(transfer.receiver, Account(balance=0, tier=0))
        no_reputation = native.reputation_of_identity(self.which, ZERO)
        numbers = struct.pack("<BQQQBQ", is_new, before.balance, before.nonce, before.stake, before.tier, before.last_decay)
        credited = replace(before, balance=before.balance + transfer.amount)
        return numbers + no_reputation + path + self.set(transfer.receiver, credited)


def state(which: BackendId, circuit: Circuit = STATE, *, transfers: int = 13, identities: int = 3) -> Sample:
    """A block of identities and of transfers in a ring of five accounts, one of which is new."""
    ledger = _Ledger(which, circuit.params[2])
    keys = [native.ed25519_public_key(rng.secret(6, "account", i)) for i in range(5)]
    for key in keys[:4]:
        ledger.set(key, Account(balance=1_000_000, nonce=7, tier=3, last_decay=900))
    before = ledger.tree.root
    entrants = [(native.ed25519_public_key(rng.secret(6, "entrant", i)), native.lift(which, bytes([i]) * 32)) for i in range(identities)]
    paths = [ledger.open(*entrant) for entrant in entrants]
    payments, parts = [], []
    for i in range(transfers):
        sender, receiver = keys[i % 4], keys[(i + 1) % 5]
        account = ledger.accounts[sender]
        transfer = Transfer(sender, receiver, 25 + i, 2, account.nonce + 1, 1, BLOCK_TIME - i, NO_MEMO)
        payments.append(transfer.statement(account))
        parts.append(ledger.apply(transfer))
    listed = b"".join((struct.pack("<H", identities), *(k + c for k, c in entrants), struct.pack("<H", transfers), *payments))
    statement = before + ledger.tree.root + struct.pack("<Q", BLOCK_TIME) + listed
    return Sample(circuit, statement, statement + b"".join(paths + parts))


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
