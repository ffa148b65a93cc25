"""JSON form of the identity circuit's statement and witness."""

from typing import Annotated

from simnet.proofs.witness.fields import Digest, Hash, Many, Record, Size


class Statement(Record):
    """The registration of a key in the identity tree; `vrf_output` is the first 32 bytes of a VRF proof."""

    public_key: Hash
    vrf_public_key: Hash
    vrf_output: Hash
    identity_root_before: Digest
    state_root: Digest
    epoch_nonce: Hash
    identity_root_after: Digest


class Witness(Statement):
    """The statement and the siblings of the address's slot, leaf to root."""

    path: Annotated[list[Digest], Many(exactly=Size(0))]
