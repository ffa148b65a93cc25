"""One neighbour that talks most and gives least keeps nobody from what the others have."""

from types import SimpleNamespace

import pytest

from simnet.base.units import NS_PER_S, NodeId
from simnet.events import BlockProven, MessageValidated
from simnet.events.network import CONSENSUS_TOPIC
from simnet.net.network import Validation
from simnet.node.status import Status
from simnet.protocol.messages import KeyDisclosure, SyncedBlock
from simnet.protocol.validators import Lane
from tests.mocks import Bench, misbehaving, scenario

LIAR, VICTIM = NodeId(1), NodeId(6)


def bench(slots: int) -> Bench:
    withholding = {"kind": "withholding", "what": ["blocks"], "nodes": [LIAR], "start_ms": 600, "duration_ms": 1000 * slots - 1000}
    return Bench(scenario(7, slots=slots, rate=0.5, slot_ms=1000, chain={"block_proofs": []}, faults={"nodes": [withholding]}))


def lies(b: Bench, first_ms: int, last_ms: int, aggregated: int, ahead: int) -> None:
    """The liar says fifty times a second that it has more."""

    def lie() -> None:
        status = Status(b.nodes[LIAR].chain.height + ahead, (), (), aggregated, (), b.nodes[LIAR].chain.head)
        b.network.send(LIAR, VICTIM, "status", status, 100)

    for ms in range(first_ms, last_ms, 20):
        b.at(ms, lie)


def test_missed_proofs_come_from_whoever_has_them() -> None:
    b = bench(16)
    victim = b.nodes[VICTIM]
    taken, end = victim._handlers["consensus_proof"], 6 * NS_PER_S

    def lossy(message, peer):  # type: ignore[no-untyped-def]
        if b.now < end:
            b.network.verdict(VICTIM, message, Validation.IGNORE, "lost")
        else:
            taken(message, peer)

    victim._handlers["consensus_proof"] = lossy
    take = victim.sync._take_proofs
    victim.sync._take_proofs = lambda given, peer: take(given, peer) if b.now > end else None  # type: ignore[method-assign]
    lies(b, 1000, 16_000, 10**6, 0)
    assert b.run().complete
    late = [e for e in b.of(BlockProven) if e.node == VICTIM and e.at > end]
    assert len(late) >= 5 and max(e.at for e in late if e.height <= 6) < 9 * NS_PER_S


def test_missed_proofs_come_soon_after_links_that_lost_them_all() -> None:
    """All neighbours have kept silent for long: no reason to wait longer and longer for the next one."""
    b = Bench(scenario(4, slots=26, rate=0.5, chain={"block_proofs": []}))
    victim, end = b.nodes[3], 20 * NS_PER_S
    victim.finality._prove = lambda *_: None  # type: ignore[method-assign]
    taken, take = victim._handlers["consensus_proof"], victim.sync._take_proofs

    def lossy(message, peer):  # type: ignore[no-untyped-def]
        if b.now < end:
            b.network.verdict(NodeId(3), message, Validation.IGNORE, "lost")
        else:
            taken(message, peer)

    victim._handlers["consensus_proof"] = lossy
    victim.sync._take_proofs = lambda given, peer: take(given, peer) if b.now > end else None  # type: ignore[method-assign]
    b.run()
    late = [e for e in b.of(BlockProven) if e.node == 3 and e.height <= 8]
    assert len(late) == 8 and max(e.at for e in late) < end + 1.5 * NS_PER_S


@pytest.mark.parametrize("after_ms", [0, 1900])
def test_who_comes_back_is_level_though_a_liar_gives_one_block_now_and_then(after_ms: int) -> None:
    b = bench(30)
    b.isolate(VICTIM, 3000, 13_000)
    sync, asked = b.nodes[LIAR].sync, SimpleNamespace(times=0)

    def answer(first: int, peer: NodeId) -> None:
        asked.times += 1
        c = b.nodes[LIAR].chain.at(first)
        if c is not None and peer == VICTIM and asked.times % 3 == 0:
            transfers = tuple(b.nodes[LIAR].transactions.verified[i] for i in c.block.tx_ids)
            block = SyncedBlock(c.block, c.certificate, transfers, sync._proofs_of(first, c))

            def give() -> None:
                b.network.send(LIAR, peer, "block_response", (block,), block.size)

            b.clockwork.after(after_ms * 1_000_000, give)

    sync._answer_blocks = answer  # type: ignore[method-assign]
    lies(b, 13_100, 30_000, 0, 5)
    assert b.run().complete
    by_then = max(e.height for e in b.commits(VICTIM) if e.at < 20 * NS_PER_S)
    assert by_then >= max(e.height for e in b.commits(0) if e.at < 19 * NS_PER_S) and asked.times


def test_who_comes_back_is_level_though_a_liar_is_always_one_block_ahead_and_gives_it_late() -> None:
    """While its own requests were lost it has waited for each of the others, too."""
    lost = {"kind": "one_way", "source": "VICT", "start_ms": 42_000, "duration_ms": 17_000}
    liar = {"kind": "lying_sync", "what": ["dripped"], "nodes": [LIAR], "start_ms": 600, "duration_ms": 73_000}
    faults, slots = {"nodes": [liar], "links": [lost]}, 74
    regions = {"assignments": ["STWO"] * 6 + ["VICT"]}
    b = Bench(scenario(7, slots=slots, rate=0.05, chain={"block_proofs": []}, regions=regions, faults=faults))
    b.isolate(VICTIM, 3000, 42_000)
    result = b.run()
    assert result.complete, result.violations
    missed = [e for e in b.commits(VICTIM) if e.caught_up]
    assert len(missed) > 40
    # Three answers of sixteen blocks, and one late block of the liar's.
    assert max(e.at for e in missed if e.height <= 45) < (59 + 3) * NS_PER_S


def test_disclosed_keys_that_are_no_field_elements_are_refused() -> None:
    b = Bench(scenario(4, slots=5, rate=0.5, faults={"nodes": [misbehaving(1)]}))

    def disclose() -> None:
        unsigned = KeyDisclosure(9, 2, Lane.VOTE, 1, bytes(32), 1, (b"\xff" * 32,) * 4, b"")
        m = b.nodes[1].keyring.signed(unsigned)
        b.network.publish(NodeId(1), topic=CONSENSUS_TOPIC, kind="key_disclosure", payload=m, size=m.size)

    b.at(2500, disclose)
    assert b.run().complete
    assert {e.node for e in b.of(MessageValidated) if (e.verdict, e.reason) == ("reject", "keys")} == {0, 2, 3}
