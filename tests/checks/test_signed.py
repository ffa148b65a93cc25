"""keys_once and locks: nodes sign what they must not, in a run, and the checks say so."""

from typing import Any

import pytest

from simnet.node.ports import NodePorts
from simnet.node.voting import Voter
from simnet.protocol.blocks import Block
from simnet.protocol.cases import Case
from simnet.protocol.certification import Certifier
from simnet.protocol.consensus import Effect, Voting
from simnet.protocol.messages import Phase, Vote
from simnet.protocol.slotbook import SlotBook
from simnet.protocol.validators import Electorate, Registry
from simnet.protocol.votes import VoteBook
from tests.checks.kit import bench, breaks, entry
from tests.mocks import misbehaving


def test_an_undisturbed_run_holds_and_says_on_what() -> None:
    result = bench().run()
    assert entry(result, "keys_once") == {"held": True, "status": "held", "signatures": 5 + 3 * 20}
    assert entry(result, "locks") == {"held": True, "status": "held", "prevotes": 20, "precommits": 20}


def test_keys_of_one_slot_for_two_heights_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Having committed, a node goes on to the next height in the same slot."""
    monkeypatch.setattr(Voter, "_may_vote", lambda self: True)
    monkeypatch.setattr(SlotBook, "may_sign", lambda self, height, slot: True)
    breaks(bench().run(), "keys_once", "in slot 0")


def test_keys_of_two_phases_for_two_heights_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a slot, a commit vote for the block before."""
    cast = Voter._cast

    def back(self: Voter, height: int, electorate: Electorate, slot: int, phase: Phase, block: Block | None) -> None:
        cast(self, height, electorate, slot, phase, block)
        if slot == 2 and phase is Phase.PREVOTE and self._node == 2:
            cast(self, height - 1, electorate, slot, Phase.COMMIT, self._chain.committed[-1].block)

    monkeypatch.setattr(Voter, "_cast", back)
    monkeypatch.setattr(SlotBook, "may_sign", lambda self, height, slot: True)
    assert breaks(bench().run(), "keys_once", "node 2 used keys of slot 2 for heights 3 and 2 (commit)").nodes == (2,)


def test_two_votes_of_one_phase_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Voter._cast

    def twice(self: Voter, height: int, electorate: Electorate, slot: int, phase: Phase, block: Block | None) -> None:
        cast(self, height, electorate, slot, phase, block)
        if slot == 1 and phase is Phase.PRECOMMIT and self._node == 2:
            cast(self, height, electorate, slot, phase, None)

    monkeypatch.setattr(Voter, "_cast", twice)
    violation = breaks(bench().run(), "keys_once", "node 2 signed two precommits in slot 1")
    assert "nil of height 2" in violation.detail and violation.nodes == (2,)


def test_one_nodes_misconduct_is_no_broken_promise() -> None:
    """Who equivocates by the scenario is not honest: nothing is promised for it."""
    fault = {"kind": "equivocation", "nodes": [1], "start_ms": 0, "duration_ms": 4000}
    result = bench(faults={"nodes": [fault]}).run()
    assert entry(result, "keys_once")["held"] and entry(result, "locks")["held"]
    assert entry(result, "fault_effect")["by_fault"]["nodes[0] equivocation"] > 0


def deaf_in_first_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """No precommit of slot 0 reaches anybody: all lock, and nobody decides."""
    publish = NodePorts.publish

    def lost(self: NodePorts, kind: str, payload: object, size: int) -> Any:
        if isinstance(payload, Vote) and payload.phase is Phase.PRECOMMIT and payload.slot == 0:
            return True
        return publish(self, kind, payload, size)

    monkeypatch.setattr(NodePorts, "publish", lost)
    monkeypatch.setattr(VoteBook, "missing_at", lambda self, theirs: ())


def test_a_lock_is_kept_and_opened_by_a_proof_of_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf_in_first_slot(monkeypatch)
    result = bench().run()
    assert result.complete, result.violations
    assert entry(result, "locks")["precommits"] >= 20


def test_a_vote_against_a_lock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are forgotten at every slot, and so is what was valid: the next leader proposes another block."""
    deaf_in_first_slot(monkeypatch)
    begin = Voting._begin

    def forgetful(self: Voting, slot: int, votes: bool) -> list[Effect]:
        self.locked = self.valid = None
        self.book = VoteBook(self.height, self.electorate.members)
        return begin(self, slot, votes)

    monkeypatch.setattr(Voting, "_begin", forgetful)
    violation = breaks(bench().run(), "locks", "locked on")
    assert "in slot 0" in violation.detail and "without proof of lock" in violation.detail


def test_a_precommit_without_prevotes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    prevote = Voting._prevote

    def hasty(self: Voting, block: bytes | None) -> list[Effect]:
        effects = prevote(self, block)
        return effects if block is None else effects + self._precommit(block)

    monkeypatch.setattr(Voting, "_prevote", hasty)
    b = bench()
    assert breaks(b.run(), "locks", "without a quorum of prevotes").nodes == (b.leader(0),), "the first who can"


def test_who_has_a_proof_of_lock_may_vote_against_its_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """One node alone sees the quorum of slot 0 and locks; it hears nothing of the next slot's, on another block, until a leader shows it."""
    b = bench()
    alone = next(n for n in range(4) if n not in (b.leader(1), b.leader(2)))
    take = Voter._take

    def deaf(self: Voter, item: Any, peer: Any) -> None:
        vote = item if isinstance(item, Vote) and item.validator != self._node else None
        if vote is not None and vote.phase is Phase.PREVOTE and vote.slot == 0 and alone not in (self._node, vote.validator):
            return
        if vote is not None and vote.phase is Phase.PREVOTE and vote.slot == 1 and self._node == alone:
            return
        if vote is not None and vote.phase is Phase.PRECOMMIT and vote.slot == 1:
            return
        take(self, item, peer)

    monkeypatch.setattr(Voter, "_take", deaf)
    monkeypatch.setattr(VoteBook, "missing_at", lambda self, theirs: ())
    told = entry(b.run(), "locks")
    assert told["held"] is True and told["unlocked"] == 1


