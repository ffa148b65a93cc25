"""Peer ids and peer classes, both of which follow from a node's Ed25519 public key."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

K = TypeVar("K")
PeerClass = Literal["trusted", "untrusted"]
PEER_ID_PREFIX = bytes.fromhex("002408011220")
"""An identity multihash of a protobuf Ed25519 key: libp2p's peer id of such a key. The text begins `12D3KooW`."""
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
KEY_ATTEMPTS_MAX = 256
"""Each attempt misses with probability 1/2, so running out of them means that `make` ignores its argument."""


def base58(data: bytes) -> str:
    """Bitcoin's base58: a leading zero byte is a leading `1`."""
    number, digits = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        digits = BASE58[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def peer_id(public_key: bytes) -> str:
    """libp2p's text for an Ed25519 public key (32 bytes)."""
    return base58(PEER_ID_PREFIX + public_key)


def class_of(public_key: bytes) -> PeerClass:
    """trusted if the last byte is even (specification, section 3.4)."""
    return "untrusted" if public_key[-1] % 2 else "trusted"


def classes_for(public_keys: Sequence[bytes]) -> tuple[PeerClass, ...]:
    """Class of each node."""
    return tuple(class_of(key) for key in public_keys)


def keys_of_both_classes(nodes: int, make: Callable[[int, int], K], public: Callable[[K], bytes]) -> tuple[K, ...]:
    """Keys of all nodes such that, from two nodes on, both classes occur.

    `make(node, attempt)` is a node's key; every node gets attempt 0. Should all of them fall into one class, the
    *last* node takes the first later attempt of the other class. So a class always agrees with its peer id, and
    the same `make` gives the same keys. Raises `AssertionError` when no attempt gives that class.
    """
    keys = [make(node, 0) for node in range(nodes)]
    if nodes < 2 or len({class_of(public(key)) for key in keys}) == 2:
        return tuple(keys)
    lonely = class_of(public(keys[0]))
    for attempt in range(1, KEY_ATTEMPTS_MAX):
        other = make(nodes - 1, attempt)
        if class_of(public(other)) != lonely:
            return (*keys[:-1], other)
    raise AssertionError("the key maker gives the same class for every attempt")
