"""The consensus load: a serial loop that proves, verifies and attacks consensus statements with a real backend.

It is a load test of one prover, apart from any network: its times are real wall times, and differ from run to run. The
statements and proofs follow from the seed alone (specification of the scenario files, section 3.10).

Each attack alters the statement and offers the old proof for it, with the envelope's statement digest replaced to match,
so that it is the proof itself that the verifier has to refuse.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simnet.base import rng
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import ProofError
from simnet.base.units import to_ms
from simnet.proofs import native
from simnet.proofs.backend import Backend, Circuit
from simnet.proofs.statements import (
    BlockStatement,
    Committee,
    CommitteeMember,
    MemberVotes,
    consensus_statement,
    consensus_witness,
    tier_seed,
    vote_message,
)
from simnet.protocol.validators import SLOTS_PER_EPOCH
from simnet.scenario.ours import VALIDATOR_CAPACITIES
from simnet.scenario.wrapper import DEFAULT_CONSENSUS_SEED, ConsensusLoad

WEIGHT_MIN, WEIGHT_MAX = 5, 24
REPUTATION_ROOTS = 4
WITNESS_CAPACITY_MIN = 8
PROOF_BYTES_MAX = 16 * 1024 * 1024
DIGEST_BYTES = 32
KINDS = ("vrf", "quorum_roots")


@dataclass
class Attack:
    """One kind of tampering over the whole load."""

    attempts: int = 0
    rejected: int = 0
    unexpected_accepts: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """The verifier's own words."""


@dataclass(frozen=True, slots=True)
class Row:
    """A proved run; `verify_ms` is None when verification failed."""

    run: int
    prove_ms: float
    verify_ms: float | None
    proof_bytes: int


@dataclass
class LoadResult:
    """What the loop saw so far."""

    circuit: Circuit
    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    attacks: dict[str, Attack] = field(default_factory=dict)
    proofs: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    """Over all proofs in order: equal for equal seeds."""
    load_ms: float = 0.0
    """Loading or making the keys."""
    done: int = 0
    """Runs begun and ended, well or not."""


@dataclass(frozen=True)
class Certificate:
    """A decided block with all its votes: a statement and its witness."""

    committee: Committee
    block: BlockStatement
    votes: tuple[MemberVotes, ...]
    statement: bytes
    witness: bytes


def circuit_of(load: ConsensusLoad) -> Circuit:
    """The smallest consensus circuit that holds the load's lists."""
    validators = next(size for size in VALIDATOR_CAPACITIES if size >= load.validators)
    witnesses = max(WITNESS_CAPACITY_MIN, 1 << (load.witness_commitments - 1).bit_length())
    return Circuit(CircuitId.CONSENSUS, (validators, witnesses, REPUTATION_ROOTS))


def run_load(load: ConsensusLoad, backend: Backend, result: LoadResult) -> Iterator[int]:
    """Carries the load out, filling `result`; yields the number of each run that has ended.

    Raises SimnetError when there are no keys. What goes wrong in a run is a line of `result.failures`.
    """
    began = time.perf_counter_ns()
    backend.load(result.circuit)
    result.load_ms = _ms_since(began)
    certificates = Certificates(load, BackendId(backend.id), result.circuit.params[0])
    for run in range(load.runs):
        _one(run, load, backend, certificates, result)
        result.done = run + 1
        yield run


def _one(run: int, load: ConsensusLoad, backend: Backend, certificates: "Certificates", result: LoadResult) -> None:
    """Witness, proof, verification, attacks."""
    circuit = result.circuit
    try:
        certificate = certificates.make(run)
        inputs = backend.public_inputs(circuit, certificate.statement)
        began = time.perf_counter_ns()
        envelope = backend.prove(circuit, certificate.witness, hashlib.blake2s(certificate.witness).digest(), 0)
        prove_ms = _ms_since(began)
    except ProofError as error:
        result.failures.append(f"run {run}: prove: {error}")
        return
    result.proofs.update(hashlib.sha256(envelope).digest())
    began = time.perf_counter_ns()
    verdict = backend.verify(circuit, inputs, envelope, PROOF_BYTES_MAX)
    verify_ms = _ms_since(began)
    result.rows.append(Row(run, prove_ms, verify_ms if verdict.accepted else None, len(envelope)))
    if not verdict.accepted:
        result.failures.append(f"run {run}: verify: {verdict.reason}")
    elif run % load.tamper.every_n == 0:
        _attack(run, load, backend, certificate, inputs, envelope, result)


def _attack(
    run: int, load: ConsensusLoad, backend: Backend, certificate: Certificate, inputs: bytes, envelope: bytes, result: LoadResult
) -> None:
    wanted: Mapping[str, bool] = {"vrf": load.tamper.vrf, "quorum_roots": load.tamper.quorum_roots}
    for kind in KINDS:
        if not wanted[kind]:
            continue
        attack = result.attacks.setdefault(kind, Attack())
        attack.attempts += 1
        try:
            altered = altered_inputs(kind, backend, result.circuit, certificate, inputs)
        except ProofError as error:  # no verifier has spoken: neither rejected nor accepted
            result.failures.append(f"run {run}: tamper {kind}: {error}")
            continue
        verdict = backend.verify(result.circuit, altered, _relabelled(backend, result.circuit, altered, envelope), PROOF_BYTES_MAX)
        if verdict.accepted:
            attack.unexpected_accepts += 1
            result.failures.append(f"run {run}: tamper {kind}: the altered statement was accepted")
        else:
            attack.rejected += 1
            attack.reasons[verdict.reason] += 1


