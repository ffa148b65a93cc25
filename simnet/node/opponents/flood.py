"""As much as a node's uplink carries."""

from collections.abc import Callable, Mapping
from typing import Any

from simnet.net.network import Message
from simnet.node.opponents.act import Act, Reach
from simnet.node.opponents.forged_proofs import ForgedProofs
from simnet.node.opponents.forged_votes import ForgedVotes
from simnet.node.opponents.plan import Plan
from simnet.node.opponents.poison import Poison
from simnet.scenario import opponents as model

TICKS_PER_S = 10
MESSAGES_PER_TICK_MAX = 100
"""A limit of ours, so that a fast uplink and small messages do not fill a run."""


class Flood(Act[model.Flood]):
    """Ten times a second it sends what fits into a tenth of a second of its uplink; what is too large waits for its turn."""

    def begin(self) -> None:
        self._parts = {name: PARTS[name](self.reach, self.plan, self.fault) for name in self.fault.of}
        self._kept_back = 0
        self.every(TICKS_PER_S, self._tick)

    def end(self) -> None:
        super().end()
        for part in self._parts.values():
            part.end()

    def on_slot(self, slot: int) -> None:
        super().on_slot(slot)
        for part in self._parts.values():
            part.slot = slot

    def saw(self, message: Message) -> None:
        for part in self._parts.values():
            part.saw(message)

    def _tick(self) -> None:
        links = max(1, len(self.ports.connected()))
        self._kept_back += self.fault.kbps * 1000 // 8 // TICKS_PER_S
        idle = 0
        for _ in range(MESSAGES_PER_TICK_MAX):
            if self._kept_back <= 0 or idle == len(self.fault.of):
                return
            sent = self._parts[self.turn("flood", self.fault.of)].one()
            idle = 0 if sent else idle + 1
            self._kept_back -= sent * links


class _Replays(Poison):
    """A flood's replays: they keep what passes and wait for no rate."""

    def saw(self, message: Message) -> None:
        self._kept.append(message)


def _votes(reach: Reach, plan: Plan, fault: model.Flood) -> Act[Any]:
    return ForgedVotes(reach, plan, model.ForgedVotes(**_window(fault), kind="forged_votes"), fault.kind)


def _proofs(reach: Reach, plan: Plan, fault: model.Flood) -> Act[Any]:
    # Without the oversized ones, which nobody reads and which fill the uplink for nothing.
    small: tuple[model.ForgedProof, ...] = ("spoiled", "other_statement", "other_block", "other_key")
    return ForgedProofs(reach, plan, model.ForgedProofs(**_window(fault), kind="forged_proofs", what=small), fault.kind)


def _replays(reach: Reach, plan: Plan, fault: model.Flood) -> Act[Any]:
    made = _Replays(reach, plan, model.Poison(**_window(fault), kind="poison"), fault.kind)
    made.prepare()
    return made


def _window(fault: model.Flood) -> dict[str, Any]:
    return {"nodes": fault.nodes, "start_ms": fault.start_ms, "duration_ms": fault.duration_ms}


PARTS: Mapping[model.Flooded, Callable[[Reach, Plan, model.Flood], Act[Any]]] = {
    "forged_votes": _votes,
    "forged_proofs": _proofs,
    "poison": _replays,
}
