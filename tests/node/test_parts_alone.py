"""Parts of a node without network, clock, provers or each other: what goes in, and what is written down."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from simnet.base.blob import Blob
from simnet.base.units import NS_PER_S, NodeId, SimTime, from_ms
from simnet.events import Equivocated, TxAdmitted, TxEvicted, TxRefused, Untimely, Withheld
from simnet.net.network import Validation
from simnet.node.chain import Chain
from simnet.node.clock import Clock
from simnet.node.conduct import Conduct
from simnet.node.facts import Facts
from simnet.node.held import HEIGHTS_AHEAD, HELD_MAX, Fate, OncePerSlot, Repeats, UntilCommitted
from simnet.node.keyring import Keyring
from simnet.node.letters import BeatHeard, Gossiped, TransferVerified
from simnet.node.presence import JOIN_REPEAT_SLOTS, BeatDue, Presence
from simnet.node.services import Gate
from simnet.node.timing import KEPT_MAX, Timing, latest_slot
from simnet.node.transactions import HELD_MAX as TRANSFERS_HELD_MAX
from simnet.node.transactions import Incoming, Transactions
from simnet.node.wallet import TransferOutdated
from simnet.proofs.backend import Verification
from simnet.protocol.messages import Phase, Proposal, TxMessage, Vote
from simnet.scenario.nodefaults import ClockSkew, Equivocation, Withholding
from tests.mocks import scenario
from tests.node.alone import ACCEPTED, Idle, Post, Written, facts_of, gossiped, transfer_of

SLOT_NS = from_ms(1000)
FALSE = Verification(False, "made_up")


def known(**sections: Any) -> tuple[Facts, Sequence[Keyring]]:
    return facts_of(scenario(4, **sections))


# --- transfers -----------------------------------------------------------------------------------------------


class Mempool:
    """Node 0's transactions, and transfers of wallet 1."""

    def __init__(self, **sections: Any) -> None:
        self.facts, self.keyrings = known(**sections)
        self.ports = Written()
        self.post, self.provers, self.chain = Post(self.ports), Idle(), Chain(self.facts)
        self.part = Transactions(self.facts, self.ports, self.provers, lambda: self.chain.ledger, self.post.box)
        self.post.open(Gossiped)

    def transfer(self, lane: int = 0, **how: int) -> TxMessage:
        return transfer_of(self.facts, self.keyrings[1], self.chain.ledger, lane, **how)

    def hear(self, message: TxMessage, peer: int = 1) -> None:
        self.part.on_gossip(gossiped(1, "transaction", message), NodeId(peer))

    def judge(self, verdict: Verification | None = ACCEPTED) -> None:
        """The verifier answers about the oldest transfer that it was given."""
        item = self.provers.given.pop(0)
        assert isinstance(item, Incoming)
        self.part.on_verdict(item, verdict)

    @property
    def answers(self) -> list[tuple[Validation, str]]:
        return [(verdict, reason) for _, verdict, reason in self.post.answers]


def test_a_transfer_is_answered_when_its_proof_is_and_goes_into_the_pool() -> None:
    m = Mempool()
    given = m.transfer()
    m.hear(given)
    assert m.answers == [] and len(m.provers.given) == 1 and not m.part.verified
    m.judge()
    assert m.answers == [(Validation.ACCEPT, "")] and list(m.part.pool.pending) == [given.tx.id]
    assert m.post.letters == [TransferVerified(given.tx.id)]
    assert [type(e) for e in m.ports.events] == [TxAdmitted]
    m.hear(given)
    assert m.answers[1:] == [(Validation.IGNORE, "replay")] and not m.provers.given


@pytest.mark.parametrize(
    ("verdict", "answer"), [(FALSE, (Validation.REJECT, "made_up")), (None, (Validation.DROP, "verifier_busy"))]
)  # fmt: skip
def test_a_transfer_that_is_not_verified_is_forgotten(verdict: Verification | None, answer: tuple[Validation, str]) -> None:
    m = Mempool()
    m.hear(m.transfer())
    m.judge(verdict)
    assert m.answers == [answer] and not m.part.pool.pending and not m.part.verified
    m.hear(m.transfer())
    m.judge()
    assert m.answers[1:] == [(Validation.ACCEPT, "")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"signature": bytes(64)}, "SignatureInvalid"),
        ({"payload": b"another"}, "memo_mismatch"),
        ({"backend": 99}, "UnknownBackend"),
    ],
)
def test_no_proof_of_a_malformed_transfer_is_looked_at(change: dict[str, Any], why: str) -> None:
    m = Mempool()
    m.hear(replace(m.transfer(), **change))
    assert m.answers == [(Validation.REJECT, why)] and not m.provers.given


