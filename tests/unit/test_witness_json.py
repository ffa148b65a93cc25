"""JSON statements and witnesses: strict reading, every fault with its path, and the native module's very bytes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import ValidationError

from simnet.errors import InputError
from simnet.proofs.backend import BackendId, Circuit, CircuitId
from simnet.proofs.witness import FORMATS, pack, unpack
from simnet.proofs.witness.fields import MODULUS, U16, U32, Bool, Digest, Many, Reader, Record, Shape, Size
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
    for number, good in ((MODULUS[backend] - 1, True), (MODULUS[backend], False)):
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
        ('{"amount": 1, "amount": 2}', "the key 'amount' stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"amount": ' + "9" * 5000 + "}", "digit"),
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
    with pytest.raises(InputError, match="larger than"):
        read_packed(Path("/dev/zero"), TRANSFER, witness=True)
    with pytest.raises(InputError, match="No such file"):
        read_packed(tmp_path / "none", TRANSFER, witness=True)


class Removal(Record):
    """A record of every kind, nested, as further circuits need them."""

    digest: Digest
    removed: Bool


class Block(Record):
    small: U16
    middle: U32
    transactions: Annotated[list[Removal], Many(most=Size(1))]
    path: Annotated[list[Digest], Many(exactly=Size(2))]


class Window(Record):
    blocks: Annotated[list[Block], Many(exactly=Size(0))]


def test_every_kind_of_field_packs_and_unpacks() -> None:
    shape = Shape(BackendId.STWO, Circuit(CircuitId.PRUNING, (2, 3, 1)))
    d = "01" * 32
    block: dict[str, Any] = {"small": 258, "middle": 1, "transactions": [{"digest": d, "removed": True}], "path": [d]}
    value = {"blocks": [block, {**block, "transactions": []}]}
    data = Window.of_json(value, shape).pack()
    one = bytes.fromhex(d)
    assert data == b"\2\1\1\0\0\0\1\0" + one + b"\1" + one + b"\2\1\1\0\0\0\0\0" + one
    assert Window.unpack(Reader(data), shape) == value
    for wrong in ({"removed": 1}, {"removed": "true"}, {"removed": None}):
        with pytest.raises(ValidationError, match="must be true or false"):
            Removal.of_json({"digest": d} | wrong, shape)
    with pytest.raises(ValidationError, match="must have 2 entries, but has 1"):
        Window.of_json({"blocks": [block]}, shape)
    with pytest.raises(ValidationError, match="must have 0 to 3 entries, but has 4"):
        Window.of_json({"blocks": [block, {**block, "transactions": block["transactions"] * 4}]}, shape)
