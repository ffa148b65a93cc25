"""Bugs that are planted in the real code for a run, to see whether the search finds them.

Each replaces one or a few small methods. Nothing else in the package knows of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import SimnetError
from simnet.fuzz.judge import ACCUSATIONS
from simnet.node import facts, finality, sync
from simnet.node.facts import Facts
from simnet.node.forks import Forks
from simnet.node.processor import Processor
from simnet.node.sync import Sync
from simnet.node.voting import Voter
from simnet.proofs.backend import ACCEPTED, Circuit
from simnet.protocol import ledger
from simnet.protocol.cases import Case
from simnet.protocol.consensus import Propose, Voting
from simnet.protocol.evidence import BrokenLock, DoubleSign
from simnet.protocol.ledger import Ledger, SignedTransfer
from simnet.protocol.mempool import Mempool
from simnet.protocol.messages import Phase, Proposal, SyncedBlock, Vote
from simnet.protocol.slotbook import SlotBook
from simnet.protocol.testimony import Testimony
from simnet.protocol.transfer import Account, Transfer, credit, debit
from simnet.protocol.validators import Electorate, ValidatorSet, epoch_of
from simnet.protocol.votes import VoteBook
from simnet.scenario.base import U64_MAX

Patches = Mapping[tuple[Any, str], Any]
"""(class or module, attribute) -> what stands there during the run."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug."""

    what: str
    checks: frozenset[str]
    """Those that name it: another check that fails does not count as finding it."""
    patches: Callable[[], Patches]


def bug_of(name: str) -> Bug:
    """A planted bug by name. Raises SimnetError with all names."""
    if name not in BUGS:
        raise SimnetError(f"no planted bug {name!r}; there are {', '.join(BUGS)}")
    return BUGS[name]


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """The bug is in the code inside the block. None: no bug."""
    patches = {} if name is None else bug_of(name).patches()
    before = {(owner, attribute): vars(owner)[attribute] for owner, attribute in patches}
    for (owner, attribute), replacement in patches.items():
        setattr(owner, attribute, replacement)
    try:
        yield
    finally:
        for (owner, attribute), original in before.items():
            setattr(owner, attribute, original)


# --- voting --------------------------------------------------------------------------------------------


def _no_locking() -> Patches:
    return {(Voting, "_free_for"): lambda _self, _block, _valid_slot: True}


def _unlocking() -> Patches:
    """A precommit for nil gives up the lock, as an early draft of Tendermint had it."""
    original = vars(Voting)["_precommit"]

    def precommit(self: Voting, block: bytes | None) -> object:
        if block is None:
            self.locked = None
        return original(self, block)

    return {(Voting, "_precommit"): precommit}


