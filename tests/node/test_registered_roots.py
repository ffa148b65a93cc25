"""A registration's roots are those of the public keys that travel with it, or nobody counts on it."""

from dataclasses import replace

import pytest

from simnet.base.catalogue import BackendId
from simnet.net.network import Validation
from simnet.protocol.blocks import Registration
from simnet.protocol.validators import Lane
from tests.mocks import scenario
from tests.node.alone import Puppet, puppets

OTHER = {
    "not canonical": b"\xff" * 32,
    "another epoch's": None,
}


def registered(author: Puppet, lane: Lane, backend: BackendId, root: bytes | None) -> Registration:
    """Signed by its author, with one root of another epoch's keys, or this one, in the place of its own."""
    keyring, chain_id = author.node.keyring, author.node._facts.genesis.chain_id
    genuine = keyring.registration(chain_id, 1)
    roots = [list(of_lane) for of_lane in genuine.otk_roots]
    place = list(BackendId).index(backend)
    roots[lane][place] = keyring.otk_roots(2)[lane][place] if root is None else root
    return keyring.signed(replace(genuine, otk_roots=tuple(map(tuple, roots)), signature=b""))


@pytest.mark.parametrize("what", OTHER)
@pytest.mark.parametrize("backend", BackendId)
@pytest.mark.parametrize("lane", Lane)
def test_one_false_root_is_refused(lane: Lane, backend: BackendId, what: str) -> None:
    four = puppets(scenario(4, chain={"block_proofs": []}, consensus={"key_horizon_epochs": 1}))
    author, other = four[1], four[2]
    false = registered(author, lane, backend, OTHER[what])
    assert other.hear("registration", false, author.node.id) == (Validation.REJECT, "registration")
    assert not other.node._facts.registration_valid(false), "a block cannot bring it either"
    genuine = author.node.keyring.registration(author.node._facts.genesis.chain_id, 1)
    assert other.hear("registration", genuine, author.node.id)[0] is Validation.ACCEPT
