"""Slashing of the consensus engine: who missed or cheated, what it costs, and when it is booked.

Pure: rounds, evidence and commits go in, effects come out. Evidence waits in a queue until the next block commits with a
verified consensus proof; only then is a penalty booked, the offender's reward of that block withheld, and the alarm
cleared. Numbers are upstream's (operations specification, section 9.1); all divisions round down.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from simnet.protocol.messages import Phase, Vote

BASE_REWARD = 5
LEADER_BONUS_PERCENT = 20
HISTORY_MAX = 64
PENDING_MAX = 4096
"""Evidence that waits for a commit; a limit of ours."""
CENSORSHIP_SCORE, INACTIVITY_SCORE = 0.9, 0.8
"""Factors on the reputation score when a detector fires."""


class Kind(IntEnum):
    """Kinds of evidence, in the order in which the queue gives them out."""

    DOUBLE_SIGN = 0
    FALSE_PROOF = 1
    CENSORSHIP = 2
    VOTE_WITHHOLDING = 3
    INACTIVITY = 4

    @property
    def label(self) -> str:
        """`evidence` in the log line."""
        return self.name.lower()

    @property
    def group(self) -> str:
        """Label of counters by kind."""
        return {Kind.FALSE_PROOF: "availability", Kind.VOTE_WITHHOLDING: "witness"}.get(self, self.label)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a validator did or failed to do. `detail` is its text in records."""

    kind: Kind
    validator: int
    detail: str
    reporter: int | None = None
    """None: the consensus monitor."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A standing alarm about a validator, over a window of rounds."""

    reason: str
    validator: int
    first_round: int
    last_round: int


@dataclass(frozen=True, slots=True)
class Penalty:
    """A booked penalty, in time tokens."""

    validator: int
    amount: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Standing:
    """What a validator has to lose."""

    stake: int
    time_tokens: int
    tier: int
    score: float = 1.0

    @property
    def weight(self) -> int:
        """Voting weight. Upstream recomputes it after a penalty by a formula we do not know; ours is stake plus time tokens."""
        return self.stake + self.time_tokens


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Consecutive misses that fire a detector; 0 turns it off."""

    votes: int = 3
    proof: int = 2
    inactivity: int = 4


@dataclass(frozen=True, slots=True)
class Took:
    """A validator's part in a round. `proof`: the leader's block came with a proof; None for all others."""

    prevote: bool = False
    precommit: bool = False
    proof: bool | None = None

    @property
    def anything(self) -> bool:
        return self.prevote or self.precommit or self.proof is True


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a commit brought."""

    penalties: tuple[Penalty, ...] = ()
    rewards: Mapping[int, int] = field(default_factory=dict)
    withheld: Mapping[int, int] = field(default_factory=dict)


class SlashingFull(Exception):
    """More evidence than is kept until a commit: it may be brought again after that."""


