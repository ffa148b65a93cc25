"""What faults make of a node's conduct: cheating, keeping things back. Without faults, nothing."""

from collections import Counter

from simnet.events import Equivocated, Withheld
from simnet.node.facts import Facts
from simnet.node.ports import Ports
from simnet.protocol.messages import Proposal, Vote
from simnet.scenario.nodefaults import Equivocation, Withholding


class Conduct:
    """One node's conduct. Windows of the same fault may overlap."""

    def __init__(self, facts: Facts, ports: Ports) -> None:
        self._facts = facts
        self._ports = ports
        self._node = ports.node
        self._equivocates: Counter[str] = Counter()
        self._withholds: Counter[str] = Counter()
        self.instead = set[str]()
        """What an opponent has sent in place of the honest thing: `proposals`."""

    def under(self, fault: Equivocation | Withholding, begins: bool) -> None:
        """A fault begins or ends."""
        counts = self._equivocates if isinstance(fault, Equivocation) else self._withholds
        counts.update(dict.fromkeys(fault.what, 1 if begins else -1))

    def equivocates(self, what: str) -> bool:
        """Whether the node signs two `proposals` or `votes`."""
        return self._equivocates[what] > 0

    def keeps(self, what: str, height: int) -> bool:
        """Whether the node keeps `proposals`, `votes`, `registrations`, `proofs` or `blocks` to itself, which is recorded, or has sent something else
        instead."""
        if what in self.instead:
            return True
        if self._withholds[what] <= 0:
            return False
        self._ports.emit(Withheld(self._ports.now, self._node, what, height))
        return True

    def publish_both(self, kind: str, first: Proposal | Vote, second: Proposal | Vote) -> None:
        """Sends one message to half of the neighbours and the other one to the rest; in one slot, always the same halves."""
        peers = self._ports.connected()
        order = self._facts.draws.generator("equivocation", self._node, first.slot).permutation(len(peers))
        shuffled = [peers[i] for i in order]
        half = (len(peers) + 1) // 2
        for message, spared in ((first, shuffled[half:]), (second, shuffled[:half])):
            self._ports.publish(kind, message, message.size, spared=frozenset(spared))
        what = first.phase.label if isinstance(first, Vote) else kind
        height = first.height if isinstance(first, Vote) else first.block.header.height
        self._ports.emit(Equivocated(self._ports.now, self._node, height, first.slot, what))