def test_another_proof_of_a_transfer_that_is_verified_first_changes_nothing() -> None:
    m = Mempool()
    m.hear(m.transfer())
    m.hear(replace(m.transfer(), envelope=Blob(b"another")))
    m.judge()
    m.judge()
    assert m.answers == [(Validation.ACCEPT, ""), (Validation.IGNORE, "replay")]
    assert len([e for e in m.ports.events if isinstance(e, TxAdmitted)]) == 1


def test_a_transfer_from_a_state_to_come_is_held_and_a_neighbours_share_is_bounded() -> None:
    m = Mempool()
    for amount in range(1, TRANSFERS_HELD_MAX + 2):
        m.hear(m.transfer(ahead=1, amount=amount))
    assert m.answers == [(Validation.DROP, "future")] and m.ports.limits == ["held_transfers"] and not m.provers.given
    m.hear(m.transfer(ahead=1, amount=10**6), peer=2)
    assert len(m.answers) == 1, "another neighbour's share"


def test_a_transfer_dated_ahead_may_come_again() -> None:
    m = Mempool()
    given = m.transfer(timestamp=5)
    m.hear(given)
    assert m.answers == [(Validation.DROP, "dated_ahead")] and [e.reason for e in m.ports.events if isinstance(e, TxRefused)] == [
        "dated_ahead"
    ]
    m.ports.pass_time(5 * NS_PER_S)
    m.hear(given)
    m.judge()
    assert m.answers[1:] == [(Validation.ACCEPT, "")]


def test_a_clock_that_is_put_back_takes_what_is_ahead_of_it_out_of_the_pool() -> None:
    m = Mempool()
    given = m.transfer(timestamp=5)
    m.ports.now = SimTime(5 * NS_PER_S)
    m.hear(given)
    m.judge()
    m.ports.now = SimTime(0)
    assert m.part.put_back() == [given] and not m.part.pool.pending
    assert [(e.reason) for e in m.ports.events if isinstance(e, TxEvicted)] == ["dated_ahead"]
    assert m.part.lacking([given.tx.id]) == () and not m.part.pool.pending, "it is known, and not due"
    m.ports.now = SimTime(5 * NS_PER_S)
    assert m.part.lacking([given.tx.id, b"x" * 32]) == (b"x" * 32,) and list(m.part.pool.pending) == [given.tx.id]


def test_what_finds_no_room_is_dropped_and_what_a_proposal_needs_is_verified_all_the_same() -> None:
    m = Mempool(chain={"mempool_transactions_max": 1})
    m.hear(m.transfer(0))
    m.judge()
    m.hear(m.transfer(1))
    assert m.answers[1:] == [(Validation.DROP, "mempool_full")] and m.ports.limits == ["chain.mempool_transactions_max"]
    m.part.examine(Incoming(m.transfer(1), NodeId(1), None, Gossiped(gossiped(2, "transaction", m.transfer(1))), needed=True))
    m.judge()
    assert m.answers[2:] == [(Validation.ACCEPT, "mempool_full")] and len(m.part.pool.pending) == 1 and len(m.part.verified) == 2


# --- signs of life ---------------------------------------------------------------------------------------------


class Life:
    """Node 0's presence."""

    def __init__(self, neighbours: tuple[int, ...] = (1, 2), **sections: Any) -> None:
        self.facts, self.keyrings = known(slots=8, **sections)
        self.ports = Written(0, neighbours)
        self.post, self.chain = Post(self.ports), Chain(self.facts)
        self.part = Presence(self.facts, self.ports, self.keyrings[0], self.chain, self.post.box)
        self.post.route({BeatDue: self.part.on_beat_due})

    def said(self, kind: str) -> list[Any]:
        return [payload for published, payload in self.ports.published if published == kind]


def test_a_join_is_asked_for_again_until_a_block_has_it() -> None:
    life = Life()
    for slot in range(2 * JOIN_REPEAT_SLOTS):
        life.part.on_slot(slot)
    assert len(life.said("join")) == 2 and life.said("join")[0] == life.said("join")[1]
    assert [j.validator for j in life.part.joins()] == [0]


def test_a_join_that_nobody_hears_is_asked_for_in_the_next_slot() -> None:
    life = Life(neighbours=())
    life.part.on_slot(0)
    assert life.part.joins() == ()
    life.ports.neighbours = (NodeId(1),)
    life.part.on_slot(1)
    assert len(life.said("join")) == 1


