"""The event trace: every event, in order, as a Parquet file, and a hash of it that no library version changes.

Events are turned into columns a few at a time, while the processor's caches still hold them, and written in batches. That keeps
the cost at about a microsecond an event and the memory bounded.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, NewType, Self, get_args, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simnet.base.errors import OutputError
from simnet.base.interrupts import deferred
from simnet.events import Event, Handlers
from simnet.record.atomic import publish, scratch

BATCH = 65_536
"""Events in a row group, and in one step of the hash: part of the hash's definition."""
CHUNK = 2048
"""Events that are turned into columns together."""
Places = np.ndarray[Any, np.dtype[np.int64]]
NO_INT = -(2**63)
NO_TEXT = "\x01"
TEXT = pa.dictionary(pa.int32(), pa.string())
ARROW = {int: pa.int64(), bool: pa.bool_(), str: TEXT}
NUMPY = {int: "<i8", bool: "?"}


class TraceRecorder:
    """Writes the trace while the run goes; close it to get the file and the hash.

    The hash is SHA-256 over, for each batch of `BATCH` events: the event names in order, one a line; then, for
    each class in the batch in order of name and each of its fields in declared order, `Class.field` in a line
    and the values as little-endian int64 (times, ids, sizes), bytes 0/1 (truth values) or texts joined by NUL.
    A missing number is -2^63, a missing text U+0001.
    """

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self._path = path
        self._layouts = {kind: _Layout(kind) for kind in event_classes()}
        self._schema = _schema(self._layouts.values()).with_metadata(dict(metadata))
        self._chunk: list[Event] = []
        self._batch = _Batch(self._layouts)
        self._hash = hashlib.sha256()
        self._written = 0
        self._failure: OSError | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            texts = [field.name for field in self._schema if field.type == TEXT]
            # A file of Python's: the library itself cannot open a path that is no UTF-8.
            self._file = scratch(path)
            self._partial = Path(self._file.name)
            # Numbers hardly repeat, so a dictionary of them costs time and saves nothing.
            self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd", use_dictionary=texts)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error}") from error

    @property
    def handlers(self) -> Handlers:
        return {Event: self._take}

    def _take(self, event: Event) -> None:
        chunk = self._chunk
        chunk.append(event)
        if len(chunk) == CHUNK or len(chunk) == BATCH - self._batch.rows:
            with deferred():  # An interrupt in the middle of it would lose the batch, or leave a file that nobody can read.
                self._gather()
                if self._batch.rows == BATCH:
                    self._flush()

    @property
    def rows(self) -> int:
        """Events taken so far."""
        return self._written + self._batch.rows + len(self._chunk)

    def close(self) -> str:
        """Writes what is left, puts the file in place and returns its hash. Raises `OutputError`."""
        if self._failure is not None:
            raise self._failed(self._failure)
        self._gather()
        if self._batch.rows:
            self._flush()
        try:
            self._writer.close()
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error
        publish(self._partial, self._path)
        return self._hash.hexdigest()

    def abandon(self) -> None:
        """Closes and removes the unfinished file."""
        try:
            self._writer.close()
            self._file.close()
        except OSError:
            pass  # The disk may be full, which may be why the trace is abandoned.
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.abandon()

    def _gather(self) -> None:
        chunk, self._chunk = self._chunk, []
        self._batch.add(chunk)

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch(self._layouts)
        merged = batch.merged(self._hash.update, self._schema)
        try:
            self._writer.write_table(merged, row_group_size=BATCH)
        except OSError as error:
            # Rows are missing from here on: the file must not be finished even if there is room again.
            self._failure = error
            raise self._failed(error) from error
        self._written += batch.rows

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self._path}: {error}")


class _Batch:
    """Events on their way to a row group, as columns by class."""

    def __init__(self, layouts: Mapping[type[Event], "_Layout"]) -> None:
        self.rows = 0
        self._layouts = layouts
        self._names: list[str] = []
        """Of the events in order, a line each."""
        self._places: dict[type[Event], list[int]] = {}
        """Where the events of a class stand among all."""
        self._columns: dict[type[Event], list[Mapping[str, Any]]] = {}

    def add(self, chunk: Sequence[Event]) -> None:
        """Takes further events."""
        places: dict[type[Event], list[int]] = {}
        for index, kind in enumerate(map(type, chunk)):
            places.setdefault(kind, []).append(index)
        names = {kind: f"{kind.__name__}\n" for kind in places}
        self._names.append("".join([names[type(event)] for event in chunk]))
        for kind, found in places.items():
            self._columns.setdefault(kind, []).append(self._layouts[kind].columns([chunk[index] for index in found]))
            self._places.setdefault(kind, []).extend([self.rows + index for index in found])
        self.rows += len(chunk)

    def merged(self, update: Callable[[bytes], object], schema: pa.Schema) -> pa.Table:
        """All events in order; `update` takes what the hash is made of."""
        update("".join(self._names).encode())
        found: dict[str, _Column] = {"event": _Column(str, self.rows)}
        for kind in sorted(self._columns, key=lambda kind: kind.__name__):
            layout, places = self._layouts[kind], np.array(self._places[kind], np.int64)
            columns = layout.joined(self._columns[kind])
            layout.digest(update, columns)
            found["event"].put_text(places, layout.name)
            for name, base in layout.columns_of.items():
                found.setdefault(name, _Column(base, self.rows)).put(places, columns[name])
        arrays = [found[field.name].array() if field.name in found else pa.nulls(self.rows, field.type) for field in schema]
        return pa.Table.from_arrays(arrays, schema=schema)


