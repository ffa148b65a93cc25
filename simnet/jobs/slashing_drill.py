"""The slashing drill: two validators, one backend, real consensus proofs.

1. A round in which nobody takes part: censorship evidence against the leader, and an alarm.
2. The next commit. With a spoiled proof nothing is booked; with its real proof, verified by the backend, the leader pays.
3. The other validator signs two blocks in one slot: double-sign evidence, and an alarm.
4. The next verified commit: that validator pays, and no alarm stands.

(Specification of the scenario files, section 7.3; operations specification, section 9.6.)
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from simnet.base import rng
from simnet.base.catalogue import BackendId
from simnet.jobs.consensus_load import Certificates, circuit_of
from simnet.proofs import native
from simnet.proofs.backend import Backend
from simnet.protocol.messages import Phase, Vote
from simnet.protocol.slashing import Evidence, Kind, Penalty, Settlement, Slashing, Standing, Thresholds, Took, double_sign
from simnet.scenario.wrapper import ConsensusLoad

LEADER, OTHER = 0, 1
THRESHOLDS = Thresholds(votes=1, proof=1, inactivity=2)
LOAD = ConsensusLoad(runs=4, validators=2, witness_commitments=4, seed=404)
PROOF_BYTES_MAX = 4 * 1024 * 1024


@dataclass
class DrillResult:
    """What one backend's drill showed, step by step."""

    backend: str
    checks: dict[str, bool] = field(default_factory=dict)
    penalties: list[dict[str, object]] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    """Every alarm that was raised, in order."""
    verdicts: list[str] = field(default_factory=list)
    """What the verifier said, in order."""

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(self.checks.values())


def slashing_drill(backend: Backend, log: Callable[[Penalty], None]) -> DrillResult:
    """Runs the drill. `log` is told every booked penalty. Raises SimnetError when a proof cannot be made."""
    drill = _Drill(backend, log)
    drill.nobody_takes_part()
    drill.spoiled_proof_books_nothing()
    drill.verified_commit_books_censorship()
    drill.two_votes_in_one_slot()
    drill.verified_commit_books_double_sign()
    return drill.result


class _Drill:
    def __init__(self, backend: Backend, log: Callable[[Penalty], None]) -> None:
        self._backend = backend
        self._log = log
        self._circuit = circuit_of(LOAD)
        self._certificates = Certificates(LOAD, BackendId(backend.id), self._circuit.params[0])
        self._books = Slashing({v: Standing(stake=10, time_tokens=50, tier=3) for v in (LEADER, OTHER)}, THRESHOLDS)
        self.result = DrillResult(BackendId(backend.id).label)
        backend.load(self._circuit)

    def nobody_takes_part(self) -> None:
        evidence = self._books.on_round_end(0, {LEADER: Took(proof=False)})
        against = [e for e in evidence if e.validator == LEADER and e.kind is Kind.CENSORSHIP and "stage=prevote" in e.detail]
        self._check("censorship_evidence_against_the_leader", len(against) == 1)
        self._check("censorship_trigger", self._raised("consensus_censorship", LEADER))

    def spoiled_proof_books_nothing(self) -> None:
        before = dict(self._books.standings)
        settlement = self._commit(1, spoiled=True)
        unchanged = not settlement.penalties and self._books.standings == before and bool(self._books.triggers)
        self._check("a_spoiled_proof_books_nothing", unchanged)

    def verified_commit_books_censorship(self) -> None:
        tokens = self._books.standings[LEADER].time_tokens
        settlement = self._commit(1)
        paid = sum(p.amount for p in settlement.penalties if p.validator == LEADER)
        self._check("leader_penalty_is_booked", paid > 0 and self._books.standings[LEADER].time_tokens < tokens)
        self._check("leader_reward_is_withheld", LEADER in settlement.withheld)
        self._check("censorship_alarm_is_cleared", not self._books.triggers)

    def two_votes_in_one_slot(self) -> None:
        evidence = self._equivocation(2)
        self._check("double_sign_evidence", evidence is not None)
        if evidence is not None:
            self._books.on_evidence(evidence, 2)
            self._check("known_evidence_counts_once", not self._books.on_evidence(evidence, 2))
        self._check("double_sign_trigger", self._raised("consensus_double_sign", OTHER))

    def verified_commit_books_double_sign(self) -> None:
        settlement = self._commit(3)
        paid = [p for p in settlement.penalties if p.validator == OTHER and p.evidence.kind is Kind.DOUBLE_SIGN]
        self._check("double_sign_penalty_is_booked", len(paid) == 1 and paid[0].amount > 0)
        self._check("no_alarm_stands", not self._books.triggers and not self._books.pending)

    def _commit(self, run: int, *, spoiled: bool = False) -> Settlement:
        """Proves and verifies a block that both voted for, with the weights that the books give them."""
        weights = [self._books.standings[v].weight for v in (LEADER, OTHER)]
        certificate = self._certificates.make(run, weights)
        seed = hashlib.blake2s(certificate.witness).digest()
        envelope = bytearray(self._backend.prove(self._circuit, certificate.witness, seed, 0))
        if spoiled:
            envelope[native.ENVELOPE_HEADER_BYTES + (len(envelope) - native.ENVELOPE_HEADER_BYTES) // 2] ^= 1
        inputs = self._backend.public_inputs(self._circuit, certificate.statement)
        verdict = self._backend.verify(self._circuit, inputs, bytes(envelope), PROOF_BYTES_MAX)
        self.result.verdicts.append(verdict.reason)
        settlement = self._books.on_commit(LEADER, verdict.accepted)
        for penalty in settlement.penalties:
            self._log(penalty)
            shown = {"validator": penalty.validator, "penalty": penalty.amount, "evidence": penalty.evidence.kind.label}
            self.result.penalties.append({**shown, "detail": penalty.evidence.detail})
        return settlement

    def _equivocation(self, slot: int) -> Evidence | None:
        """Two signed prevotes for different blocks, checked by their signatures."""
        secret = rng.secret(404, "drill-validator", OTHER)
        key = native.ed25519_public_key(secret)

        def signed(block: bytes) -> Vote:
            unsigned = Vote(slot, slot, Phase.PREVOTE, block, OTHER, b"", b"")
            signature = native.ed25519_sign(secret, unsigned.signing_bytes())
            return Vote(slot, slot, Phase.PREVOTE, block, OTHER, b"", signature)

        first, second = (signed(hashlib.sha256(name).digest()) for name in (b"one block", b"another block"))
        return double_sign(first, second, lambda v: native.ed25519_verify(key, v.signing_bytes(), v.signature))

    def _raised(self, prefix: str, validator: int) -> bool:
        self.result.triggers += [t.reason for t in self._books.triggers]
        return any(t.validator == validator and t.reason.startswith(prefix) for t in self._books.triggers)

    def _check(self, name: str, held: bool) -> None:
        self.result.checks[name] = held
