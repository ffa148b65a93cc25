"""What every section of a scenario has in common: frozen, strictly typed, unknown keys as its owner says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

DURATION_MS_MAX = 30 * 24 * 3600 * 1000
"""Thirty days: a limit of ours, so that virtual time in nanoseconds stays far inside 63 bits."""
DELAY_MS_MAX = 3_600_000
"""One hour: a limit of ours on anything that a single message waits."""
RATE_MAX = 1_000_000.0
"""Events a second (or a minute): a limit of ours, one event per microsecond."""
BYTES_MAX = 16 * 1024 * 1024
"""Largest payload: a limit of ours."""
U64_MAX = 2**64 - 1

DurationMs = Annotated[int, Field(ge=1, le=DURATION_MS_MAX)]
StartMs = Annotated[int, Field(ge=0, le=DURATION_MS_MAX)]
DelayMs = Annotated[int, Field(ge=0, le=DELAY_MS_MAX)]
Rate = Annotated[float, Field(gt=0, le=RATE_MAX, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _no_folder(given: object) -> object:
    if isinstance(given, str) and given.endswith(("/", "/.")):
        raise PydanticCustomError("folder_name", "must be a file, and this names a folder")
    return given


def _named(given: object) -> object:
    if given == "":
        raise PydanticCustomError("empty_path", "an empty path; the wrapper's own folder is '.'")
    return given


FolderName = Annotated[Path, Field(strict=False), BeforeValidator(_named)]
FileName = Annotated[Path, Field(strict=False), BeforeValidator(_no_folder)]
"""A file to write: a name that ends like a folder's is none."""


class Upstream(BaseModel):
    """A section that upstream's loader defines. Unknown keys do nothing, as there; `load` lists them as warnings."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", populate_by_name=True)


class Ours(BaseModel):
    """A section that upstream does not know. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


def merged(defaults: Mapping[str, Any], given: object) -> object:
    """`given` laid over `defaults`, where it is a table; anything else is returned for pydantic to refuse."""
    return {**defaults, **given} if isinstance(given, Mapping) else given
