"""Proven finality at one node: carries out what `protocol.certification` decides, and examines what others send.

Committed finality never waits for any of this.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from simnet.base.catalogue import BackendId
from simnet.base.units import NodeId
from simnet.events import BlockProven, Endorsed, ProofTakenOver
from simnet.net.network import Message, Validation
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.committee import (
    VRF_KEY,
    block_statement,
    committee_of,
    member_votes,
    proof_statement,
    tags_of,
    why_no_tag_set,
    why_not_signed,
)
from simnet.node.conduct import Conduct
from simnet.node.facts import Facts
from simnet.node.held import NOT_COMMITTED, Fate, Repeats, Source, UntilCommitted, verdict_of
from simnet.node.keyring import Keyring, no_keys
from simnet.node.letters import (
    Committed,
    Examined,
    Gossiped,
    Letter,
    Letterbox,
    Origin,
    ProofRefused,
    ProofSigned,
    Proven,
    VotedLate,
)
from simnet.node.ports import Ports
from simnet.node.processor import TOO_LARGE, Provers, Ticket
from simnet.node.timing import latest_slot
from simnet.proofs import native
from simnet.proofs.backend import Verification
from simnet.proofs.field import otk_public
from simnet.proofs.statements import ZERO, consensus_statement, consensus_witness, tier_seed
from simnet.protocol import certification
from simnet.protocol.cases import place_of
from simnet.protocol.certification import Certifier, Disclose, Effect, Endorse, Prove, Publish, Rules, TakeOver
from simnet.protocol.messages import Certificate, ConsensusProof, Endorsement, KeyDisclosure, VrfEntry
from simnet.protocol.validators import Lane, epoch_of

ENDORSEMENTS_MAX, DISCLOSURES_MAX, CERTIFICATES_MAX = 16, 16, 16
"""What a node passes on in one slot about an unproven block: of an author's endorsements and disclosures with keys of one kind, and of certificates
from one neighbour that tell it nothing new. An honest author has said no more of a kind: one for each backend and recent slot."""
Kind = tuple[int, int, Lane, bool]
"""Of whom, about which height, with which keys, and whether these are recent."""
MISPLACED = frozenset({"backend", "registered"})
"""What is wrong with a certificate that somebody has altered on its way: its members sign neither of these."""
RECENT_SLOTS = 4
"""Keys of so many slots are a kind of their own: what an author said with older ones, and others repeat, is no reason not to hear it now."""


@dataclass(frozen=True, slots=True)
class GraceOver(Letter):
    """The proposer of a block has waited for late votes."""

    height: int


@dataclass(frozen=True, slots=True)
class ConsensusProofReady(Letter):
    """A consensus proof is made."""

    certificate: Certificate
    vrf: tuple[VrfEntry, ...]
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Incoming:
    """A consensus proof under examination."""

    proof: ConsensusProof
    peer: NodeId
    origin: Origin
    spam: str | None = None


@dataclass(frozen=True, slots=True)
class Early:
    """A certificate that came before its block: which backend and registrations it may name is not known yet, so it gets no answer yet."""

    message: Message
    peer: NodeId


@dataclass(frozen=True, slots=True)
class InHand(Examined):
    """A consensus proof that is being verified."""

    incoming: Incoming
    job: tuple[bytes, bytes]
    """Statement, and digest of the envelope."""


class Finality:
    """One node's part in proving blocks final."""

    def __init__(
        self, facts: Facts, ports: Ports, keyring: Keyring, chain: Chain, processor: Provers, conduct: Conduct, letters: Letterbox
    ) -> None:
        node = NodeId(keyring.node)
        self._facts = facts
        self._ports = ports
        self._letters = letters
        self._node = node
        self._chain = chain
        self._processor = processor
        self._conduct = conduct
        self._keyring = keyring
        self._slot = -1
        self._certifier = Certifier(node, _rules(facts))
        self._held = UntilCommitted[Incoming | Early | certification.Input](ports, chain, "held_consensus_messages")
        self._endorsements = Repeats[Kind](ports, "endorsements_of_author", ENDORSEMENTS_MAX)
        self._disclosures = Repeats[Kind](ports, "disclosures_of_author", DISCLOSURES_MAX)
        self._certificates = Repeats[Kind](ports, "certificates_of_peer", CERTIFICATES_MAX)
        self._in_hand: set[tuple[bytes, bytes]] = set()
        """Proofs being verified: statement, and digest of the envelope."""

    # --- what the chain and the clock bring --------------------------------------------------------

    def on_slot(self, slot: int) -> None:
        """A slot begins."""
        self._slot = slot
        for repeats in (self._endorsements, self._disclosures, self._certificates):
            repeats.begin()
        self._feed(certification.SlotBegan(slot, self._chain.registry))

    def on_commit(self, letter: Committed) -> None:
        """A block is to be proven."""
        height, votes = letter.block.header.height, letter.votes
        committed = self._committed(height)
        header = committed.block.header
        self._feed(
            certification.Committed(
                height,
                self._slot,
                committed.block.hash,
                header.slot,
                header.proposer,
                header.backend,
                committed.electorate,
                votes,
                self._chain.registry,
            )
        )
        if header.proposer == self._node:
            # Most commit votes arrive within a few link delays; a twelfth of a slot is several.
            self._letters.post_after(self._facts.slots.length // 12, GraceOver(height))
        for item in self._held.release(height):
            if isinstance(item, Incoming):
                self.examine(item)
            elif isinstance(item, Early):
                self._take_certificate(item)
            else:
                self._feed(item)

    def on_grace_over(self, letter: GraceOver) -> None:
        """The proposer goes on with the votes that are here."""
        self._feed(certification.GraceOver(letter.height))

    def on_late_vote(self, letter: VotedLate) -> None:
        """A late commit vote may complete a quorum."""
        self._feed(certification.Voted(letter.vote))

    # --- effects -----------------------------------------------------------------------------------

    def _feed(self, event: certification.Input) -> None:
        for effect in self._certifier.handle(event):
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Publish(certificate):
                self._ports.publish("tag_set", certificate, certificate.size)
                self._feed(certification.Certified(certificate))
            case Disclose():
                self._disclose(effect)
            case Endorse():
                self._endorse(effect)
            case Prove(height, certificate, keys):
                self._prove(self._committed(height), certificate, keys)
            case TakeOver(height, rank):
                block = self._committed(height).block
                name, proposer = block.hash.hex()[:16], NodeId(block.header.proposer)
                self._ports.emit(ProofTakenOver(self._ports.now, self._node, height, name, proposer, rank))

    def _disclose(self, effect: Disclose) -> None:
        backend = BackendId(effect.backend)
        keys = self._keyring.one_time(backend, effect.slot, effect.lane)
        unsigned = KeyDisclosure(effect.height, effect.slot, effect.lane, backend, effect.block, self._node, keys, b"")
        disclosure = self._keyring.signed(unsigned)
        self._disclosures.note(self._kind(disclosure), disclosure)
        self._ports.publish("key_disclosure", disclosure, disclosure.size)
        self._feed(certification.Disclosed(disclosure))

    def _endorse(self, effect: Endorse) -> None:
        if self._conduct.keeps("votes", effect.height):
            return
        committed, backend = self._committed(effect.height), BackendId(effect.backend)
        place = (effect.slot, effect.lane, effect.backend, effect.registered)
        committee = committee_of(self._facts, committed.electorate.members, self._chain.registry, place)
        keys = self._keyring.one_time(backend, effect.slot, effect.lane)
        tags = tags_of(committee, committed.block, effect.slot, keys.__getitem__)
        unsigned = Endorsement(effect.height, effect.slot, effect.lane, effect.block, backend, effect.registered, self._node, tags, b"")
        endorsement = self._keyring.signed(unsigned)
        name = committed.block.hash.hex()[:16]
        self._ports.emit(Endorsed(self._ports.now, self._node, effect.height, effect.slot, effect.lane.name.lower(), name, backend.label))
        self._endorsements.note(self._kind(endorsement), endorsement)
        self._ports.publish("endorsement", endorsement, endorsement.size)
        self._feed(certification.Endorsed(endorsement))

    def _prove(self, committed: CommittedBlock, certificate: Certificate, keys: dict[int, KeyDisclosure]) -> None:
        height = certificate.height
        if self._conduct.keeps("proofs", height):
            self._feed(certification.ProverBusy(height))
            return
        members = committed.electorate.members
        committee = committee_of(self._facts, members, self._chain.registry, place_of(certificate))
        tags = certificate.tags()
        unfit = tuple(v for v in tags if tags[v] != tags_of(committee, committed.block, certificate.slot, keys[v].keys.__getitem__))
        if unfit:
            self._feed(certification.Unfit(certificate, unfit))
            return
        block = block_statement(committed.block, certificate.slot, committee)
        registered = self._chain.registry.first(block.epoch, certificate.registered)
        vrf, opened = [], {}
        for seat, (validator, member) in enumerate(zip(members.members, committee.members, strict=True)):
            v, backend = validator.index, committee.backend
            public = self._facts.public_keys.of(v, backend, block.slot, certificate.lane) if v in registered else no_keys(backend).public
            disclosed = keys[v].keys if v in tags else (ZERO,) * 4
            opened[seat] = (disclosed, public.keys, public.path)
            if v in tags:
                seed = tier_seed(backend, member.key, member.timetoke_hours)
                output = native.vrf_output(backend, disclosed[VRF_KEY], block.digest, block.epoch, seed)
                vrf.append(VrfEntry(v, output, disclosed[VRF_KEY]))
        entries = tuple(sorted(vrf, key=lambda e: e.validator))
        votes = member_votes(members, certificate, entries)
        witness = consensus_witness(consensus_statement(committee, block, votes), votes, opened)
        ticket = self._processor.prove(committee.backend, self._facts.circuits.consensus, witness)
        if ticket is None:
            self._feed(certification.ProverBusy(height))
        else:
            ticket.when_ready(ConsensusProofReady(certificate, entries, ticket))

    def on_proof_ready(self, letter: ConsensusProofReady) -> None:
        """Signs an own proof."""
        unsigned = ConsensusProof(letter.certificate, letter.vrf, self._node, letter.ticket.backend, letter.ticket.take(), b"")
        self._letters.post(ProofSigned(self._keyring.signed(unsigned)))

    # --- what the network brings ---------------------------------------------------------------------

    def on_certificate(self, message: Message, peer: NodeId) -> None:
        """A certificate came by gossip: signed by its members, whoever published it."""
        certificate, told = message.payload, Early(message, peer)
        assert isinstance(certificate, Certificate)
        why = why_not_signed(self._facts, certificate)
        if why is not None:
            self._ports.answer(message, Validation.REJECT, why)
            return
        fate = self._held.hold(certificate.height, (peer, None), told)
        if fate is Fate.NOW:
            self._take_certificate(told)
        elif fate is Fate.NEVER:
            self._ports.answer(message, Validation.DROP, NOT_COMMITTED)

    def _take_certificate(self, told: Early) -> None:
        """Answers a certificate whose block is here. What its members did not sign is compared with the block: no relay can make news of
        a certificate by altering it."""
        certificate = told.message.payload
        assert isinstance(certificate, Certificate)
        if self.is_proven(certificate.height):
            self._ports.answer(told.message, Validation.IGNORE, "already_proven")
            return
        why = self._certifier.why_not(certificate)
        if why is None:
            kind = (told.peer, certificate.height, certificate.lane, self._is_recent(certificate.slot))
            why = self._certificates.why_not(kind, certificate, counts=not self._certifier.learns(certificate))
        if why is None:
            self._ports.answer(told.message, Validation.ACCEPT)
            self._feed(certification.Certified(certificate))
        elif why == "slot":
            # Of a slot that has not begun here, as far as honest members go: it may come again.
            self._ports.answer(told.message, Validation.DROP, why)
        else:
            self._ports.answer(told.message, Validation.REJECT if why in MISPLACED else verdict_of(why), why)

    def on_endorsement(self, message: Message, peer: NodeId) -> None:
        """A member's endorsement came by gossip."""
        endorsement = message.payload
        assert isinstance(endorsement, Endorsement)
        if not self._facts.endorsement_valid(endorsement):
            self._ports.answer(message, Validation.REJECT, "SignatureInvalid")
            return
        if self.is_proven(endorsement.height):
            self._ports.answer(message, Validation.IGNORE, "already_proven")
        elif endorsement.slot > latest_slot(self._facts, self._ports):
            # Not noted as seen: it may come again when its slot has begun.
            self._ports.answer(message, Validation.DROP, "slot")
        else:
            known = partial(self._endorsements.why_not, self._kind(endorsement), endorsement)
            self._take_in(message, (peer, endorsement.validator), endorsement.height, known, certification.Endorsed(endorsement))

    def on_disclosure(self, message: Message, peer: NodeId) -> None:
        """A member's one-time keys came by gossip: they must hash to the public ones that its registration brought."""
        disclosure = message.payload
        assert isinstance(disclosure, KeyDisclosure)
        epoch = epoch_of(disclosure.slot)
        why = self._why_not_disclosure(disclosure)
        if why is not None:
            self._ports.answer(message, Validation.REJECT, why)
        elif self.is_proven(disclosure.height):
            self._ports.answer(message, Validation.IGNORE, "already_proven")
        elif disclosure.slot > latest_slot(self._facts, self._ports) or self._chain.registry.of(disclosure.validator, epoch) is None:
            # This node is behind, or the author lies about the time. Keys that are needed are disclosed again.
            self._ports.answer(message, Validation.DROP, "slot")
        elif not self._keys_hold(disclosure):
            self._ports.answer(message, Validation.REJECT, "keys")
        else:
            known = partial(self._disclosures.why_not, self._kind(disclosure), disclosure)
            self._take_in(message, (peer, disclosure.validator), disclosure.height, known, certification.Disclosed(disclosure))

    def _kind(self, said: Endorsement | KeyDisclosure) -> Kind:
        """What counts together: of one author, about one block, with keys of one kind."""
        return (said.validator, said.height, said.lane, self._is_recent(said.slot))

    def _is_recent(self, slot: int) -> bool:
        return slot > self._slot - RECENT_SLOTS

    def _take_in(
        self, message: Message, source: Source, height: int, why_not: Callable[[], str | None], event: certification.Input
    ) -> None:
        """Answers something true about an unproven block, and feeds it now or once the block is here. It is said again until the block is
        proven, and passed on again: others may have missed it before."""
        why = NOT_COMMITTED if self._held.fate(height, source) is Fate.NEVER else why_not()
        if why is not None:
            self._ports.answer(message, verdict_of(why), why)
            return
        self._ports.answer(message, Validation.ACCEPT)
        if self._held.hold(height, source, event) is Fate.NOW:
            self._feed(event)

    def is_proven(self, height: int) -> bool:
        """Whether what is said about a block comes too late here; old messages must not take the place of new ones."""
        committed = self._chain.at(height)
        return committed is not None and committed.proof is not None

    def _why_not_disclosure(self, d: KeyDisclosure) -> str | None:
        if not self._facts.signed_by(d.validator, d.signing_bytes(), d.signature):
            return "SignatureInvalid"
        return None if d.backend in self._facts.consensus_fields else "UnknownBackend"

    def _keys_hold(self, d: KeyDisclosure) -> bool:
        """Whether disclosed keys hash to the public ones that came with the registration."""
        public = self._facts.public_keys.of(d.validator, BackendId(d.backend), d.slot, d.lane).keys
        try:
            return b"".join(otk_public(d.backend, k) for k in d.keys) == public
        except native.ZkError:  # no canonical elements of the backend's field
            return False

    def on_proof(self, message: Message, peer: NodeId) -> None:
        """A consensus proof came by gossip."""
        proof = message.payload
        assert isinstance(proof, ConsensusProof)
        self.take(Incoming(proof, peer, Gossiped(message), message.spam))

    def take(self, incoming: Incoming) -> None:
        """Examines a consensus proof now, or once its block is committed here."""
        why = self._why_malformed(incoming)
        if why is not None:
            self._letters.answer(incoming.origin, Validation.REJECT, why)
            return
        fate = self._held.hold(incoming.proof.certificate.height, (incoming.peer, incoming.proof.prover), incoming)
        if fate is Fate.NOW:
            self.examine(incoming)
        elif fate is Fate.NEVER:
            self._letters.answer(incoming.origin, Validation.DROP, "not_committed")

    def _why_malformed(self, incoming: Incoming) -> str | None:
        """What is wrong with a proof whatever the chain is."""
        proof = incoming.proof
        if proof.backend not in self._facts.consensus_fields:
            return "UnknownBackend"
        backend, circuit = BackendId(proof.backend), self._facts.circuits.consensus
        if self._processor.too_large(backend, circuit, proof.envelope, incoming.peer, incoming.spam):
            return TOO_LARGE
        signed = self._facts.signed_by(proof.prover, proof.signing_bytes(), proof.signature)
        return None if signed else "SignatureInvalid"

    def judges(self, proof: ConsensusProof) -> bool:
        """Whether an equal proof of a committed block is being verified here."""
        return (self.statement_of(proof, self._committed(proof.certificate.height)), proof.envelope.digest) in self._in_hand

    def examine(self, incoming: Incoming) -> None:
        """Verifies a consensus proof of a committed block against a statement built here."""
        proof = incoming.proof
        committed = self._committed(proof.certificate.height)
        if committed.proof is not None:
            self._letters.answer(incoming.origin, Validation.IGNORE, "already_proven")
            return
        why = self.why_unrelated(proof, committed)
        if why is not None:
            self._letters.answer(incoming.origin, Validation.IGNORE if why == "registrations" else Validation.REJECT, why)
            return
        statement = self.statement_of(proof, committed)
        job = (statement, proof.envelope.digest)
        if job in self._in_hand:
            self._letters.answer(incoming.origin, Validation.IGNORE, "already_proven")
            return
        self._in_hand.add(job)
        backend, circuit = BackendId(proof.backend), self._facts.circuits.consensus
        self._processor.verify(backend, circuit, statement, proof.envelope, incoming.peer, incoming.spam, InHand(incoming, job))

    def on_verdict(self, judged: InHand, verdict: Verification | None) -> None:
        """The verifier has answered."""
        incoming = judged.incoming
        self._in_hand.discard(judged.job)
        if verdict is None:
            self._letters.answer(incoming.origin, Validation.DROP, "verifier_busy")
            return
        certificate = incoming.proof.certificate
        if not verdict.accepted:
            self._letters.post(ProofRefused(incoming.proof))
            self._letters.answer(incoming.origin, Validation.REJECT, verdict.reason)
        elif certificate.slot > latest_slot(self._facts, self._ports):
            self._letters.answer(incoming.origin, Validation.DROP, "slot")  # The clock was put back meanwhile.
        else:
            self._note_proven(self._committed(certificate.height), incoming.proof)
            self._letters.answer(incoming.origin, Validation.ACCEPT, verdict.reason)

    def _note_proven(self, committed: CommittedBlock, proof: ConsensusProof) -> None:
        if committed.proof is not None:
            return
        committed.proof, committed.proven_at = proof, self._ports.now
        header = committed.block.header
        self._feed(certification.Proven(header.height))
        name, backend = committed.block.hash.hex()[:16], BackendId(proof.backend).label
        self._ports.emit(BlockProven(self._ports.now, self._node, header.height, name, backend))
        self._letters.post(Proven(header.height))

    def statement_of(self, proof: ConsensusProof, committed: CommittedBlock) -> bytes:
        """What a proof of a committed block has to prove."""
        return proof_statement(self._facts, committed.electorate, self._chain.registry, committed.block, proof)

    def why_unrelated(self, proof: ConsensusProof, committed: CommittedBlock) -> str | None:
        """Native checks before the verifier: the certificate is signed, of this block, and a quorum's tag set."""
        certificate, header = proof.certificate, committed.block.header
        if certificate.block != committed.block.hash:
            return "another_block"
        if proof.backend != certificate.backend or proof.backend not in self._facts.consensus_fields:
            return "UnknownBackend"
        if certificate.lane is Lane.VOTE and certificate.backend != header.backend:
            return "UnknownBackend"
        why = why_not_signed(self._facts, certificate)
        why = why or why_no_tag_set(
            certificate, committed.electorate, header.slot, latest_slot(self._facts, self._ports), self._chain.registry
        )
        if why is not None:
            return why
        return None if [e.validator for e in proof.vrf] == list(certificate.tags()) else "vrf_entries"

    def _committed(self, height: int) -> CommittedBlock:
        committed = self._chain.at(height)
        assert committed is not None
        return committed


def _rules(facts: Facts) -> Rules:
    provers = tuple(frozenset(int(b) for b in facts.backend_ids(v.index)) for v in facts.genesis.validators)
    return Rules(facts.scenario.consensus.proof_takeover_slots, tuple(map(int, facts.consensus_fields)), provers)
