"""nothing_unverified: an honest node accepts nothing that it has not verified, and nothing that does not verify.

Seen in what a node holds when it announces it: the certificate of a committed block, the consensus proof and the other proofs of a
block, every committed transfer. A proof needs an accepted verification of that very proof by that very node, and transactions' and
consensus proofs are compared with a statement built here. Signatures are verified once more, straight by Ed25519; a certificate
needs more than two thirds of the whole stake.
"""

from collections import defaultdict
from collections.abc import Collection

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.recent import Recent
from simnet.base.units import NodeId, SimTime
from simnet.checks.contents import Contents
from simnet.checks.envelopes import Envelopes
from simnet.checks.reference import header_hash
from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import BlockAggregated, BlockCommitted, BlockProven, Event, Handlers, ProofVerified
from simnet.node.chain import CommittedBlock
from simnet.proofs import native
from simnet.protocol.blocks import Header
from simnet.protocol.ledger import SignedTransfer
from simnet.protocol.messages import Certificate, Endorsement, Phase, TxMessage, Vote
from simnet.protocol.roots import TRANSFERS_PER_STATE_PROOF
from simnet.protocol.validators import epoch_of
from simnet.scenario.opponents import is_opponents, spoils_proof

HARMLESS_SPAM = frozenset({"copy"})
"""Byzantine kinds whose proof is valid."""
SIGNATURES_KEPT = 65_536
CERTIFICATES_KEPT = 1024
CHECK = "nothing_unverified"


class Signatures:
    """Ed25519 verdicts by key, message and signature; the oldest are forgotten."""

    def __init__(self) -> None:
        self._known: Recent[tuple[bytes, bytes, bytes], bool] = Recent(SIGNATURES_KEPT)

    def valid(self, key: bytes, message: bytes, signature: bytes) -> bool:
        content = (key, message, signature)
        return self._known.made(content, lambda: native.ed25519_verify(key, message, signature))


