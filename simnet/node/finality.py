"""Proven finality: from commit votes to a verified consensus proof.

The block's proposer collects the votes of the deciding slot into a certificate and publishes it; members then
disclose the slot's one-time keys; with them the proposer proves, and everybody else verifies. Committed
finality never waits for any of this.

If the proposer brings no proof in time, and the scenario says what that is, the next member in the slot's leader order that has the block's backend does,
with the votes and the disclosed keys that it has seen itself.

If a member stays silent, the proposer goes on after one slot with the certificate reduced to those who
disclosed, provided they are a quorum. Every tag stands in a signed vote, so a smaller certificate claims
nothing that was not fixed before the disclosure.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simnet.events import BlockProven, ProofTakenOver
from simnet.net.network import Message, Verdict
from simnet.node.chain import (
    Chain,
    CommittedBlock,
    block_statement,
    certificate_matches,
    certificate_weight,
    committee_of,
)
from simnet.node.conduct import Conduct
from simnet.node.held import UntilCommitted
from simnet.node.identity import otk_tree, public_otk
from simnet.node.processor import Processor, Ticket
from simnet.node.world import World
from simnet.proofs import native
from simnet.proofs.backend import BackendId
from simnet.proofs.backend import Verdict as ProofVerdict
from simnet.proofs.statements import (
    ZERO,
    Committee,
    MemberVotes,
    consensus_statement,
    consensus_witness,
    tier_seed,
)
from simnet.protocol.messages import Certificate, ConsensusProof, KeyDisclosure, Phase, Vote, VrfEntry
from simnet.protocol.validators import SLOTS_PER_EPOCH, EpochSet, epoch_of
from simnet.units import NodeId, from_ms

VRF_KEY = 3
"""Index of a slot's one-time key that serves its VRF entry."""


@dataclass(slots=True)
class Proving:
    """A block that this node has proposed and has to prove."""

    certificate: Certificate | None = None
    keys: dict[int, KeyDisclosure] = field(default_factory=dict)
    done: bool = False
    not_before: int = 0
    """When the certificate may be published."""


