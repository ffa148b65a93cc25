"""Who votes on a height, with which weight, which keys, and who leads a slot.

Members and weights are the chain's; they are the same for every slot in which a height is voted on, and a quorum is more
than two thirds of the weight of *all* members. A registration brings keys, never membership: a one-time-key root for each
lane and proof backend, and a VRF output that orders leaders. Registrations are counted in the order of the chain, so "the
first k registrations of an epoch" means the same to every node that holds these blocks.
"""

import hashlib
import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from itertools import islice

from simnet.protocol.blocks import Registration

SLOTS_PER_EPOCH = 32
"""Fixed by the consensus circuit: a one-time-key tree has 32 slots."""


def epoch_of(slot: int) -> int:
    """The epoch that a slot belongs to."""
    return slot // SLOTS_PER_EPOCH


class Lane(IntEnum):
    """What a one-time key is for. Each lane of an epoch has a key tree of its own, so no key serves both."""

    VOTE = 0
    """The three phases of a slot's vote."""
    ENDORSE = 1
    """Certifying the block of this very slot once more, whenever that is."""
    RECOVER = 2
    """Certifying, in this slot, an earlier block whose own slot's epoch had too few keys."""


@dataclass(frozen=True, slots=True)
class Validator:
    """A validator as the genesis lists it; its place in that list is its index."""

    index: int
    key: bytes
    """Ed25519 public key."""
    vrf_key: bytes
    """sr25519 public key of its VRF."""
    weight: int
    tier: int
    timetoke_hours: int


@dataclass(frozen=True)
class ValidatorSet:
    """All members, sorted by public key: the order of the circuit's validator slots."""

    members: tuple[Validator, ...]

    @staticmethod
    def of(validators: Iterable[Validator]) -> "ValidatorSet":
        return ValidatorSet(tuple(sorted(validators, key=lambda v: v.key)))

    @cached_property
    def total(self) -> int:
        """Weight of all members."""
        return sum(v.weight for v in self.members)

    @cached_property
    def threshold(self) -> int:
        """Least weight of a quorum: floor(2·total/3) + 1."""
        return 2 * self.total // 3 + 1

    @cached_property
    def weights(self) -> dict[int, int]:
        """Weight by validator index."""
        return {v.index: v.weight for v in self.members}

    def weight_of(self, voters: Iterable[int]) -> int:
        """Weight of these validators, each of whom is to be named once; others than members weigh nothing."""
        return sum(self.weights.get(v, 0) for v in voters)

    @cached_property
    def digest(self) -> bytes:
        """Identity of the set: keys, weights, tiers, timetoke hours."""
        packed = b"".join(v.key + struct.pack("<QBQ", v.weight, v.tier, v.timetoke_hours) for v in self.members)
        return hashlib.blake2s(b"SIMNET-MEMBERS-V1" + packed).digest()


@dataclass(frozen=True, slots=True)
class Registry:
    """The registrations that a chain has taken: by epoch, in the order of the chain."""

    epochs: Mapping[int, Mapping[int, Registration]]
    """Epoch -> validator -> registration."""

    def count(self, epoch: int) -> int:
        """How many validators have registered for an epoch."""
        return len(self.epochs.get(epoch, ()))

    def first(self, epoch: int, count: int) -> dict[int, Registration]:
        """The first `count` registrations of an epoch by validator; fewer when there are fewer."""
        return dict(islice(self.epochs.get(epoch, {}).items(), count))

    def of(self, validator: int, epoch: int) -> Registration | None:
        """A validator's registration for an epoch."""
        return self.epochs.get(epoch, {}).get(validator)

    def newest_vrf(self, validator: int, epoch: int) -> bytes | None:
        """The VRF output of a validator's newest registration for `epoch` or an earlier one."""
        for known in sorted((e for e in self.epochs if e <= epoch), reverse=True):
            registration = self.of(validator, known)
            if registration is not None:
                return registration.vrf[:32]
        return None

    def with_new(self, registrations: Iterable[Registration]) -> "Registry":
        """After a block's registrations, none of which is known."""
        epochs = dict(self.epochs)
        for r in registrations:
            epochs[r.epoch] = {**epochs.get(r.epoch, {}), r.validator: r}
        return Registry(epochs)

    def why_not(self, registrations: Iterable[Registration], slot: int, horizon: int) -> str | None:
        """Why a block proposed in `slot` may not bring these registrations; `None` when it may.

        Each is for the slot's epoch or one of the next `horizon` ones, and the first of its validator for that epoch.
        """
        seen = set()
        for r in registrations:
            place = (r.validator, r.epoch)
            if not 0 <= r.epoch - epoch_of(slot) <= horizon:
                return "registration_epoch"
            if place in seen or self.of(*place) is not None:
                return "registration_again"
            seen.add(place)
        return None


LEADERS_REMEMBERED = 256
"""Slots whose leaders an electorate remembers."""


@dataclass(frozen=True)
class Electorate:
    """Members of a height, and the keys that the chain had before it."""

    members: ValidatorSet
    registry: Registry
    _leaders: dict[int, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def weights(self) -> dict[int, int]:
        return self.members.weights

    @property
    def threshold(self) -> int:
        return self.members.threshold

    def registered(self, slot: int) -> int:
        """How many registrations the votes of a slot on this height count on."""
        return self.registry.count(epoch_of(slot))

    def leaders(self, slot: int) -> tuple[int, ...]:
        """All members in leader order for a slot: a race of exponentials with rate = weight.

        Member v draws u from (VRF output, slot) and is ordered by −ln(u)/weight, so it comes first with probability
        weight/total (Efraimidis and Spirakis 2006, weighted sampling without replacement). VRF outputs are verified
        and fixed before the block, so nobody can grind a slot. A member that has none for the slot's epoch races with
        its newest one: foreseeable for longer, still as good as random.
        """
        if slot not in self._leaders:
            if len(self._leaders) >= LEADERS_REMEMBERED:  # A proposal may be of any slot.
                del self._leaders[next(iter(self._leaders))]
            self._leaders[slot] = tuple(index for _, index in sorted(self._race(v, slot) for v in self.members.members))
        return self._leaders[slot]

    def leader(self, slot: int) -> int:
        """Who proposes in a slot."""
        return self.leaders(slot)[0]

    def _race(self, v: Validator, slot: int) -> tuple[float, int]:
        output = self.registry.newest_vrf(v.index, epoch_of(slot)) or v.key
        digest = hashlib.blake2s(output + struct.pack("<Q", slot)).digest()
        u = (int.from_bytes(digest[:8], "little") >> 11) + 1
        return -math.log(u / 2**53) / v.weight, v.index
