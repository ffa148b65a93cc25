"""JSON form of the consensus circuit's statement and witness."""

from typing import Annotated

from simnet.proofs.witness.fields import U8, U64, Digest, Flags, Many, Record, Size

PHASES, PATH = 3, 5


class Validator(Record):
    """A member of the validator set."""

    addr: Digest
    weight: U64
    tier: U8
    otk_root: Digest
    tier_seed: Digest


class Ballot(Record):
    """What one validator contributed; zero digests where it did not."""

    votes: Annotated[list[str], Flags(("prevote", "precommit", "commit", "vrf"))]
    tags: Annotated[list[Digest], Many(exactly=PHASES)]
    vrf_output: Digest
    vrf_key: Digest


class Statement(Record):
    """A decided block; `ballots` in the order of `validators`."""

    block_hash: Digest
    round: U64
    epoch: U64
    slot: U64
    validators: Annotated[list[Validator], Many(most=Size(0), least=1)]
    ballots: Annotated[list[Ballot], Many(exactly="validators")]
    witness_commitments: Annotated[list[Digest], Many(most=Size(1), least=1)]
    reputation_roots: Annotated[list[Digest], Many(most=Size(2), least=1)]


class Opening(Record):
    """One validator's disclosed one-time keys, their public hashes and their path, leaf to root."""

    keys: Annotated[list[Digest], Many(exactly=PHASES)]
    public: Annotated[list[Digest], Many(exactly=PHASES + 1)]
    path: Annotated[list[Digest], Many(exactly=PATH)]


class Witness(Statement):
    """The statement and the openings, in the order of `validators`."""

    openings: Annotated[list[Opening], Many(exactly="validators")]
