"""A node's watch over what others sign: it notices contradictions, keeps the evidence and passes it on."""

from collections.abc import Callable

from simnet.events import DoubleSignFound, LimitReached
from simnet.net.network import Message, Verdict
from simnet.node.world import World
from simnet.protocol.evidence import DoubleSign, EvidenceBook, SignedHeader
from simnet.protocol.messages import Proposal, Vote
from simnet.units import NodeId


class Watch:
    """One node's watch."""

    def __init__(self, world: World, node: NodeId) -> None:
        self._world = world
        self._node = node
        self._book = EvidenceBook()
        self.on_evidence: Callable[[DoubleSign], None] = lambda _: None

    def saw(self, message: Proposal | Vote) -> None:
        """A message whose signature was checked, the node's own included."""
        found = self._book.saw(SignedHeader.of(message) if isinstance(message, Proposal) else message)
        if found is not None and self._keep(found, heard=False):
            self._world.publish_consensus(self._node, "evidence", found, found.size)

    def on_gossip(self, message: Message, _peer: NodeId) -> None:
        """Evidence came by gossip: it is checked like any other, and what is known goes no further."""
        evidence = message.payload
        assert isinstance(evidence, DoubleSign)
        if self._book.knows(evidence):
            self._world.network.verdict(self._node, message, Verdict.IGNORE, "known")
            return
        why = evidence.why_invalid(self._world.signed_by)
        if why is None and not self._keep(evidence, heard=True):
            self._world.network.verdict(self._node, message, Verdict.IGNORE, "full")
            return
        self._world.network.verdict(self._node, message, Verdict.ACCEPT if why is None else Verdict.REJECT, why or "")

    def _keep(self, evidence: DoubleSign, *, heard: bool) -> bool:
        now = self._world.now
        if self._book.full:
            self._world.emit(LimitReached(now, self._node, "evidence"))
            return False
        self._book.keep(evidence)
        validator, height, slot = evidence.offence
        self._world.emit(DoubleSignFound(now, self._node, NodeId(validator), height, slot, evidence.what, heard))
        self.on_evidence(evidence)
        return True
