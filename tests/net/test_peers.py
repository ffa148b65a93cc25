"""Peer ids and classes."""

import hashlib

import pytest

from simnet.net.peers import base58, class_of, classes_for, keys_of_both_classes, peer_id


def test_base58_known_values() -> None:
    # test vectors of the base58 Internet draft
    assert base58(b"Hello World!") == "2NEpo7TZRRrLZSi2U"
    assert base58(bytes.fromhex("0000287fb4cd")) == "11233QC4"


def test_peer_ids_look_like_libp2p_ed25519_ids() -> None:
    text = peer_id(bytes(range(32)))
    assert text.startswith("12D3KooW") and len(text) == 52


def test_class_is_the_parity_of_the_last_byte() -> None:
    assert classes_for([bytes([1, 2]), bytes([2, 1])]) == ("trusted", "untrusted")


def key(node: int, attempt: int) -> bytes:
    return hashlib.blake2s(bytes([node, attempt])).digest()


@pytest.mark.parametrize("nodes", range(2, 12))
def test_both_classes_exist_from_two_nodes_on(nodes: int) -> None:
    for shift in range(20):
        keys = keys_of_both_classes(nodes, lambda node, attempt, s=shift: key(node + s, attempt), bytes)  # type: ignore[misc]
        assert set(classes_for(keys)) == {"trusted", "untrusted"}
        assert keys[:-1] == tuple(key(node + shift, 0) for node in range(nodes - 1)), "only the last key may change"


def test_keys_of_mixed_parity_and_of_one_node_are_left_alone() -> None:
    assert keys_of_both_classes(2, lambda node, _: bytes([node]), bytes) == (b"\0", b"\1")
    assert keys_of_both_classes(1, lambda node, _: bytes([node]), bytes) == (b"\0",)


def test_a_class_always_agrees_with_its_key() -> None:
    keys = keys_of_both_classes(3, lambda node, attempt: bytes([4, node * 2 + attempt]), bytes)
    assert [class_of(k) for k in keys] == ["trusted", "trusted", "untrusted"]
    assert keys[2] == bytes([4, 5])
