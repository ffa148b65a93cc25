"""The JSON form of a layout: what a value must be, and what JSON packed bytes are.

Pydantic checks the JSON, every fault at once with its path. Bytes are hex, integers decimal, flags the list of those
that are set, records objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, core_schema

from simnet.base.catalogue import BackendId
from simnet.proofs.backend import Circuit
from simnet.proofs.layouts import LAYOUTS, Field, Form, Layout

DIGEST_BYTES = 32
LIMBS = {"u64": 4, "u32": 2, "u16": 1, "up_to": 1}
"""Elements of an integer in the vectors of a 31-bit field, which holds 16 bits in each. BN254 holds any in one."""
WIDTHS = {"u8": 1, "u16": 2, "up_to": 2, "u32": 4, "u64": 8}
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the validity of a value depends on: whose field digests are of, and the circuit's sizes."""

    backend: BackendId
    circuit: Circuit

    @property
    def told(self) -> Layout:
        """The circuit's layout."""
        return LAYOUTS[self.circuit.id]

    def number(self, bound: int | str) -> int:
        """A bound of the layout at the circuit's size."""
        return self.told.number(bound, self.circuit.params)

    def vector_bytes(self, inputs: tuple[Field, ...]) -> int:
        """Bytes of a public-input vector in the backend's field."""
        field = self.backend.field
        return sum(
            DIGEST_BYTES if f.form.kind == "digest" else field.element_bytes * (1 if field.wide else LIMBS[f.form.kind]) for f in inputs
        )


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

    def integer(self, width: int) -> int:
        """The next unsigned integer of so many bytes."""
        return int.from_bytes(self.take(width), "little")

    def finish(self) -> None:
        """Raises ValueError unless all was read."""
        if self._at != len(self._data):
            raise ValueError(f"{len(self._data) - self._at} trailing bytes")


# --- JSON to values ------------------------------------------------------------------------------


@cache
def validator(form: Form, shape: Shape) -> SchemaValidator:
    """What makes checked values of JSON; it raises pydantic's ValidationError with every fault."""
    return SchemaValidator(_schema(form, shape))


def _schema(form: Form, shape: Shape) -> CoreSchema:
    match form.kind:
        case "record":
            return _object({field.name: _schema(field.form, shape) for field in form.fields})
        case "named":
            return _object({name: _schema(Form("digest"), shape) for name in form.names})
        case "list" | "array" | "each":
            return _list(form, shape)
        case "bits":
            names = core_schema.list_schema(core_schema.literal_schema(list(form.names)), strict=True, max_length=len(form.names))
            return _saying(names, f"must be a list out of {', '.join(form.names)}")
        case "flag":
            return _saying(core_schema.bool_schema(strict=True), "must be true or false")
        case "hash" | "digest":
            return _octets(DIGEST_BYTES, None if form.kind == "hash" else shape.backend)
        case "vector":
            return _octets(shape.vector_bytes(form.fields), shape.backend)
        case kind:
            return _unsigned(shape.number(form.bound) if kind == "up_to" else 2 ** (8 * WIDTHS[kind]) - 1)


def _object(fields: Mapping[str, CoreSchema]) -> CoreSchema:
    told = {name: core_schema.typed_dict_field(schema) for name, schema in fields.items()}
    return core_schema.typed_dict_schema(told, strict=True, extra_behavior="forbid")


def _list(form: Form, shape: Shape) -> CoreSchema:
    def check(value: list[Any], info: ValidationInfo) -> list[Any]:
        low, high = _lengths(form, shape, info.data)
        if not low <= len(value) <= high:
            allowed = str(high) if low == high else f"{low} to {high}"
            raise PydanticCustomError("count", "must have {allowed} entries, but has {count}", {"allowed": allowed, "count": len(value)})
        return value

    items = core_schema.list_schema(_schema(form.items[0], shape), strict=True)
    return core_schema.with_info_after_validator_function(check, items)


def _lengths(form: Form, shape: Shape, seen: Mapping[str, Any]) -> tuple[int, int]:
    """The fewest and the most items. `seen` holds the record's earlier fields."""
    if form.kind != "each":
        high = shape.number(form.bound)
        return (form.least if form.kind == "list" else high), high
    # The other field is missing from `seen` when it is itself at fault; that is reported there.
    if form.of not in seen:
        return 0, 1 << 16
    other = seen[form.of]
    count = other if isinstance(other, int) else len(other)
    return count, count


def _unsigned(most: int) -> CoreSchema:
    def check(value: object) -> int:
        # Not `isinstance`: true and false are no numbers here.
        if type(value) is not int or not 0 <= value <= most:
            raise PydanticCustomError("allowed", "must be an integer from 0 to {most}", {"most": most})
        return value

    return core_schema.no_info_plain_validator_function(check)


def _octets(count: int, field: BackendId | None) -> CoreSchema:
    """The bytes of `2 * count` hex digits; with `field`, canonical elements of that backend's field."""

    def check(value: object) -> bytes:
        try:
            data = bytes.fromhex(value) if isinstance(value, str) and len(value) == 2 * count else None
        except ValueError:
            data = None
        if data is None or len(data) != count:
            raise PydanticCustomError("hex", "must be a string of {digits} hex digits", {"digits": 2 * count})
        if field is not None:
            _canonical(data, field)
        return data

    return core_schema.no_info_plain_validator_function(check)


def _canonical(data: bytes, backend: BackendId) -> None:
    """Refuses bytes with an element that is not below the modulus of the backend's field."""
    width = backend.field.element_bytes
    for at in range(0, len(data), width):
        if int.from_bytes(data[at : at + width], "little") >= backend.field.modulus:
            raise PydanticCustomError(
                "field",
                "is not of {backend}'s field: its elements, {width} bytes little-endian each, must be below {modulus}",
                {"backend": backend.label, "width": width, "modulus": backend.field.modulus},
            )


def _saying(schema: CoreSchema, message: str) -> CoreSchema:
    """The schema with one message for all its faults."""
    return core_schema.custom_error_schema(schema, custom_error_type="allowed", custom_error_message=message)


# --- bytes to JSON -------------------------------------------------------------------------------


def unpacked(reader: Reader, form: Form, shape: Shape, seen: Mapping[str, Any]) -> Any:
    """The JSON of the next bytes; `seen` holds the record's earlier fields. Raises ValueError when there are too few."""
    match form.kind:
        case "record":
            value: dict[str, Any] = {}
            for field in form.fields:
                value[field.name] = unpacked(reader, field.form, shape, value)
            return value
        case "named":
            return {name: reader.take(DIGEST_BYTES).hex() for name in form.names}
        case "list" | "array" | "each":
            count = reader.integer(2) if form.kind == "list" else _lengths(form, shape, seen)[1]
            return [unpacked(reader, form.items[0], shape, {}) for _ in range(count)]
        case "bits":
            bits = reader.integer(1)
            return [name for i, name in enumerate(form.names) if bits >> i & 1]
        case "flag":
            return reader.integer(1) != 0
        case "hash" | "digest":
            return reader.take(DIGEST_BYTES).hex()
        case "vector":
            return reader.take(shape.vector_bytes(form.fields)).hex()
        case kind:
            return reader.integer(WIDTHS[kind])
