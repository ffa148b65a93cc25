"""keys_once, locks: what honest nodes sign.

keys_once   a one-time key serves one height, one phase and one value; a slot's keys of one lane serve one height
locks       an honest node precommits a block only on a quorum of prevotes of that slot; having done so it prevotes another one only
            on a quorum of prevotes for that one from a slot since (lines 28 and 36 of arXiv:1807.04938)

Quorums are of the whole stake. What misbehaving nodes sign is not known here, so their stake counts for every value.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from simnet.base.units import NodeId, SimTime
from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import BlockCommitted, Endorsed, Handlers, Proposed, VoteCast
from simnet.protocol.validators import Lane

SLOTS_KEPT = 4096
"""What was signed longer ago is forgotten."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a node's signature of one slot and phase was for."""

    height: int
    value: str | None
    """None: a vote for nil, which uses no key."""


@dataclass(slots=True)
class SlotOfAll:
    """What was signed in one slot."""

    signed: dict[tuple[NodeId, Lane, str], Signed] = field(default_factory=dict)
    """By (node, lane, phase)."""
    heights: dict[tuple[NodeId, Lane], int] = field(default_factory=dict)
    """The height that a node's keys of a lane serve."""


class KeysOnce:
    """What every honest node has signed in each slot."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings
        self._slots: dict[int, SlotOfAll] = defaultdict(SlotOfAll)
        self._newest = 0

    @property
    def handlers(self) -> Handlers:
        return {Proposed: self._proposed, VoteCast: self._voted, Endorsed: self._endorsed}

    def _proposed(self, e: Proposed) -> None:
        self._sign(e.at, e.node, Lane.VOTE, e.slot, "proposal", Signed(e.height, e.block))

    def _voted(self, e: VoteCast) -> None:
        self._sign(e.at, e.node, Lane.VOTE, e.slot, e.phase, Signed(e.height, e.block))

    def _endorsed(self, e: Endorsed) -> None:
        self._sign(e.at, e.node, Lane[e.lane.upper()], e.slot, f"{e.backend} endorsement", Signed(e.height, e.block))

    def _sign(self, at: SimTime, node: NodeId, lane: Lane, slot: int, phase: str, signed: Signed) -> None:
        if node not in self._setting.honest:
            return
        self._findings.looked_at("keys_once", "signatures")
        book = self._slots[slot]
        before = book.signed.setdefault((node, lane, phase), signed)
        height = signed.height
        if signed.value is not None:
            height = book.heights.setdefault((node, lane), signed.height)
        if slot > self._newest:
            self._newest = slot
            self._slots.pop(slot - SLOTS_KEPT, None)
        if before != signed:
            both = " and ".join(f"{s.value or 'nil'} of height {s.height}" for s in (before, signed))
            self._findings.broken("keys_once", at, [node], f"node {node} signed two {phase}s in slot {slot}: {both}")
        elif height != signed.height:
            detail = f"node {node} used keys of slot {slot} for heights {height} and {signed.height} ({phase})"
            self._findings.broken("keys_once", at, [node], detail)


class Locks:
    """Who has prevoted and precommitted what, of heights that some honest node has not committed."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings
        self._anything = setting.stake(setting.liars)
        self._prevotes: dict[int, dict[tuple[int, str], set[NodeId]]] = defaultdict(lambda: defaultdict(set))
        """Honest prevotes by height, then by (slot, block)."""
        self._locks: dict[int, dict[NodeId, tuple[int, str]]] = defaultdict(dict)
        """Every node's last precommit by height: (slot, block)."""
        self._heights = dict.fromkeys(sorted(setting.honest), 0)

    @property
    def handlers(self) -> Handlers:
        return {VoteCast: self._voted, BlockCommitted: self._committed}

    def _voted(self, e: VoteCast) -> None:
        if e.node not in self._setting.honest or e.block is None:
            return
        if e.phase == "prevote":
            self._findings.looked_at("locks", "prevotes")
            self._keeps_lock(e, e.block)
            self._prevotes[e.height][e.slot, e.block].add(e.node)
        elif e.phase == "precommit":
            self._findings.looked_at("locks", "precommits")
            if not self._quorum(e.height, e.slot, e.block):
                detail = f"node {e.node} precommitted {e.block} of height {e.height} in slot {e.slot} without a quorum of prevotes"
                self._findings.broken("locks", e.at, [e.node], detail)
            self._locks[e.height][e.node] = (e.slot, e.block)

    def _keeps_lock(self, e: VoteCast, block: str) -> None:
        slot, locked = self._locks[e.height].get(e.node, (-1, block))
        if locked == block:
            return
        self._findings.looked_at("locks", "unlocked")
        if not any(self._quorum(e.height, v, block) for v in range(slot, e.slot)):
            detail = f"node {e.node}, locked on {locked} in slot {slot}, prevoted {block} of height {e.height} in slot {e.slot} without proof of lock"
            self._findings.broken("locks", e.at, [e.node], detail)

    def _quorum(self, height: int, slot: int, block: str) -> bool:
        votes = self._prevotes[height].get((slot, block), set())
        return self._setting.quorum(self._setting.stake(votes) + self._anything)

    def _committed(self, e: BlockCommitted) -> None:
        """What every honest node has behind it is forgotten."""
        if e.node in self._heights:
            self._heights[e.node] = e.height
            least = min(self._heights.values())
            for known in (self._prevotes, self._locks):
                for height in [h for h in known if h <= least]:
                    del known[height]