class _Column:
    """One column of a row group, filled class by class; null where nothing is put.

    Arrow gets its buffers, not arrays or lists: for those it imports pandas, which takes half a second.
    """

    def __init__(self, base: type, rows: int) -> None:
        self._base = base
        self._data = np.zeros(rows, NUMPY.get(base, "<i4"))
        self._there = np.zeros(rows, "?")
        self._texts: dict[str, int] = {}
        """Each text and its number, where the column is one of texts."""

    def put(self, places: Places, values: Any) -> None:
        """Values at places; a list may have None among them."""
        if isinstance(values, list) and None in values:
            places = places[[value is not None for value in values]]
            values = [value for value in values if value is not None]
        if self._base is str:
            for text in dict.fromkeys(values):
                self._texts.setdefault(text, len(self._texts))
            values = list(map(self._texts.__getitem__, values))
        self._data[places], self._there[places] = values, True

    def put_text(self, places: Places, text: str) -> None:
        """The same text at all places."""
        self._data[places], self._there[places] = self._texts.setdefault(text, len(self._texts)), True

    def array(self) -> pa.Array:
        rows = len(self._data)
        valid = None if self._there.all() else _bits(self._there)
        if self._base is bool:
            return pa.Array.from_buffers(pa.bool_(), rows, [valid, _bits(self._data)])
        numbers = pa.Array.from_buffers(pa.int64() if self._base is int else pa.int32(), rows, [valid, pa.py_buffer(self._data)])
        return numbers if self._base is int else pa.DictionaryArray.from_arrays(numbers, _strings(self._texts))


def _bits(flags: "np.ndarray[Any, Any]") -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def _strings(texts: Iterable[str]) -> pa.Array:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype="<i4")
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


class _Layout:
    """The columns of one event class."""

    def __init__(self, kind: type[Event]) -> None:
        hints = get_type_hints(kind)
        self.name = kind.__name__
        self.columns_of = {field.name: _base(kind, field.name, hints[field.name]) for field in fields(kind)}
        self._optional = {name for name in self.columns_of if type(None) in get_args(hints[name])}
        self._get = {name: attrgetter(name) for name in self.columns_of}

    def columns(self, events: Sequence[Event]) -> dict[str, Any]:
        """Numpy arrays of numbers and truth values that are always there; lists of the rest."""
        found: dict[str, Any] = {}
        for name, get in self._get.items():
            plain = None if name in self._optional else NUMPY.get(self.columns_of[name])
            values = map(get, events)
            found[name] = list(values) if plain is None else np.fromiter(values, plain, len(events))
        return found

    def joined(self, pieces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Columns of one piece after the other."""
        if len(pieces) == 1:
            return dict(pieces[0])
        arrays = {name for name, column in pieces[0].items() if isinstance(column, np.ndarray)}
        return {
            name: np.concatenate([p[name] for p in pieces]) if name in arrays else [value for p in pieces for value in p[name]]
            for name in self.columns_of
        }

    def digest(self, update: Any, columns: Mapping[str, Any]) -> None:
        for name, base in self.columns_of.items():
            update(f"{self.name}.{name}\n".encode())
            values = columns[name]
            if base is str:
                update("\0".join([NO_TEXT if v is None else v for v in values] if name in self._optional else values).encode())
            elif name in self._optional:
                update(bytes(values) if base is bool else np.array([NO_INT if v is None else v for v in values], dtype="<i8").tobytes())
            else:
                update(values.tobytes())


def _schema(layouts: Any) -> pa.Schema:
    found: dict[str, type] = {"at": int, "event": str}
    for layout in layouts:
        for name, base in layout.columns_of.items():
            if found.setdefault(name, base) is not base:
                raise TypeError(f"{layout.name}.{name} is {base.__name__}, elsewhere {found[name].__name__}")
    return pa.schema([(name, ARROW[base]) for name, base in found.items()])


def event_classes() -> list[type[Event]]:
    """All event classes, by name."""
    found: set[type[Event]] = {Event}
    pending: list[type[Event]] = [Event]
    while pending:
        for kind in pending.pop().__subclasses__():
            if kind not in found:
                found.add(kind)
                pending.append(kind)
    return sorted(found - {Event}, key=lambda kind: kind.__name__)


def _base(kind: type[Event], name: str, hint: Any) -> type:
    """int, bool or str behind a field's annotation. Raises TypeError for anything else."""
    options = [option for option in get_args(hint) if option is not type(None)] or [hint]
    found = options[0]
    while isinstance(found, NewType):
        found = found.__supertype__
    if len(options) != 1 or found not in ARROW:
        raise TypeError(f"{kind.__name__}.{name}: a trace column cannot hold {hint}")
    return found  # type: ignore[no-any-return]
