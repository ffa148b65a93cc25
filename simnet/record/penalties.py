"""The log line of a booked penalty, as operators search for it (operations specification, section 9.3), and a log of them."""

from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO, cast

import structlog

from simnet.base.errors import OutputError
from simnet.events import Handlers, PenaltyBooked
from simnet.record.atomic import publish, scratch

KEY_ORDER = ["level", "target", "backend", "validator", "penalty", "evidence", "event"]
Logger = structlog.typing.BindableLogger


class PenaltyLines:
    """Writes one line for each penalty; none for a penalty of nothing. `file` None: standard output."""

    def __init__(self, file: TextIO | None = None) -> None:
        processors: list[structlog.typing.Processor] = [
            structlog.processors.add_log_level,
            structlog.processors.LogfmtRenderer(key_order=KEY_ORDER),
        ]
        self._logger = structlog.wrap_logger(structlog.PrintLogger(file), processors=processors)

    def write(self, backend: str, validator: int, penalty: int, evidence: str, **more: object) -> None:
        if penalty > 0:
            fields = {"backend": backend, "validator": validator, "penalty": penalty, "evidence": evidence, **more}
            self._logger.info("applied slashing penalty", target="consensus", **fields)


class PenaltyLog:
    """An observer that keeps a run's penalties as a file of such lines, one for each node that booked one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = scratch(self._path)
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error}") from error
        self._partial = Path(file.name)
        self._file = TextIOWrapper(cast("BinaryIO", file), encoding="utf-8")
        self._lines = PenaltyLines(self._file)
        return self

    @property
    def handlers(self) -> Handlers:
        return {PenaltyBooked: self._booked}

    def _booked(self, event: PenaltyBooked) -> None:
        more = {"node": event.node, "height": event.height, "at_ns": event.at}
        self._lines.write(event.backend, event.validator, event.penalty, event.evidence, **more)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._file.close()
        except OSError as failure:
            raise OutputError(f"cannot write {self._path}: {failure}") from failure
        publish(self._partial, self._path)
