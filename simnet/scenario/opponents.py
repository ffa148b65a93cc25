"""Byzantine nodes (`[[faults.nodes]]`): what they do to the others, on purpose and with real keys and proofs.

The nodes of one table collude: they share one plan and one random stream. Apart from what a kind says, they take part as honest nodes do.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field

from simnet.scenario.base import Rate
from simnet.scenario.linkfaults import Kbps
from simnet.scenario.onnodes import OnNodes

PER_SLOT_MAX = 1000
ForgedVote = Literal[
    "impersonated",
    "bad_signature",
    "stale",
    "future",
    "foreign_height",
    "bad_tag",
    "early",
    "bad_roots",
    "bad_vrf",
    "bad_keys",
    "unregistered",
]
ForgedProof = Literal["spoiled", "other_statement", "other_block", "other_key", "oversize"]
ProofTarget = Literal["transfer", "consensus", "block"]
InvalidBlock = Literal["state_root", "double_spend", "unknown_transfers", "wrong_parent", "bad_time"]
SyncLie = Literal["status", "votes", "blocks", "certificates", "proofs", "withheld", "dripped"]
Poisoned = Literal["altered_field", "altered_body", "misshapen", "bad_signature", "negated_proof", "other_proof", "replayed", "repeated"]
FalselySaid = Literal["double_sign", "broken_lock", "genuine_proof", "valid_block", "own_proof", "testimony", "junk"]
Flooded = Literal["forged_votes", "forged_proofs", "poison"]
PerSlot = Annotated[int, Field(ge=1, le=PER_SLOT_MAX)]


class ForgedVotes(OnNodes):
    """Votes that honest nodes must not count."""

    kind: Literal["forged_votes"]
    what: tuple[ForgedVote, ...] = Field(
        default=get_args(ForgedVote),
        min_length=1,
        strict=False,
        description="In turn: in another's name; with a spoiled signature; and, properly signed, for an old slot, a slot that has not "
        "begun, a height that nobody has reached, and for the slot's block with a tag that does not verify; an endorsement or disclosed keys "
        "of a slot that has not begun; a registration whose roots are not those of its keys, or with the VRF of another epoch; disclosed keys of another slot. And, where an epoch begins without its keys, votes with tags of keys that it registers, and discloses, once these have decided a block.",
    )
    per_slot: PerSlot = Field(default=6, description="Votes of each of the nodes in a slot.")


class ForgedProofs(OnNodes):
    """Proofs that do not prove what they claim; each is made of a real one."""

    kind: Literal["forged_proofs"]
    what: tuple[ForgedProof, ...] = Field(
        default=get_args(ForgedProof),
        min_length=1,
        strict=False,
        description="In turn: bits flipped; another statement's proof under this one's digest; another block's (transfer's) proof as it is; "
        "the key of another circuit named; padded beyond provers.proof_bytes_max.",
    )
    of: tuple[ProofTarget, ...] = Field(
        default=get_args(ProofTarget),
        min_length=1,
        strict=False,
        description="In turn: proofs of fresh transfers; of the last block's decision; of its other parts.",
    )
    per_second: Rate = Field(default=2.0, description="Forgeries of each of the nodes.")


class InvalidBlocks(OnNodes):
    """When one of the nodes leads a slot, its proposal is a block that must not be accepted; properly signed."""

    kind: Literal["invalid_blocks"]
    what: tuple[InvalidBlock, ...] = Field(
        default=get_args(InvalidBlock),
        min_length=1,
        strict=False,
        description="In turn: a wrong state root; a transfer that was committed before; transfers that nobody has; a parent that is not the "
        "head; a time before the parent's.",
    )


class DoubleSpend(OnNodes):
    """Two transfers of one lane and nonce, both properly signed and proved, told to different halves of the neighbours."""

    kind: Literal["double_spend"]
    per_slot: PerSlot = Field(default=1, description="Pairs of each of the nodes in a slot.")


class Split(OnNodes):
    """The nodes tell two halves of the validators different proposals and votes, late enough that the halves cannot compare in time."""

    kind: Literal["split"]
    before_deadline_ms: int = Field(
        default=150, ge=0, le=60_000, description="Votes are sent so long before the slot's deadlines of prevote and precommit."
    )


class Amnesia(OnNodes):
    """The nodes forget their locks: they propose afresh, prevote for whatever is proposed, and precommit it whoever prevoted."""

    kind: Literal["amnesia"]


class LyingSync(OnNodes):
    """Falsehoods for nodes that catch up, or nothing at all."""

    kind: Literal["lying_sync"]
    what: tuple[SyncLie, ...] = Field(
        default=get_args(SyncLie),
        min_length=1,
        strict=False,
        description="At each slot: a height that there is not; votes that nobody cast. In answer to requests, in turn: a block that was "
        "changed; a certificate without its quorum; a spoiled proof; nothing; one true block, late, of a node that says to be just one block ahead "
        "of whoever is behind and no further.",
    )


class Poison(OnNodes):
    """What passes through the nodes goes on altered where no signature covers it, or comes again."""

    kind: Literal["poison"]
    what: tuple[Poisoned, ...] = Field(
        default=get_args(Poisoned),
        min_length=1,
        strict=False,
        description="altered_field: a transfer of another account state, a proof's prover, the backend or registrations that a certificate names, a proposal without its proof of lock. altered_body: a proposal's header with another "
        "body. misshapen: votes and headers with fields of another length under the same signature. bad_signature: whatever is signed, its signature spoiled; of a certificate one. negated_proof: a Groth16 proof with its first two points negated, which verifies. other_proof: a transfer's id with a "
        "spoiled proof. replayed: an old message as a new one. repeated: one true word about an unproven block, as many times at the start of a slot as were due before.",
    )
    per_second: Rate = Field(default=4.0, description="Messages of each of the nodes at most.")


class FalseEvidence(OnNodes):
    """Accusations of nodes that have done nothing, and of the nodes themselves where others are to pay for looking into it."""

    kind: Literal["false_evidence"]
    what: tuple[FalselySaid, ...] = Field(
        default=get_args(FalselySaid),
        min_length=1,
        strict=False,
        description="In turn: of two votes one that its author did not sign, or two that go together; a lock likewise; a proof that holds; a block that was decided; spoiled proofs of one's "
        "own, eight together. To neighbours that are told of another head and ask for the votes behind it, in turn: votes that nobody cast; many of one's own, of slots that will never be.",
    )
    per_slot: PerSlot = Field(default=4, description="Accusations of each of the nodes in a slot.")


class Flood(OnNodes):
    """As much as the nodes' uplinks carry."""

    kind: Literal["flood"]
    of: tuple[Flooded, ...] = Field(default=get_args(Flooded), min_length=1, strict=False, description="What is sent, in turn.")
    kbps: Kbps = Field(default=2000, description="What a node sends over all its links together.")