def penalty_of(kind: Kind, base_reward: int = BASE_REWARD) -> int:
    """Time tokens that a kind of evidence costs."""
    match kind:
        case Kind.DOUBLE_SIGN:
            return 2 * base_reward
        case Kind.FALSE_PROOF:
            return base_reward
        case Kind.CENSORSHIP | Kind.VOTE_WITHHOLDING:
            return max(base_reward // 2, 1)
        case Kind.INACTIVITY:
            return max(base_reward // 4, 1)


def double_sign(first: Vote, second: Vote, valid: Callable[[Vote], bool]) -> Evidence | None:
    """Evidence from two votes of one validator, height, slot and phase for different blocks, both validly signed."""
    same = (first.validator, first.height, first.slot, first.phase) == (second.validator, second.height, second.slot, second.phase)
    if not same or first.block == second.block or not (valid(first) and valid(second)):
        return None
    return Evidence(Kind.DOUBLE_SIGN, first.validator, f"height={first.height}")


class Slashing:
    """The engine's books. Validators are indices."""

    def __init__(self, standings: Mapping[int, Standing], thresholds: Thresholds = Thresholds(), base_reward: int = BASE_REWARD) -> None:
        self.standings = dict(standings)
        self.history: deque[Penalty] = deque(maxlen=HISTORY_MAX)
        self.thresholds = thresholds
        self._base_reward = base_reward
        self._misses: dict[tuple[int, str], int] = {}
        self._pending: list[Evidence] = []
        self._known: set[Evidence] = set()
        """All that was ever brought: an offence is booked once, however late its evidence comes again."""
        self._triggers: list[Trigger] = []

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """Alarms that stand."""
        return tuple(self._triggers)

    @property
    def pending(self) -> tuple[Evidence, ...]:
        """Evidence in the order in which it will be booked."""
        return tuple(sorted(self._pending, key=lambda e: e.kind))

    @property
    def full(self) -> bool:
        """Whether no more evidence is taken until the next commit."""
        return len(self._pending) >= PENDING_MAX

    def on_round_end(self, number: int, took: Mapping[int, Took]) -> list[Evidence]:
        """Counts misses of every validator and fires the detectors whose threshold is reached; one that finds no room goes on counting."""
        found: list[Evidence] = []
        for validator in sorted(self.standings):
            part = took.get(validator, Took())
            for stage in (Phase.PREVOTE.label, Phase.PRECOMMIT.label):
                misses = self._count(validator, stage, getattr(part, stage), self.thresholds.votes)
                found += self._censored(validator, stage, misses, number)
            if part.proof is not None:
                misses = self._count(validator, "proof", part.proof, self.thresholds.proof)
                found += self._censored(validator, "proof", misses, number)
            misses = self._count(validator, "inactivity", part.anything, self.thresholds.inactivity)
            found += self._inactive(validator, misses, number)
        return found

    def on_evidence(self, evidence: Evidence, number: int) -> bool:
        """Evidence that others bring in a round; False when it is known or about nobody in the set. Raises SlashingFull when there is no
        room for it at present: then it is not known, either."""
        if evidence.validator not in self.standings or evidence in self._known:
            return False
        if self.full:
            raise SlashingFull(f"{PENDING_MAX} pieces of evidence wait for a commit")
        self._add(evidence, Trigger(f"consensus_{evidence.kind.label}", evidence.validator, number, number))
        self._known.add(evidence)
        return True

    def on_commit(self, leader: int, verified: bool) -> Settlement:
        """A block commits. Without a verified proof nothing is booked, and every alarm stands."""
        if not verified:
            return Settlement()
        penalties = tuple(self._book(evidence) for evidence in self.pending)
        self._pending.clear()
        self._triggers.clear()
        flagged = {p.validator for p in penalties}
        rewards: dict[int, int] = {}
        withheld: dict[int, int] = {}
        for validator in sorted(self.standings):
            bonus = self._base_reward * LEADER_BONUS_PERCENT // 100 if validator == leader else 0
            (withheld if validator in flagged else rewards)[validator] = self._base_reward + bonus
        for penalty in penalties:
            reporter = penalty.evidence.reporter
            if penalty.evidence.kind is Kind.VOTE_WITHHOLDING and reporter is not None and reporter in rewards:
                rewards[reporter] += self._base_reward // 2
        for validator, amount in rewards.items():
            standing = self.standings[validator]
            self.standings[validator] = replace(standing, time_tokens=standing.time_tokens + amount)
        return Settlement(penalties, rewards, withheld)

    def _count(self, validator: int, what: str, present: bool, threshold: int) -> int:
        """Consecutive misses when they have reached the threshold, which begins the count anew; else 0."""
        misses = 0 if present else self._misses.get((validator, what), 0) + 1
        fires = 0 < threshold <= misses and not self.full
        self._misses[(validator, what)] = 0 if fires else misses
        return misses if fires else 0

    def _censored(self, validator: int, stage: str, misses: int, number: int) -> list[Evidence]:
        if not misses:
            return []
        evidence = Evidence(Kind.CENSORSHIP, validator, f"stage={stage} misses={misses} round={number}")
        self._add(evidence, Trigger(f"consensus_censorship_{stage}", validator, number - misses + 1, number))
        self._lower_score(validator, CENSORSHIP_SCORE)
        return [evidence]

    def _inactive(self, validator: int, misses: int, number: int) -> list[Evidence]:
        if not misses:
            return []
        evidence = Evidence(Kind.INACTIVITY, validator, f"misses={misses} round={number}")
        self._add(evidence, Trigger("consensus_inactivity", validator, number - misses + 1, number))
        self._lower_score(validator, INACTIVITY_SCORE)
        return [evidence]

    def _add(self, evidence: Evidence, trigger: Trigger) -> None:
        self._pending.append(evidence)
        self._triggers.append(trigger)

    def _lower_score(self, validator: int, factor: float) -> None:
        standing = self.standings[validator]
        self.standings[validator] = replace(standing, score=standing.score * factor)

    def _book(self, evidence: Evidence) -> Penalty:
        penalty = Penalty(evidence.validator, penalty_of(evidence.kind, self._base_reward), evidence)
        standing = self.standings[evidence.validator]
        left = max(standing.time_tokens - penalty.amount, 0)
        self.standings[evidence.validator] = replace(standing, time_tokens=left, tier=max(standing.tier - 1, 0))
        self.history.append(penalty)
        return penalty
