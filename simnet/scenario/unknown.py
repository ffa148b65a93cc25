"""Keys that no section defines: found by walking the tables beside the models."""

import difflib
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from simnet.scenario.base import Upstream
from simnet.scenario.bounds import chosen
from simnet.scenario.marks import Path


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A key that nothing reads."""

    key: Path
    why: str
    value: object = None
    """Whatever stands there is of no interest."""


def close_match(key: str, known: Iterable[str]) -> str:
    """A hint at the known key that was probably meant, or the list of known keys."""
    known = sorted(known)
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}"


def unknown_keys(model: type[BaseModel], data: object, path: Path = ()) -> Iterator[UnknownKey]:
    """Unknown keys in upstream's sections below `data`; in ours pydantic itself refuses them."""
    if not isinstance(data, Mapping):
        return
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, value in data.items():
        if key in fields:
            yield from _below(fields[key].annotation, value, (*path, key))
        elif issubclass(model, Upstream):
            yield UnknownKey((*path, key), f"unknown key, ignored; {close_match(key, fields)}")


def _below(annotation: Any, value: object, path: Path) -> Iterator[UnknownKey]:
    """The same inside a field's value: optional sections, unions, lists and tables of sections."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from unknown_keys(annotation, value, path)
    elif origin is Annotated:
        yield from _below(arguments[0], value, path)
    elif origin in (Union, types.UnionType):
        section = chosen([a for a in arguments if isinstance(a, type) and issubclass(a, BaseModel)], value)
        yield from () if section is None else _below(section, value, path)
    elif origin is tuple and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _below(arguments[0], item, (*path, index))
    elif origin is dict and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _below(arguments[1], item, (*path, key))
