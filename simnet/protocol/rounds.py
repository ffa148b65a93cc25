"""Who took part in which round (slot), as one node has seen it: what the slashing detectors are fed with.

Pure. A vote of a later phase counts for the earlier ones too: whoever sees a quorum before its own turn goes on without
casting. A round in which no quorum was seen is not judged, since then the judge may be the one who is cut off.
"""

from collections import defaultdict
from collections.abc import Mapping

from simnet.protocol.messages import Phase, Vote
from simnet.protocol.slashing import Took
from simnet.protocol.validators import ValidatorSet

ROUNDS_KEPT = 64
"""Rounds before the newest one that are remembered."""
NOT_ASKED = Took(prevote=True, precommit=True)
"""The part of a validator that has no vote in a round: neither a miss nor an absence."""


class Rounds:
    """One node's record of the last rounds."""

    def __init__(self) -> None:
        self._newest = 0
        self._phases: dict[int, dict[int, Phase]] = defaultdict(dict)
        self._heard: dict[int, set[int]] = defaultdict(set)
        self._proposed: dict[int, set[int]] = defaultdict(set)

    def begin(self, slot: int) -> None:
        """A round begins; what is old is forgotten, and what is to come, as after a clock has been put back."""
        self._newest = slot
        for kept in (self._phases, self._heard, self._proposed):
            for old in [s for s in kept if not self._keeps(s)]:
                del kept[old]

    def voted(self, vote: Vote) -> None:
        """A verified vote, for a block or nil."""
        if self._keeps(vote.slot):
            votes = self._phases[vote.slot]
            votes[vote.validator] = max(vote.phase, votes.get(vote.validator, vote.phase))

    def proposed(self, validator: int, slot: int) -> None:
        """A verified proposal."""
        if self._keeps(slot):
            self._proposed[slot].add(validator)
            self._heard[slot].add(validator)

    def heard(self, validator: int, slot: int) -> None:
        """Something else that a validator signed in a round: it was up."""
        if self._keeps(slot):
            self._heard[slot].add(validator)

    def has_proposal(self, validator: int, slot: int) -> bool:
        return validator in self._proposed.get(slot, ())

    def was_heard(self, validator: int, first: int, last: int) -> bool:
        """Whether a validator signed something other than votes in each of these rounds."""
        return all(validator in self._heard.get(slot, ()) for slot in range(first, last + 1))

    def took(self, slot: int, members: ValidatorSet, validators: range) -> dict[int, Took] | None:
        """Everybody's part in a round; None when it cannot be judged."""
        phases = self._phases.get(slot, {})
        if sum(weight for v, weight in members.weights.items() if v in phases) < members.threshold:
            return None
        return {v: _part(phases, v) if v in members.weights else NOT_ASKED for v in validators}

    def _keeps(self, slot: int) -> bool:
        """Signed messages may name any slot: only those about now are kept."""
        return self._newest - ROUNDS_KEPT <= slot <= self._newest + 1


def _part(phases: Mapping[int, Phase], validator: int) -> Took:
    phase = phases.get(validator)
    return Took(prevote=phase is not None, precommit=phase is not None and phase >= Phase.PRECOMMIT)
