"""A validator's secrets, which its own node alone holds, and what everybody knows of them.

All keys are derived from the run's seed and real in every other respect.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

from simnet.base.catalogue import BackendId
from simnet.base.recent import Recent
from simnet.base.rng import Secrets
from simnet.net.peers import keys_of_both_classes
from simnet.proofs import native
from simnet.protocol.blocks import Registration
from simnet.protocol.joins import Join
from simnet.protocol.validators import SLOTS_PER_EPOCH, Lane, Validator

TREES_KEPT = 256
"""A validator's one-time-key trees: each field and lane of some thirty epochs."""
PUBLIC_KEPT = 65_536
Keys = tuple[bytes, bytes, bytes, bytes]
"""One-time keys K0..K3 of a slot."""


class Signable(Protocol):
    """A message, as a dataclass, that its author signs with an Ed25519 key."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def signature(self) -> bytes: ...

    def signing_bytes(self) -> bytes:
        """What the signature covers."""


S = TypeVar("S", bound=Signable)


@dataclass(frozen=True, slots=True)
class PublicOtk:
    """What everybody knows of one slot of a validator's one-time keys."""

    keys: bytes
    """H[OTK] of K0..K3."""
    path: bytes


class Keyring:
    """The secrets of one node: its own signing key, VRF key, one-time keys and wallet lanes."""

    def __init__(self, secrets: Secrets, node: int, signing: bytes) -> None:
        self.node = node
        self._secrets = secrets
        self._signing = signing
        self._vrf = secrets.of("vrf")
        self._trees: Recent[tuple[BackendId, int, Lane], native.OtkTree] = Recent(TREES_KEPT)

    # --- public ----------------------------------------------------------------------------------

    @property
    def key(self) -> bytes:
        """The Ed25519 public key."""
        return native.ed25519_public_key(self._signing)

    @property
    def vrf_key(self) -> bytes:
        """The VRF's public key."""
        return native.vrf_public_key(self._vrf)

    def lane_key(self, number: int) -> bytes:
        """The public key of a lane of its wallet."""
        return native.ed25519_public_key(self._lane(number))

    def public_otk(self, backend: BackendId, slot: int, lane: Lane) -> PublicOtk:
        """The public keys and path that travel with its registration."""
        epoch, index = divmod(slot, SLOTS_PER_EPOCH)
        tree = self._tree(backend, epoch, lane)
        return PublicOtk(tree.public(index), tree.path(index))

    def otk_roots(self, epoch: int) -> tuple[tuple[bytes, ...], ...]:
        """The roots of its public keys of an epoch, by lane and backend."""
        return tuple(tuple(self._tree(b, epoch, lane).root for b in BackendId) for lane in Lane)

    # --- the node's own ----------------------------------------------------------------------------

    def sign(self, message: bytes) -> bytes:
        """The node's signature."""
        return native.ed25519_sign(self._signing, message)

    def signed(self, unsigned: S) -> S:
        """A message with the node's signature."""
        return replace(unsigned, signature=self.sign(unsigned.signing_bytes()))

    def sign_for_lane(self, number: int, message: bytes) -> bytes:
        """The signature of a lane of its wallet."""
        return native.ed25519_sign(self._lane(number), message)

    def one_time(self, backend: BackendId, slot: int, lane: Lane) -> Keys:
        """The one-time keys of a slot."""
        epoch, index = divmod(slot, SLOTS_PER_EPOCH)
        tree = self._tree(backend, epoch, lane)
        return tree.key(index, 0), tree.key(index, 1), tree.key(index, 2), tree.key(index, 3)

    def registration(self, chain_id: bytes, epoch: int) -> Registration:
        """The signed registration for an epoch."""
        vrf = native.vrf_prove(self._vrf, vrf_input(chain_id, epoch))
        return self.signed(Registration(self.node, epoch, self.otk_roots(epoch), vrf, b""))

    def join(self, chain_id: bytes) -> Join:
        """The signed request to join."""
        bare = Join(self.node, self.key, self.vrf_key, b"", b"")
        drawn = replace(bare, vrf=native.vrf_prove(self._vrf, bare.vrf_input(chain_id)))
        return replace(drawn, signature=self.sign(drawn.signing_bytes(chain_id)))

    def _lane(self, number: int) -> bytes:
        return self._secrets.of("lane", number)

    def _tree(self, backend: BackendId, epoch: int, lane: Lane) -> native.OtkTree:
        def make() -> native.OtkTree:
            return native.OtkTree(backend, self._secrets.of("one-time-keys", lane), epoch)

        return self._trees.made((backend, epoch, lane), make)


def make_keyrings(nodes: int, seed: int, static_key_seed: str | None = None) -> tuple[Keyring, ...]:
    """Those of all nodes. From the signing keys follow peer ids and classes; a `static_key_seed` replaces the run's seed for them."""
    if static_key_seed is not None:
        secrets = static_secrets(nodes, static_key_seed)
    else:
        secrets = keys_of_both_classes(nodes, lambda node, attempt: Secrets(seed, node).of("node", attempt), native.ed25519_public_key)
    return tuple(Keyring(Secrets(seed, node), node, secret) for node, secret in enumerate(secrets))


def static_secrets(nodes: int, text: str) -> tuple[bytes, ...]:
    """Upstream's fixed keys: node i's secret is SHA-256(text, then i as 8 bytes little-endian)."""
    return tuple(hashlib.sha256(text.encode() + node.to_bytes(8, "little")).digest() for node in range(nodes))


class PublicKeys:
    """The public one-time keys that travel with registrations. Nothing secret can be asked for here."""

    def __init__(self, keyrings: Sequence[Keyring]) -> None:
        self._keyrings = tuple(keyrings)
        self._known: Recent[tuple[int, BackendId, int, Lane], PublicOtk] = Recent(PUBLIC_KEPT)

    def of(self, node: int, backend: BackendId, slot: int, lane: Lane) -> PublicOtk:
        """A validator's, of a slot."""
        place = (node, backend, slot, lane)
        return self._known.made(place, lambda: self._keyrings[node].public_otk(backend, slot, lane))

    def roots(self, node: int, epoch: int) -> tuple[tuple[bytes, ...], ...]:
        """Those of a validator's keys of an epoch, by lane and backend: what everybody who gets the keys computes."""
        return self._keyrings[node].otk_roots(epoch)


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


def vrf_input(chain_id: bytes, epoch: int) -> bytes:
    """What validators evaluate their VRF on for an epoch."""
    return b"SIMNET-EPOCH-VRF-V1" + chain_id + struct.pack("<Q", epoch)


def registration_valid(registration: Registration, validators: Sequence[Validator], chain_id: bytes, public: PublicKeys) -> bool:
    """Signature and VRF proof of a registration, and whether its roots are those of the keys that travel with it."""
    if not 0 <= registration.validator < len(validators):
        return False
    if [len(lane) for lane in registration.otk_roots] != [len(BackendId)] * len(Lane):
        return False
    validator = validators[registration.validator]
    if not native.ed25519_verify(validator.key, registration.signing_bytes(), registration.signature):
        return False
    if not native.vrf_verify(validator.vrf_key, vrf_input(chain_id, registration.epoch), registration.vrf):
        return False
    return registration.otk_roots == public.roots(registration.validator, registration.epoch)
