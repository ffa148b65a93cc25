"""JSON form of the recursive circuit's statement, which is its witness too.

Inner proofs enter by their public-input vectors, consensus by the block's decision, all in canonical bytes of the
backend's field. What an input must be within its circuit is the native module's to check; here are only lengths and
canonical elements.
"""

from typing import Annotated

from simnet.proofs.witness.fields import U64, Digest, Hash, Many, Quotient, Record, Size, Vector

CIRCUITS = 7

Identity = Annotated[bytes, Vector(digests=8)]
Transaction = Annotated[bytes, Vector(digests=6, u64=4, small=1)]
Uptime = Annotated[bytes, Vector(digests=5, u64=4, small=2)]
Decision = Annotated[bytes, Vector(digests=2, u64=2)]
State = Annotated[bytes, Vector(digests=4, u64=2, small=2)]
Pruning = Annotated[bytes, Vector(digests=7, u64=2, u32=1, small=2)]


class Roots(Record):
    """The roots that an aggregate carries."""

    global_state: Digest
    utxo: Digest
    reputation: Digest
    timetoke: Digest
    zsi: Digest
    proof: Digest


class Previous(Record):
    """The previous block's aggregate, taken apart."""

    previous_commitment: Digest
    state_proof: Digest
    roots: Roots
    pruning_fold: Digest
    activity: Digest
    height: U64


class Header(Record):
    """What the block's header has beside its roots."""

    parent: Digest
    height: U64
    timestamp: U64


class Statement(Record):
    """A block as the vectors of its proofs; `vk_ids` by circuit id, `states` in the order of the transfers."""

    vk_ids: Annotated[list[Hash], Many(exactly=CIRCUITS)]
    previous: Previous
    roots: Roots
    header: Header
    identities: Annotated[list[Identity], Many(most=Size(1))]
    transactions: Annotated[list[Transaction], Many(most=Size(0))]
    uptimes: Annotated[list[Uptime], Many(most=Size(2))]
    decisions: Annotated[list[Decision], Many(most=1)]
    states: Annotated[list[State], Many(most=Quotient(0, 3), least=1)]
    pruning: Annotated[list[Pruning], Many(most=1)]