class Verified:
    """Follows what every honest node verifies, and what it then accepts."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings
        self._signatures = Signatures()
        self._envelopes = Envelopes(setting.facts)
        self._contents = Contents(setting)
        self._keys = [v.key for v in setting.genesis.validators]
        self._transfers: Recent[TxMessage, str] = Recent(SIGNATURES_KEPT)
        """What is wrong with each; looked at once for each content."""
        self._certificates: Recent[int, tuple[Certificate, str | None]] = Recent(CERTIFICATES_KEPT)
        """By the object's number: what is wrong with its votes."""
        self._accepted: dict[NodeId, set[tuple[str, str]]] = defaultdict(set)
        """(circuit, name) of the proofs that a node's own verifier accepted. A committed transfer's is forgotten."""

    @property
    def handlers(self) -> Handlers:
        return {
            ProofVerified: self._verified,
            BlockCommitted: self._committed,
            BlockProven: self._proven,
            BlockAggregated: self._aggregated,
        }

    def _broken(self, e: Event, node: NodeId, detail: str) -> None:
        self._findings.broken(CHECK, e.at, [node], f"node {node}: {detail}")

    def _verified(self, e: ProofVerified) -> None:
        self._findings.looked_at(CHECK, "verified")
        if e.accepted:
            self._accepted[e.node].add((e.circuit, e.proof))
        spoiled = spoils_proof(e.spam) if is_opponents(e.spam) else e.spam is not None and e.spam not in HARMLESS_SPAM
        if not spoiled:
            return
        self._findings.looked_at(CHECK, "spoiled")
        if e.accepted and e.node in self._setting.honest:
            self._broken(e, e.node, f"accepted {e.spam} proof {e.proof} of {e.backend}")

    # --- committed -------------------------------------------------------------------------------------

    def _committed(self, e: BlockCommitted) -> None:
        own = self._setting.nodes[e.node].chain.at(e.height) if e.node in self._setting.honest else None
        if own is None:
            return
        self._findings.looked_at(CHECK, "certificates")
        why = self._why_not_decided(e.at, e.node, own.certificate, own.block.header)
        why = why or self._why_no_quorum("precommits", own.certificate.voters(Phase.PRECOMMIT))
        if why is not None:
            self._broken(e, e.node, f"committed {e.block} at height {e.height}, whose certificate {why}")
        why = self._contents.why_not(own.block)
        if why is not None:
            self._broken(e, e.node, f"committed {e.block} at height {e.height}, which {why}")
        held = self._setting.nodes[e.node].transactions.verified
        for tx_id in own.block.tx_ids:
            why = self._why_not_transfer(e.node, tx_id, held.get(tx_id))
            if why is not None:
                self._broken(e, e.node, f"committed transfer {tx_id.hex()[:16]} at height {e.height}, {why}")

    def _why_not_transfer(self, node: NodeId, tx_id: bytes, message: TxMessage | None) -> str | None:
        self._findings.looked_at(CHECK, "transfers")
        if message is None:
            return "which it does not hold"
        if message.tx.id != tx_id:
            return "which is another than its id says"
        why = self._transfers.made(message, lambda: self._why_not_its_own(message))
        if why:
            return why
        verified = ("transaction", message.envelope.name)
        if verified not in self._accepted[node]:
            return "whose proof it has not verified"
        self._accepted[node].discard(verified)
        return None

    def _why_not_its_own(self, message: TxMessage) -> str:
        """What is wrong with a transfer whoever holds it; empty: nothing."""
        transfer = message.tx.transfer
        if SignedTransfer.of(transfer, message.tx.account).id != message.tx.id:
            return "which is another than its id says"
        signed = _signed_bytes(message, self._setting.genesis.chain_id)
        if not self._signatures.valid(transfer.sender, signed, message.signature):
            return "whose signature does not verify"
        return "" if self._envelopes.of_transfer(message) else "whose proof is of something else"

    # --- proven ----------------------------------------------------------------------------------------

    def _proven(self, e: BlockProven) -> None:
        own = self._setting.nodes[e.node].chain.at(e.height) if e.node in self._setting.honest else None
        if own is None:
            return
        self._findings.looked_at(CHECK, "consensus_proofs")
        if own.proof is None:
            self._broken(e, e.node, f"counts {e.block} as proven and holds no proof")
            return
        if ("consensus", own.proof.envelope.name) not in self._accepted[e.node]:
            self._broken(e, e.node, f"took consensus proof {own.proof.envelope.name} of height {e.height} without verifying it")
        if not self._envelopes.of_decision(own, self._setting.nodes[e.node].chain.registry, own.proof):
            self._broken(e, e.node, f"took consensus proof {own.proof.envelope.name} of something else for height {e.height}")
        why = self._why_not_decided(e.at, e.node, own.proof.certificate, own.block.header)
        why = why or self._why_no_quorum("tags", own.proof.certificate.tags())
        why = why or self._why_not_keyed(e.node, own.proof.certificate)
        if why is not None:
            self._broken(e, e.node, f"took a proof of height {e.height} whose certificate {why}")

    def _aggregated(self, e: BlockAggregated) -> None:
        own = self._setting.nodes[e.node].chain.at(e.height) if e.node in self._setting.honest else None
        if own is None:
            return
        proofs = self._setting.nodes[e.node].aggregation.proofs_of(e.height)
        for proof in proofs:
            self._findings.looked_at(CHECK, "block_proofs")
            if (CircuitId(proof.circuit).label, proof.envelope.name) not in self._accepted[e.node]:
                self._broken(e, e.node, f"holds proof {proof.envelope.name} of height {e.height} without having verified it")

        missing = self._parts_of(own) - {(p.circuit, p.index) for p in proofs if BackendId(p.backend).label == e.backend}
        if missing:
            circuit, index = min(missing)
            what = f"{CircuitId(circuit).label} {index} in {e.backend}"
            self._broken(e, e.node, f"counts height {e.height} as aggregated without its proof {what}")

    def _parts_of(self, own: CommittedBlock) -> set[tuple[int, int]]:
        """(circuit, index) of the proofs that a block must have beside the consensus proof."""
        scenario, body = self._setting.scenario, own.block.body
        numbers = {
            CircuitId.IDENTITY: len(body.joins),
            CircuitId.STATE: max(1, -(-len(body.tx_ids) // TRANSFERS_PER_STATE_PROOF)),
            CircuitId.UPTIME: len(own.claims),
            CircuitId.PRUNING: int(own.block.header.height >= scenario.chain.pruning_window_blocks),
            CircuitId.RECURSIVE: 1,
        }
        return {(c, i) for c, n in numbers.items() if scenario.proves(c.label) for i in range(n)}

    # --- certificates ----------------------------------------------------------------------------------

    def _why_not_decided(self, at: SimTime, node: NodeId, certificate: Certificate, header: Header) -> str | None:
        """What keeps a certificate from being one of this block, of a slot that has been; each of its signatures is verified."""
        if (certificate.height, certificate.block) != (header.height, header_hash(header)):
            return f"is of {certificate.block.hex()[:16]} at height {certificate.height}"
        if certificate.slot < header.slot:
            return f"is of slot {certificate.slot}, before the block's own slot {header.slot}"
        # By true time or by the node's own clock, whichever is ahead.
        now = max(at, self._setting.nodes[node].clock.now)
        if self._setting.start_of(certificate.slot) > now + self._setting.precision:
            return f"is of slot {certificate.slot}, which has not begun"
        known = self._certificates.get(id(certificate))
        if known is None or known[0] is not certificate:
            known = self._certificates[id(certificate)] = (certificate, self._why_not_signed(certificate))
        return known[1]

    def _why_not_signed(self, certificate: Certificate) -> str | None:
        """What keeps a certificate's votes from being those of its members; looked at once for all nodes that share it."""
        subject = (certificate.height, certificate.slot, certificate.block)
        everything: tuple[Vote | Endorsement, ...] = (*certificate.votes, *certificate.endorsements)
        for signed in everything:
            if (signed.height, signed.slot, signed.block) != subject:
                return f"has a vote of node {signed.validator} for something else"
            known = 0 <= signed.validator < len(self._keys)
            if not known or not self._signatures.valid(self._keys[signed.validator], signed.signing_bytes(), signed.signature):
                return f"has a vote that node {signed.validator} did not sign"
        return None

    def _why_not_keyed(self, node: NodeId, certificate: Certificate) -> str | None:
        """Tags of members whose keys the statement knows nothing of: they registered later than it counts, or never."""
        epoch = epoch_of(certificate.slot)
        keyed = self._setting.nodes[node].chain.registry.first(epoch, certificate.registered)
        strangers = sorted(certificate.tags().keys() - keyed.keys())
        return f"has tags of nodes {strangers}, of whose keys it counts none" if strangers else None

    def _why_no_quorum(self, what: str, voters: Collection[int]) -> str | None:
        weight = self._setting.stake(voters)
        return None if self._setting.quorum(weight) else f"has {what} of {weight} of {self._setting.total} of the stake"


def _signed_bytes(message: TxMessage, chain_id: bytes) -> bytes:
    """What a transfer's sender signs."""
    return message.tx.transfer.signing_bytes(message.tx.account, chain_id)
