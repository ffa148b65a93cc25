"""The layouts of statements, witnesses and public inputs: their fields in order, and how values become bytes.

They are told once, in `zk/src/circuits/*/layout.rs`; the native module hands them over as data (`LAYOUTS`).
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from simnet.base.catalogue import CircuitId
from simnet.proofs import native

Bound = int | str
"""A number, or by name: a size parameter, or `a/b`, the quotient of two."""
Encoder = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Form:
    """How a field is written; `kind` is one of `Form` in `zk/src/circuits/layout.rs`, which says what the others mean to it."""

    kind: str
    name: str = ""
    doc: str = ""
    fields: tuple["Field", ...] = ()
    """Of a record, those of the record that it extends first; the inputs of a vector."""
    names: tuple[str, ...] = ()
    items: tuple["Form", ...] = ()
    """The form of a list's items, alone."""
    least: int = 0
    bound: Bound = 0
    """What limits an integer, or the length of a list."""
    of: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record, or one public input."""

    name: str
    doc: str
    form: Form


@dataclass(frozen=True, slots=True)
class Layout:
    """What a circuit's bytes are."""

    params: tuple[str, ...]
    statement: Form
    witness: Form
    """The statement's own record where there is nothing to add."""
    public: tuple[Field, ...]

    def records(self) -> dict[str, Form]:
        """Every record, by its name."""
        return {form.name: form for form in _records(self.witness)} | {self.statement.name: self.statement}

    def number(self, bound: Bound, params: tuple[int, ...]) -> int:
        """A bound at a size."""
        if isinstance(bound, int):
            return bound
        name, _, divisor = bound.partition("/")
        value = params[self.params.index(name)]
        # A divisor of zero is a size that the native module refuses.
        return value // max(params[self.params.index(divisor)], 1) if divisor else value


def _records(form: Form) -> Iterator[Form]:
    if form.name:
        yield form
    for inner in (*form.items, *(field.form for field in form.fields)):
        yield from _records(inner)


def parse(text: str) -> dict[CircuitId, Layout]:
    """Layouts from the native module's JSON."""
    return {
        CircuitId(raw["circuit"]): Layout(
            tuple(raw["params"]), _form(raw["statement"]), _form(raw["witness"]), tuple(map(_field, raw["public"]))
        )
        for raw in json.loads(text)
    }


def _field(raw: Mapping[str, Any]) -> Field:
    return Field(raw["name"], raw["doc"].strip(), _form(raw["form"]))


def _form(raw: Mapping[str, Any]) -> Form:
    fields: list[Field] = []
    for field in raw.get("fields", raw.get("inputs", ())):
        inner = field["form"]
        fields += _form(inner["record"]).fields if inner["form"] == "base" else [_field(field)]
    return Form(
        raw["form"],
        raw.get("name", ""),
        raw.get("doc", "").strip(),
        tuple(fields),
        tuple(raw.get("names", ())),
        (_form(raw["item"]),) if "item" in raw else (),
        raw.get("least", 0),
        raw.get("most", raw.get("count", 0)),
        raw.get("of", ""),
    )


LAYOUTS = parse(native.LAYOUTS)


# --- values to bytes -----------------------------------------------------------------------------


def encode(circuit: CircuitId, record: str, /, **values: Any) -> bytes:
    """A record's bytes from a value for each of its fields.

    A list's value is a sequence, a record's a mapping, flags are the names of those that are set; whatever is bytes
    already is taken as it is. Raises TypeError unless there is exactly one value for each field, struct.error for an
    integer out of range.
    """
    return encoder_of(circuit, record)(values)


def encode_witness(circuit: CircuitId, statement: bytes, /, **values: Any) -> bytes:
    """A witness from its packed statement and the fields that it adds."""
    return statement + addition_of(circuit)(values)


@cache
def encoder_of(circuit: CircuitId, record: str) -> Encoder:
    """What packs a record of a circuit."""
    return encoder(LAYOUTS[circuit].records()[record])


@cache
def addition_of(circuit: CircuitId) -> Encoder:
    """What packs the fields that a witness adds to its statement."""
    layout = LAYOUTS[circuit]
    return _record("Witness", layout.witness.fields[len(layout.statement.fields) :])


_INTEGERS = {"u8": "<B", "u16": "<H", "up_to": "<H", "u32": "<I", "u64": "<Q", "flag": "<?"}


def encoder(form: Form) -> Encoder:
    """What packs values of this form."""
    match form.kind:
        case "record":
            return _record(form.name, form.fields)
        case "named":
            return _record(form.name, tuple(Field(name, "", Form("digest")) for name in form.names))
        case "list" | "array" | "each":
            return _many(encoder(form.items[0]), counted=form.kind == "list")
        case "bits":
            return _bits(form.names)
        case "hash" | "digest" | "vector":
            return _given
        case kind:
            return struct.Struct(_INTEGERS[kind]).pack


def _given(value: bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"bytes wanted, not {value!r}")
    return value


def _record(name: str, fields: tuple[Field, ...]) -> Encoder:
    parts = [(field.name, encoder(field.form)) for field in fields]
    known = {name for name, _ in parts}

    def pack(values: Mapping[str, Any] | bytes) -> bytes:
        if isinstance(values, bytes):
            return values
        if values.keys() != known:
            raise TypeError(f"{name}: missing or unknown fields {', '.join(sorted(values.keys() ^ known))}")
        return b"".join([part(values[field]) for field, part in parts])

    return pack


def _many(item: Encoder, *, counted: bool) -> Encoder:
    def pack(values: Any) -> bytes:
        if isinstance(values, bytes):
            return values
        head = struct.pack("<H", len(values)) if counted else b""
        return head + b"".join([item(value) for value in values])

    return pack


def _bits(names: tuple[str, ...]) -> Encoder:
    def pack(values: Any) -> bytes:
        return bytes([sum(1 << i for i, name in enumerate(names) if name in values)])

    return pack
