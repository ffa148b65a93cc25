"""JSON form of the state circuit's statement and witness."""

from typing import Annotated

from simnet.proofs.witness import transaction
from simnet.proofs.witness.fields import U8, U64, Bool, Digest, Hash, Many, Record, Size

Path = Annotated[list[Digest], Many(exactly=Size(2))]
"""Siblings of a slot of the account tree, leaf to root."""


class Entrant(Record):
    """An identity that opens an account."""

    public_key: Hash
    commitment: Digest


class Statement(Record):
    """What a block does to the accounts: identities first, then transfers."""

    prev_state_root: Digest
    new_state_root: Digest
    block_time: U64
    identities: Annotated[list[Entrant], Many(most=Size(1))]
    transfers: Annotated[list[transaction.Statement], Many(most=Size(0))]


class Receiver(Record):
    """A receiver's account before the transfer; unlike a sender's, its reputation is a digest already."""

    balance: U64
    nonce: U64
    stake: U64
    tier: U8
    last_decay: U64
    rep: Digest


class Receipt(Record):
    """What a transfer does not tell by itself; `receiver_path` is from after the sender's update."""

    r_is_new: Bool
    receiver: Receiver
    sender_path: Path
    receiver_path: Path


class Witness(Statement):
    """The statement, the path of each identity's slot, and a receipt for each transfer."""

    identity_paths: Annotated[list[Path], Many(exactly="identities")]
    receipts: Annotated[list[Receipt], Many(exactly="transfers")]
