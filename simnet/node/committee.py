"""Certificates in one backend's terms: the committee with its keys, the statement of a consensus proof, native checks before it.

A statement is made of chain data and the certificate alone, so a verifier builds it exactly as a prover does.
"""

from collections.abc import Callable, Mapping

from simnet.base.catalogue import BackendId
from simnet.node.chain import backend_of
from simnet.node.facts import Facts
from simnet.node.keyring import Keyring, no_keys
from simnet.proofs import native
from simnet.proofs.field import field_of
from simnet.proofs.statements import (
    BlockStatement,
    Committee,
    CommitteeMember,
    MemberVotes,
    consensus_statement,
    reputation_root,
    vote_message,
)
from simnet.protocol.blocks import Block
from simnet.protocol.cases import place_of
from simnet.protocol.messages import Certificate, ConsensusProof, Phase, VrfEntry
from simnet.protocol.roots import header_digest
from simnet.protocol.validators import Electorate, Lane, Registry, ValidatorSet, epoch_of

VRF_KEY = 3
"""Index of a slot's one-time key that serves its VRF entry."""


def committee_of(facts: Facts, members: ValidatorSet, registry: Registry, place: tuple[int, Lane, int, int]) -> Committee:
    """All members in one backend's terms, with the keys that the first registrations of a slot's epoch brought for a lane.

    `place`: (slot, lane, backend, number of registrations). Who is not among them has keys that nobody can vote with.
    """
    slot, lane, backend, registered = place
    keys = registry.first(epoch_of(slot), registered)
    absent = no_keys(BackendId(backend)).root
    return Committee(
        BackendId(backend),
        facts.circuits.consensus.params[0],
        tuple(
            CommitteeMember(
                v.key, v.weight, v.tier, v.timetoke_hours, keys[v.index].otk_roots[lane][backend - 1] if v.index in keys else absent
            )
            for v in members.members
        ),
    )


def block_statement(block: Block, slot: int, committee: Committee) -> BlockStatement:
    """What the consensus circuit says about a block certified in `slot`.

    Witness commitments name the transfers whose proofs the block rests on (the block itself when it is empty).
    """
    return BlockStatement(
        digest=header_digest(field_of(committee.backend), block.header),
        slot=slot,
        epoch=epoch_of(slot),
        witnesses=block.tx_ids or (block.hash,),
        reputation_roots=(reputation_root(committee.members),),
    )


def tags_of(committee: Committee, block: Block, slot: int, key: Callable[[int], bytes]) -> tuple[bytes, bytes, bytes]:
    """The tags of all three phases for a block, with the one-time keys that `key` gives by index."""
    message = vote_message(committee, block_statement(block, slot, committee))
    prevote, precommit, commit = (native.vote_tag(committee.backend, phase, key(phase), message) for phase in Phase)
    return (prevote, precommit, commit)


def vote_tag_of(facts: Facts, keyring: Keyring, electorate: Electorate, block: Block, slot: int, phase: Phase) -> bytes:
    """The tag of a node's vote for a block, with its one-time key; empty when the chain had none of it for the slot."""
    epoch, backend = epoch_of(slot), backend_of(block)
    if electorate.registry.of(keyring.node, epoch) is None:
        return b""
    committee = committee_of(facts, electorate.members, electorate.registry, (slot, Lane.VOTE, backend, electorate.registered(slot)))
    key = keyring.one_time(backend, slot, Lane.VOTE)[phase]
    return native.vote_tag(backend, phase, key, vote_message(committee, block_statement(block, slot, committee)))


def proof_statement(facts: Facts, electorate: Electorate, registry: Registry, block: Block, proof: ConsensusProof) -> bytes:
    """What a consensus proof of a block has to prove."""
    certificate = proof.certificate
    committee = committee_of(facts, electorate.members, registry, place_of(certificate))
    statement = block_statement(block, certificate.slot, committee)
    return consensus_statement(committee, statement, member_votes(electorate.members, certificate, proof.vrf))


def member_votes(members: ValidatorSet, certificate: Certificate, vrf: tuple[VrfEntry, ...]) -> tuple[MemberVotes, ...]:
    """Every member's tags and VRF entry, in the circuit's order."""
    tags = certificate.tags()
    entries = {e.validator: (e.output, e.key) for e in vrf}
    return tuple(MemberVotes(tags.get(v.index), entries.get(v.index)) for v in members.members)


def why_not_signed(facts: Facts, certificate: Certificate) -> str | None:
    """Why a certificate does not hold together, whoever its members are; `None` when all of it is signed, by a quorum."""
    why = certificate.why_not_whole()
    if why is not None:
        return why
    members = facts.genesis.electorate.members
    if members.weight_of(certificate.voters(Phase.PRECOMMIT)) < members.threshold:
        return "no_quorum"
    signed = all(map(facts.vote_valid, certificate.votes)) and all(map(facts.endorsement_valid, certificate.endorsements))
    return None if signed else "SignatureInvalid"


def why_no_tag_set(certificate: Certificate, electorate: Electorate, header_slot: int, now_slot: int, registry: Registry) -> str | None:
    """Why a signed certificate of a block can prove nothing; `None` when it is a tag set of a quorum, of a slot in between.

    `registry`: all registrations that the verifier knows of.
    """
    if not header_slot <= certificate.slot <= now_slot:
        return "slot"
    known = electorate.registered(certificate.slot)
    if certificate.lane is not Lane.RECOVER and certificate.registered != known:
        return "registrations"
    if certificate.lane is Lane.ENDORSE and certificate.slot != header_slot:
        return "slot"
    if certificate.registered > registry.count(epoch_of(certificate.slot)):
        return "registrations"
    tags = certificate.tags()
    if len(tags) != len({v.validator for v in certificate.votes} | {e.validator for e in certificate.endorsements}):
        return "tags"
    if not tags.keys() <= registry.first(epoch_of(certificate.slot), certificate.registered).keys():
        return "strangers"  # Also who registered later: its leaf in the circuit's tree is one that no key opens.
    return None if electorate.members.weight_of(tags) >= electorate.threshold else "no_quorum"


def weight_by_phase(certificate: Certificate, electorate: Electorate) -> Mapping[Phase, int]:
    """Weight of the members that voted for the certificate's block, by phase."""
    return {phase: electorate.members.weight_of(certificate.voters(phase)) for phase in Phase}
