"""What is said again until a block is proven: copies of what is old, which anybody may send, keep nobody's new words from being heard."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest

from simnet.base.catalogue import BackendId
from simnet.net.network import Validation
from simnet.node.finality import DISCLOSURES_MAX, ENDORSEMENTS_MAX, RECENT_SLOTS
from simnet.node.held import HEIGHTS_AHEAD, HELD_MAX
from simnet.protocol.messages import Certificate, Endorsement, KeyDisclosure, Phase
from simnet.protocol.validators import Lane, epoch_of
from tests.mocks import scenario
from tests.node.alone import Puppet, gossiped, puppets
from tests.node.test_by_script import SLOT_MS, begin, carry, decided, leader_of, others, proposed

NOW = 60


@pytest.fixture
def four() -> list[Puppet]:
    """One block is decided and never proven; it is slot 60."""
    made = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}))
    begin(made, 0)
    decided(made, made)
    begin(made, NOW)
    return made


def endorsed(author: Puppet, slot: int, lane: Lane = Lane.RECOVER, backend: int = 1, height: int = 1) -> Endorsement:
    chain = author.node.chain
    tags = (b"t" * 32,) * 3
    block = chain.committed[0].block.hash
    return author.node.keyring.signed(
        Endorsement(height, slot, lane, block, backend, chain.registry.count(epoch_of(slot)), int(author.node.id), tags, b"")
    )


def disclosed(author: Puppet, slot: int, lane: Lane = Lane.RECOVER, backend: BackendId = BackendId.STWO) -> KeyDisclosure:
    keys, block = author.node.keyring.one_time(backend, slot, lane), author.node.chain.committed[0].block
    return author.node.keyring.signed(KeyDisclosure(1, slot, lane, backend, block.hash, int(author.node.id), keys, b""))


def heard(one: Puppet, kind: str, said: Sequence[object]) -> list[tuple[Validation, str]]:
    return [one.hear(kind, payload, 3) for payload in said]


def test_old_endorsements_leave_room_for_new_ones(four: list[Puppet]) -> None:
    one, author = four[0], four[1]
    old = [endorsed(author, slot) for slot in range(5, NOW - RECENT_SLOTS)]
    for slot in (NOW, NOW + 1):
        begin([one], slot)
        assert heard(one, "endorsement", old).count((Validation.ACCEPT, "")) == ENDORSEMENTS_MAX
        assert one.hear("endorsement", old[-1], 3) == (Validation.DROP, "too_many"), "it may come again"
        recent = [endorsed(author, s, backend=b) for s in range(slot - RECENT_SLOTS + 1, slot + 1) for b in (1, 2, 3)]
        assert heard(one, "endorsement", recent) == [(Validation.ACCEPT, "")] * len(recent)
        assert one.hear("endorsement", endorsed(author, 0, Lane.ENDORSE), 1) == (Validation.ACCEPT, "")


def test_what_one_says_of_blocks_to_come_takes_nobodys_place(four: list[Puppet]) -> None:
    """Honest neighbours pass it on: it is signed, and no two are the same."""
    one, liar, honest = four[0], four[3], four[1]
    ahead = range(2, 2 + HEIGHTS_AHEAD)
    said = [endorsed(liar, slot, lane, height=h) for h in ahead for lane in Lane for slot in range(NOW - 5, NOW + 1)]
    given = heard(one, "endorsement", said)
    assert given.count((Validation.ACCEPT, "")) == HELD_MAX and given[-1] == (Validation.DROP, "not_committed")
    assert one.hear("endorsement", endorsed(honest, NOW, Lane.ENDORSE, height=2), 3) == (Validation.ACCEPT, "")


def test_copies_of_a_disclosure_count_once(four: list[Puppet]) -> None:
    one, author = four[0], four[1]
    copy = disclosed(author, 0, Lane.VOTE)
    assert heard(one, "key_disclosure", [copy] * 70) == [(Validation.ACCEPT, "")] + [(Validation.IGNORE, "replay")] * 69
    assert one.hear("key_disclosure", disclosed(author, 0, Lane.ENDORSE), 1) == (Validation.ACCEPT, "")
    old = [disclosed(author, slot) for slot in range(5, 5 + DISCLOSURES_MAX + 1)]
    assert heard(one, "key_disclosure", old)[-1] == (Validation.DROP, "too_many")
    assert one.hear("key_disclosure", disclosed(author, NOW), 1) == (Validation.ACCEPT, "")


def test_certificates_with_news_are_always_heard(four: list[Puppet]) -> None:
    one, block = four[0], four[0].node.chain.committed[0].block.hash

    def certificate(slot: int, *members: int) -> Certificate:
        count = one.node.chain.registry.count(epoch_of(slot))
        return Certificate(1, slot, block, 1, count, (), tuple(endorsed(four[m], slot) for m in members))

    slots = range(10, 15)
    assert heard(one, "tag_set", [certificate(slot, 0, 1, 2, 3) for slot in slots]) == [(Validation.ACCEPT, "")] * 5
    parts = list(combinations(range(4), 3))
    assert (Validation.DROP, "too_many") in heard(one, "tag_set", [certificate(slot, *members) for slot in slots for members in parts])
    news = certificate(20, 0, 1, 2)
    assert heard(one, "tag_set", [news, news]) == [(Validation.ACCEPT, ""), (Validation.IGNORE, "replay")]
    assert one.hear("tag_set", certificate(21, 0, 1), 3) == (Validation.REJECT, "no_quorum"), "two of four say nothing together"


def altered(certificate: Certificate) -> list[Certificate]:
    """What any relay can make of a certificate of votes without a key."""
    counts = [replace(certificate, registered=count) for count in range(100) if count != certificate.registered]
    return counts + [replace(certificate, backend=backend) for backend in range(100) if backend != certificate.backend]


def test_altered_certificates_are_no_news(four: list[Puppet]) -> None:
    """Their members sign neither the backend nor the registrations: each would be a place of its own, of which nothing is here."""
    one = others(four, leader_of(four, 0))[0]
    genuine = one.node.chain.committed[0].certificate
    answers = heard(one, "tag_set", altered(genuine))
    assert answers == [(Validation.REJECT, "registered")] * 99 + [(Validation.REJECT, "backend")] * 99
    assert one.hear("tag_set", genuine, 3) == (Validation.ACCEPT, "")
    assert not any(one.node.finality._certifier.learns(c) for c in altered(genuine))


def test_a_certificate_that_comes_before_its_block_waits_for_it() -> None:
    """Nobody can say yet what it may name; altered ones are passed on no more than any other."""
    made = puppets(scenario(4, slot_ms=SLOT_MS, chain={"block_proofs": []}))
    begin(made, 0)
    late = others(made, leader_of(made, 0))[-1]
    present = others(made, late)
    decided(made, present)
    genuine = present[0].node.chain.committed[0].certificate
    before = len(late.ports.answers)
    for n, certificate in enumerate([*altered(genuine)[:3], genuine]):
        late.heard += 1
        late.node.on_gossip(gossiped(1000 + n, "tag_set", certificate), late.ports.neighbours[0])
    assert len(late.ports.answers) == before, "no answer yet"
    late.hear("proposal", proposed(made), int(leader_of(made, 0).node.id))
    for phase in (Phase.PREVOTE, Phase.PRECOMMIT):
        carry(present, phase, [late])
    assert late.node.chain.height == 1
    told = [a for a in late.ports.answers[before:] if a != (Validation.ACCEPT, "")]
    assert told == [(Validation.REJECT, "registered")] * 3
    assert late.hear("tag_set", genuine, 2) == (Validation.ACCEPT, ""), "from another neighbour"
    assert late.hear("tag_set", genuine, int(late.ports.neighbours[0])) == (Validation.IGNORE, "replay"), "it was taken"


def test_what_can_not_be_kept_is_dropped_and_may_come_again(four: list[Puppet]) -> None:
    one, author = four[0], four[1]
    assert one.hear("endorsement", endorsed(author, NOW, height=1 + HEIGHTS_AHEAD), 1) == (Validation.ACCEPT, "")
    far = endorsed(author, NOW, height=2 + HEIGHTS_AHEAD)
    assert heard(one, "endorsement", [far, far]) == [(Validation.DROP, "not_committed")] * 2