def test_heartbeats_are_sent_until_traffic_ends_and_kept_for_blocks() -> None:
    life = Life()
    life.part.on_slot(0)
    life.ports.pass_time(60 * NS_PER_S)
    beats = life.said("heartbeat")
    assert len(beats) > 1 and [b.t for b in beats] == sorted({b.t for b in beats})
    assert max(b.t for b in beats) < life.facts.rules.windows.origin_ms + 8000
    assert set(life.part.heartbeats(60)) == set(beats)


def test_a_heartbeat_goes_on_once_and_is_heard_of_each_time() -> None:
    other, life = Life(), Life()
    other.part.on_slot(0)
    other.ports.pass_time(60 * NS_PER_S)
    beat, late = other.said("heartbeat")[:2]
    life.ports.now = SimTime(from_ms(beat.t))
    for message in (beat, beat, replace(beat, t=beat.t + 1), late):
        life.part.on_heartbeat(gossiped(1, "heartbeat", message), NodeId(1))
    assert life.ports.answers == [
        (Validation.ACCEPT, ""), (Validation.IGNORE, "known"), (Validation.REJECT, "SignatureInvalid"), (Validation.IGNORE, "future"),
    ]  # fmt: skip
    assert life.post.letters == [BeatHeard(beat), BeatHeard(beat), BeatHeard(late)]
    assert [(e.outcome, e.by) for e in life.ports.events if isinstance(e, Untimely)] == [
        ("refused", from_ms(late.t) - from_ms(beat.t) - from_ms(life.facts.scenario.clock_precision_ms))
    ]


# --- clocks ----------------------------------------------------------------------------------------------------


def skew(offset_ms: int) -> ClockSkew:
    return ClockSkew(kind="clock_skew", nodes=(0,), offset_ms=offset_ms, start_ms=0, duration_ms=1)


def timing(**sections: Any) -> tuple[Timing, Written, Clock]:
    facts, _ = known(**sections)
    ports = Written()
    return Timing(facts, ports), ports, ports.clock


def proposal(slot: int, block: Any) -> Proposal:
    return Proposal(slot, block, -1, 1, b"", ())


def test_a_proposal_of_a_slot_to_come_is_kept_within_the_precision() -> None:
    part, ports, _ = timing()
    ports.now = SimTime(SLOT_NS)
    begins = 500_000_000 + 3 * SLOT_NS
    ports.now = SimTime(begins - from_ms(known()[0].scenario.clock_precision_ms) - 1)
    assert not part.keeps(proposal(3, None), 0)
    ports.now = SimTime(ports.now + 1)
    assert part.keeps(proposal(3, None), 0) and not part.keeps(proposal(3, None), KEPT_MAX)
    assert [e.outcome for e in ports.events if isinstance(e, Untimely)] == ["refused", "kept"] and ports.limits == ["early_proposals"]


def test_the_latest_slot_follows_the_nodes_own_clock() -> None:
    facts, _ = known()
    ports = Written()
    ports.now = SimTime(500_000_000 + 3 * SLOT_NS)
    before = latest_slot(facts, ports)
    ports.clock.under(skew(2000), begins=True)
    assert (before, latest_slot(facts, ports)) == (3, 5)


def test_only_where_a_clock_is_wrong_is_a_late_vote_told() -> None:
    part, ports, clock = timing()
    late = Vote(1, 0, Phase.PREVOTE, None, 2, b"", b"")
    ports.now = SimTime(500_000_000 + 5 * SLOT_NS)
    part.note_vote(late, 5)
    assert not ports.events
    clock.under(skew(100), begins=True)
    part.note_vote(late, 5)
    assert [(e.kind, e.outcome, e.by) for e in ports.events if isinstance(e, Untimely)] == [("vote", "late", 4 * SLOT_NS + from_ms(100))]


# --- conduct, gates, waiting rooms --------------------------------------------------------------------------------


def test_what_is_withheld_is_recorded_and_windows_add_up() -> None:
    facts, _ = known()
    ports = Written()
    part = Conduct(facts, ports)
    fault = Withholding(kind="withholding", what=("votes",), nodes=(0,), start_ms=0, duration_ms=1)
    assert not part.keeps("votes", 1)
    part.under(fault, begins=True)
    part.under(fault, begins=True)
    part.under(fault, begins=False)
    assert part.keeps("votes", 1) and not part.keeps("blocks", 1)
    part.under(fault, begins=False)
    assert not part.keeps("votes", 2)
    assert [(e.what, e.height) for e in ports.events if isinstance(e, Withheld)] == [("votes", 1)]


