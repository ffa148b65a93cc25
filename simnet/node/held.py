"""Messages about blocks that this node has not committed yet."""

from collections import defaultdict
from collections.abc import Callable

from simnet.events import LimitReached
from simnet.node.chain import Chain
from simnet.node.world import World
from simnet.units import NodeId

HELD_MAX = 64
"""Messages kept per validator for blocks that are not here."""


class UntilCommitted:
    """Runs what concerns a block once the block is committed here; keeps a bounded number."""

    def __init__(self, world: World, node: NodeId, chain: Chain, what: str) -> None:
        self._world = world
        self._node = node
        self._chain = chain
        self._what = what
        """The name of the limit."""
        self._held: dict[int, list[Callable[[], None]]] = defaultdict(list)
        self._count = 0

    def run(self, height: int, action: Callable[[], None]) -> None:
        """Runs `action` now, or once the block of this height is committed here."""
        if self._chain.at(height) is not None:
            action()
        elif height < 1:
            return  # There is no such block and never will be.
        elif self._count < HELD_MAX * len(self._world.genesis.validators):
            self._held[height].append(action)
            self._count += 1
        else:
            self._world.emit(LimitReached(self._world.now, self._node, self._what))

    def on_commit(self, height: int) -> None:
        """A block was committed here."""
        actions = self._held.pop(height, [])
        self._count -= len(actions)
        for action in actions:
            action()
