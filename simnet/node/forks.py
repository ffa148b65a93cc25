"""Neighbours on two chains tell each other with which votes each of them got there: what both of them remember together convicts.

Whoever hears of a head of another chain, no higher than its own, asks: with the hashes of its own last blocks. The answer is about the
first of these heights at which the two differ, and is made of what the neighbour remembers of the votes on it. It is checked like
any other votes, decides nothing, and is not kept: the watch judges it with what it remembers itself.
"""

from dataclasses import dataclass

from simnet.base.units import NodeId, SimTime
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.conduct import Conduct
from simnet.node.facts import Facts
from simnet.node.peers import Peers
from simnet.node.ports import Ports
from simnet.node.status import Status
from simnet.node.watch import Watch
from simnet.protocol.messages import Phase, Vote
from simnet.protocol.testimony import BLOCKS_MAX, HEADERS_MAX, Branch, Testimony, shared

ASK_AGAIN_SLOTS = 4
"""A neighbour on another chain is asked again after so many: it may have learnt more."""


@dataclass(slots=True)
class Asked:
    """A question to a neighbour."""

    at: SimTime
    open: bool = True


class Forks:
    """One node's part in finding out who forked a chain."""

    def __init__(self, facts: Facts, ports: Ports, chain: Chain, watch: Watch, conduct: Conduct, peers: Peers) -> None:
        self._facts = facts
        self._ports = ports
        self._chain = chain
        self._watch = watch
        self._conduct = conduct
        self._peers = peers
        self._asked: dict[NodeId, Asked] = {}
        self._answered: dict[NodeId, SimTime] = {}
        """When each neighbour was last answered, which is once a slot at most."""

    def on_direct(self, kind: str, payload: object, peer: NodeId) -> None:
        """A point-to-point message; most are for others."""
        match kind, payload:
            case "status", Status():
                self._on_status(payload, peer)
            case "fork_request", Branch():
                self._answer(payload, peer)
            case "fork_response", Testimony():
                self._on_testimony(payload, peer)

    def _on_status(self, status: Status, peer: NodeId) -> None:
        own, now = self._chain.at(status.height), self._ports.now
        if own is None or own.block.hash == status.head:
            return
        asked = self._asked.get(peer)
        if asked is not None and now - asked.at < ASK_AGAIN_SLOTS * self._facts.slots.length:
            return
        self._asked[peer] = Asked(now)
        first = max(1, status.height - BLOCKS_MAX + 1)
        branch = Branch(first, tuple(c.block.hash for c in self._chain.committed[first - 1 : status.height]))
        self._ports.send(peer, "fork_request", branch, branch.size)

    def _answer(self, branch: Branch, peer: NodeId) -> None:
        own, now = self._first_other(branch), self._ports.now
        if own is None or now - self._answered.get(peer, -self._facts.slots.length) < self._facts.slots.length:
            return
        self._answered[peer] = now
        if self._conduct.keeps("votes", own.block.header.height):
            return
        height = own.block.header.height
        votes, headers = self._watch.remembers(height)
        named = [own.block.header, *(h for h in headers if h != own.block.header)]
        answer = Testimony(height, tuple(named[:HEADERS_MAX]), shared(_votes_of(own), votes))
        self._ports.send(peer, "fork_response", answer, answer.size)

    def _first_other(self, branch: Branch) -> CommittedBlock | None:
        """The first own block that differs from a neighbour's."""
        for height, block in enumerate(branch.blocks, branch.first):
            own = self._chain.at(height)
            if own is None or own.block.hash != block:
                return own
        return None

    def _on_testimony(self, told: Testimony, peer: NodeId) -> None:
        asked, own = self._asked.get(peer), self._chain.at(told.height)
        if asked is None or not asked.open or own is None:
            return
        asked.open = False
        if not all(_is_about(v, told.height) and self._facts.vote_valid(v) for v in told.votes):
            self._peers.refused("fork_response", peer, "SignatureInvalid")
            return
        self._watch.heard(told.height, [*_votes_of(own), *told.votes], [own.block.header, *told.headers])


def _is_about(vote: Vote, height: int) -> bool:
    """Whether a vote can be part of an answer about a height: one for a block that comes before the decision."""
    return vote.height == height and vote.block is not None and vote.phase is not Phase.COMMIT


def _votes_of(committed: CommittedBlock) -> tuple[Vote, ...]:
    """The votes that a block's certificates keep for good."""
    proof = committed.proof
    votes = (*committed.certificate.votes, *(proof.certificate.votes if proof is not None else ()))
    return tuple(v for v in votes if v.phase is not Phase.COMMIT)