def _half() -> Patches:
    return {(ValidatorSet, "threshold"): property(lambda self: self.total // 2 + 1)}


def _registered_only() -> Patches:
    """The quorum is over those who have registered for the slot's epoch."""
    begin = vars(Voting)["__init__"]

    def init(self: Any, height: int, me: int, electorate: Electorate) -> None:
        begin(self, height, me, electorate)
        self.book.electorate = electorate

    def threshold(book: Any, slot: int) -> int:
        known = book.electorate.registry.epochs.get(epoch_of(slot), {})
        return int(2 * book.electorate.members.weight_of(known) // 3 + 1)

    def has_quorum(self: Any, slot: int, phase: Phase, block: bytes | None) -> bool:
        tally = self._tallies.get((slot, phase))
        return tally is not None and tally.weight.get(block, 0) >= threshold(self, slot)

    def quorums(self: Any, phase: Phase) -> Iterator[tuple[int, bytes | None]]:
        for (slot, kind), tally in sorted(self._tallies.items()):
            if kind is phase:
                yield from ((slot, value) for value, weight in tally.weight.items() if weight >= threshold(self, slot))

    return {(Voting, "__init__"): init, (VoteBook, "has_quorum"): has_quorum, (VoteBook, "quorums"): quorums}


def _votes_unchecked() -> Patches:
    return {(Facts, "vote_valid"): lambda _self, _vote: True}


def _said_unchecked() -> Patches:
    return {(Facts, name): lambda _self, _said: True for name in ("endorsement_valid", "join_valid", "heartbeat_valid")}


def _certificates_unchecked() -> Patches:
    return {(finality, "why_not_signed"): lambda _facts, _certificate: None}


def _keys_unchecked() -> Patches:
    return {(finality.Finality, "_keys_hold"): lambda _self, _disclosure: True}


@dataclass(frozen=True, slots=True)
class _Believer:
    """In the place of the public keys: it takes the roots that it is shown for theirs."""

    shown: tuple[tuple[bytes, ...], ...]

    def roots(self, _node: int, _epoch: int) -> tuple[tuple[bytes, ...], ...]:
        return self.shown


def _roots_unchecked() -> Patches:
    valid = vars(facts)["registration_valid"]
    return {(facts, "registration_valid"): lambda r, validators, chain, _keys: valid(r, validators, chain, _Believer(r.otk_roots))}


def _certificate_slot() -> Patches:
    """Certificates of blocks and proofs, endorsements and disclosed keys may be of slots that have not begun."""
    return {(module, "latest_slot"): lambda _facts, _ports: U64_MAX for module in (sync, finality)}


def _certificate_place() -> Patches:
    """What a certificate names beside what its members signed is believed: one with another number is news."""
    return {(Case, "why_misplaced"): lambda _self, _place: None}


def _late_keys() -> Patches:
    """Whoever gives tags and discloses the keys behind them is proved to have voted, whenever it has registered these."""
    return {(Case, "keyed"): lambda self, _place: self.electorate.weights}


def _first_vote_only() -> Patches:
    add = vars(VoteBook)["add"]

    def add_first(self: Any, vote: Vote, *, proposed: bool) -> bool:
        tally = self._tallies.get((vote.slot, vote.phase))
        voted = tally is not None and bool(tally.values_of(vote.validator))
        return not voted and bool(add(self, vote, proposed=proposed))

    return {(VoteBook, "add"): add_first}


def _lock_not_sent() -> Patches:
    """A re-proposal comes without its proof of lock, and neighbours do not tell each other their votes."""
    lead, why_not = vars(Voting)["_lead"], vars(Voter)["_why_not_lock"]

    def bare(self: Voting, slot: int) -> Propose:
        made = lead(self, slot)
        return Propose(made.slot, made.block, made.valid_slot, ())

    def accepts_bare(self: Any, proposal: Proposal) -> str | None:
        found: str | None = why_not(self, proposal)
        return None if found == "proof_of_lock" and not proposal.lock else found

    nothing = {(VoteBook, "missing_at"): lambda _self, _theirs: ()}
    return {(Voting, "_lead"): bare, (Voter, "_why_not_lock"): accepts_bare, **nothing}


def _two_heights() -> Patches:
    return {(SlotBook, "may_sign"): lambda _self, _height, _slot: True, (Voter, "_may_vote"): lambda _self: True}


# --- proofs --------------------------------------------------------------------------------------------


def _unverified(*circuits: CircuitId) -> Patches:
    """Proofs of these circuits are taken as they come."""
    verify = vars(Processor)["verify"]

    def skip(self: Any, backend: BackendId, circuit: Circuit, statement: bytes, envelope: Any, peer: Any, spam: Any, item: Any) -> None:
        if circuit.id in circuits:
            self._letters.judge(item, ACCEPTED)
        else:
            verify(self, backend, circuit, statement, envelope, peer, spam, item)

    return {(Processor, "verify"): skip}


def _consensus_proof() -> Patches:
    return _unverified(CircuitId.CONSENSUS)


def _block_proof() -> Patches:
    return _unverified(*(c for c in CircuitId if c not in (CircuitId.CONSENSUS, CircuitId.TRANSACTION)))


# --- transfers and catching up -----------------------------------------------------------------------------


class _Careless(Mempool):
    """A pool that holds any number of transfers of one account, whatever the ledger has made of it."""

    def why_not(self, tx: SignedTransfer) -> str | None:
        return "already_pending" if tx.id in self.pending else None

    def admit(self, tx: SignedTransfer) -> None:
        self.pending[tx.id] = tx
        for key in (tx.transfer.sender, tx.transfer.receiver):
            self._busy[key] = self._busy.get(key, 0) + 1

    def after_block(self, _ledger: Ledger, committed: Iterable[bytes]) -> tuple[list[SignedTransfer], list[SignedTransfer]]:
        done = [self.pending.pop(i) for i in committed if i in self.pending]
        for key in (key for tx in done for key in (tx.transfer.sender, tx.transfer.receiver)):
            self._busy[key] -= 1
            if not self._busy[key]:
                del self._busy[key]
        return done, []


def _double_spend() -> Patches:
    """Whatever state a transfer starts from, and whether its account has another one pending, it is taken and applied."""

    def step(accounts: Mapping[bytes, Account], tx: SignedTransfer) -> dict[bytes, Account] | None:
        transfer = tx.transfer
        sender, receiver = accounts.get(transfer.sender), accounts.get(transfer.receiver)
        if sender is None or receiver is None or sender.balance < transfer.amount + transfer.fee:
            return None
        credited = credit(receiver, transfer)
        return None if credited is None else {transfer.sender: debit(sender, transfer), transfer.receiver: credited}

    careless = {(Mempool, name): vars(_Careless)[name] for name in ("why_not", "admit", "after_block")}
    return {
        (ledger, "_step"): step,
        (Ledger, "why_inapplicable"): lambda self, tx: None if tx.transfer.sender in self.accounts else "unknown_sender",
        **careless,
    }


def _unsigned_field() -> Patches:
    """A transfer's id and its sender's signature leave out the account that it starts from."""
    sign, identity = vars(Transfer)["signing_bytes"], vars(ledger)["transfer_id"]
    nobody = Account(balance=0, tier=0)
    return {
        (Transfer, "signing_bytes"): lambda self, _account, chain: sign(self, nobody, chain),
        (ledger, "transfer_id"): lambda transfer, _account: identity(transfer, nobody),
        (facts, "transfer_id"): lambda transfer, _account: identity(transfer, nobody),
    }


def _sync_certificate() -> Patches:
    def follows(self: Any, synced: SyncedBlock) -> str | None:
        return None if synced.block.header.height == self._chain.height + 1 else "another_block"

    return {(Sync, "_why_not_certified"): follows}


# --- evidence ----------------------------------------------------------------------------------------------


def _evidence_unchecked() -> Patches:
    return {(kind, "why_invalid"): lambda _self, _signed: None for kind in (DoubleSign, BrokenLock)}


def _testimony_unchecked() -> Patches:
    """Only where neighbours on another chain answer: votes are checked everywhere else."""

    def on_testimony(self: Any, told: Testimony, peer: Any) -> None:
        own, asked = self._chain.at(told.height), self._asked.get(peer)
        if asked is not None and asked.open and own is not None:
            asked.open = False
            self._watch.heard(told.height, [*own.certificate.votes, *told.votes], [own.block.header, *told.headers])

    return {(Forks, "_on_testimony"): on_testimony}


FORK = frozenset({"agreement", "finality"})
UNVERIFIED = frozenset({"nothing_unverified"})
STUCK = frozenset({"progress"})

BUGS: dict[str, Bug] = {
    "no-locking": Bug("a validator forgets what it is locked on", FORK | {"locks"}, _no_locking),
    "unlocking": Bug("a validator unlocks without a proof of lock", FORK | {"locks"}, _unlocking),
    "half-quorum": Bug("a quorum is more than one half", FORK | {"locks"} | UNVERIFIED, _half),
    "registered-quorum": Bug("a quorum is over those who have registered for the epoch", FORK | {"locks"} | UNVERIFIED, _registered_only),
    "vote-signature": Bug("nobody checks who signed a vote", FORK | {"locks", ACCUSATIONS} | UNVERIFIED, _votes_unchecked),
    "registration-roots": Bug("nobody compares a registration's roots with its keys", UNVERIFIED, _roots_unchecked),
    "other-signatures": Bug("nobody checks who signed endorsements, joins and heartbeats", UNVERIFIED, _said_unchecked),
    "certificate-signatures": Bug("nobody checks the signatures in a certificate", UNVERIFIED, _certificates_unchecked),
    "disclosed-keys": Bug("nobody compares disclosed keys with the registered ones", UNVERIFIED, _keys_unchecked),
    "certificate-slot": Bug(
        "certificates, endorsements and disclosed keys may be of slots that have not begun", FORK | UNVERIFIED, _certificate_slot
    ),
    "certificate-place": Bug("what members of a certificate do not sign is not compared with its block", UNVERIFIED, _certificate_place),
    "late-keys": Bug("tags count whose keys were registered after they were given", frozenset({"proven"}), _late_keys),
    "first-vote": Bug("of an equivocator's votes only the first one counts", STUCK, _first_vote_only),
    "lock-once": Bug("a proof of lock is not sent again", STUCK, _lock_not_sent),
    "consensus-proof": Bug("a consensus proof is not verified", UNVERIFIED, _consensus_proof),
    "block-proof": Bug("a block proof is not verified", UNVERIFIED, _block_proof),
    "double-spend": Bug("neither mempool nor ledger looks at what is spent", frozenset({"no_double_spend", "supply"}), _double_spend),
    "two-heights": Bug("a one-time key is used for two heights", frozenset({"keys_once"}), _two_heights),
    "unsigned-field": Bug("a transfer's unsigned field is trusted", STUCK | {"no_double_spend", "coherence"}, _unsigned_field),
    "evidence": Bug("double signs and broken locks are believed as they come", UNVERIFIED | {ACCUSATIONS}, _evidence_unchecked),
    "testimony": Bug(
        "nobody checks who signed the votes that a neighbour on another chain tells of", frozenset({ACCUSATIONS}), _testimony_unchecked
    ),
    "sync-certificate": Bug("a fetched block's certificate is not checked", FORK | UNVERIFIED, _sync_certificate),
}
