"""The gossip network: flooding, validation, flight, repair, links that come and go."""

import pytest

from simnet.base.units import NodeId
from simnet.events import (
    DirectSent,
    LimitReached,
    MessageArrived,
    MessageDelivered,
    MessageLost,
    MessagePublished,
    MessageValidated,
    PeerConnected,
    PeerDisconnected,
)
from simnet.net import gossip
from simnet.net.message import Validation
from simnet.net.topology import Edge, edges_of
from simnet.scenario.upstream import Topology
from tests.netkit import Bench, scenario

LINE = [(0, 1), (1, 2), (2, 3)]
RING = [(0, 1), (0, 3), (1, 2), (2, 3)]
COMPLETE = [(a, b) for a in range(6) for b in range(a + 1, 6)]
NO_REPAIR = {"lazy_peers": 0}


def edge(a: int, b: int) -> Edge:
    return NodeId(a), NodeId(b)


@pytest.mark.parametrize(("nodes", "edges"), [(4, LINE), (4, RING), (6, COMPLETE)])
@pytest.mark.parametrize("jitter_ms", [0, 9])
def test_a_quiet_network_carries_2e_minus_n_minus_1_copies(nodes: int, edges: list[Edge], jitter_ms: int) -> None:
    bench = Bench(scenario(nodes, jitter_ms=jitter_ms), edges)
    for publisher in range(nodes):
        bench.publish(publisher)
    bench.run()
    arrived = bench.of(MessageArrived)
    assert len(arrived) == nodes * (2 * len(edges) - (nodes - 1))
    assert sum(not copy.duplicate for copy in arrived) == len(bench.of(MessageDelivered)) == nodes * (nodes - 1)
    assert not bench.of(MessageLost)
    assert all(len(node.got) == nodes - 1 for node in bench.nodes), "everyone, once, but the author"


def test_alone_nothing_is_sent() -> None:
    bench = Bench(scenario(1, chain={"enabled": False}), [])
    assert bench.publish() is None
    bench.run()
    assert bench.events == []


def test_a_message_keeps_its_facts() -> None:
    bench = Bench(scenario(4, delay_ms=10), LINE)
    bench.run(5)
    message = bench.publish(0, size=321)
    bench.run()
    assert message is not None
    assert bench.of(MessagePublished)[0].bytes == 321
    last = bench.of(MessageDelivered)[-1]
    assert (last.node, last.peer, last.message, last.bytes, last.repaired) == (3, 2, message.id, 321, False)
    assert (last.published_at, last.at) == (5_000_000, 35_000_000)
    assert bench.nodes[3].got == [message]


def test_copies_on_one_link_fly_together() -> None:
    bench = Bench(scenario(2, delay_ms=120), [(0, 1)])
    for _ in range(1000):
        bench.publish()
    bench.run()
    assert {event.at for event in bench.of(MessageDelivered)} == {120_000_000}


def test_nothing_is_forwarded_before_or_without_acceptance() -> None:
    for verdict in (Validation.IGNORE, Validation.REJECT, None):
        bench = Bench(scenario(4), LINE)
        bench.nodes[1].judge = lambda _, v=verdict: v  # type: ignore[misc]
        bench.publish()
        bench.run(5000)
        assert [event.node for event in bench.of(MessageDelivered)] == [1]


def test_a_late_verdict_forwards_then() -> None:
    bench = Bench(scenario(4), LINE)
    bench.nodes[1].judge = lambda _: None
    message = bench.publish()
    bench.run(300)
    assert message is not None
    bench.network.verdict(NodeId(1), message, Validation.ACCEPT, "fine")
    bench.run()
    assert [event.at for event in bench.of(MessageDelivered)] == [10_000_000, 310_000_000, 320_000_000]
    judged = next(event for event in bench.of(MessageValidated) if event.node == 1)
    assert (judged.at, judged.peer, judged.verdict, judged.reason) == (300_000_000, 0, "accept", "fine")


def test_neighbours_that_sent_a_copy_meanwhile_are_spared() -> None:
    bench = Bench(scenario(4), RING)
    bench.nodes[2].judge = lambda _: None
    message = bench.publish()
    bench.run(100)
    assert message is not None
    bench.network.verdict(NodeId(2), message, Validation.ACCEPT)
    bench.run()
    assert len(bench.of(MessageArrived)) == 4, "0 to 1 and 3, both to 2, and nothing back from 2"


def test_a_second_verdict_is_a_bug() -> None:
    bench = Bench(scenario(2), [(0, 1)])
    message = bench.publish()
    bench.run()
    assert message is not None
    with pytest.raises(RuntimeError, match="second verdict"):
        bench.network.verdict(NodeId(1), message, Validation.ACCEPT)


