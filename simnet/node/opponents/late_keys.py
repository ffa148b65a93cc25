"""Tags made with keys that the chain does not know yet: they are registered when the tags have helped to decide a block, and disclosed then.

A consensus proof opens the keys of the members that it counts in a tree of those registered before. Who registers afterwards has a place
without keys in it: a prover that takes its tags for good ones finds no proof.
"""

from simnet.base.catalogue import BackendId
from simnet.node.chain import CommittedBlock
from simnet.node.committee import committee_of, tags_of
from simnet.node.opponents.act import Reach
from simnet.protocol.blocks import Block, Registration
from simnet.protocol.messages import KeyDisclosure, Phase, Vote
from simnet.protocol.validators import Lane, epoch_of

BLOCKS_MAX = 64
"""Blocks that it remembers its tags for."""
MEANWHILE = ("votes", "proofs")
"""What it keeps back while it is not registered: its own votes without tags, and the proofs that would come before its keys."""


class LateKeys:
    """What one node does about its keys, slot by slot, and what it has to say."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._taken = set[str]()
        """What is kept back on its behalf."""
        self._tagged: dict[bytes, int] = {}
        """In which slot it has tagged a block."""
        self._voted = -1

    def begin(self) -> None:
        self._keep("registrations")

    def end(self) -> None:
        self._reach.conduct.instead -= self._taken
        self._taken.clear()

    def _keep(self, *what: str) -> None:
        new = set(what) - self._reach.conduct.instead
        self._reach.conduct.instead |= new
        self._taken |= new

    def on_slot(self, slot: int) -> list[Registration | KeyDisclosure]:
        """What is due: its registration, or the keys of the blocks that were decided before."""
        if self._is_registered(slot):
            self._reach.conduct.instead -= self._taken & set(MEANWHILE)
            self._taken -= set(MEANWHILE)
            return [self._keys(committed, self._tagged.pop(committed.block.hash)) for committed in self._unproven()]
        self._keep(*MEANWHILE)
        epoch, chain_id = epoch_of(max(0, slot)), self._reach.facts.genesis.chain_id
        return [self._reach.keyring.registration(chain_id, epoch)] if self._unproven() else []

    def votes_for(self, block: Block, slot: int) -> list[Vote]:
        """All three, with tags: once a slot, for the block that may follow the head, while it is not registered."""
        if self._voted >= slot or self._is_registered(slot) or block.header.height != self._reach.chain.height + 1:
            return []
        self._voted = slot
        self._tagged[block.hash] = slot
        if len(self._tagged) > BLOCKS_MAX:
            del self._tagged[next(iter(self._tagged))]
        chain, keyring, backend = self._reach.chain, self._reach.keyring, BackendId(block.header.backend)
        electorate = chain.electorate
        place = (slot, Lane.VOTE, backend, electorate.registered(slot))
        committee = committee_of(self._reach.facts, electorate.members, electorate.registry, place)
        tags = tags_of(committee, block, slot, keyring.one_time(backend, slot, Lane.VOTE).__getitem__)
        made = [Vote(block.header.height, slot, phase, block.hash, self._reach.node, tags[phase], b"") for phase in Phase]
        return [keyring.signed(vote) for vote in made]

    def _is_registered(self, slot: int) -> bool:
        return self._reach.chain.registry.of(self._reach.node, epoch_of(max(0, slot))) is not None

    def _unproven(self) -> list[CommittedBlock]:
        """Blocks that it has tagged, and that are decided and not proven."""
        return [c for c in self._reach.chain.committed if c.block.hash in self._tagged and c.proof is None]

    def _keys(self, committed: CommittedBlock, slot: int) -> KeyDisclosure:
        header, keyring = committed.block.header, self._reach.keyring
        backend = BackendId(header.backend)
        keys = keyring.one_time(backend, slot, Lane.VOTE)
        unsigned = KeyDisclosure(header.height, slot, Lane.VOTE, backend, committed.block.hash, self._reach.node, keys, b"")
        return keyring.signed(unsigned)