def test_an_older_proof_of_lock_opens_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quorum of slot 0 that nobody saw in time; all lock on another block in slot 1, and go back to the first one in slot 2."""
    publish, begin, note, take = NodePorts.publish, Voting._begin, Voting._note_valid, Voter._take
    first: dict[int, Block | None] = {}

    def lost(self: NodePorts, kind: str, payload: object, size: int) -> Any:
        early = isinstance(payload, Vote) and payload.phase is Phase.PRECOMMIT and payload.slot < 2
        return True if early else publish(self, kind, payload, size)

    def deaf(self: Voter, item: Any, peer: Any) -> None:
        if not (isinstance(item, Vote) and item.phase is Phase.PREVOTE and item.slot == 0 and item.validator != self._node):
            take(self, item, peer)

    def forgetful(self: Voting, slot: int, votes: bool) -> list[Effect]:
        if slot == 1:
            first[id(self)] = self.proposed(0)
        back = first.get(id(self)) if slot == 2 else None
        if back is not None:
            self.locked, self.valid = None, (0, back)
        return begin(self, slot, votes)

    monkeypatch.setattr(NodePorts, "publish", lost)
    monkeypatch.setattr(VoteBook, "missing_at", lambda self, theirs: ())
    monkeypatch.setattr(Voter, "_take", deaf)
    monkeypatch.setattr(Voter, "_why_not_lock", lambda self, proposal: None)
    monkeypatch.setattr(Voting, "_proof_of_lock", lambda self, proposal: True)
    monkeypatch.setattr(Voting, "_begin", forgetful)
    monkeypatch.setattr(Voting, "_note_valid", lambda self: note(self) if self.slot != 2 else None)
    violation = breaks(bench().run(), "locks", "locked on")
    assert "in slot 1, prevoted" in violation.detail and "in slot 2 without proof of lock" in violation.detail


def test_keys_of_one_slot_that_endorse_two_blocks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody registers keys for the second epoch before its slot 4: then all blocks that wait are endorsed at once."""
    recover, register = Certifier._recover, Voter._publish_registration

    def all_of_them(self: Certifier, late: list[Case], registry: Registry) -> list[Any]:
        found: list[Any] = []
        for case in late:
            self._recovered_in.clear()
            found += recover(self, [case], registry)
        return found

    monkeypatch.setattr(Certifier, "_recover", all_of_them)
    monkeypatch.setattr(Voter, "_publish_registration", lambda self, epoch: register(self, epoch) if self.slot >= 36 else None)
    b = bench(44, rate=0.2, slot_ms=500, chain={"block_proofs": []}, consensus={"key_horizon_epochs": 1})
    violation = breaks(b.run(), "keys_once", "endorsements in slot")
    assert "of height" in violation.detail


def test_what_a_liar_signs_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It precommits at once and votes twice, in its own name: nobody has promised that it would not."""
    cast, prevote = Voter._cast, Voting._prevote
    b = bench(faults={"nodes": [misbehaving(2)]})

    def twice(self: Voter, height: int, electorate: Electorate, slot: int, phase: Phase, block: Block | None) -> None:
        cast(self, height, electorate, slot, phase, block)
        if self._node == 2 and phase is Phase.PRECOMMIT:
            cast(self, height, electorate, slot, phase, None)

    def hasty(self: Voting, block: bytes | None) -> list[Effect]:
        effects = prevote(self, block)
        return effects if block is None or self.me != 2 else effects + self._precommit(block)

    monkeypatch.setattr(Voter, "_cast", twice)
    monkeypatch.setattr(Voting, "_prevote", hasty)
    result = b.run()
    assert entry(result, "keys_once")["held"] and entry(result, "locks")["held"]


def test_where_nobody_signs_nothing_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a proof verified, as there are no transfers."""
    monkeypatch.setattr(Voter, "_cast", lambda *_: None)
    monkeypatch.setattr(Voter, "_propose", lambda *_: None)
    result = bench(3, rate=0.0001).run()
    told = {name: entry(result, name)["status"] for name in ("keys_once", "locks", "nothing_unverified")}
    assert set(told.values()) == {"not_exercised"}, told
