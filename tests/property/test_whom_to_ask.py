"""Whom a node that is behind asks: one honest neighbour suffices, whatever the others say, give, give late or keep back."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.base.units import NodeId, SimTime
from simnet.node.block_requests import BlockRequests

PATIENCE = SimTime(100)
LIES = ("silent", "all", "drips", "nothing", "late", "late_drips")


@dataclass
class Neighbourhood:
    """A node that misses blocks, its neighbours, and what is on its way from them."""

    most: int
    missed: int
    liars: list[int]
    honest: int
    height: int = 0
    now: int = 0
    asked: list[int] = field(default_factory=list)
    lost: int = 0
    """Answers of the honest one."""
    late: list[tuple[int, int, int]] = field(default_factory=list)
    """By whom, from which height on, how many."""

    def __post_init__(self) -> None:
        self.requests = BlockRequests(self.most, PATIENCE)
        self.requests.told(NodeId(self.honest), self.missed)

    @property
    def neighbours(self) -> list[NodeId]:
        return sorted(map(NodeId, (*self.liars, self.honest)))

    @property
    def bound(self) -> int:
        n = len(self.neighbours)
        return -(-self.missed // self.most) + n - 1 + n * self.lost

    def claim(self, random: Random) -> None:
        """Liars say what they want: mostly one more than there is here."""
        for liar in self.liars:
            self.requests.told(NodeId(liar), self.height + random.choice((0, 1, 1, 2, self.most, 10**6)))

    def arrive(self, peer: int, first: int, count: int) -> None:
        """`count` blocks of the chain from a height on."""
        if count and self.requests.expects(NodeId(peer), first):
            self.height = max(self.height, first + count - 1)
            self.requests.took(NodeId(peer), first, count)

    def ask(self, random: Random) -> None:
        """A request, and what comes before the next one is due."""
        named = random.choice((None, *self.neighbours))
        peer = self.requests.ask(SimTime(self.now), self.height, named, self.neighbours)
        if peer is None:
            self.now += int(PATIENCE)
            return
        self.asked.append(peer)
        first, there = self.height + 1, max(self.missed, self.height) - self.height
        for one in [x for x in self.late if random.random() < 0.5]:
            self.late.remove(one)
            self.arrive(*one)
        if peer != self.honest:
            self.lie(random.choice(LIES), peer, first, min(self.most, max(1, there)))
        elif self.lost < 3 and random.random() < 0.1:
            self.lost += 1
        else:
            self.arrive(peer, first, min(self.most, there))

    def lie(self, how: str, peer: int, first: int, whole: int) -> None:
        if how in ("all", "drips"):
            self.arrive(peer, first, whole if how == "all" else 1)
        elif how.startswith("late"):
            self.late.append((peer, first, whole if how == "late" else 1))


@settings(max_examples=2000, deadline=None)
@given(st.integers(1, 5), st.integers(0, 5), st.integers(1, 60), st.integers(0, 2**32))
def test_one_honest_neighbour_suffices_within_the_bound(most: int, lying: int, missed: int, seed: int) -> None:
    random = Random(seed)
    ids = random.sample(range(lying + 1), lying + 1)
    n = Neighbourhood(most, missed, ids[1:], ids[0])
    while n.height < missed:
        n.claim(random)
        n.ask(random)
        assert len(n.asked) <= n.bound


def test_the_bound_is_met() -> None:
    """Silent liars before the honest one, each asked once; then it alone, with whole answers."""
    requests, height, now = BlockRequests(16, PATIENCE), 0, 0
    asked: list[int] = []
    neighbours = [NodeId(n) for n in range(4)]
    while height < 50 and len(asked) < 20:
        for p in neighbours:
            requests.told(p, 50 if p == 3 else height + 1)
        peer = requests.ask(SimTime(now), height, None, neighbours)
        if peer is None:
            now += int(PATIENCE)
            continue
        asked.append(int(peer))
        if peer == 3 and requests.expects(peer, height + 1):
            count = min(16, 50 - height)
            requests.took(peer, height + 1, count)
            height += count
    assert asked == [0, 1, 2, 3, 3, 3, 3] and len(asked) == 50 // 16 + 1 + 3


def test_where_nobody_says_to_have_more_each_is_asked_in_turn_and_the_named_one_first() -> None:
    requests, neighbours = BlockRequests(16, PATIENCE), [NodeId(n) for n in range(3)]
    times = iter(range(0, 10**6, int(PATIENCE)))
    assert [requests.ask(SimTime(next(times)), 5, None, neighbours) for _ in range(4)] == [0, 1, 2, 0]
    requests = BlockRequests(16, PATIENCE)
    assert requests.ask(SimTime(0), 5, NodeId(2), neighbours) == 2
    assert requests.ask(SimTime(1), 5, NodeId(1), neighbours) is None, "one at a time"


def test_nobody_gives_what_was_not_asked_of_it_and_nothing_twice() -> None:
    requests, neighbours = BlockRequests(16, PATIENCE), [NodeId(0), NodeId(1)]
    assert not requests.expects(NodeId(0), 6)
    requests.ask(SimTime(0), 5, NodeId(0), neighbours)
    assert not requests.expects(NodeId(1), 6) and not requests.expects(NodeId(0), 7)
    assert requests.expects(NodeId(0), 6) and not requests.expects(NodeId(0), 6)
