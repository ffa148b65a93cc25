"""From what a block did in one field to the statements and witnesses of its identity, state and uptime proofs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs import block_statements as pack
from simnet.proofs import native
from simnet.proofs.field import address, empty_leaf
from simnet.proofs.layouts import encode, encode_witness
from simnet.proofs.statements import ZERO, lift
from simnet.protocol.field import Tree
from simnet.protocol.heartbeats import Claim, WindowLog, Windows
from simnet.protocol.ledger import Transition
from simnet.protocol.roots import HEARTBEAT_TAG, FieldBlock, FieldState
from simnet.protocol.transfer import NO_REPUTATION, Account

# --- identity ------------------------------------------------------------------------------------


def identity_statement(done: FieldBlock, index: int, nonce: bytes) -> bytes:
    """The statement of a block's join `index`."""
    r = done.registered[index]
    keys = (r.join.key, r.join.vrf_key, r.join.vrf_output)
    return pack.identity_statement(keys, r.identity_root_before, done.before.accounts.root, nonce, r.identity_root_after)


def identity_witness(done: FieldBlock, index: int, statement: bytes) -> bytes:
    """The statement and the path of the still empty slot."""
    field, tree = done.before.backend, done.before.identities
    for r in done.registered[:index]:
        a = address(field, r.join.key)
        tree = tree.update(a, native.identity_leaf(field, a, r.commitment))
    return encode_witness(CircuitId.IDENTITY, statement, path=tree.path(address(field, done.registered[index].join.key)))


# --- state ---------------------------------------------------------------------------------------


def state_statement(done: FieldBlock, index: int, chunk: Sequence[Transition], timestamp: int) -> bytes:
    """The statement of a block's state proof `index`: joins, which are all in the first, and the transfers of its chunk."""
    opened = [(r.join.key, r.commitment) for r in done.registered] if index == 0 else []
    after = done.chunks[min(index + 1, len(done.chunks) - 1)]
    transfers = [t.tx.transfer.statement(t.tx.account) for t in chunk]
    return pack.state_statement(_tree_before(done, index).root, after.root, timestamp, opened, transfers)


def state_witness(done: FieldBlock, index: int, chunk: Sequence[Transition], timestamp: int, statement: bytes) -> bytes:
    """The statement and the paths of every account that is written, each in the tree as the writes before left it."""
    field, tree = done.before.backend, _tree_before(done, index)
    opened, transfers = [], []
    for r in done.registered if index == 0 else ():
        a = address(field, r.join.key)
        opened.append(tree.path(a))
        tree = tree.update(a, native.opened_account_leaf(field, r.join.key, r.commitment, timestamp))
    for t in chunk:
        sender, receiver = t.tx.transfer.sender, t.tx.transfer.receiver
        sender_path = tree.path(address(field, sender))
        tree = tree.update(address(field, sender), _leaf(field, sender, t.sender_after))
        receiver_path = tree.path(address(field, receiver))
        tree = tree.update(address(field, receiver), _leaf(field, receiver, t.receiver_after))
        transfers.append(pack.TransferPaths(_receiver(field, t.receiver_before), sender_path, receiver_path))
    return pack.state_witness(statement, opened, transfers)


def _tree_before(done: FieldBlock, index: int) -> Tree:
    return done.before.accounts if index == 0 else done.chunks[index]


def _leaf(field: BackendId, key: bytes, account: Account) -> bytes:
    return native.account_leaves(field, key + account.encode())


def _receiver(field: BackendId, account: Account) -> dict[str, object]:
    """A receiver's account as the state witness has it: its reputation is a digest already."""
    assert account.rep == NO_REPUTATION
    return asdict(account) | {"rep": native.reputation_of_identity(field, ZERO)}


# --- uptime --------------------------------------------------------------------------------------


def log_leaves(field: BackendId, log: WindowLog, keys: Mapping[int, bytes]) -> bytes:
    """The leaves of a window's log; `keys`: public keys by validator."""
    return b"".join(native.heartbeat_leaf(field, keys[b.validator], b.t, lift(field, b.head), b.signature) for b in log.beats)


def log_root(field: BackendId, leaves: bytes, depth: int) -> bytes:
    """heartbeat_root."""
    return native.binary_root(field, leaves, depth, empty_leaf(field, HEARTBEAT_TAG))


def uptime_statement(before: FieldState, claim: Claim, key: bytes, root: bytes, windows: Windows, slot: int) -> bytes:
    """The statement of a claim in a block of `slot` on the state `before`; `root`: of the claim's log.

    Times share one unit, milliseconds on this chain.
    """
    window, beats = claim.log.window, claim.log.of(claim.validator)
    return encode(
        CircuitId.UPTIME,
        "Statement",
        public_key=key,
        node_clock=windows.slot_start(slot),
        # The circuit refuses 0.
        epoch=window + 1,
        head_hash=lift(before.backend, beats[-1][1].head),
        window_start=windows.start(window),
        window_end=windows.start(window + 1),
        identity_root=before.identities.root,
        heartbeat_root=root,
        threshold=windows.threshold,
        count=len(beats),
    )


def uptime_witness(before: FieldState, claim: Claim, key: bytes, leaves: bytes, depth: int, statement: bytes) -> bytes:
    """The statement, the identity's path and every counted heartbeat with its path in the log."""
    field, empty = before.backend, empty_leaf(before.backend, HEARTBEAT_TAG)
    counted = claim.log.of(claim.validator)
    paths = native.merkle_paths(field, leaves, depth, empty, [place for place, _ in counted])
    beats = [
        {
            "t": b.t,
            "head": lift(field, b.head),
            "signature_digest": native.signature_digest(field, b.signature),
            "index": place,
            "path": path,
        }
        for (place, b), path in zip(counted, paths, strict=True)
    ]
    return encode_witness(
        CircuitId.UPTIME,
        statement,
        id_commitment=before.commitments[key],
        id_path=before.identities.path(address(field, key)),
        heartbeats=beats,
    )
