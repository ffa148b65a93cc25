"""What a node's neighbours lose and gain with it, message by message, and how much of its verifier's time they get."""

from dataclasses import replace
from typing import Any

import pytest

from simnet.base.blob import Blob
from simnet.base.units import NodeId, from_ms
from simnet.events import PeerBanned, PeerConnected, PeerDisconnected, PeerScored
from simnet.net.message import Message, Validation
from simnet.node.peers import SENT_MAX, BanDue, BanOver, Peers, content_of
from simnet.protocol.messages import Certificate, ConsensusProof, Phase, Vote
from tests.mocks import Bench, misbehaving, scenario
from tests.node.alone import Post, Written, facts_of, gossiped

PEER = NodeId(1)
VOTE = Vote(1, 0, Phase.PREVOTE, None, 2, b"", bytes(64))


SETTINGS: dict[str, Any] = {"gossip": {"peer_score_max": 5.0, "peer_ban_ms": 1000}}


def alone(**sections: Any) -> tuple[Peers, Written]:
    """What node 0 thinks of its neighbours 1 and 2, and what it does about it."""
    ports = Written()
    post, (facts, _) = Post(ports), facts_of(scenario(4, **SETTINGS, **sections))
    peers = Peers(facts, ports, post.box)
    post.route({BanDue: peers.on_ban_due, BanOver: peers.on_ban_over})
    return peers, ports


def message(number: int, payload: object = VOTE, kind: str = "vote") -> Message:
    return gossiped(number, kind, payload)


def scored(ports: Written) -> list[tuple[str, int]]:
    return [(e.cause, e.thousandths) for e in ports.events if isinstance(e, PeerScored)]


@pytest.mark.parametrize(
    ("kind", "reason", "cause", "points"),
    [
        ("vote", "SignatureInvalid", "invalid_vote", 2500),
        ("votes", "SignatureInvalid", "invalid_vote", 2500),
        ("proposal", "proof_of_lock", "invalid_block", 2500),
        ("block_response", "no_quorum", "invalid_block", 2500),
        ("evidence", "unfounded", "invalid_evidence", 2500),
        ("transaction", "MockProof", "invalid_proof", 1000),
        ("block_proof", "MockProof", "invalid_proof", 1000),
        ("registration", "registration", "invalid_vrf_submission", 1000),
        ("heartbeat", "SignatureInvalid", "invalid_timetoke_delta", 1000),
        ("status", "malformed", "proof_pipeline_error", 500),
        ("transaction", "UnknownBackend", "proof_pipeline_error", 500),
        ("block_proof", "UnknownProofKind", "proof_pipeline_error", 500),
    ],
)
def test_what_is_refused_costs_by_its_kind(kind: str, reason: str, cause: str, points: int) -> None:
    peers, ports = alone()
    peers.judged(message(1, kind=kind), PEER, Validation.REJECT, reason)
    assert scored(ports) == [(cause, points)] and peers.score(PEER) == 5000 - points


@pytest.mark.parametrize("reason", ["another_block", "foreign_leader", "registrations", "slot", "unexpected_proof"])
def test_what_an_honest_neighbour_may_have_seen_otherwise_costs_nothing(reason: str) -> None:
    peers, ports = alone()
    peers.refused("proposal", PEER, reason)
    assert scored(ports) == []


def test_good_messages_and_time_bring_points_back_up_to_the_most() -> None:
    peers, _ = alone()
    peers.blame(PEER, "made_up", 1000)
    gained = []
    for kind in ("vote", "transaction", "evidence", "heartbeat"):
        before = peers.score(PEER)
        peers.judged(message(1, object(), kind), PEER, Validation.ACCEPT, "")
        gained.append(peers.score(PEER) - before)
    assert gained == [400, 200, 150, 100]
    peers.judged(message(1, object()), PEER, Validation.ACCEPT, "")
    assert peers.score(PEER) == 5000
    peers.blame(PEER, "made_up", 4000)
    peers.on_slot()
    assert peers.score(PEER) == 1300


def test_nobody_takes_points_from_itself() -> None:
    peers, ports = alone()
    peers.refused("vote", NodeId(0), "SignatureInvalid")
    assert scored(ports) == []


