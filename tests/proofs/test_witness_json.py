"""JSON statements and witnesses: strict reading, every fault with its path, and the native module's very bytes."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.errors import InputError
from simnet.proofs.backend import Circuit
from simnet.proofs.layouts import LAYOUTS, Field, Form
from simnet.proofs.witness import FORMATS, pack, unpack
from simnet.proofs.witness.fields import Shape
from simnet.proofs.witness.files import JSON_BYTES_MAX, read_packed

ALL = [Shape(b, Circuit(c, f.default)) for c, f in FORMATS.items() for b in BackendId]
TRANSFER = Shape(BackendId.STWO, Circuit(CircuitId.TRANSACTION, ()))
BLOCK = Shape(BackendId.STWO, Circuit(CircuitId.CONSENSUS, (32, 256, 4)))


def example(shape: Shape, *, witness: bool = True) -> dict[str, Any]:
    sample = FORMATS[shape.circuit.id].sample(shape.backend, shape.circuit)
    value = unpack(sample.witness if witness else sample.statement, shape, witness=witness)
    copied: dict[str, Any] = json.loads(json.dumps(value))
    return copied


def faults(shape: Shape, value: object, folder: Path) -> list[str]:
    path = folder / "w.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    with pytest.raises(InputError) as caught:
        read_packed(path, shape, witness=True)
    return [str(p).removeprefix(f"{path}") for p in caught.value.problems]


def ids(shape: Shape) -> str:
    return f"{shape.backend.label}-{shape.circuit.id.label}"


@pytest.mark.parametrize("shape", ALL, ids=ids)
def test_json_and_bytes_are_the_same_thing(shape: Shape) -> None:
    sample = FORMATS[shape.circuit.id].sample(shape.backend, shape.circuit)
    assert pack(example(shape), shape, witness=True) == sample.witness
    assert pack(example(shape, witness=False), shape, witness=False) == sample.statement
    for data, witness in ((sample.witness, True), (sample.statement, False)):
        with pytest.raises(ValueError, match="trailing"):
            unpack(data + b"\0", shape, witness=witness)
        with pytest.raises(ValueError, match="left"):
            unpack(data[:-1], shape, witness=witness)


def test_a_transfer_is_packed_as_the_stub_says() -> None:
    value = example(TRANSFER)
    value |= {"amount": 0x0102030405060708, "required_tier": 9, "memo": "ab" * 32}
    value["sender"] |= {"balance": 1, "rep": "cd" * 32}
    data = pack(value, TRANSFER, witness=True)
    assert len(data) == 194
    assert data[64:72] == bytes([8, 7, 6, 5, 4, 3, 2, 1])
    assert (data[88], data[97:129], data[129:137], data[162:]) == (9, b"\xab" * 32, b"\1" + bytes(7), b"\xcd" * 32)


@pytest.mark.parametrize("shape", ALL, ids=ids)
def test_every_field_of_an_example_must_be_there(tmp_path: Path, shape: Shape) -> None:
    """The first object of each list stands for all."""
    value = example(shape)
    paths = list(objects(value))
    for path in paths:
        changed = json.loads(json.dumps(value))
        put(*path)(changed, ...)
        where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
        assert f": {where}: required, but missing" in faults(shape, changed, tmp_path)


def objects(value: Any, path: tuple[int | str, ...] = ()) -> Iterator[tuple[int | str, ...]]:
    """Paths of all keys, in the first entry of each list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from objects(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from objects(value[0], (*path, 0))


def test_votes_are_bits() -> None:
    value = example(BLOCK)
    at = 32 + 24 + 2 + 4 * 105
    for votes, byte in ((["prevote"], 1), (["commit", "precommit"], 6), (["vrf"], 8), ([], 0)):
        value["ballots"][0]["votes"] = votes
        assert pack(value, BLOCK, witness=True)[at] == byte


def put(*path: int | str) -> Callable[[dict[str, Any], Any], None]:
    def change(value: dict[str, Any], new: Any) -> None:
        place: Any = value
        for part in path[:-1]:
            place = place[part]
        if new is ...:
            del place[path[-1]]
        else:
            place[path[-1]] = new

    return change


U64 = "must be an integer from 0 to 18446744073709551615"


@pytest.mark.parametrize(
    ("path", "new", "expected"),
    [
        (("round",), -1, f": round = -1: {U64}"),
        (("round",), 2**64, f": round = {2**64}: {U64}"),
        (("round",), True, f": round = True: {U64}"),
        (("round",), 1.0, f": round = 1.0: {U64}"),
        (("round",), "1", f": round = '1': {U64}"),
        (("round",), ..., ": round: required, but missing"),
        (("rounds",), 1, ": rounds: unknown key"),
        (("validators", 1, "tier"), 256, ": validators[1].tier = 256: must be an integer from 0 to 255"),
        (("validators", 0, "extra"), 1, ": validators[0].extra: unknown key"),
        (("validators", 0), 7, ": validators[0] = 7: must be an object"),
        (("validators",), {}, ": validators: must be a list"),
        (("block_hash",), "12", ": block_hash = '12': must be a string of 64 hex digits"),
        (("block_hash",), "0x" + "1" * 62, f": block_hash = '0x{'1' * 62}': must be a string of 64 hex digits"),
        (("block_hash",), " " * 64, f": block_hash = '{' ' * 64}': must be a string of 64 hex digits"),
        (("block_hash",), None, ": block_hash: must be a string of 64 hex digits"),
        (("ballots", 2, "votes"), ["abstain"], ": ballots[2].votes: must be a list out of prevote, precommit, commit, vrf"),
        (("ballots", 2), ..., ": ballots: must have 4 entries, but has 3"),
        (("openings", 0), ..., ": openings: must have 4 entries, but has 3"),
        (("openings", 0, "path", 0), ..., ": openings[0].path: must have 5 entries, but has 4"),
        (("reputation_roots",), ["00" * 32] * 5, ": reputation_roots: must have 1 to 4 entries, but has 5"),
        (("witness_commitments",), [], ": witness_commitments: must have 1 to 256 entries, but has 0"),
    ],
)
def test_a_fault_is_named_with_its_path_and_what_is_allowed(tmp_path: Path, path: tuple[int | str, ...], new: Any, expected: str) -> None:
    value = example(BLOCK)
    put(*path)(value, new)
    assert faults(BLOCK, value, tmp_path) == [expected]


DIGITS = "must be a string of {} hex digits"
AGGREGATE_PATHS = {
    "identities": 64,
    "transactions": 65,
    "uptimes": 58,
    "decisions": 24,
    "states": 42,
    "pruning": 68,
}
"""Elements of each item's vector in a 31-bit field."""


@pytest.mark.parametrize(
    ("circuit", "path", "new", "expected"),
    [
        ("identity", ("path",), [], ": path: must have 32 entries, but has 0"),
        ("identity", ("vrf_output",), "00", f": vrf_output = '00': {DIGITS.format(64)}"),
        ("identity", ("path", 3), "ff" * 32, f": path[3] = '{'ff' * 32}': is not of stwo's field"),
        ("state", ("transfers", 0), ..., ": receipts: must have 11 entries, but has 12"),
        ("state", ("identity_paths", 0), ..., ": identity_paths: must have 3 entries, but has 2"),
        ("state", ("identity_paths", 1, 0), ..., ": identity_paths[1]: must have 32 entries, but has 31"),
        ("state", ("receipts", 2, "receiver_path", 31), 5, f": receipts[2].receiver_path[31] = 5: {DIGITS.format(64)}"),
        ("state", ("receipts", 2, "r_is_new"), 1, ": receipts[2].r_is_new = 1: must be true or false"),
        ("state", ("receipts", 0, "receiver", "rep"), "ff" * 32, f": receipts[0].receiver.rep = '{'ff' * 32}': is not of stwo's field"),
        ("state", ("transfers", 1, "sender", "nonce"), -1, f": transfers[1].sender.nonce = -1: {U64}"),
        ("pruning", ("headers", 0), ..., ": headers: must have 16 entries, but has 15"),
        ("pruning", ("headers", 1, "transactions"), [{"digest": "00" * 32, "removed": True}] * 33,
         ": headers[1].transactions: must have 0 to 32 entries, but has 33"),
        ("pruning", ("headers", 1, "transactions", 0, "removed"), "no", ": headers[1].transactions[0].removed = 'no': must be true or false"),
        ("pruning", ("schema_version",), 2**16, ": schema_version = 65536: must be an integer from 0 to 65535"),
        ("uptime", ("count",), 33, ": count = 33: must be an integer from 0 to 32"),
        ("uptime", ("count",), 3, ": heartbeats: must have 3 entries, but has 24"),
        ("uptime", ("heartbeats", 0, "index"), 2**32, ": heartbeats[0].index = 4294967296: must be an integer from 0 to 4294967295"),
        ("uptime", ("heartbeats", 5, "path", 0), ..., ": heartbeats[5].path: must have 10 entries, but has 9"),
        ("uptime", ("id_path", 0), ..., ": id_path: must have 32 entries, but has 31"),
        ("recursive", ("vk_ids", 0), ..., ": vk_ids: must have 7 entries, but has 6"),
        ("recursive", ("previous", "roots", "zsi"), None, f": previous.roots.zsi: {DIGITS.format(64)}"),
        ("recursive", ("header", "height"), 2**64, f": header.height = {2**64}: {U64}"),
        ("recursive", ("states",), [], ": states: must have 1 entries, but has 0"),
        ("recursive", ("decisions",), ["00" * 96] * 2, ": decisions: must have 0 to 1 entries, but has 2"),
        ("recursive", ("uptimes",), ["00" * 232] * 9, ": uptimes: must have 0 to 8 entries, but has 9"),
        *(("recursive", (name, 0), "00" * (4 * n - 1), f": {name}[0]: {DIGITS.format(8 * n)}") for name, n in AGGREGATE_PATHS.items()),
        *(("recursive", (name, 0), "ff" * 4 * n, f": {name}[0]: is not of stwo's field") for name, n in AGGREGATE_PATHS.items()),
    ],
)  # fmt: skip
def test_faults_of_the_other_circuits(tmp_path: Path, circuit: str, path: tuple[int | str, ...], new: Any, expected: str) -> None:
    which = CircuitId[circuit.upper()]
    shape = Shape(BackendId.STWO, Circuit(which, FORMATS[which].default))
    value = example(shape)
    put(*path)(value, new)
    (found,) = faults(shape, value, tmp_path)
    assert found.startswith(expected)


def test_a_block_of_several_state_proofs() -> None:
    """As many as the circuit's transfers by those of one proof."""
    shape = Shape(BackendId.STWO, Circuit(CircuitId.RECURSIVE, (16, 4, 8, 4)))
    value = example(shape)
    assert pack(value, shape, witness=True) == FORMATS[CircuitId.RECURSIVE].sample(shape.backend, shape.circuit).witness
    assert len(value["states"]) > 1
    with pytest.raises(ValidationError, match="must have 1 to 4 entries, but has 5"):
        pack(value | {"states": value["states"][:1] * 5}, shape, witness=True)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    value = example(TRANSFER)
    value |= {"amount": -1, "fee": "x", "what": 1}
    value["sender"]["tier"] = 999
    del value["memo"]
    found = faults(TRANSFER, value, tmp_path)
    assert [f.split(":")[1].split("=")[0].strip() for f in found] == ["amount", "fee", "memo", "sender.tier", "what"]


@pytest.mark.parametrize("backend", BackendId)
def test_digests_are_canonical_in_their_field(tmp_path: Path, backend: BackendId) -> None:
    shape = Shape(backend, BLOCK.circuit)
    width = 32 if backend is BackendId.GROTH16 else 4
    value = example(shape)
    for number, good in ((backend.field.modulus - 1, True), (backend.field.modulus, False)):
        value["block_hash"] = (bytes(32 - width) + number.to_bytes(width, "little")).hex()
        if good:
            pack(value, shape, witness=True)
        else:
            assert ": block_hash = " in faults(shape, value, tmp_path)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ('{"amount": 1, "amount": 2}', ":1:15: the key 'amount' is there twice"),
        ('{"memo": {"a": ["a", {"a": 1}], "b": 2},\n"a": 1,\n "\\u0061" : 2}', ":3:2: the key 'a' is there twice"),
        ('{"a": 1,\n, }', ":2:1: not JSON: Expecting property name"),
        ('{"a": "[",\n"b": ' + "[" * 100_000, ":2:69: nested too deeply: more than 64 levels"),
        ('{"memo": "9",\n"amount": ' + "9" * 5000 + "}", ":2:11: a number with too many digits"),
        ('{"memo": "NaN",\n"amount": NaN}', ":2:11: NaN is no JSON number"),
    ],
)
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in faults(TRANSFER, text, tmp_path)[0]


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    path.write_bytes(b'{"amount": "\xff"}')
    with pytest.raises(InputError, match="not UTF-8 text: byte 12"):
        read_packed(path, TRANSFER, witness=True)


