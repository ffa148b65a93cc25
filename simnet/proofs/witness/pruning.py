"""JSON form of the pruning circuit's statement, which is its witness too."""

from typing import Annotated

from simnet.proofs.witness.fields import U16, U64, Bool, Digest, Many, Record, Size


class Transaction(Record):
    """A transaction of a block by its digest, and whether its leaf becomes a tombstone."""

    digest: Digest
    removed: Bool


class Header(Record):
    """One block of the window."""

    state_root: Digest
    timestamp: U64
    transactions: Annotated[list[Transaction], Many(most=Size(1))]


class Statement(Record):
    """A window of consecutive headers; `first_parent` is the hash of the header before the first."""

    first_parent: Digest
    start_height: U64
    schema_version: U16
    parameter_version: U16
    headers: Annotated[list[Header], Many(exactly=Size(0))]