def test_who_has_less_than_a_tenth_of_a_point_is_cut_off_once_and_comes_back_clean() -> None:
    peers, ports = alone()
    peers.blame(PEER, "made_up", peers.score(PEER) - 100)
    ports.pass_time(0)
    assert ports.links == []
    for _ in range(3):
        peers.blame(PEER, "made_up", 1)
    assert ports.links == [], "not in the middle of what the network is doing"
    ports.pass_time(from_ms(999))
    assert ports.links == [("cut", PEER)] and peers.score(PEER) == 99
    ports.pass_time(from_ms(2))
    assert ports.links == [("cut", PEER), ("join", PEER)] and peers.score(PEER) == 5000
    assert scored(ports)[1:] == [("made_up", 1)]
    assert [(e.node, e.peer, e.until - e.at) for e in ports.events if isinstance(e, PeerBanned)] == [(0, PEER, from_ms(1000))]


def test_a_ban_takes_the_link_down_and_ends() -> None:
    b = Bench(scenario(4, slots=3, faults={"nodes": [misbehaving(PEER)]}, **SETTINGS))
    b.at(500, lambda: b.nodes[0].peers.blame(PEER, "made_up", 5000))
    assert b.run().complete
    assert {(e.node, e.peer) for e in b.of(PeerDisconnected)} == {(0, PEER), (PEER, 0)}
    assert {(e.node, e.peer) for e in b.of(PeerConnected) if e.at > from_ms(600)} == {(0, PEER), (PEER, 0)}


def test_a_message_that_was_dropped_is_welcome_again() -> None:
    peers, ports = alone()
    peers.judged(message(1), PEER, Validation.DROP, "slot")
    peers.judged(message(2), PEER, Validation.IGNORE, "replay")
    assert scored(ports) == []
    peers.judged(message(3), PEER, Validation.IGNORE, "replay")
    assert scored(ports) == [("duplicate_proof", 200)]


def test_after_a_link_came_up_the_same_may_come_again() -> None:
    peers, ports = alone()
    peers.judged(message(1), PEER, Validation.ACCEPT, "")
    peers.connected(PEER)
    peers.judged(message(2), PEER, Validation.IGNORE, "replay")
    assert scored(ports) == []


def test_of_one_neighbour_many_messages_are_remembered_and_not_all() -> None:
    peers, ports = alone()
    votes = [replace(VOTE, slot=slot, signature=slot.to_bytes(64)) for slot in range(SENT_MAX + 1)]
    for number, vote in enumerate(votes):
        peers.judged(message(number, vote), PEER, Validation.ACCEPT, "")
    peers.judged(message(10**6, votes[0]), PEER, Validation.IGNORE, "replay")
    assert scored(ports) == []
    peers.judged(message(10**6 + 1, votes[-1]), PEER, Validation.IGNORE, "replay")
    assert scored(ports) == [("duplicate_proof", 200)]


def test_one_consensus_proof_of_two_blocks_is_no_duplicate() -> None:
    one = ConsensusProof(Certificate(1, 0, b"a" * 32, 1, 4), (), 0, 1, Blob(b"proof"), bytes(64))
    assert content_of(one) != content_of(replace(one, certificate=Certificate(1, 0, b"b" * 32, 1, 4)))
    assert content_of(one) == content_of(replace(one, prover=2))


def test_the_verifiers_time_comes_back_with_good_proofs_and_slowly_with_time() -> None:
    """Twenty milliseconds at once, and a hundredth of the time."""
    peers, ports = alone(provers={"refused_burst_ms": 20, "refused_share_max": 0.01})
    first = peers.has_time_for(PEER)
    peers.begins(PEER, from_ms(20))
    busy = peers.has_time_for(PEER)
    peers.ends(PEER, from_ms(20), right=True)
    again = peers.has_time_for(PEER)
    peers.begins(PEER, from_ms(25))
    peers.ends(PEER, from_ms(25), right=False)
    peers.begins(NodeId(0), from_ms(10**6))
    assert (first, busy, again, peers.has_time_for(PEER), peers.has_time_for(NodeId(0))) == (True, False, True, False, True)
    ports.pass_time(from_ms(400))
    assert not peers.has_time_for(PEER)
    ports.pass_time(from_ms(200))
    assert peers.has_time_for(PEER)
    assert ports.limits == ["peer_throttled"] * 3
