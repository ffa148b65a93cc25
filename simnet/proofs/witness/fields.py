"""The fields that statements and witnesses are made of: how each is written in JSON, and how in the native bytes.

A circuit's format is a `Record`: its fields in the order of the bytes, each annotated with its kind. Pydantic checks
the JSON against it (every fault at once, with its path); the same annotations pack the values, and unpack bytes.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from simnet.base.catalogue import BackendId
from simnet.proofs.backend import Circuit

DIGEST_BYTES = 32
ELEMENT_BYTES = {BackendId.STWO: 4, BackendId.PLONKY3: 4, BackendId.GROTH16: 32}
MODULUS = {
    BackendId.STWO: 2**31 - 1,
    BackendId.PLONKY3: 2**31 - 2**24 + 1,
    BackendId.GROTH16: 21888242871839275222246405745257275088548364400416034343698204186575808495617,
}
"""M31, KoalaBear, and the scalar field of BN254 (EIP-196)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the validity of a value depends on: whose field digests are of, and the circuit's sizes."""

    backend: BackendId
    circuit: Circuit


class Reader:
    """A cursor over packed bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes. Raises ValueError past the end."""
        if self._at + count > len(self._data):
            raise ValueError(f"{count} bytes wanted at {self._at}, {len(self._data) - self._at} left")
        self._at += count
        return self._data[self._at - count : self._at]

    def finish(self) -> None:
        """Raises ValueError unless all was read."""
        if self._at != len(self._data):
            raise ValueError(f"{len(self._data) - self._at} trailing bytes")


class Kind(ABC):
    """How one field is checked, packed and unpacked. `item` is the annotation that it stands on."""

    @abstractmethod
    def pack(self, value: Any, item: Any) -> bytes:
        """The bytes of a checked value."""

    @abstractmethod
    def unpack(self, reader: Reader, item: Any, shape: Shape, seen: Mapping[str, Any]) -> Any:
        """The value as it is in JSON. `seen` holds the record's earlier fields."""


@dataclass(frozen=True, slots=True)
class Size:
    """A circuit parameter, by its position."""

    index: int


@dataclass(frozen=True, slots=True)
class Quotient:
    """A circuit parameter divided by another."""

    index: int
    divisor: int


Bound = int | Size | Quotient


def _number(bound: Bound, shape: Shape) -> int:
    params = shape.circuit.params
    if isinstance(bound, Quotient):
        # A divisor of zero is a size that the native module refuses.
        return params[bound.index] // max(params[bound.divisor], 1)
    return params[bound.index] if isinstance(bound, Size) else bound


@dataclass(frozen=True, slots=True)
class Unsigned(Kind):
    """An unsigned integer of `width` bytes, little-endian, up to `most`."""

    width: int
    most: Bound | None = None

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self._check)

    def _check(self, value: object, info: ValidationInfo) -> int:
        most = 2 ** (8 * self.width) - 1 if self.most is None else _number(self.most, _shape(info))
        # Not `isinstance`: true and false are no numbers here.
        if type(value) is not int or not 0 <= value <= most:
            raise PydanticCustomError("allowed", "must be an integer from 0 to {most}", {"most": most})
        return value

    def pack(self, value: int, item: Any) -> bytes:
        return value.to_bytes(self.width, "little")

    def unpack(self, reader: Reader, item: Any, shape: Shape, seen: Mapping[str, Any]) -> int:
        return int.from_bytes(reader.take(self.width), "little")


@dataclass(frozen=True, slots=True)
class Octets(Kind):
    """A fixed number of bytes, in JSON twice as many hex digits. `field`: canonical elements of the backend's field."""

    count: int
    field: bool = False

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self._check)

    def _check(self, value: object, info: ValidationInfo) -> bytes:
        return _octets(value, self.count, _shape(info).backend if self.field else None)

    def pack(self, value: bytes, item: Any) -> bytes:
        return value

    def unpack(self, reader: Reader, item: Any, shape: Shape, seen: Mapping[str, Any]) -> str:
        return reader.take(self.count).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector(Kind):
    """The public-input vector of a circuit, by how many inputs it has of each type; hex of its canonical bytes.

    A digest is a digest's bytes. Of the integers a 31-bit field holds 16 bits in each element, BN254 holds all in one.
    """

    digests: int
    u64: int = 0
    u32: int = 0
    small: int = 0

    def length(self, backend: BackendId) -> int:
        """Bytes of the vector in a backend's field."""
        wide = backend is BackendId.GROTH16
        integers = self.u64 + self.u32 + self.small if wide else 4 * self.u64 + 2 * self.u32 + self.small
        return self.digests * DIGEST_BYTES + integers * ELEMENT_BYTES[backend]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self._check)

    def _check(self, value: object, info: ValidationInfo) -> bytes:
        backend = _shape(info).backend
        return _octets(value, self.length(backend), backend)

    def pack(self, value: bytes, item: Any) -> bytes:
        return value

    def unpack(self, reader: Reader, item: Any, shape: Shape, seen: Mapping[str, Any]) -> str:
        return reader.take(self.length(shape.backend)).hex()


def _shape(info: ValidationInfo) -> Shape:
    assert isinstance(info.context, Shape), "records are read by `Record.of_json`"
    return info.context


def _octets(value: object, count: int, field: BackendId | None) -> bytes:
    """The bytes of `2 * count` hex digits; with `field`, canonical elements of that backend's field."""
    try:
        data = bytes.fromhex(value) if isinstance(value, str) and len(value) == 2 * count else None
    except ValueError:
        data = None
    if data is None or len(data) != count:
        raise PydanticCustomError("hex", "must be a string of {digits} hex digits", {"digits": 2 * count})
    if field is not None:
        _canonical(data, field)
    return data


