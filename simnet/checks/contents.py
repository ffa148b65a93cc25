"""What a committed block brings: everything in it is signed by whom it names, and its header keeps the order of slots and seconds.

Looked at once for each content, by plain calls of the signature and VRF checks; nodes' own memories are left alone.
"""

from simnet.checks.setting import Setting
from simnet.node.keyring import vrf_input
from simnet.proofs import native
from simnet.protocol.blocks import Block, Body, Header, Registration
from simnet.protocol.heartbeats import Heartbeat
from simnet.protocol.joins import Join


class Contents:
    """Blocks by content, and what is wrong with each."""

    def __init__(self, setting: Setting) -> None:
        self._chain_id = setting.genesis.chain_id
        self._validators = setting.genesis.validators
        self._public_keys = setting.facts.public_keys
        self._most = setting.scenario.chain.block_transactions_max
        self._known: dict[bytes, tuple[Body, str | None]] = {}
        """By hash: the body that was looked at, which all nodes share, and what is wrong with it."""

    def why_not(self, block: Block) -> str | None:
        """What a block brings that nobody signed, or more than it may; `None` when all is well."""
        known = self._known.get(block.hash)
        if known is None or known[0] is not block.body:
            known = self._known[block.hash] = (block.body, self._look(block))
        return known[1]

    def _look(self, block: Block) -> str | None:
        body = block.body
        if len(body.tx_ids) > self._most:
            return f"brings {len(body.tx_ids)} transfers"
        for what, items, good in (
            ("registration", body.registrations, self._registration),
            ("join", body.joins, self._join),
            ("heartbeat", body.heartbeats, self._heartbeat),
        ):
            bad = next((item for item in items if not good(item)), None)  # type: ignore[arg-type]
            if bad is not None:
                return f"brings a {what} that node {bad.validator} did not sign, or not of its own keys"
        return None

    def _registration(self, r: Registration) -> bool:
        if not 0 <= r.validator < len(self._validators):
            return False
        own = self._validators[r.validator]
        drawn = native.vrf_verify(own.vrf_key, vrf_input(self._chain_id, r.epoch), r.vrf)
        signed = drawn and native.ed25519_verify(own.key, r.signing_bytes(), r.signature)
        return signed and r.otk_roots == self._public_keys.roots(r.validator, r.epoch)

    def _join(self, j: Join) -> bool:
        if not 0 <= j.validator < len(self._validators):
            return False
        own = self._validators[j.validator]
        mine = (j.key, j.vrf_key) == (own.key, own.vrf_key) and native.vrf_verify(own.vrf_key, j.vrf_input(self._chain_id), j.vrf)
        return mine and native.ed25519_verify(own.key, j.signing_bytes(self._chain_id), j.signature)

    def _heartbeat(self, b: Heartbeat) -> bool:
        known = 0 <= b.validator < len(self._validators)
        return known and native.ed25519_verify(self._validators[b.validator].key, b.signing_bytes(self._chain_id), b.signature)


def why_out_of_order(header: Header, parent: Header | None, latest_s: float) -> str | None:
    """What is wrong with a header's slot or second, after its parent's and up to now."""
    if parent is not None and header.slot <= parent.slot:
        return f"is of slot {header.slot}, its parent of {parent.slot}"
    if parent is not None and header.timestamp < parent.timestamp:
        return f"is of second {header.timestamp}, its parent of {parent.timestamp}"
    return f"is of second {header.timestamp}, which is to come" if header.timestamp > latest_s else None