def test_who_equivocates_tells_each_neighbour_one_of_two() -> None:
    facts, _ = known()
    spared = list[frozenset[NodeId]]()

    class Halves(Written):
        def publish(self, kind: str, payload: object, size: int, **how: Any) -> Any:
            spared.append(how["spared"])
            return super().publish(kind, payload, size, **how)

    ports = Halves(0, (1, 2, 3))
    part = Conduct(facts, ports)
    part.under(Equivocation(kind="equivocation", what=("votes",), nodes=(0,), start_ms=0, duration_ms=1), begins=True)
    assert part.equivocates("votes") and not part.equivocates("proposals")
    first = Vote(1, 0, Phase.PREVOTE, None, 0, b"", b"")
    part.publish_both("vote", first, replace(first, block=b"b" * 32))
    assert spared[0] | spared[1] == {1, 2, 3} and not spared[0] & spared[1]
    assert [e.what for e in ports.events if isinstance(e, Equivocated)] == ["prevote"]


def test_a_closed_gate_keeps_letters_in_order_and_since_when() -> None:
    ports = Written()
    post = Post(ports)
    gate, letters = Gate(ports, post.box), [TransferOutdated(Mempool().transfer(lane).tx, b"") for lane in (0, 1)]
    post.open()
    assert not gate.keeps(letters[0])
    gate.close()
    gate.close()
    for letter in letters:
        ports.pass_time(5)
        assert gate.keeps(letter)
    gate.open()
    assert gate.closed and gate.kept == (5, 10) and post.letters == []
    gate.open()
    assert post.letters == letters and not gate.kept


def test_messages_wait_for_the_next_blocks_and_an_authors_share_is_bounded() -> None:
    facts, _ = known()
    ports = Written()
    until = UntilCommitted[int](ports, Chain(facts), "made_up")
    source = (NodeId(1), 7)
    assert [until.hold(at, source, 0) for at in (0, 1, HEIGHTS_AHEAD, HEIGHTS_AHEAD + 1)] == [
        Fate.NEVER, Fate.LATER, Fate.LATER, Fate.NEVER,
    ]  # fmt: skip
    for n in range(HELD_MAX - 2):
        assert until.hold(1, source, n) is Fate.LATER
    assert until.hold(1, source, 0) is Fate.NEVER and ports.limits == ["made_up"]
    others = [(NodeId(2), 7), (NodeId(1), 8), (NodeId(1), None)]
    assert [until.hold(1, other, 0) for other in others] == [Fate.LATER] * 3, "what one says takes nobody else's place"
    assert len(until.release(1)) == HELD_MAX - 1 + len(others) and until.hold(2, source, 0) is Fate.LATER


def test_what_was_taken_in_old_slots_is_forgotten() -> None:
    ports = Written()
    book = OncePerSlot(ports, "made_up", 2)
    last = 199
    for slot in range(last + 1):
        book.begin(slot)
        assert [book.why_not(1, slot, n) for n in (1, 1, 2, 3)] == [None, "replay", None, "too_many"]
        assert len(book._taken) <= 2 * 65 + 1
    assert [book.why_not(1, last + n, 9) for n in (-65, 3)] == ["slot", "slot"]
    assert [book.why_not(1, last + n, 9) for n in (1, 2)] == [None, None]
    assert book.why_not(2, last - 64, 9) is None
    assert set(ports.limits) == {"made_up"}


@pytest.mark.parametrize("ahead", [1, 63, 64, 65, 1000])
@pytest.mark.parametrize("slots", [1, 66, 67, 200])
def test_a_clock_that_was_ahead_takes_nothing_a_second_time(ahead: int, slots: int) -> None:
    book, taken = OncePerSlot(Written(), "made_up", 2), set[int]()
    for now in range(400):
        shown = now + ahead if 100 <= now < 100 + slots else now
        book.begin(shown)
        for slot in range(now - 70, now + 3):
            if slot >= 0 and book.why_not(1, slot, slot) is None:
                assert slot not in taken, (now, slot)
                taken.add(slot)
    assert len(book._taken) <= 2 * 67


def test_repeats_are_counted_once_by_kind_and_slot() -> None:
    ports = Written()
    repeats = Repeats[int](ports, "made_up", 2)
    for _ in range(2):
        repeats.begin()
        assert [repeats.why_not(1, n) for n in "aabcd"] == [None, "replay", None, "too_many", "too_many"]
        assert repeats.why_not(2, "a") is None and repeats.why_not(1, "e", counts=False) is None
        repeats.note(3, "own")
        assert repeats.why_not(3, "own") == "replay"
    assert ports.limits == ["made_up"] * 4
