"""What a node's neighbours lose and gain with it, message by message, and how much of its verifier's time they get."""

from array import array
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.blob import Blob
from simnet.base.units import NodeId, SimTime, from_ms
from simnet.events import LimitReached, PeerBanned, PeerConnected, PeerDisconnected, PeerScored
from simnet.net.message import Message, Verdict
from simnet.node.peers import SENT_MAX, content_of
from simnet.node.world import CONSENSUS_TOPIC
from simnet.protocol.messages import Certificate, ConsensusProof, Phase, Vote
from tests.mocks import Bench, misbehaving, scenario

PEER = NodeId(1)
VOTE = Vote(1, 0, Phase.PREVOTE, None, 2, b"", bytes(64))


def bench(**sections: Any) -> Bench:
    gossip = {"peer_score_max": 5.0, "peer_ban_ms": 1000, **sections.pop("gossip", {})}
    return Bench(scenario(4, slots=3, faults={"nodes": [misbehaving(PEER)]}, gossip=gossip, **sections))


def message(number: int, payload: object = VOTE, kind: str = "vote") -> Message:
    return Message(number, NodeId(2), CONSENSUS_TOPIC, kind, payload, 100, SimTime(0), None, array("q"))


def scored(b: Bench) -> list[tuple[str, int]]:
    return [(e.cause, e.thousandths) for e in b.of(PeerScored)]


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
    b = bench()
    b.nodes[0].peers.judged(message(1, kind=kind), PEER, Verdict.REJECT, reason)
    assert scored(b) == [(cause, points)] and b.nodes[0].peers.score(PEER) == 5000 - points


@pytest.mark.parametrize("reason", ["another_block", "foreign_leader", "registrations", "slot", "unexpected_proof"])
def test_what_an_honest_neighbour_may_have_seen_otherwise_costs_nothing(reason: str) -> None:
    b = bench()
    b.nodes[0].peers.refused("proposal", PEER, reason)
    assert scored(b) == []


def test_good_messages_and_time_bring_points_back_up_to_the_most() -> None:
    b = bench()
    peers = b.nodes[0].peers
    peers.blame(PEER, "made_up", 1000)
    gained = []
    for kind in ("vote", "transaction", "evidence", "heartbeat"):
        before = peers.score(PEER)
        peers.judged(message(1, object(), kind), PEER, Verdict.ACCEPT, "")
        gained.append(peers.score(PEER) - before)
    assert gained == [400, 200, 150, 100]
    peers.judged(message(1, object()), PEER, Verdict.ACCEPT, "")
    assert peers.score(PEER) == 5000
    later: list[int] = []
    b.at(980, lambda: peers.blame(PEER, "made_up", 4000))
    for ms in (990, 1000.001):
        b.at(ms, lambda: later.append(peers.score(PEER)))
    assert b.run().complete
    assert later[1] - later[0] == 300


def test_nobody_takes_points_from_itself() -> None:
    b = bench()
    b.nodes[0].peers.refused("vote", NodeId(0), "SignatureInvalid")
    assert scored(b) == []


def test_who_has_less_than_a_tenth_of_a_point_is_cut_off_once_and_comes_back_clean() -> None:
    b = bench()
    peers, seen = b.nodes[0].peers, list[int]()
    b.at(500, lambda: peers.blame(PEER, "made_up", peers.score(PEER) - 100))
    b.at(500, lambda: seen.append(len(b.of(PeerBanned))))
    for _ in range(3):
        b.at(500, lambda: peers.blame(PEER, "made_up", 1))
    b.at(1499, lambda: seen.append(peers.score(PEER)))
    b.at(1501, lambda: seen.append(peers.score(PEER)))
    assert b.run().complete
    assert seen == [0, 99, 5000] and scored(b)[1:] == [("made_up", 1)]
    assert [(e.node, e.peer, e.until - e.at) for e in b.of(PeerBanned)] == [(0, PEER, from_ms(1000))]
    assert {(e.node, e.peer) for e in b.of(PeerDisconnected)} == {(0, PEER), (PEER, 0)}
    assert {(e.node, e.peer) for e in b.of(PeerConnected) if e.at > from_ms(600)} == {(0, PEER), (PEER, 0)}


def test_a_message_that_was_dropped_is_welcome_again() -> None:
    b = bench()
    peers = b.nodes[0].peers
    peers.judged(message(1), PEER, Verdict.DROP, "slot")
    peers.judged(message(2), PEER, Verdict.IGNORE, "replay")
    assert scored(b) == []
    peers.judged(message(3), PEER, Verdict.IGNORE, "replay")
    assert scored(b) == [("duplicate_proof", 200)]


def test_after_a_link_came_up_the_same_may_come_again() -> None:
    b = bench()
    peers = b.nodes[0].peers
    peers.judged(message(1), PEER, Verdict.ACCEPT, "")
    peers.connected(PEER)
    peers.judged(message(2), PEER, Verdict.IGNORE, "replay")
    assert scored(b) == []


def test_of_one_neighbour_many_messages_are_remembered_and_not_all() -> None:
    b = bench()
    peers = b.nodes[0].peers
    for slot in range(SENT_MAX + 1):
        peers.judged(message(slot, replace(VOTE, slot=slot)), PEER, Verdict.ACCEPT, "")
    peers.judged(message(10**6, VOTE), PEER, Verdict.IGNORE, "replay")
    assert scored(b) == []
    peers.judged(message(10**6 + 1, replace(VOTE, slot=SENT_MAX)), PEER, Verdict.IGNORE, "replay")
    assert scored(b) == [("duplicate_proof", 200)]


def test_one_consensus_proof_of_two_blocks_is_no_duplicate() -> None:
    one = ConsensusProof(Certificate(1, 0, b"a" * 32, 1, 4), (), 0, 1, Blob(b"proof"), bytes(64))
    assert content_of(one) != content_of(replace(one, certificate=Certificate(1, 0, b"b" * 32, 1, 4)))
    assert content_of(one) == content_of(replace(one, prover=2))


def test_the_verifiers_time_comes_back_with_good_proofs_and_slowly_with_time() -> None:
    """Twenty milliseconds at once, and a hundredth of the time."""
    b = bench(provers={"refused_burst_ms": 20, "refused_share_max": 0.01})
    peers, seen = b.nodes[0].peers, list[tuple[bool, ...]]()

    def spend() -> None:
        first = peers.has_time_for(PEER)
        peers.begins(PEER, from_ms(20))
        busy = peers.has_time_for(PEER)
        peers.ends(PEER, from_ms(20), accepted=True)
        again = peers.has_time_for(PEER)
        peers.begins(PEER, from_ms(25))
        peers.ends(PEER, from_ms(25), accepted=False)
        peers.begins(NodeId(0), from_ms(10**6))
        seen.append((first, busy, again, peers.has_time_for(PEER), peers.has_time_for(NodeId(0))))

    b.at(1000, spend)
    for ms in (1400, 1600):
        b.at(ms, lambda: seen.append((peers.has_time_for(PEER),)))
    assert b.run().complete
    assert seen == [(True, False, True, False, True), (False,), (True,)]
    assert [e.what for e in b.of(LimitReached)] == ["peer_throttled"] * 3
