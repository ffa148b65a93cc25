"""Validator sets per epoch, quorums and the VRF-ordered leaders of every slot."""

import hashlib
import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from simnet.protocol.blocks import Registration

SLOTS_PER_EPOCH = 32
"""Fixed by the consensus circuit: a one-time-key tree has 32 slots."""


def epoch_of(slot: int) -> int:
    """The epoch that a slot belongs to."""
    return slot // SLOTS_PER_EPOCH


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


@dataclass(frozen=True, slots=True)
class Member:
    """A validator that has registered for an epoch."""

    validator: Validator
    otk_roots: tuple[bytes, ...]
    vrf_output: bytes


@dataclass(frozen=True)
class EpochSet:
    """Who votes in an epoch, sorted by public key: the order of the circuit's validator slots."""

    epoch: int
    members: tuple[Member, ...]

    @staticmethod
    def of(epoch: int, validators: tuple[Validator, ...], registrations: Iterable[Registration]) -> "EpochSet":
        """The set of those who registered; a second registration of a validator is ignored."""
        members: dict[int, Member] = {}
        for r in registrations:
            if r.epoch == epoch and r.validator not in members:
                members[r.validator] = Member(validators[r.validator], r.otk_roots, r.vrf[:32])
        return EpochSet(epoch, tuple(sorted(members.values(), key=lambda m: m.validator.key)))

    @cached_property
    def total(self) -> int:
        """Stake of all members."""
        return sum(m.validator.weight for m in self.members)

    @cached_property
    def threshold(self) -> int:
        """Least stake of a quorum: floor(2·total/3) + 1."""
        return 2 * self.total // 3 + 1

    @cached_property
    def weights(self) -> dict[int, int]:
        """Stake by validator index."""
        return {m.validator.index: m.validator.weight for m in self.members}

    def leaders(self, slot: int) -> tuple[int, ...]:
        """All members in leader order for a slot: a race of exponentials with rate = stake.

        Member v draws u from (VRF output, slot) and is ordered by −ln(u)/stake, so it comes first with probability
        stake/total (Efraimidis and Spirakis 2006, weighted sampling without replacement). VRF outputs are verified
        and fixed before the epoch begins, so nobody can grind a slot.
        """
        return _leaders(self, slot)


@lru_cache(maxsize=4096)
def _leaders(members: EpochSet, slot: int) -> tuple[int, ...]:
    def race(m: Member) -> tuple[float, int]:
        digest = hashlib.blake2s(m.vrf_output + struct.pack("<Q", slot)).digest()
        u = (int.from_bytes(digest[:8], "little") >> 11) + 1
        return -math.log(u / 2**53) / m.validator.weight, m.validator.index

    return tuple(index for _, index in sorted(race(m) for m in members.members))