def _canonical(data: bytes, backend: BackendId) -> None:
    """Refuses bytes with an element that is not below the modulus of the backend's field."""
    width = ELEMENT_BYTES[backend]
    for at in range(0, len(data), width):
        if int.from_bytes(data[at : at + width], "little") >= MODULUS[backend]:
            raise PydanticCustomError(
                "field",
                "is not of {backend}'s field: its elements, {width} bytes little-endian each, must be below {modulus}",
                {"backend": backend.label, "width": width, "modulus": MODULUS[backend]},
            )


@dataclass(frozen=True, slots=True)
class Truth(Kind):
    """A boolean, one byte."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return _saying(core_schema.bool_schema(strict=True), "must be true or false")

    def pack(self, value: bool, item: Any) -> bytes:
        return bytes([value])

    def unpack(self, reader: Reader, item: Any, shape: Shape, seen: Mapping[str, Any]) -> bool:
        return reader.take(1) != b"\0"


@dataclass(frozen=True, slots=True)
class Flags(Kind):
    """One byte of named bits, lowest first; in JSON the list of those that are set."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        names = core_schema.list_schema(core_schema.literal_schema(list(self.names)), strict=True, max_length=len(self.names))
        return _saying(names, f"must be a list out of {', '.join(self.names)}")

    def pack(self, value: Sequence[str], item: Any) -> bytes:
        return bytes([sum(1 << i for i, name in enumerate(self.names) if name in value)])

    def unpack(self, reader: Reader, item: Any, shape: Shape, seen: Mapping[str, Any]) -> list[str]:
        bits = reader.take(1)[0]
        return [name for i, name in enumerate(self.names) if bits >> i & 1]


@dataclass(frozen=True, slots=True)
class Many(Kind):
    """A list of records or fields.

    `exactly` may name an earlier list of the same length, or an earlier number that is the length. A list with `most`
    has its u16 count before it.
    """

    most: Bound | None = None
    exactly: Bound | str | None = None
    least: int = 0

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def _check(self, value: list[Any], info: ValidationInfo) -> list[Any]:
        low, high = self._bounds(_shape(info), info.data)
        if not low <= len(value) <= high:
            allowed = str(high) if low == high else f"{low} to {high}"
            raise PydanticCustomError("count", "must have {allowed} entries, but has {count}", {"allowed": allowed, "count": len(value)})
        return value

    def _bounds(self, shape: Shape, seen: Mapping[str, Any]) -> tuple[int, int]:
        if isinstance(self.exactly, str):
            # The other field is missing from `seen` when it is itself at fault; that is reported there.
            if self.exactly not in seen:
                return 0, 1 << 16
            other = seen[self.exactly]
            count = other if isinstance(other, int) else len(other)
            return count, count
        if self.exactly is not None:
            count = _number(self.exactly, shape)
            return count, count
        assert self.most is not None
        return self.least, _number(self.most, shape)

    def pack(self, value: Sequence[Any], item: Any) -> bytes:
        (inner,) = get_args(item)
        head = b"" if self.most is None else len(value).to_bytes(2, "little")
        return head + b"".join(_pack(v, inner) for v in value)

    def unpack(self, reader: Reader, item: Any, shape: Shape, seen: Mapping[str, Any]) -> list[Any]:
        (inner,) = get_args(item)
        count = int.from_bytes(reader.take(2), "little") if self.most is not None else self._bounds(shape, seen)[1]
        return [_unpack(reader, inner, shape, {}) for _ in range(count)]


def _saying(schema: CoreSchema, message: str) -> CoreSchema:
    """The schema with one message for all its faults."""
    return core_schema.custom_error_schema(schema, custom_error_type="allowed", custom_error_message=message)


U8 = Annotated[int, Unsigned(1)]
U16 = Annotated[int, Unsigned(2)]
U32 = Annotated[int, Unsigned(4)]
U64 = Annotated[int, Unsigned(8)]
Bool = Annotated[bool, Truth()]
Hash = Annotated[bytes, Octets(32)]
Digest = Annotated[bytes, Octets(DIGEST_BYTES, field=True)]


class Record(BaseModel):
    """Fields that follow each other in the bytes, in the order in which they are declared."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)

    def pack(self) -> bytes:
        """The native bytes."""
        fields = type(self).model_fields
        return b"".join(_pack(getattr(self, name), _annotation(info)) for name, info in fields.items())

    @classmethod
    def unpack(cls, reader: Reader, shape: Shape) -> dict[str, Any]:
        """The JSON form of packed bytes. Raises ValueError when there are too few of them."""
        seen: dict[str, Any] = {}
        for name, info in cls.model_fields.items():
            seen[name] = _unpack(reader, _annotation(info), shape, seen)
        return seen

    @classmethod
    def of_json(cls, value: object, shape: Shape) -> Self:
        """The record that a JSON value describes. Raises pydantic's ValidationError with every fault."""
        return cls.model_validate(value, context=shape)


def _annotation(info: Any) -> Any:
    """A field's annotation with its kind: pydantic keeps the two apart."""
    kinds = [m for m in info.metadata if isinstance(m, Kind)]
    return Annotated[info.annotation, kinds[0]] if kinds else info.annotation


def _pack(value: Any, annotation: Any) -> bytes:
    if get_origin(annotation) is Annotated:
        item, kind, *_ = get_args(annotation)
        packed: bytes = kind.pack(value, item)
        return packed
    assert isinstance(value, Record)
    return value.pack()


def _unpack(reader: Reader, annotation: Any, shape: Shape, seen: Mapping[str, Any]) -> Any:
    if get_origin(annotation) is Annotated:
        item, kind, *_ = get_args(annotation)
        return kind.unpack(reader, item, shape, seen)
    return annotation.unpack(reader, shape)
