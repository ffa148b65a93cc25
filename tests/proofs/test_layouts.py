"""Layouts are told once, in Rust: what Python packs, what it takes as JSON and what the documents show follow from there."""

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs import layouts, native
from simnet.proofs.backend import Circuit
from simnet.proofs.layouts import LAYOUTS, Layout, encode, encode_witness, parse
from simnet.proofs.witness import FORMATS, pack, unpack
from simnet.proofs.witness.fields import Shape
from simnet.protocol.transfer import Account, Transfer
from tests import layout_tables
from tests.runs import ROOT

UPTIME = Circuit(CircuitId.UPTIME, FORMATS[CircuitId.UPTIME].default)


TOLD = LAYOUTS[CircuitId.UPTIME]
SHAPE = Shape(BackendId.STWO, UPTIME)


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """The uptime layout with two fields swapped, one renamed, one limit another, and an input of another type.

    It stands where the circuit's own did; what was made from that is forgotten, before and after.
    """
    told = json.loads(native.LAYOUTS)
    (uptime,) = (layout for layout in told if layout["circuit"] == CircuitId.UPTIME)
    for record in (uptime["statement"], uptime["witness"]["fields"][0]["form"]["record"]):
        fields = record["fields"]
        fields[1], fields[2] = fields[2], fields[1]
        fields[0]["name"] = "owner"
        fields[-1]["form"]["most"] = 3
    uptime["public"][1]["form"] = {"form": "u32"}
    layout = parse(json.dumps([uptime]))[CircuitId.UPTIME]
    monkeypatch.setitem(LAYOUTS, CircuitId.UPTIME, layout)
    for made in (layouts.encoder_of, layouts.addition_of):
        made.cache_clear()
    yield layout
    for made in (layouts.encoder_of, layouts.addition_of):
        made.cache_clear()


def claim() -> dict[str, Any]:
    """A claim of three heartbeats, as values of the statement's fields in JSON."""
    values: dict[str, Any] = dict.fromkeys(("public_key", "head_hash", "identity_root", "heartbeat_root"), "01" * 32)
    return values | {"node_clock": 1, "epoch": 2, "window_start": 3, "window_end": 4, "threshold": 5, "count": 3}


def renamed(values: dict[str, Any]) -> dict[str, Any]:
    return {"owner" if name == "public_key" else name: v for name, v in values.items()}


def swapped(data: bytes) -> bytes:
    """With the second and the third field of the statement changed over."""
    return data[:32] + data[40:48] + data[32:40] + data[48:]


BEFORE = pack(claim(), SHAPE, witness=False)


def test_a_changed_copy_changes_bytes_and_json(changed: Layout) -> None:
    after = pack(renamed(claim()), SHAPE, witness=False)
    assert after == swapped(BEFORE) != BEFORE
    assert unpack(after, SHAPE, witness=False) == renamed(claim())
    assert list(unpack(after, SHAPE, witness=False))[:3] == ["owner", "epoch", "node_clock"]
    with pytest.raises(ValidationError, match="public_key"):
        pack(claim(), SHAPE, witness=False)
    with pytest.raises(ValidationError, match="must be an integer from 0 to 3"):
        pack(renamed(claim()) | {"count": 4}, SHAPE, witness=False)


def test_a_changed_copy_changes_the_packer(changed: Layout) -> None:
    values = {name: bytes.fromhex(v) if isinstance(v, str) else v for name, v in renamed(claim()).items()}
    assert encode(CircuitId.UPTIME, "Statement", **values) == swapped(BEFORE)
    assert BEFORE[:48] == b"\1" * 32 + struct.pack("<QQ", 1, 2)
    added = encode_witness(CircuitId.UPTIME, b"", id_commitment=b"c" * 32, id_path=b"", heartbeats=[])
    assert added == b"c" * 32


def test_a_changed_copy_changes_vector_and_table(changed: Layout) -> None:
    assert SHAPE.vector_bytes(TOLD.public) - SHAPE.vector_bytes(changed.public) == 8, "two elements less"
    before, after = (layout_tables.table("uptime", layout).splitlines() for layout in (TOLD, changed))
    assert set(after) - set(before) == {
        "| `owner` | 32 bytes | An Ed25519 key. |",
        "| `count` | u16 up to 3 | How many heartbeats show it. |",
        "| `node_clock` | u32 |  |",
    }
    names = [line.split("`")[1] for line in after if line.startswith("| `")]
    assert names[:3] == ["owner", "epoch", "node_clock"]


@pytest.mark.nightly
def test_a_changed_layout_file_is_the_only_edit(tmp_path: Path) -> None:
    """In a copy of the crate: statement, witness and public inputs in another order, and the circuits' own tests pass."""
    for part in ("zk", ".cargo", "Cargo.toml", "Cargo.lock"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    path = tmp_path / "zk/src/circuits/uptime/layout.rs"
    text = path.read_text()
    clock, epoch = "        node_clock: u64,\n", "        epoch: u64,\n"
    assert text.count(clock + epoch) == 2, "in the statement and in the public inputs"
    commitment, beats = "        id_commitment: Native<F>,\n", "        heartbeats: Vec"
    text = text.replace(clock + epoch, epoch + clock).replace(commitment, "").replace(beats, commitment + beats)
    path.write_text(text)
    environment = os.environ | {"CARGO_TARGET_DIR": str(ROOT / "target")}
    command = ["cargo", "test", "--release", "--locked", "--test", "circuits", "--test", "constraints"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
@pytest.mark.parametrize("circuit", [c for c in CircuitId if c not in (CircuitId.RECURSIVE, CircuitId.CONSENSUS)])
def test_vectors_have_the_length_of_their_circuits(backend: BackendId, circuit: CircuitId) -> None:
    """Of the circuits whose vectors are in another one's statement."""
    shape = Shape(backend, Circuit(circuit, FORMATS[circuit].default))
    key, _ = native.make_key(backend, shape.circuit)
    assert shape.vector_bytes(shape.told.public) == 4 * key.public_len