def test_a_rejected_message_stays_known() -> None:
    bench = Bench(scenario(4), RING)
    bench.nodes[2].judge = lambda _: Validation.REJECT
    bench.publish()
    bench.run(5000)
    assert len(bench.nodes[2].got) == 1
    assert sum(event.duplicate for event in bench.of(MessageArrived) if event.node == 2) == 1


# --- links -----------------------------------------------------------------------------------


def test_links_are_announced_at_the_start_and_after_a_cut() -> None:
    bench = Bench(scenario(2), [(0, 1)])
    bench.run(1)
    assert [(e.at, e.node, e.peer) for e in bench.of(PeerConnected)] == [(0, 0, 1), (0, 1, 0)]
    bench.network.cut([edge(1, 0)], "churn")
    assert bench.network.connected(NodeId(0)) == ()
    assert [(e.node, e.peer, e.why) for e in bench.of(PeerDisconnected)] == [(0, 1, "churn"), (1, 0, "churn")]
    assert bench.publish() is None
    bench.run(2)
    bench.network.join([edge(0, 1)], "churn")
    assert bench.network.connected(NodeId(0)) == (1,)
    assert bench.nodes[1].links == [("up", 0), ("down", 0), ("up", 0)]
    assert len(bench.of(PeerConnected)) == 4


def test_a_link_is_up_when_all_reasons_have_ended() -> None:
    bench = Bench(scenario(2), [(0, 1)])
    bench.run(1)
    network, edges = bench.network, [edge(0, 1)]
    network.cut(edges, "partition")
    network.cut(edges, "churn")
    network.cut(edges, "churn")
    network.join(edges, "partition")
    network.join(edges, "partition")
    assert network.connected(NodeId(0)) == ()
    network.join(edges, "churn")
    assert network.connected(NodeId(0)) == (1,)
    network.join(edges, "churn")
    assert len(bench.of(PeerDisconnected)) == 2 and len(bench.of(PeerConnected)) == 4


def test_an_unknown_link_is_refused() -> None:
    with pytest.raises(ValueError, match="no link between nodes 0 and 2"):
        Bench(scenario(3), [(0, 1)]).network.cut([edge(2, 0)], "x")


def test_copies_in_flight_die_with_the_link() -> None:
    bench = Bench(scenario(2, delay_ms=100, gossip=NO_REPAIR), [(0, 1)])
    bench.publish()
    bench.network.send(NodeId(0), NodeId(1), "status", 1, 8)
    bench.run(50)
    bench.network.cut([edge(0, 1)], "churn")
    bench.network.join([edge(0, 1)], "churn")  # comes back before they would have arrived: lost all the same
    bench.run(101)
    assert [(e.message, e.reason) for e in bench.of(MessageLost)] == [(-1, "link_down"), (0, "link_down")]
    assert bench.nodes[1].direct == []


def test_the_queue_of_a_hop_is_bounded() -> None:
    bench = Bench(scenario(2, gossip={"queue_messages_max": 3, **NO_REPAIR}), [(0, 1)])
    for _ in range(5):
        bench.publish()
    assert not bench.network.send(NodeId(0), NodeId(1), "status", None, 8)
    assert bench.network.send(NodeId(1), NodeId(0), "status", None, 8), "each direction has its own queue"
    bench.run()
    assert [e.reason for e in bench.of(MessageLost)] == ["queue_full"] * 3
    assert len(bench.nodes[1].got) == 3
    assert bench.publish() is not None
    bench.run()
    assert len(bench.nodes[1].got) == 4, "arrivals free the queue"


def test_direct_messages_take_the_link_and_reach_only_neighbours() -> None:
    bench = Bench(scenario(4, delay_ms=15), LINE)
    assert bench.network.send(NodeId(1), NodeId(0), "status", {"height": 3}, 40)
    assert not bench.network.send(NodeId(0), NodeId(3), "status", None, 40)
    bench.run()
    assert bench.nodes[0].direct == [("status", {"height": 3}, 1, 15_000_000)]
    assert [(e.node, e.peer, e.kind, e.bytes) for e in bench.of(DirectSent)] == [(1, 0, "status", 40)]


# --- repair ----------------------------------------------------------------------------------


def deliveries(bench: Bench) -> int:
    return len(bench.of(MessageDelivered))


def test_what_links_lose_comes_later() -> None:
    edges = edges_of(Topology(type="ring", n=8, k=4), 1)
    lossy, bare = (scenario(8, loss=0.15, gossip=g) for g in ({}, NO_REPAIR))
    repaired, unrepaired = Bench(lossy, edges), Bench(bare, edges)
    for bench in (repaired, unrepaired):
        for node in range(8):
            for _ in range(25):
                bench.publish(node)
        bench.run()
    assert deliveries(unrepaired) < 200 * 7, "the loss must bite for this test to mean anything"
    assert deliveries(repaired) == 200 * 7
    late = [event for event in repaired.of(MessageDelivered) if event.repaired]
    assert len(late) >= 200 * 7 - deliveries(unrepaired) - 20
    assert {event.kind for event in repaired.of(DirectSent)} == {"ihave", "iwant"}


