"""Contradictions: what counts as one, what is kept of it, and who took part in a round."""

from dataclasses import replace

import pytest

from simnet.protocol.blocks import EMPTY_TX_ROOT, GENESIS_PARENT, Block, Body, Header, tx_root
from simnet.protocol.evidence import EVIDENCE_MAX, SEEN_MAX, DoubleSign, EvidenceBook, SignedHeader
from simnet.protocol.messages import Phase, Proposal, Vote
from simnet.protocol.rounds import NOT_ASKED, ROUNDS_KEPT, Rounds
from simnet.protocol.slashing import Took
from simnet.protocol.validators import Validator, ValidatorSet

VOTE = Vote(3, 7, Phase.PREVOTE, b"a" * 32, 1, b"", b"signature")
OTHER = replace(VOTE, block=b"b" * 32)


def signed(_validator: int, _message: bytes, signature: bytes) -> bool:
    return signature == b"signature"


def proposal(timestamp: int, slot: int = 7) -> Proposal:
    roots = (EMPTY_TX_ROOT,) * 3
    header = Header(3, slot, GENESIS_PARENT, 1, 1, bytes(32), tx_root(()), timestamp, 0, *roots, ())
    return Proposal(slot, Block.assemble(header, Body()), -1, 1, b"signature")


def test_two_blocks_in_one_place_are_evidence() -> None:
    book = EvidenceBook()
    assert book.saw(VOTE) is None and book.saw(VOTE) is None
    found = book.saw(OTHER)
    assert found == DoubleSign(VOTE, OTHER)
    assert found.why_invalid(signed) is None and (found.offence, found.what) == ((1, 3, 7), "prevote")
    assert book.saw(replace(VOTE, block=None)) is not None, "a vote for nil beside one for a block is one, too"


@pytest.mark.parametrize("change", [{"slot": 8}, {"phase": Phase.PRECOMMIT}, {"validator": 2}])
def test_another_place_is_no_contradiction(change: dict[str, object]) -> None:
    book = EvidenceBook()
    elsewhere = replace(OTHER, **change)  # type: ignore[arg-type]
    assert book.saw(VOTE) is None and book.saw(elsewhere) is None
    assert DoubleSign(VOTE, elsewhere).why_invalid(signed) == "unrelated"


def test_a_slot_serves_one_height() -> None:
    book = EvidenceBook()
    book.saw(replace(VOTE, block=None))
    found = book.saw(replace(OTHER, height=2, block=None))
    assert found is not None and found.why_invalid(signed) is None
    assert found.offence == (1, 2, 7), "it is one offence, of the lower height"


def test_evidence_is_checked_not_believed() -> None:
    assert DoubleSign(VOTE, replace(VOTE, tag=b"t" * 32)).why_invalid(signed) == "same_block"
    assert DoubleSign(VOTE, replace(OTHER, signature=b"forged")).why_invalid(signed) == "SignatureInvalid"
    assert DoubleSign(replace(VOTE, signature=b"forged"), OTHER).why_invalid(signed) == "SignatureInvalid"


def test_of_a_proposal_the_header_is_enough() -> None:
    one, two = proposal(1), proposal(2)
    assert SignedHeader.of(one).signing_bytes() == one.signing_bytes()
    book = EvidenceBook()
    assert book.saw(SignedHeader.of(one)) is None
    found = book.saw(SignedHeader.of(two))
    assert found is not None and found.what == "proposal" and found.why_invalid(signed) is None
    assert found.size < one.size + two.size + 1
    assert book.saw(SignedHeader.of(replace(one, valid_slot=2))) is None, "the same block again"


def test_one_piece_for_an_offender_height_and_slot() -> None:
    book = EvidenceBook()
    book.saw(VOTE)
    found = book.saw(OTHER)
    assert found is not None
    book.keep(found)
    book.saw(replace(VOTE, phase=Phase.PRECOMMIT))
    assert book.saw(replace(OTHER, phase=Phase.PRECOMMIT)) is None
    book.saw(replace(VOTE, slot=8))
    assert book.saw(replace(OTHER, slot=8)) is not None


def test_what_is_remembered_is_bounded_for_each_validator() -> None:
    book = EvidenceBook()
    book.saw(replace(VOTE, validator=2))
    for slot in range(SEEN_MAX + 1):
        book.saw(replace(VOTE, slot=slot))
    assert book.saw(replace(OTHER, slot=0)) is None, "the oldest was forgotten"
    assert book.saw(replace(OTHER, slot=SEEN_MAX)) is not None
    assert book.saw(replace(OTHER, validator=2)) is not None, "and nobody else's"
    for slot in range(EVIDENCE_MAX):
        piece = DoubleSign(replace(VOTE, slot=slot), replace(OTHER, slot=slot))
        assert not book.full(piece)
        book.keep(piece)
    assert book.full(piece)
    assert not book.full(DoubleSign(replace(VOTE, validator=2), replace(OTHER, validator=2))), "nobody hides behind another's"


MEMBERS = ValidatorSet.of(Validator(i, bytes([i]) * 32, b"", 1, 1, 0) for i in range(4))


def took(votes: dict[int, Phase], slot: int = 7) -> dict[int, Took] | None:
    rounds = Rounds()
    rounds.begin(slot)
    for validator, phase in votes.items():
        rounds.voted(replace(VOTE, slot=slot, validator=validator, phase=phase))
        rounds.voted(replace(VOTE, slot=slot, validator=validator, phase=Phase.PREVOTE))
    return rounds.took(slot, MEMBERS, range(5))


def test_a_later_vote_counts_for_the_earlier_phases() -> None:
    parts = took({0: Phase.PREVOTE, 1: Phase.PRECOMMIT, 2: Phase.COMMIT})
    assert parts is not None
    assert [(parts[v].prevote, parts[v].precommit) for v in range(4)] == [(True, False), (True, True), (True, True), (False, False)]
    assert parts[4] == NOT_ASKED, "no member of the epoch"


def test_a_round_without_a_quorum_is_not_judged() -> None:
    assert took({0: Phase.COMMIT, 1: Phase.COMMIT}) is None
    assert took(dict.fromkeys(range(3), Phase.PREVOTE)) is not None


def test_only_rounds_about_now_are_kept() -> None:
    rounds = Rounds()
    rounds.begin(100)
    for slot in (100 - ROUNDS_KEPT - 1, 102, 10**9):
        rounds.proposed(1, slot)
        assert not rounds.has_proposal(1, slot)
    rounds.proposed(1, 101)
    rounds.heard(1, 100)
    assert rounds.was_heard(1, 100, 101) and not rounds.was_heard(1, 99, 101) and not rounds.was_heard(2, 100, 101)
    rounds.begin(101 + ROUNDS_KEPT + 1)
    assert not rounds.has_proposal(1, 101)
