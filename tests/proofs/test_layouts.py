"""Layouts are told once, in Rust: what Python packs, what it takes as JSON and what the documents show follow from there."""

import json
import struct
from typing import Any

import pytest
from pydantic import ValidationError

from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs import native
from simnet.proofs.backend import Circuit
from simnet.proofs.layouts import LAYOUTS, Layout, encode, encode_witness, encoder, parse
from simnet.proofs.witness import FORMATS, pack, unpack
from simnet.proofs.witness.fields import Shape
from simnet.protocol.transfer import Account, Transfer
from tests import layout_tables

UPTIME = Circuit(CircuitId.UPTIME, FORMATS[CircuitId.UPTIME].default)


def changed() -> Layout:
    """A copy of the uptime layout: two fields swapped, one renamed, one limit another, and an input of another type."""
    told = json.loads(native.LAYOUTS)
    (uptime,) = (layout for layout in told if layout["circuit"] == CircuitId.UPTIME)
    for record in (uptime["statement"], uptime["witness"]["fields"][0]["form"]["record"]):
        fields = record["fields"]
        fields[1], fields[2] = fields[2], fields[1]
        fields[0]["name"] = "owner"
        fields[-1]["form"]["most"] = 3
    uptime["public"][1]["form"] = {"form": "u32"}
    return parse(json.dumps([uptime]))[CircuitId.UPTIME]


def value(shape: Shape) -> dict[str, Any]:
    """A claim of three heartbeats in JSON."""
    sample = FORMATS[CircuitId.UPTIME].sample(shape.backend, shape.circuit)
    found = unpack(sample.witness, Shape(shape.backend, shape.circuit), witness=True)
    return found | {"count": 3, "heartbeats": found["heartbeats"][:3], "node_clock": 1, "epoch": 2}


def test_a_changed_copy_changes_bytes_and_json() -> None:
    told, copy = Shape(BackendId.STWO, UPTIME), Shape(BackendId.STWO, UPTIME, changed())
    before = value(told)
    after = {"owner": before["public_key"]} | {name: v for name, v in before.items() if name != "public_key"}
    packed, other = pack(before, told, witness=True), pack(after, copy, witness=True)
    assert (packed[32:48], other[32:48]) == (struct.pack("<QQ", 1, 2), struct.pack("<QQ", 2, 1))
    assert packed[:32] + packed[48:] == other[:32] + other[48:]
    assert unpack(other, copy, witness=True) == after
    with pytest.raises(ValidationError, match="public_key"):
        pack(before, copy, witness=True)


def test_a_changed_limit_is_another_limit() -> None:
    told, copy = Shape(BackendId.STWO, UPTIME), Shape(BackendId.STWO, UPTIME, changed())
    four = {name: v for name, v in value(told).items() if name not in ("id_commitment", "id_path", "heartbeats")} | {"count": 4}
    assert pack(four, told, witness=False)
    with pytest.raises(ValidationError, match="must be an integer from 0 to 3"):
        pack({"owner": four.pop("public_key"), **four}, copy, witness=False)


def test_a_changed_copy_changes_packer_vector_and_table() -> None:
    layout, copy = LAYOUTS[CircuitId.UPTIME], changed()
    names = [field.name for field in layout.statement.fields]
    values: dict[str, Any] = {name: bytes(32) for name in names} | dict.fromkeys(("window_start", "window_end", "threshold", "count"), 0)
    values |= {"node_clock": 1, "epoch": 2}
    packed = encoder(layout.statement)(values)
    other = encoder(copy.statement)({"owner" if name == "public_key" else name: v for name, v in values.items()})
    assert (packed[32:48], other[32:48]) == (struct.pack("<QQ", 1, 2), struct.pack("<QQ", 2, 1))
    shape = Shape(BackendId.STWO, UPTIME)
    assert shape.vector_bytes(layout.public) - shape.vector_bytes(copy.public) == 8, "two elements less"
    tables = [layout_tables.table("uptime", which).splitlines() for which in (layout, copy)]
    assert set(tables[1]) - set(tables[0]) == {
        "| `owner` | 32 bytes | An Ed25519 key. |",
        "| `count` | u16 up to 3 | How many heartbeats show it. |",
        "| `node_clock` | u32 |  |",
    }
    order = [line.split("`")[1] for line in tables[1] if line.startswith("| `")]
    assert order[:3] == ["owner", "epoch", "node_clock"]


def test_the_documents_show_the_layouts() -> None:
    """`python -m tests.layout_tables` writes them."""
    assert layout_tables.PAGE.read_text().endswith("\n" + layout_tables.section())


def test_a_transfer_is_signed_in_the_circuits_layout() -> None:
    """The protocol has these bytes from nobody, since wallets sign them."""
    transfer = Transfer(b"s" * 32, b"r" * 32, 5, 1, 2**63, 3, 4, b"m" * 32)
    account = Account(2**64 - 1, 1, 2, 5, 6, b"p" * 32)
    named = {"balance": 2**64 - 1, "nonce": 1, "stake": 2, "tier": 5, "last_decay": 6, "rep": b"p" * 32}
    packed = encode(
        CircuitId.TRANSACTION,
        "Statement",
        from_public_key=transfer.sender,
        to_public_key=transfer.receiver,
        amount=5,
        fee=1,
        nonce=2**63,
        required_tier=3,
        timestamp=4,
        memo=transfer.memo,
        sender=named,
    )
    assert transfer.statement(account) == packed


@pytest.mark.parametrize("wrong", [{"path": [], "depth": 1}, {}])
def test_each_field_needs_its_value_and_no_other(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="missing or unknown fields"):
        encode_witness(CircuitId.IDENTITY, b"", **wrong)


def test_integers_out_of_range_are_not_packed() -> None:
    header = {"parent": bytes(32), "height": 2**64, "timestamp": 0}
    with pytest.raises(struct.error):
        encode(CircuitId.RECURSIVE, "Header", **header)


@pytest.mark.parametrize("backend", [BackendId.STWO, BackendId.PLONKY3])
@pytest.mark.parametrize("circuit", CircuitId)
def test_vectors_have_the_length_of_their_circuits(backend: BackendId, circuit: CircuitId) -> None:
    if circuit in (CircuitId.RECURSIVE, CircuitId.CONSENSUS):
        pytest.skip("no vector of theirs is in a statement")
    shape = Shape(backend, Circuit(circuit, FORMATS[circuit].default))
    key, _ = native.make_key(backend, shape.circuit)
    assert shape.vector_bytes(shape.told.public) == 4 * key.public_len