def test_offers_stop_when_everything_is_old() -> None:
    bench = Bench(scenario(2), [(0, 1)])
    bench.publish()
    bench.run()
    offers = [event.at for event in bench.of(DirectSent) if event.kind == "ihave"]
    assert len(offers) == 3, "three windows, and node 1 knows that node 0 has it"
    assert offers == [700_000_000, 1_400_000_000, 2_100_000_000]
    assert bench.env.now < 5_000_000_000, "the run ends by itself"


def test_beats_are_spread_over_the_nodes() -> None:
    bench = Bench(scenario(4, delay_ms=1), RING)
    bench.run(1)
    for node in range(4):
        bench.publish(node)
    bench.run()
    beats = {event.node: event.at % 700_000_000 for event in bench.of(DirectSent)}
    assert beats == {0: 0, 1: 175_000_000, 2: 350_000_000, 3: 525_000_000}


def test_after_a_reconnection_both_ends_catch_up() -> None:
    bench = Bench(scenario(2), [(0, 1)])
    bench.run(1)
    first = bench.publish()
    bench.run(2)
    bench.network.cut([edge(0, 1)], "partition")  # first is in flight and lost
    bench.run(9000)  # longer than the history
    bench.network.join([edge(0, 1)], "partition")
    bench.run()
    assert bench.nodes[1].got == [first]
    assert bench.of(MessageDelivered)[0].repaired
    assert bench.of(MessageDelivered)[0].at == 9_030_000_000, "offer, request and answer: three hops"


def test_what_was_not_accepted_is_not_offered() -> None:
    bench = Bench(scenario(3, topology={"type": "ring", "n": 3, "k": 2}), [(0, 1), (1, 2)])
    bench.nodes[1].judge = lambda _: Validation.IGNORE
    bench.publish()
    bench.run(2500)
    bench.network.cut([edge(1, 2)], "churn")
    bench.network.join([edge(1, 2)], "churn")
    bench.run()
    assert bench.nodes[2].got == []


def test_a_lost_answer_is_asked_of_the_next_advertiser() -> None:
    bench = Bench(scenario(3), [(0, 1), (0, 2), (1, 2)])
    bench.run(1)
    bench.network.cut([edge(0, 2), edge(1, 2)], "x")
    bench.publish()
    bench.run(100)
    bench.network.join([edge(0, 2), edge(1, 2)], "x")  # both offer; 0 is asked
    bench.run(115)
    bench.network.cut([edge(0, 2)], "x")  # the request dies on the way
    bench.run()
    assert len(bench.nodes[2].got) == 1
    delivered = next(event for event in bench.of(MessageDelivered) if event.node == 2)
    assert (delivered.peer, delivered.at) == (1, 110_000_000 + 3_000_000_000 + 20_000_000)


def test_ids_are_forgotten_after_a_minute() -> None:
    bench = Bench(scenario(2, gossip=NO_REPAIR), [(0, 1)])
    message = bench.publish()
    bench.run(20)
    router = bench.network._routers[1]
    assert message is not None and message.id in router.seen
    bench.run(60_011)
    assert router.knows(message.id) is None
    bench.publish()
    bench.run()
    assert list(router.seen) == [1]


def test_a_message_that_awaits_its_verdict_is_not_forgotten() -> None:
    bench = Bench(scenario(3, gossip=NO_REPAIR), [(0, 1), (1, 2)])
    bench.nodes[1].judge = lambda _: None
    message = bench.publish()
    bench.run(70_000)
    bench.publish()
    bench.run(70_100)
    assert message is not None
    bench.network.verdict(NodeId(1), message, Validation.ACCEPT)
    bench.run()
    assert bench.nodes[2].got == [message]


def test_memory_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gossip, "SEEN_MAX", 10)
    bench = Bench(scenario(2, gossip=NO_REPAIR), [(0, 1)])
    for _ in range(12):
        bench.publish()
    bench.run()
    assert len(bench.network._routers[1].seen) == 10
    assert [(e.node, e.what) for e in bench.of(LimitReached)].count((NodeId(1), "duplicate_cache")) == 2


def test_the_seed_fixes_every_event() -> None:
    def events(seed: int) -> list[str]:
        bench = Bench(scenario(6, jitter_ms=5, loss=0.1), COMPLETE, seed)
        for node in range(6):
            bench.publish(node)
        bench.run()
        return [repr(event) for event in bench.events]

    assert events(1) == events(1)
    assert events(1) != events(2)
