"""What a sweep has finished: a line for each run, on disk before it counts, so that a killed sweep goes on where it was."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from simnet.base import reading
from simnet.base.errors import OutputError, cannot_write
from simnet.base.jsontext import json_text
from simnet.base.locks import seize_folder
from simnet.base.regular import open_own
from simnet.record.atomic import append, make_folder

LEDGER = "runs.jsonl"
Row = Mapping[str, Any]


class Ledger:
    """The rows of one sweep's folder. Use as a context: one process writes there at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises OutputError when the folder cannot be made, another process has it, or its ledger is damaged."""
        self._path = folder / LEDGER
        try:
            make_folder(folder)
            handle = seize_folder(folder)
            if handle is None:
                raise OutputError(f"another sweep is writing into {folder}")
        except OSError as error:
            raise cannot_write(folder, error) from error
        self._handle = handle
        try:
            self._file: BinaryIO = open_own(self._path)
        except OSError as error:
            os.close(handle)
            raise cannot_write(self._path, error) from error
        self.rows: dict[str, Row] = {}
        """By the run's key."""
        try:
            self._read()
        except OutputError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets another process write into the folder."""
        self._file.close()
        os.close(self._handle)

    def add(self, row: Row) -> None:
        """Writes a row and waits until the disk has it. Raises OutputError; then the ledger is as it was."""
        try:
            append(self._file, (" ".join(json_text(row).split("\n")) + "\n").encode())
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self.rows[str(row["key"])] = row

    def _read(self) -> None:
        """Takes the rows that are there. A last line without an end was being written when the process was killed: it is cut off."""
        content = reading.text(self._path)
        whole, newline, rest = content.rpartition("\n")
        for number, line in enumerate(whole.split("\n") if newline else (), 1):
            row = _row(line)
            if row is None:
                raise OutputError(f"{self._path}:{number}: not a row of a sweep")
            self.rows[str(row["key"])] = row
        if rest:
            self._file.truncate(len((whole + newline).encode()))


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    kinds = {"key": str, "job": int, "exit_code": int, "complete": bool, "error": str, "figures": dict}
    if not isinstance(row, dict) or not all(isinstance(row.get(name), kind) for name, kind in kinds.items()):
        return None
    numbers = all(isinstance(value, int | float) for value in row["figures"].values())
    return row if numbers else None


def missing(keys: Iterable[str], rows: Mapping[str, Row]) -> list[str]:
    """Keys that have no row yet, in order, each once."""
    return [key for key in dict.fromkeys(keys) if key not in rows]