def test_the_size_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    with path.open("wb") as file:
        file.truncate(JSON_BYTES_MAX + 1)
    with pytest.raises(InputError, match=f"larger than {JSON_BYTES_MAX} bytes"):
        read_packed(path, TRANSFER, witness=True)
    with pytest.raises(InputError, match="not a regular file"):
        read_packed(Path("/dev/zero"), TRANSFER, witness=True)
    with pytest.raises(InputError, match="No such file"):
        read_packed(tmp_path / "none", TRANSFER, witness=True)


DIGEST = Form("digest")
REMOVAL = Form("record", "Removal", fields=(Field("digest", "", DIGEST), Field("removed", "", Form("flag"))))
SHEET = Form(
    "record",
    "Sheet",
    fields=(
        Field("small", "", Form("u16")),
        Field("middle", "", Form("u32")),
        Field("transactions", "", Form("list", items=(REMOVAL,), bound="transactions")),
        Field("path", "", Form("array", items=(DIGEST,), bound="segments")),
    ),
)
WINDOW = Form("record", "Window", fields=(Field("blocks", "", Form("array", items=(SHEET,), bound="headers")),))


def test_every_kind_of_field_packs_and_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LAYOUTS, CircuitId.PRUNING, replace(LAYOUTS[CircuitId.PRUNING], statement=WINDOW, witness=WINDOW))
    shape = Shape(BackendId.STWO, Circuit(CircuitId.PRUNING, (2, 3, 1)))
    d = "01" * 32
    block: dict[str, Any] = {"small": 258, "middle": 1, "transactions": [{"digest": d, "removed": True}], "path": [d]}
    value = {"blocks": [block, {**block, "transactions": []}]}
    data = pack(value, shape, witness=True)
    one = bytes.fromhex(d)
    assert data == b"\2\1\1\0\0\0\1\0" + one + b"\1" + one + b"\2\1\1\0\0\0\0\0" + one
    assert unpack(data, shape, witness=True) == value
    for wrong in (1, "true", None):
        removal = {"digest": d, "removed": wrong}
        with pytest.raises(ValidationError, match="must be true or false"):
            pack({"blocks": [block, {**block, "transactions": [removal]}]}, shape, witness=True)
    with pytest.raises(ValidationError, match="must have 2 entries, but has 1"):
        pack({"blocks": [block]}, shape, witness=True)
    with pytest.raises(ValidationError, match="must have 0 to 3 entries, but has 4"):
        pack({"blocks": [block, {**block, "transactions": block["transactions"] * 4}]}, shape, witness=True)


def test_many_keys_are_read_in_no_time(tmp_path: Path) -> None:
    """A hundred thousand of them, the last one twice: looked at once each, not each against all."""
    path = tmp_path / "s.json"
    path.write_text("{" + ", ".join(f'"{n}": 1' for n in (*range(100_000), 99_999)) + "}")
    began = time.process_time()
    with pytest.raises(InputError, match="the key '99999' is there twice"):
        read_packed(path, TRANSFER, witness=False)
    assert time.process_time() - began < 5