class Finality:
    """One node's part in proving blocks final."""

    def __init__(
        self,
        world: World,
        node: NodeId,
        chain: Chain,
        processor: Processor,
        votes: dict[tuple[int, bytes], dict[tuple[int, Phase], Vote]],
        note_vote: Callable[[Vote], None],
        conduct: Conduct,
    ) -> None:
        self._world = world
        self._node = node
        self._chain = chain
        self._processor = processor
        self._votes = votes
        self._note_vote = note_vote
        self._conduct = conduct
        self._secret = world.genesis.secrets[node]
        self._proving: dict[int, Proving] = {}
        self._disclosed: set[int] = set()
        self._keys: dict[int, dict[int, KeyDisclosure]] = defaultdict(dict)
        """Signed disclosures by height and validator, until the block is proven: whoever takes over needs them."""
        self._held = UntilCommitted(world, node, chain, "held_consensus_messages")
        self.on_proven: Callable[[int], None] = lambda _height: None
        """Told the height of every block whose consensus proof was verified here."""
        self._slot_ns = from_ms(world.scenario.chain.slot_ms)
        slots = world.scenario.proof_takeover_slots
        self._timeout = None if slots is None else slots * self._slot_ns

    # --- proposer ------------------------------------------------------------------------------

    def on_commit(self, height: int) -> None:
        """A block was committed here."""
        committed = self._chain.at(height)
        assert committed is not None
        if committed.block.header.proposer == self._node:
            # Most commit votes arrive within a few link delays; a twelfth of a slot is several.
            grace = self._slot_ns // 12
            self._proving[height] = Proving(not_before=self._world.now + grace)
            self._world.after(grace, lambda: self._certify(height))
        elif self._timeout is not None:
            substitutes = self._substitutes(committed)
            if self._node in substitutes:
                rank = 1 + substitutes.index(self._node)
                self._world.after(rank * self._timeout, lambda: self._take_over(height, rank))
        self._held.on_commit(height)

    def _substitutes(self, committed: CommittedBlock) -> list[int]:
        """Who may prove a block when its proposer does not, in order."""
        header = committed.block.header
        leaders = committed.members.leaders(committed.slot)
        return [v for v in leaders if v != header.proposer and header.backend in self._world.backend_ids(v)]

    def _take_over(self, height: int, rank: int) -> None:
        """Proves a block in another's place, unless a proof has come."""
        committed = self._chain.at(height)
        assert committed is not None
        if committed.proof is not None or self._conduct.keeps("proofs", height):
            return
        name = committed.block.hash.hex()[:16]
        self._world.emit(ProofTakenOver(self._world.now, self._node, height, name, NodeId(committed.block.header.proposer), rank))
        self._proving[height] = Proving(not_before=self._world.now)
        self._certify(height)

    def on_vote_seen(self, vote: Vote) -> None:
        """A late commit vote may complete a quorum."""
        proving = self._proving.get(vote.height)
        if proving is not None and proving.certificate is None and self._world.now >= proving.not_before:
            self._certify(vote.height)

    def _certify(self, height: int) -> None:
        """Publishes the certificate once all three phases have a quorum; tried again with every later vote."""
        committed = self._chain.at(height)
        proving = self._proving[height]
        assert committed is not None
        if proving.certificate is not None:
            return
        certificate = self._full_certificate(committed)
        if certificate is None:
            return
        proving.certificate = certificate
        self._world.publish_consensus(self._node, "tag_set", certificate, certificate.size)
        self._disclose(certificate)
        for disclosure in list(self._keys[height].values()):
            self._check_disclosure(disclosure)
        self._world.after(self._slot_ns, lambda: self._reduce(height))

    def _full_certificate(self, committed: CommittedBlock) -> Certificate | None:
        """All members that cast all three votes in the deciding slot, if they are a quorum."""
        votes = self._votes[(committed.slot, committed.block.hash)]
        members = [m.validator.index for m in committed.members.members]
        complete = sorted(m for m in members if all((m, p) in votes for p in Phase))
        if sum(committed.members.weights[m] for m in complete) < committed.members.threshold:
            return None
        chosen = tuple(votes[(m, p)] for m in complete for p in Phase)
        return Certificate(committed.block.header.height, committed.slot, committed.block.hash, chosen)

    def _reduce(self, height: int) -> None:
        """A slot has passed: go on without the members that did not disclose."""
        proving = self._proving[height]
        committed = self._chain.at(height)
        if proving.done or proving.certificate is None or committed is None:
            return
        votes = tuple(v for v in proving.certificate.votes if v.validator in proving.keys)
        reduced = replace(proving.certificate, votes=votes)
        if certificate_weight(reduced, Phase.COMMIT, committed.members) >= committed.members.threshold:
            proving.certificate = reduced
            self._world.publish_consensus(self._node, "tag_set", reduced, reduced.size)
            self._prove(height)
        else:
            self._world.after(self._slot_ns, lambda: self._reduce(height))

    def _collect(self, disclosure: KeyDisclosure) -> None:
        proving = self._proving.get(disclosure.height)
        if proving is None or proving.done or proving.certificate is None:
            return
        proving.keys[disclosure.validator] = disclosure
        if {v.validator for v in proving.certificate.votes} <= proving.keys.keys():
            self._prove(disclosure.height)

    def _prove(self, height: int) -> None:
        proving, committed = self._proving[height], self._chain.at(height)
        if proving.done:
            return  # A late disclosure came before the retry.
        if self._conduct.keeps("proofs", height):
            proving.done = True
            return
        assert committed is not None
        assert proving.certificate is not None
        proving.done = True
        backend = BackendId(committed.block.header.backend)
        committee = self._committee(committed.members, backend)
        block = block_statement(committed.block, committed.slot, committee)
        seats = {m.validator.index: i for i, m in enumerate(committed.members.members)}
        vrf = []
        for v in sorted({v.validator for v in proving.certificate.votes}):
            key = proving.keys[v].keys[VRF_KEY]
            member = committee.members[seats[v]]
            seed = tier_seed(backend, member.key, member.timetoke_hours)
            vrf.append(VrfEntry(v, native.vrf_output(backend, key, block.digest, block.epoch, seed), key))
        votes = member_votes(committed.members, proving.certificate, tuple(vrf))
        opened = {}
        for validator, seat in seats.items():
            public = public_otk(self._world.seed, validator, backend, committed.slot)
            keys = proving.keys[validator].keys if validator in proving.keys else (ZERO,) * 4
            opened[seat] = (keys, public.keys, public.path)
        witness = consensus_witness(consensus_statement(committee, block, votes), votes, opened)
        ticket = self._processor.prove(backend, self._world.circuits.consensus, witness)
        if ticket is None:
            proving.done = False
            self._world.after(self._slot_ns, lambda: self._prove(height))
            return
        ticket.when_ready(lambda: self._announce(committed, proving, tuple(vrf), ticket))

    def _announce(self, committed: CommittedBlock, proving: Proving, vrf: tuple[VrfEntry, ...], ticket: Ticket) -> None:
        assert proving.certificate is not None
        proof = ConsensusProof(proving.certificate, vrf, self._node, ticket.backend, ticket.take())
        self.examine(proof, self._node, lambda _verdict, _reason: None)
        self._world.publish_consensus(self._node, "consensus_proof", proof, proof.size)

    # --- everybody -----------------------------------------------------------------------------

    def on_certificate(self, message: Message, _peer: NodeId) -> None:
        """A certificate came by gossip."""
        certificate = message.payload
        assert isinstance(certificate, Certificate)
        valid = certificate_matches(certificate) and all(self._world.vote_valid(v) for v in certificate.votes)
        self._world.network.verdict(self._node, message, Verdict.ACCEPT if valid else Verdict.REJECT, "" if valid else "votes")
        if valid:
            for vote in certificate.votes:
                self._note_vote(vote)
            self._held.run(certificate.height, lambda: self._disclose(certificate))

    def on_disclosure(self, message: Message, _peer: NodeId) -> None:
        """A member's one-time keys came by gossip."""
        disclosure = message.payload
        assert isinstance(disclosure, KeyDisclosure)
        signed = self._world.signed_by(disclosure.validator, disclosure.signing_bytes(), disclosure.signature)
        self._world.network.verdict(self._node, message, Verdict.ACCEPT if signed else Verdict.REJECT, "" if signed else "SignatureInvalid")
        if signed:
            self._held.run(disclosure.height, lambda: self._check_disclosure(disclosure))

    def on_proof(self, message: Message, peer: NodeId) -> None:
        """A consensus proof came by gossip."""
        proof = message.payload
        assert isinstance(proof, ConsensusProof)

        def settle(verdict: Verdict, reason: str) -> None:
            self._world.network.verdict(self._node, message, verdict, reason)

        self._held.run(proof.certificate.height, lambda: self.examine(proof, peer, settle))

    def examine(self, proof: ConsensusProof, peer: NodeId, settle: Callable[[Verdict, str], None]) -> None:
        """Verifies a consensus proof of a committed block against a statement built here."""
        certificate = proof.certificate
        committed = self._chain.at(certificate.height)
        assert committed is not None
        if committed.proof is not None:
            settle(Verdict.IGNORE, "already_proven")
            return
        why = self._why_unrelated(proof, committed)
        if why is not None:
            settle(Verdict.REJECT, why)
            return
        backend = BackendId(committed.block.header.backend)
        statement = proof_statement(committed, proof, backend, self._world.circuits.consensus.params[0])

        def decide(verdict: ProofVerdict | None) -> None:
            if verdict is None:
                settle(Verdict.IGNORE, "verifier_busy")
                return
            if verdict.accepted and committed.proof is None:
                committed.proof = proof
                self._keys.pop(certificate.height, None)
                name = committed.block.hash.hex()[:16]
                self._world.emit(BlockProven(self._world.now, self._node, certificate.height, name, backend.label))
                self.on_proven(certificate.height)
            settle(Verdict.ACCEPT if verdict.accepted else Verdict.REJECT, verdict.reason)

        circuit = self._world.circuits.consensus
        self._processor.verify(backend, circuit, statement, proof.envelope, peer, None, decide)

    def _why_unrelated(self, proof: ConsensusProof, committed: CommittedBlock) -> str | None:
        """Native checks before the verifier: the certificate is signed, of this block, and a quorum in all phases."""
        certificate = proof.certificate
        if certificate.block != committed.block.hash or certificate.slot != committed.slot:
            return "another_block"
        if not certificate_matches(certificate) or not all(self._world.vote_valid(v) for v in certificate.votes):
            return "votes"
        threshold = committed.members.threshold
        if any(certificate_weight(certificate, p, committed.members) < threshold for p in Phase):
            return "no_quorum"
        voters = {v.validator for v in certificate.votes}
        if [e.validator for e in proof.vrf] != sorted(voters) or not voters <= committed.members.weights.keys():
            return "vrf_entries"
        return None

    def _disclose(self, certificate: Certificate) -> None:
        """Discloses this validator's keys of the slot, once, if its own votes stand in the certificate."""
        committed = self._chain.at(certificate.height)
        assert committed is not None
        mine = [v for v in certificate.votes if v.validator == self._node]
        own = self._votes[(certificate.slot, certificate.block)]
        if not mine or certificate.slot in self._disclosed or certificate.block != committed.block.hash:
            return
        if any(own.get((self._node, v.phase)) != v for v in mine):
            return
        self._disclosed.add(certificate.slot)
        backend = BackendId(committed.block.header.backend)
        tree = otk_tree(self._world.seed, self._node, backend, epoch_of(certificate.slot))
        index = certificate.slot % SLOTS_PER_EPOCH
        keys = (tree.key(index, 0), tree.key(index, 1), tree.key(index, 2), tree.key(index, VRF_KEY))
        unsigned = KeyDisclosure(certificate.height, certificate.slot, certificate.block, self._node, keys, b"")
        disclosure = replace(unsigned, signature=native.ed25519_sign(self._secret, unsigned.signing_bytes()))
        self._world.publish_consensus(self._node, "key_disclosure", disclosure, disclosure.size)
        self._remember(disclosure, committed)
        self._collect(disclosure)

    def _remember(self, disclosure: KeyDisclosure, committed: CommittedBlock) -> None:
        """Keeps a member's disclosure, one a block, as long as the block is not proven."""
        if committed.proof is None and disclosure.slot == committed.slot and disclosure.validator in committed.members.weights:
            self._keys[disclosure.height].setdefault(disclosure.validator, disclosure)

    def _check_disclosure(self, disclosure: KeyDisclosure) -> None:
        """Keeps disclosed keys; who proves the block takes those that hash to the public ones."""
        committed = self._chain.at(disclosure.height)
        assert committed is not None
        self._remember(disclosure, committed)
        if disclosure.height not in self._proving or disclosure.slot != committed.slot:
            return
        backend = BackendId(committed.block.header.backend)
        public = public_otk(self._world.seed, disclosure.validator, backend, disclosure.slot).keys
        if b"".join(native.otk_public(backend, k) for k in disclosure.keys) == public:
            self._collect(disclosure)

    def _committee(self, members: EpochSet, backend: BackendId) -> Committee:
        return committee_of(members, backend, self._world.circuits.consensus.params[0])


def proof_statement(committed: CommittedBlock, proof: ConsensusProof, backend: BackendId, capacity: int) -> bytes:
    """What a consensus proof of a committed block has to prove."""
    committee = committee_of(committed.members, backend, capacity)
    block = block_statement(committed.block, proof.certificate.slot, committee)
    return consensus_statement(committee, block, member_votes(committed.members, proof.certificate, proof.vrf))


def member_votes(members: EpochSet, certificate: Certificate, vrf: tuple[VrfEntry, ...]) -> tuple[MemberVotes, ...]:
    """Every member's tags and VRF entry, in the circuit's order."""
    tags = {(v.validator, v.phase): v.tag for v in certificate.votes}
    entries = {e.validator: (e.output, e.key) for e in vrf}
    out = []
    for member in members.members:
        v = member.validator.index
        own = [tags[(v, p)] for p in Phase if (v, p) in tags]
        complete = (own[0], own[1], own[2]) if len(own) == len(Phase) else None
        out.append(MemberVotes(complete, entries.get(v)))
    return tuple(out)
