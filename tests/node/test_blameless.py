"""Nobody who keeps to the rules loses points with its neighbours; proofs are mocks."""

from array import array
from dataclasses import replace
from itertools import count

import pytest

from simnet.base.blob import Blob
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.units import NodeId
from simnet.events import MessagePublished, MessageValidated, PeerScored, ProofMade
from simnet.events.network import CONSENSUS_TOPIC
from simnet.net.message import Message, Validation
from simnet.node import block_prover
from simnet.node.letters import Letter, Misdeed
from simnet.node.peers import content_of
from simnet.node.processor import Ticket
from simnet.protocol import certification
from simnet.protocol.messages import BlockProof, Phase, Vote
from tests.mocks import Bench, misbehaving, scenario, slot_start_ns


def test_an_own_vote_that_comes_back_goes_no_further() -> None:
    """Anybody may send an old vote as a new message; who passed it on twice would lose points with its neighbours."""
    b = Bench(scenario(5, slots=5, faults={"nodes": [misbehaving(1)]}))

    def echo() -> None:
        sent = [v for v in b.nodes[2].chain.committed[-1].certificate.votes if v.validator == 2]
        b.network.publish(NodeId(1), topic=CONSENSUS_TOPIC, kind="vote", payload=sent[0], size=sent[0].size)

    b.at(2500, echo)
    assert b.run().complete
    (message,) = [e.message for e in b.of(MessagePublished) if e.kind == "vote" and e.at == slot_start_ns(2, 1000) + 500_000_000]
    assert {(e.node, e.verdict) for e in b.of(MessageValidated) if e.message == message} == {(n, "ignore") for n in (0, 2, 3, 4)}


@pytest.mark.parametrize("apart_ms", [0, 4, 9, 10, 11])
def test_equal_proofs_of_several_provers_pass_each_node_once(apart_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a ring all prove every block, some a little later: when their proof is ready an equal one may be here, or be being verified."""
    for module in (certification, block_prover):
        monkeypatch.setattr(module, "turn_of", lambda rank: 0)
    when_ready = Ticket.when_ready

    def later(self: Ticket, letter: Letter) -> None:
        number = next(order)
        when_ready(self, Misdeed(lambda: self._letters.post_after(number % 3 * apart_ms * 1_000_000, letter)))

    monkeypatch.setattr(Ticket, "when_ready", later)
    order = count()
    b = Bench(scenario(5, slots=5, topology={"type": "ring", "k": 2}, chain={"block_proofs": ["state", "recursive"]}))
    result = b.run()
    assert result.complete, result.violations
    assert not b.of(PeerScored)
    made = {(e.node, e.circuit) for e in b.of(ProofMade)}
    assert {(n, c) for n in range(5) for c in ("consensus", "state")} <= made


def test_a_message_that_comes_again_is_no_duplicate_and_its_content_in_another_is() -> None:
    """Lazy repair may bring what had only been slow, when the first copy is forgotten."""
    b = Bench(scenario(4, slots=3, faults={"nodes": [misbehaving(1)]}))
    vote = Vote(1, 0, Phase.PREVOTE, None, 2, b"", bytes(64))
    first, second = (Message(n, NodeId(2), CONSENSUS_TOPIC, "vote", vote, vote.size, b.now, None, array("q")) for n in (1, 2))
    peers = b.nodes[0].peers
    for message, verdict in ((first, Validation.ACCEPT), (first, Validation.IGNORE)):
        peers.judged(message, NodeId(1), verdict, "replay")
    assert not b.of(PeerScored)
    peers.judged(second, NodeId(1), Validation.IGNORE, "replay")
    assert [(e.node, e.peer, e.cause) for e in b.of(PeerScored)] == [(0, 1, "duplicate_proof")]


def test_one_proof_of_two_blocks_is_no_duplicate() -> None:
    """Two empty blocks of one second have one state statement, so the same bytes prove both."""
    one = BlockProof(1, b"a" * 32, CircuitId.STATE, 0, BackendId.STWO, Blob(b"proof"), 2, b"")
    assert content_of(one) != content_of(replace(one, height=2, block=b"b" * 32))
    assert content_of(one) == content_of(replace(one, prover=3, signature=b"s")), "whoever says it"