def altered_inputs(kind: str, backend: Backend, circuit: Circuit, certificate: Certificate, inputs: bytes) -> bytes:
    """Public inputs of the altered statement: never those that were proved."""
    if kind == "vrf":
        statement = consensus_statement(certificate.committee, certificate.block, rotated(certificate.votes))
        altered = backend.public_inputs(circuit, statement)
    else:
        place = bitmap_root_place(BackendId(backend.id))
        wrong = native.lift(backend.id, hashlib.sha256(inputs).digest())
        altered = inputs[: place.start] + wrong + inputs[place.stop :]
    assert altered != inputs, "an attack that changes nothing proves nothing"
    return altered


def rotated(votes: tuple[MemberVotes, ...]) -> tuple[MemberVotes, ...]:
    """The VRF entries moved by one validator; a single entry has its output replaced by its key."""
    entries = [vote.vrf for vote in votes]
    if len(entries) == 1:
        entry = entries[0]
        return (replace(votes[0], vrf=None if entry is None else (entry[1], entry[1])),)
    return tuple(replace(vote, vrf=entry) for vote, entry in zip(votes, entries[-1:] + entries[:-1], strict=True))


def bitmap_root_place(backend: BackendId) -> slice:
    """Where quorum_bitmap_root stands: behind block hash, round, leader proposal, epoch, slot and threshold.

    A u64 is four 4-byte limbs, on BN254 one 32-byte element; a digest is always 32 bytes.
    """
    number_bytes = DIGEST_BYTES if backend.field.wide else 16
    start = 2 * DIGEST_BYTES + 4 * number_bytes
    return slice(start, start + DIGEST_BYTES)


def _relabelled(backend: Backend, circuit: Circuit, inputs: bytes, envelope: bytes) -> bytes:
    """The envelope, claiming to be about other public inputs."""
    place = native.PUBLIC_DIGEST
    return envelope[: place.start] + native.public_digest(BackendId(backend.id), circuit, inputs) + envelope[place.stop :]


class Certificates:
    """Fresh certificates, each drawn from its own stream of the load's seed."""

    def __init__(self, load: ConsensusLoad, backend: BackendId, capacity: int) -> None:
        self._load = load
        self._seed = DEFAULT_CONSENSUS_SEED if load.seed is None else load.seed
        self._backend = backend
        self._capacity = capacity
        self._keys = [native.ed25519_public_key(rng.secret(self._seed, "load-validator", i)) for i in range(load.validators)]
        self._epoch = -1
        self._trees: list[native.OtkTree] = []

    def make(self, run: int, weights: Sequence[int] | None = None) -> Certificate:
        """Run i decides slot i = round i = height i of epoch i div 32, with every validator's votes and VRF entry.

        `weights` take the place of random ones.
        """
        epoch, slot_index = divmod(run, SLOTS_PER_EPOCH)
        self._enter(epoch)
        random = rng.generator(self._seed, "load-certificate", run)
        members = tuple(self._member(random, key, tree) for key, tree in zip(self._keys, self._trees, strict=True))
        if weights is not None:
            members = tuple(replace(member, weight=weight) for member, weight in zip(members, weights, strict=True))
        committee = Committee(self._backend, self._capacity, members)
        block = self._block(random, run, epoch)
        message, digest = vote_message(committee, block), block.digest
        votes = tuple(self._votes(m, t, slot_index, message, digest, epoch) for m, t in zip(members, self._trees, strict=True))
        statement = consensus_statement(committee, block, votes)
        opened = {
            i: (tuple(tree.key(slot_index, which) for which in range(4)), tree.public(slot_index), tree.path(slot_index))
            for i, tree in enumerate(self._trees)
        }
        return Certificate(committee, block, votes, statement, consensus_witness(statement, votes, opened))

    def _enter(self, epoch: int) -> None:
        """One-time keys last one epoch."""
        if epoch != self._epoch:
            secrets = [rng.secret(self._seed, "load-one-time-keys", i) for i in range(self._load.validators)]
            self._trees = [native.OtkTree(self._backend, secret, epoch) for secret in secrets]
            self._epoch = epoch

    def _member(self, random: np.random.Generator, key: bytes, tree: native.OtkTree) -> CommitteeMember:
        weight = int(random.integers(WEIGHT_MIN, WEIGHT_MAX, endpoint=True))
        return CommitteeMember(key, weight, 1 + int(random.integers(5)), int(random.integers(721)), tree.root)

    def _block(self, random: np.random.Generator, run: int, epoch: int) -> BlockStatement:
        witnesses = tuple(random.bytes(32) for _ in range(self._load.witness_commitments))
        roots = tuple(random.bytes(32) for _ in range(REPUTATION_ROOTS))
        parent, state, transactions = (native.lift(self._backend, random.bytes(32)) for _ in range(3))
        header = native.header_digest(self._backend, parent, run, state, transactions, 6000 * run, len(witnesses))
        return BlockStatement(header, run, epoch, witnesses, roots)

    def _votes(self, member: CommitteeMember, tree: native.OtkTree, slot: int, message: bytes, digest: bytes, epoch: int) -> MemberVotes:
        t0, t1, t2 = (native.vote_tag(self._backend, phase, tree.key(slot, phase), message) for phase in range(3))
        key = tree.key(slot, 3)
        seed = tier_seed(self._backend, member.key, member.timetoke_hours)
        return MemberVotes((t0, t1, t2), (native.vrf_output(self._backend, key, digest, epoch, seed), key))


def _ms_since(began_ns: int) -> float:
    return to_ms(time.perf_counter_ns() - began_ns)
