"""JSON form of the uptime circuit's statement and witness."""

from typing import Annotated

from simnet.proofs.witness.fields import U16, U32, U64, Digest, Hash, Many, Record, Size, Unsigned


class Statement(Record):
    """A claim to have been online from `window_start` to `window_end`, in seconds; `count` heartbeats show it."""

    public_key: Hash
    node_clock: U64
    epoch: U64
    head_hash: Digest
    window_start: U64
    window_end: U64
    identity_root: Digest
    heartbeat_root: Digest
    threshold: U16
    count: Annotated[int, Unsigned(2, most=Size(0))]


class Heartbeat(Record):
    """One heartbeat of the node; `index` is its leaf's place in the log, `path` leads from leaf to root."""

    t: U64
    head: Digest
    signature_digest: Digest
    index: U32
    path: Annotated[list[Digest], Many(exactly=Size(1))]


class Witness(Statement):
    """The statement, the node's place in the identity tree, and its heartbeats."""

    id_commitment: Digest
    id_path: Annotated[list[Digest], Many(exactly=Size(2))]
    heartbeats: Annotated[list[Heartbeat], Many(exactly="count")]