Opponent = ForgedVotes | ForgedProofs | InvalidBlocks | DoubleSpend | Split | Amnesia | LyingSync | Poison | FalseEvidence | Flood
OPPONENTS = (
    "forged_votes",
    "forged_proofs",
    "invalid_blocks",
    "double_spend",
    "split",
    "amnesia",
    "lying_sync",
    "poison",
    "false_evidence",
    "flood",
)
MISCONDUCT = ("equivocation", "withholding", *OPPONENTS)
"""Kinds of nodes that do what no honest one does."""
LABEL_MARK = "."
"""A message of an opponent is labelled `kind.what` for observers; the copies of `[faults.byzantine]` have labels without a mark."""


def label(kind: str, what: str) -> str:
    """How observers know what an opponent's message really is."""
    return f"{kind}{LABEL_MARK}{what}"


def is_opponents(spam: str | None) -> bool:
    """Whether a message's label is an opponent's."""
    return spam is not None and LABEL_MARK in spam


_SPOILED = frozenset({"flood.forged_proofs", "poison.altered_field", "poison.other_proof"})


def spoils_proof(spam: str | None) -> bool:
    """Whether a message with this label, an opponent's, carries a proof that no verifier may accept for its statement."""
    return spam is not None and (spam in _SPOILED or spam.startswith("forged_proofs."))


EARLY = frozenset({label("forged_votes", "early"), label("forged_votes", "future")})
"""Of slots that have not begun, which they name as their subject."""
_FALSE = frozenset(
    {
        *EARLY,
        *(label("forged_votes", what) for what in ("impersonated", "bad_signature", "bad_roots", "bad_vrf", "bad_keys")),
        *(label("poison", what) for what in ("altered_field", "altered_body", "misshapen", "bad_signature", "other_proof")),
        *(label("false_evidence", what) for what in ("double_sign", "broken_lock", "genuine_proof", "valid_block")),
    }
)


def is_false(spam: str) -> bool:
    """Whether no honest node may accept a message with this label: by its own content, not by what else was said."""
    return spam in _FALSE or spam.startswith("forged_proofs.")
