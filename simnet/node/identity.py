"""The keys of the simulated validators: derived from the run's seed, real in every other respect.

Also what is public of them: registrations, and the public one-time keys that travel with them.
"""

import hashlib
import struct
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, ClassVar, Protocol, TypeVar

from simnet.base import rng
from simnet.base.catalogue import BackendId
from simnet.net.peers import keys_of_both_classes
from simnet.proofs import native
from simnet.protocol.blocks import Registration
from simnet.protocol.validators import SLOTS_PER_EPOCH, Lane, Validator
from simnet.scenario.model import Scenario


def node_secrets(nodes: int, seed: int, static_key_seed: str | None = None) -> tuple[bytes, ...]:
    """Signing seeds of the nodes' Ed25519 keys, from which peer ids and peer classes follow.

    A `static_key_seed` replaces the run's seed.
    """
    if static_key_seed is not None:
        return static_secrets(nodes, static_key_seed)
    return keys_of_both_classes(nodes, lambda node, attempt: rng.secret(seed, "node", node, attempt), native.ed25519_public_key)


def static_secrets(nodes: int, text: str) -> tuple[bytes, ...]:
    """Upstream's fixed keys: node i's secret is SHA-256(text, then i as 8 bytes little-endian)."""
    return tuple(hashlib.sha256(text.encode() + node.to_bytes(8, "little")).digest() for node in range(nodes))


def vrf_secret(seed: int, node: int) -> bytes:
    """Seed of a node's VRF key."""
    return rng.secret(seed, "vrf", node)


def vrf_input(chain_id: bytes, epoch: int) -> bytes:
    """What validators evaluate their VRF on for an epoch."""
    return b"SIMNET-EPOCH-VRF-V1" + chain_id + struct.pack("<Q", epoch)


def make_validators(scenario: Scenario, seed: int, secrets: tuple[bytes, ...]) -> tuple[Validator, ...]:
    """One validator per node, with stake drawn uniformly from the scenario's range."""
    random = rng.generator(seed, "stake")
    low, high = scenario.consensus.weight_min, scenario.consensus.weight_max
    return tuple(
        Validator(
            index=i,
            key=native.ed25519_public_key(secrets[i]),
            vrf_key=native.vrf_public_key(vrf_secret(seed, i)),
            weight=int(random.integers(low, high, endpoint=True)),
            tier=1 + int(random.integers(5)),
            timetoke_hours=int(random.integers(721)),
        )
        for i in range(scenario.topology.n)
    )


@lru_cache(maxsize=4096)
def otk_tree(seed: int, node: int, backend: BackendId, epoch: int, lane: Lane) -> native.OtkTree:
    """A validator's one-time keys of an epoch and lane in one field. Only the validator itself may use `key`."""
    return native.OtkTree(backend, rng.secret(seed, "one-time-keys", node, lane), epoch)


@dataclass(frozen=True, slots=True)
class PublicOtk:
    """What everybody knows of one slot of a validator's one-time keys."""

    keys: bytes
    """K0..K3."""
    path: bytes


@lru_cache(maxsize=65536)
def public_otk(seed: int, node: int, backend: BackendId, slot: int, lane: Lane) -> PublicOtk:
    """The public keys and path that travelled with the validator's registration."""
    epoch, index = divmod(slot, SLOTS_PER_EPOCH)
    tree = otk_tree(seed, node, backend, epoch, lane)
    return PublicOtk(tree.public(index), tree.path(index))


class Signable(Protocol):
    """A message, as a dataclass, that its author signs with an Ed25519 key."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def signature(self) -> bytes: ...

    def signing_bytes(self) -> bytes:
        """What the signature covers."""


S = TypeVar("S", bound=Signable)


def signed(unsigned: S, secret: bytes) -> S:
    """A message with its author's signature."""
    return replace(unsigned, signature=native.ed25519_sign(secret, unsigned.signing_bytes()))


def own_keys(seed: int, node: int, backend: BackendId, slot: int, lane: Lane) -> tuple[bytes, bytes, bytes, bytes]:
    """A validator's one-time keys K0..K3 of a slot. Only the validator itself may ask."""
    epoch, index = divmod(slot, SLOTS_PER_EPOCH)
    tree = otk_tree(seed, node, backend, epoch, lane)
    return tree.key(index, 0), tree.key(index, 1), tree.key(index, 2), tree.key(index, 3)


@dataclass(frozen=True, slots=True)
class NoKeys:
    """In place of the keys of a member that has not registered for an epoch: its leaf is in the circuit's tree like any other."""

    root: bytes
    public: PublicOtk


@cache
def no_keys(backend: BackendId) -> NoKeys:
    """A tree of zero digests. To vote with it takes a preimage of the zero digest under H[OTK], which nobody has."""
    slot = native.merkle_root(backend, bytes(4 * 32), 2, bytes(32))
    slots = slot * SLOTS_PER_EPOCH
    depth = SLOTS_PER_EPOCH.bit_length() - 1
    path = native.merkle_paths(backend, slots, depth, slot, [0])[0]
    return NoKeys(native.binary_root(backend, slots, depth, slot), PublicOtk(bytes(4 * 32), path))


def make_registration(seed: int, chain_id: bytes, node: int, secret: bytes, epoch: int) -> Registration:
    """A validator's signed registration for an epoch."""
    roots = tuple(tuple(otk_tree(seed, node, b, epoch, lane).root for b in BackendId) for lane in Lane)
    vrf = native.vrf_prove(vrf_secret(seed, node), vrf_input(chain_id, epoch))
    unsigned = Registration(node, epoch, roots, vrf, b"")
    return signed(unsigned, secret)


def registration_valid(registration: Registration, validators: tuple[Validator, ...], chain_id: bytes) -> bool:
    """Signature and VRF proof of a registration."""
    if not 0 <= registration.validator < len(validators):
        return False
    if [len(lane) for lane in registration.otk_roots] != [len(BackendId)] * len(Lane):
        return False
    validator = validators[registration.validator]
    if not native.ed25519_verify(validator.key, registration.signing_bytes(), registration.signature):
        return False
    return native.vrf_verify(validator.vrf_key, vrf_input(chain_id, registration.epoch), registration.vrf)
