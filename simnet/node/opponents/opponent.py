"""A node's misconduct towards others, as the rest of the node sees it. An honest node's does nothing."""

from collections.abc import Mapping
from typing import Any

from simnet.base.units import NodeId
from simnet.net.network import Message
from simnet.node.opponents.act import Act, Reach
from simnet.node.opponents.amnesia import Amnesia
from simnet.node.opponents.double_spend import DoubleSpend
from simnet.node.opponents.false_evidence import FalseEvidence
from simnet.node.opponents.flood import Flood
from simnet.node.opponents.forged_proofs import ForgedProofs
from simnet.node.opponents.forged_votes import ForgedVotes
from simnet.node.opponents.invalid_blocks import InvalidBlocks
from simnet.node.opponents.lying_sync import LyingSync
from simnet.node.opponents.poison import Poison
from simnet.node.opponents.split import Split
from simnet.scenario import opponents as model

ACTS: Mapping[str, type[Act[Any]]] = {
    "forged_votes": ForgedVotes,
    "forged_proofs": ForgedProofs,
    "invalid_blocks": InvalidBlocks,
    "double_spend": DoubleSpend,
    "split": Split,
    "amnesia": Amnesia,
    "lying_sync": LyingSync,
    "poison": Poison,
    "false_evidence": FalseEvidence,
    "flood": Flood,
}


class Opponent:
    """What one node does under the faults that it has at the moment."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._acts: list[tuple[model.Opponent, Act[Any]]] = []

    def under(self, fault: model.Opponent, begins: bool) -> None:
        """A fault begins or ends."""
        if begins:
            act = ACTS[fault.kind](self._reach, self._reach.plans.of(fault), fault)
            self._acts.append((fault, act))
            act.begin()
        else:
            for known, act in self._acts:
                if known is fault:
                    act.end()
            self._acts = [(known, act) for known, act in self._acts if known is not fault]

    def on_slot(self, slot: int) -> None:
        """A slot begins; the node itself has not acted in it."""
        for _, act in self._acts:
            act.on_slot(slot)

    def saw(self, message: Message) -> None:
        """A gossip message came; the node has not looked into it."""
        for _, act in self._acts:
            act.saw(message)

    def answers(self, kind: str, payload: object, peer: NodeId) -> bool:
        """Whether it has answered a neighbour's message in the node's place."""
        return any(act.answers(kind, payload, peer) for _, act in self._acts)
