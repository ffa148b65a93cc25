"""keys_once and locks: nodes sign what they must not, in a run, and the checks say so."""

from typing import Any

import pytest

from simnet.node.voting import Validator
from simnet.node.world import World
from simnet.protocol.blocks import Block
from simnet.protocol.consensus import Effect, Voting
from simnet.protocol.messages import Phase, Vote
from simnet.protocol.slotbook import SlotBook
from simnet.protocol.validators import Electorate
from simnet.protocol.votes import VoteBook
from tests.checks.kit import bench, breaks, entry


def test_an_undisturbed_run_holds_and_says_on_what() -> None:
    result = bench().run()
    assert entry(result, "keys_once") == {"held": True, "status": "held", "signatures": 5 + 3 * 20}
    assert entry(result, "locks") == {"held": True, "status": "held", "prevotes": 20, "precommits": 20}


def test_keys_of_one_slot_for_two_heights_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Having committed, a node goes on to the next height in the same slot."""
    monkeypatch.setattr(Validator, "_may_vote", lambda self: True)
    monkeypatch.setattr(SlotBook, "may_sign", lambda self, height, slot: True)
    breaks(bench().run(), "keys_once", "in slot 0")


def test_keys_of_two_phases_for_two_heights_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a slot, a commit vote for the block before."""
    cast = Validator._cast

    def back(self: Validator, height: int, electorate: Electorate, slot: int, phase: Phase, block: Block | None) -> None:
        cast(self, height, electorate, slot, phase, block)
        if slot == 2 and phase is Phase.PREVOTE and self._node == 2:
            cast(self, height - 1, electorate, slot, Phase.COMMIT, self._chain.committed[-1].block)

    monkeypatch.setattr(Validator, "_cast", back)
    monkeypatch.setattr(SlotBook, "may_sign", lambda self, height, slot: True)
    assert breaks(bench().run(), "keys_once", "node 2 used keys of slot 2 for heights 3 and 2 (commit)").nodes == (2,)


def test_two_votes_of_one_phase_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Validator._cast

    def twice(self: Validator, height: int, electorate: Electorate, slot: int, phase: Phase, block: Block | None) -> None:
        cast(self, height, electorate, slot, phase, block)
        if slot == 1 and phase is Phase.PRECOMMIT and self._node == 2:
            cast(self, height, electorate, slot, phase, None)

    monkeypatch.setattr(Validator, "_cast", twice)
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
    publish = World.publish_consensus

    def lost(self: World, node: Any, kind: str, payload: object, size: int) -> bool:
        if isinstance(payload, Vote) and payload.phase is Phase.PRECOMMIT and payload.slot == 0:
            return True
        return publish(self, node, kind, payload, size)

    monkeypatch.setattr(World, "publish_consensus", lost)
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
